"""``meshline export``: what comes out is what came in, and goes in again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO

import pytest
import zstandard

from ingest.archive import append_block
from ingest.writer import Writer
from lineage.fingerprint import fingerprint
from lineage.store import Store
from tests.ingest.build import dataset_event, job_event, run_event
from tests.ingest.cli import Cli

LATE = run_event("r3", job="late", at="2026-03-01T00:00:00+02:00", outputs=["c"])
EARLY = run_event("r1", at="2026-01-01T00:00:00Z", inputs=["a"], outputs=["b"])
MIDDLE = run_event("r2", at="2026-02-01T00:00:00Z", inputs=["b"]).replace(b'"r2"', '"ré ✓"'.encode())
PRETTY = json.dumps(json.loads(run_event("r4", at="2026-02-02T00:00:00Z", outputs=["d"])), indent=2).encode()


def filled(db: Path, *events: bytes) -> str:
    """A database with these events; its fingerprint."""
    with Store.open(db) as store:
        Writer(store).ingest(events, source="test")
        return fingerprint(store)


def again(meshline: Cli, file: Path) -> str:
    """Fingerprint of a new database that took an export."""
    other = Cli(meshline.folder / "other", meshline._capture)
    other.folder.mkdir()
    assert other("ingest", file)[0] == 0
    with Store.open(other.db) as store:
        return fingerprint(store)


def test_events_come_out_byte_for_byte_oldest_first(meshline: Cli) -> None:
    filled(meshline.db, LATE, b" " + MIDDLE + b"\r\n", EARLY, EARLY)
    code, out, err = meshline("export", "--format", "openlineage")
    assert (code, out) == (0, b"\n".join([EARLY, MIDDLE, LATE, b""]))
    assert "3 events, one a line" in err


def test_the_whole_corpus_goes_round(meshline: Cli, events: Path) -> None:
    assert meshline("ingest", events)[0] == 0
    file = meshline.folder / "out" / "all.ndjson"
    file.parent.mkdir()
    assert meshline("export", "--raw", "-o", file)[0] == 0
    with Store.open(meshline.db) as store:
        assert again(meshline, file) == fingerprint(store)


@pytest.mark.parametrize("layout", ["auto", "array"])
def test_events_with_line_breaks_go_round_in_an_array(meshline: Cli, layout: str) -> None:
    before = filled(meshline.db, EARLY, PRETTY, LATE)
    file = meshline.folder / "out.json"
    code, _, err = meshline("export", "--layout", layout, "-o", file)
    assert code == 0
    assert "one JSON array" in err
    assert file.read_bytes() == b"[\n" + b",\n".join([EARLY, PRETTY, LATE]) + b"\n]\n"
    assert again(meshline, file) == before


def test_one_a_line_is_refused_when_it_would_change_an_event(meshline: Cli) -> None:
    filled(meshline.db, EARLY, PRETTY)
    file = meshline.folder / "out.ndjson"
    code, _, err = meshline("export", "--layout", "ndjson", "-o", file)
    assert code == 1
    assert "--layout array" in err
    assert not list(meshline.folder.glob("out*"))
    assert meshline("export", "--layout", "ndjson", "--to", "2026-02-01")[1] == EARLY + b"\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--from", "2026-02-01"), [MIDDLE, LATE]),
        (("--to", "2026-02-01"), [EARLY]),
        (("--from", "2026-02-28T22:00:00Z", "--to", "2026-02-28T22:00:01Z"), [LATE]),
        (("--job", "late"), [LATE]),
        (("--job", "late", "--job", "load"), [EARLY, MIDDLE, LATE]),
        (("--namespace", "nowhere"), []),
        (("--namespace", "warehouse", "--to", "2026-02-15"), [EARLY, MIDDLE]),
    ],
)
def test_events_are_chosen_by_time_namespace_and_job(
    meshline: Cli, words: tuple[str, ...], expected: list[bytes]
) -> None:
    filled(meshline.db, LATE, MIDDLE, EARLY)
    assert meshline("export", *words)[1].splitlines() == expected


def test_job_and_dataset_events_come_out_too(meshline: Cli) -> None:
    declared = [job_event(at="2026-01-01T00:00:00Z"), dataset_event("x", at="2026-01-02T00:00:00Z")]
    filled(meshline.db, *declared)
    assert meshline("export", "--namespace", "warehouse")[1].splitlines() == declared


@pytest.mark.parametrize(("suffix", "stream"), [(".gz", gzip.open), (".zst", zstandard.open)])
def test_the_name_of_the_file_chooses_the_compression(
    meshline: Cli, suffix: str, stream: Callable[[Path], IO[bytes]]
) -> None:
    before = filled(meshline.db, EARLY, LATE)
    file = meshline.folder / f"out.ndjson{suffix}"
    assert meshline("export", "--raw", "-o", file)[0] == 0
    with stream(file) as opened:
        assert opened.read() == EARLY + b"\n" + LATE + b"\n"
    assert again(meshline, file) == before


def test_what_a_killed_server_did_not_project_is_exported_too(meshline: Cli) -> None:
    filled(meshline.db, EARLY)
    with Store.open(meshline.db) as store, store.transaction() as cursor:
        append_block(cursor, 2, [LATE, EARLY], datetime(2027, 1, 1), "http")  # noqa: DTZ001
    assert meshline("export")[1].splitlines() == [EARLY, LATE]


def test_an_empty_export_is_an_empty_file(meshline: Cli) -> None:
    filled(meshline.db)
    assert meshline("export")[:2] == (0, b"")
    assert json.loads(meshline("export", "--layout", "array")[1]) == []


def test_a_bad_time_and_a_missing_database_are_errors(meshline: Cli) -> None:
    assert meshline("export")[0] == 1
    filled(meshline.db)
    code, _, err = meshline("export", "--from", "yesterday")
    assert code == 2
    assert "--from" in err


SECRET = (
    b'{"eventTime":"2026-01-01T00:00:00Z","run":{"runId":"1","facets":{"errorMessage":{"message":"psql://me:s3cret@db"}}},'
    b'"job":{"namespace":"a","name":"b","facets":{"sql":{"query":"COPY t CREDENTIALS \'k3y\'"},'
    b'"env":{"API_TOKEN":"t0ken"}}}}'
)


def test_secrets_leave_only_when_asked_for_and_are_no_rows(meshline: Cli, tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(SECRET + b"\n" + EARLY + b"\n")
    assert meshline("ingest", tmp_path / "events.ndjson")[0] == 0
    code, out, err = meshline("export")
    assert code == 0 and EARLY in out.splitlines() and "masked in 1" in err
    words = (b"s3cret", b"k3y", b"t0ken")
    assert not any(word in out for word in words)
    assert SECRET in meshline("export", "--raw")[1].splitlines()
    shown = meshline("show", "job:a:b", "--format", "json")[1]
    assert not any(word in shown for word in words)
    with Store.open(meshline.db, read_only=True) as store:
        rows = str(store.rows("SELECT json FROM facet_body") + store.rows("SELECT error FROM run"))
    assert not any(word.decode() in rows for word in words) and "***" in rows
