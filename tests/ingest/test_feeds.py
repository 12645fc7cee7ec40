"""A server reads folders by itself, and takes what ``meshline ingest --server`` sends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ingest.cli import Cli
from tests.server.running import Running, run_event, serving, until


def _events(server: Running) -> int:
    return int(server.inside.store.rows("SELECT count(*) FROM event")[0][0])


def test_a_server_takes_what_is_written_into_a_folder_and_each_event_counts_once(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    folder.mkdir()
    line = json.dumps(run_event(1))
    (folder / "one.json").write_text(line + "\n")
    with serving(tmp_path / "m.duckdb", follow=[folder]) as server:
        until(lambda: _events(server) == 1)
        (folder / "two.ndjson").write_text("\n".join([line, json.dumps(run_event(2)), "{not json"]) + "\n")
        until(lambda: _events(server) == 2)
        until(lambda: 'meshline_source_events_total{source="' in server.http.get("metrics").text)
        assert server.inside.store.rows("SELECT count(DISTINCT part) FROM source_position")[0][0] >= 1


def test_events_are_sent_to_a_server_and_what_is_refused_lies_in_its_quarantine(meshline: Cli, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join([json.dumps(run_event(1)), "{broken", json.dumps(run_event(2))]) + "\n")
    with serving(tmp_path / "m.duckdb") as server:
        for _ in range(2):
            code, out, err = meshline("ingest", str(file), "--server", server.url, "--format", "json")
            assert code == 0, err
            told = json.loads(out)
            assert (told["read"], told["accepted"], told["quarantined"]) == (3, 2, 1)
        server.settled()
        assert _events(server) == 2
        assert server.inside.store.rows("SELECT reason FROM quarantine") == [("not-json",)]


@pytest.mark.parametrize("url", ["ftp://host", "http://127.0.0.1:9"])
def test_a_server_that_cannot_be_reached_is_told_without_a_traceback(meshline: Cli, tmp_path: Path, url: str) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(run_event(1)) + "\n")
    code, _, err = meshline("ingest", file, "--server", url)
    assert code != 0
    assert url in err
