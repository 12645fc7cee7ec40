"""Secrets: masked wherever they are shown, and before storage when that is wanted (semantics 24)."""

from __future__ import annotations

from typing import Any

from ingest.altered import NOTE, switch
from ingest.archive import unpack
from ingest.rebuild import rebuild
from ingest.writer import Writer
from lineage.fingerprint import fingerprint
from lineage.store import Store
from tests.ingest.build import run_event
from tests.ingest.cli import Cli

SECRET = "postgres://ada:s3cret@db/shop"
FACET: dict[str, Any] = {"my_own": {"url": SECRET, "token": "s3cret"}}


def stored(store: Store) -> list[bytes]:
    return [event for (body,) in store.rows("SELECT body FROM raw ORDER BY block") for event in unpack(body)]


def masking() -> Store:
    store = Store.open(":memory:")
    switch(store, True, "ann")
    return store


def test_the_archive_never_holds_the_secret_and_the_event_keeps_the_hash_it_came_with() -> None:
    plain, event = run_event("r2", inputs=["a"]), run_event("r1", outputs=[("a", FACET)])
    with masking() as store, Store.open(":memory:") as exact:
        for target in (store, exact):
            Writer(target).ingest([event, plain, b"{broken " + SECRET.encode()], source="test")
        assert b"s3cret" not in b"".join(stored(store)) and stored(store)[1] == plain
        assert store.rows("SELECT hash FROM event ORDER BY hash") == exact.rows("SELECT hash FROM event ORDER BY hash")
        assert Writer(store).ingest([event, plain], source="again").duplicates == 2
        assert store.rows("SELECT notes LIKE ? FROM event ORDER BY notes", [f"%{NOTE}%"]) == [(True,), (None,)]
        assert store.rows("SELECT actor FROM audit WHERE action = 'redact.archive'") == [("ann",)]
        for table in ("edge", "run", "run_io", "facet", "node"):
            count = f"SELECT count(*) FROM {table}"
            assert store.rows(count) == exact.rows(count)


def test_an_altered_event_is_rebuilt_under_its_hash_and_joins_its_run() -> None:
    with masking() as store:
        Writer(store).ingest([run_event(kind="START", outputs=[("a", FACET)])], source="test")
        Writer(store).ingest([run_event(at="2026-01-01T01:00:00Z", outputs=[("a", FACET)])], source="test")
        assert store.rows("SELECT events FROM run WHERE known_to = '9999-12-31'") == [(2,)]
        with Store.open(":memory:") as fresh:
            rebuild(store, fresh)
            assert fingerprint(fresh) == fingerprint(store)


def test_what_a_failed_test_quotes_is_masked() -> None:
    test = {"assertion": "is_url", "column": "x", "success": False, "expected": "https://", "actual": SECRET}
    with Store.open(":memory:") as store:
        facets = {"inputFacets": {"dataQualityAssertions": {"assertions": [test]}}}
        Writer(store).ingest([run_event(inputs=[("a", facets)])], source="test")
        assert store.rows("SELECT expected, actual FROM assertion") == [("https://", "postgres://ada:***@db/shop")]


def test_the_command_switches_it(meshline: Cli) -> None:
    assert b"redact.archive: on" in meshline("redact", "--archive", "on")[1]
    meshline("ingest", meshline.write("events.ndjson", run_event(outputs=[("a", FACET)]) + b"\n"))
    assert b"s3cret" not in meshline("export", "--raw")[1]
    assert b"redact.archive: off" in meshline("redact", "--archive", "off")[1]
    assert b"redact.archive: off" in meshline("redact")[1]
