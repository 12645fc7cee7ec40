"""``meshline ingest``: every form of file, every kind of bad file, and what the summary says."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard

from lineage.cli import run
from tests.ingest.build import run_event

EVENTS = [run_event(f"r{i}", at=f"2026-01-0{i + 1}T00:00:00Z", inputs=["a"], outputs=["b"]) for i in range(3)]
NDJSON = b"\n".join(EVENTS) + b"\n"
ARRAY = b"[" + b",\n".join(EVENTS) + b"]"
PRETTY = json.dumps(json.loads(EVENTS[0]), indent=2).encode()
STREAM = b"\n".join(json.dumps(json.loads(event), indent=2).encode() for event in EVENTS)


class Cli:
    """Runs ``meshline ingest`` in a folder of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.db = folder / "m.duckdb"

    def write(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def ingest(self, *arguments: str) -> tuple[int, dict[str, Any], str]:
        code = run(["ingest", *arguments, "--db", str(self.db), "--format", "json"])
        out, err = self.capsys.readouterr()
        return code, json.loads(out) if out.strip() else {}, err


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(tmp_path, capsys)


@pytest.mark.parametrize(
    ("name", "data", "accepted"),
    [
        ("a.ndjson", NDJSON, 3),
        ("a.json", ARRAY, 3),
        ("pretty.json", PRETTY, 1),
        ("stream.json", STREAM, 3),
        ("bom.json", b"\xef\xbb\xbf" + NDJSON, 3),
        ("no_suffix", NDJSON.rstrip(), 3),
        ("blank.ndjson", b"\n\n" + EVENTS[0] + b"\n\n\n" + EVENTS[1], 2),
        ("windows.ndjson", NDJSON.replace(b"\n", b"\r\n"), 3),
        ("a.ndjson.gz", gzip.compress(NDJSON), 3),
        ("two.gz", gzip.compress(EVENTS[0] + b"\n") + gzip.compress(EVENTS[1]), 2),
        ("a.json.zst", zstandard.compress(ARRAY), 3),
        ("two.zst", zstandard.compress(EVENTS[0] + b"\n") + zstandard.compress(EVENTS[1]), 2),
    ],
)
def test_every_form_of_file_is_read(cli: Cli, name: str, data: bytes, accepted: int) -> None:
    code, report, _ = cli.ingest(cli.write(name, data))
    assert (code, report["accepted"], report["quarantined"]) == (0, accepted, 0)


def test_folders_globs_and_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write("in/deep/one.json", EVENTS[0])
    cli.write("in/two.json", EVENTS[1])
    cli.write("in/.hidden/three.json", EVENTS[2])
    cli.write("in/readme.txt", b"no events here")
    _, report, _ = cli.ingest(str(cli.folder / "in"))
    assert report["accepted"] == 2
    assert list(report["skipped_files"].values()) == ["holds no events"]
    _, report, _ = cli.ingest(str(cli.folder / "in" / "*.json"))
    assert (report["read"], report["duplicates"]) == (1, 1)
    command = [sys.executable, "-m", "lineage.cli", "ingest", "-", "--db", str(cli.db), "--format", "json"]
    done = subprocess.run(command, input=NDJSON, capture_output=True, check=True)
    assert json.loads(done.stdout)["accepted"] == 1


def test_the_whole_corpus_goes_in_at_once_and_again_adds_nothing(cli: Cli, events: Path) -> None:
    code, first, _ = cli.ingest(str(events))
    assert code == 0
    assert (first["read"], first["accepted"], first["duplicates"], first["quarantined"]) == (1005, 982, 9, 14)
    assert first["reasons"] == {"no-job": 4, "no-time": 10}
    code, again, _ = cli.ingest(str(events))
    assert (code, again["accepted"], again["duplicates"], again["quarantined"]) == (0, 0, 991, 14)
    sizes = ("runs", "jobs", "datasets", "columns", "edges", "column_edges")
    assert {key: first[key] for key in sizes} == {key: again[key] for key in sizes}


def test_marquez_seed_gives_the_sizes_that_marquez_finds(cli: Cli, events: Path) -> None:
    _, report, _ = cli.ingest(str(events / "marquez/seed-food-delivery.ndjson"))
    assert (report["jobs"], report["runs"], report["datasets"], report["columns"]) == (13, 13, 13, 91)
    assert report["column_edges"] == 39  # Marquez drops two of them: they name a table and a column that are not there
    assert (report["named_datasets"], report["named_columns"]) == (1, 2)


def test_a_column_is_described_by_a_field_that_holds_it(cli: Cli) -> None:
    told = [{"namespace": "n", "name": "in", "field": "x"}]
    used = ("a", "a.x", "a.x.y", "b", "b.c.z", "ax", "d.e")  # fields are a, b.c, d: nothing describes b and ax
    facets = {
        "schema": {"fields": [{"name": name} for name in ("a", "b.c", "d")]},
        "columnLineage": {"fields": {name: {"inputFields": told} for name in used}},
    }
    event = {**json.loads(EVENTS[0]), "inputs": [{"namespace": "n", "name": "in"}]}
    event["outputs"] = [{"namespace": "n", "name": "out", "facets": facets}]
    _, report, _ = cli.ingest(cli.write("parts.json", json.dumps(event).encode()))
    assert (report["columns"], report["named_columns"]) == (8, 2)


def test_an_array_with_one_bad_element_gives_the_others(cli: Cli) -> None:
    data = b"[" + EVENTS[0] + b', {"eventTime": , "run": {}}, ' + EVENTS[1] + b"]"
    code, report, _ = cli.ingest(cli.write("a.json", data))
    assert (code, report["accepted"], report["reasons"]) == (0, 2, {"not-json": 1})


@pytest.mark.parametrize(("packed", "name"), [(gzip.compress, "a.gz"), (zstandard.compress, "a.zst")])
def test_a_truncated_archive_gives_what_stands_before_the_break(cli: Cli, packed: Any, name: str) -> None:
    lines = [run_event(f"r{i}", outputs=[f"table_{i * 7919}_{i}"]) for i in range(5_000)]
    data = packed(b"\n".join(lines))
    code, report, _ = cli.ingest(cli.write(name, data[: len(data) // 2]))
    assert code == 0
    assert 0 < report["accepted"] < 5_000
    assert "cut off" in report["problems"][0]


def test_a_truncated_event_is_quarantined_with_its_line(cli: Cli) -> None:
    _, report, _ = cli.ingest(cli.write("a.ndjson", NDJSON + EVENTS[0][:50]))
    assert (report["accepted"], report["reasons"]) == (3, {"not-json": 1})
    from lineage.store import Store

    with Store.open(cli.db) as store:
        assert store.rows("SELECT line, source FROM quarantine") == [(4, str(cli.folder / "a.ndjson"))]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "No events found"),
        (b"   \n\n", "No events found"),
        (b"just text", "No events found"),
        (b'{"schema": 1}', "No events found"),
        (b'{"eventTime": "2026-01-01T00:00:00Z", "run"', "not-json"),
        (b'{"run": {"runId": "{{ id }}"}, "job": {"name": "a"}, "eventTime": "2026-01-01T00:00:00Z"}', "template"),
        (b'\xff\xfe{"run": 1}', "No events found"),
        (b'{"job": {"name": "\xff"}, "eventTime": "2026-01-01T00:00:00Z"}', "not-utf8"),
    ],
)
def test_a_file_that_gives_nothing_says_so_and_fails(cli: Cli, data: bytes, words: str) -> None:
    code, _, err = cli.ingest(cli.write("a.json", data))
    assert code == 1
    assert words in err
    assert "Traceback" not in err


def test_a_file_in_utf_16_is_named_with_the_way_out(cli: Cli) -> None:
    _, report, _ = cli.ingest(cli.write("a.json", EVENTS[0].decode().encode("utf-16")))
    assert list(report["skipped_files"].values()) == ["is UTF-16; save it as UTF-8"]


def test_a_path_that_is_not_there_is_named(cli: Cli) -> None:
    code, _, err = cli.ingest(str(cli.folder / "nowhere.json"))
    assert code == 2
    assert "nowhere.json" in err


def test_a_line_of_twenty_megabytes_is_taken(cli: Cli) -> None:
    big = run_event("big", job_facets={"sourceCode": {"language": "x", "sourceCode": "y" * 20_000_000}})
    code, report, _ = cli.ingest(cli.write("a.ndjson", NDJSON + big + b"\n"))
    assert (code, report["accepted"]) == (0, 4)


def test_many_small_files_are_few_batches(cli: Cli) -> None:
    from lineage.store import Store

    for i in range(40):
        cli.write(f"in/{i}.json", run_event(f"r{i}"))
    assert cli.ingest(str(cli.folder / "in"))[1]["accepted"] == 40
    with Store.open(cli.db) as store:
        assert store.rows("SELECT count(*) FROM raw") == [(1,)]
