"""A runId is a UUID, and a UUID is the same in either case; other run ids are what they are spelled."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

import lineage
from ingest.rebuild import rebuild
from ingest.retention import Rule, retain
from ingest.writer import Writer
from lineage import marquez_pages
from lineage.audit.signing import SigningKey
from lineage.doctor import examine
from lineage.engine import Lineage
from lineage.identity import run_key
from lineage.runs.questions import UnknownRunError
from lineage.store import Store
from lineage.store.store import migrations
from lineage.store.version import EXACT_RUN_IDS
from tests.ingest.build import NS, empty_store, loaded, run_event
from tests.ingest.history import BEGIN, days, fill
from tests.ingest.state import difference, state

LOWER = "1b671a64-40d5-491e-99b0-da01ff1f3341"
UPPER = LOWER.upper()
KEY = SigningKey(bytes(range(32)))
RUNS = "SELECT run_id, state, events FROM run WHERE known_to = '9999-12-31' ORDER BY run_id"


def mixed() -> list[bytes]:
    """One run: START in capitals, COMPLETE in small letters."""
    return [
        run_event(UPPER, at="2026-01-01T10:00:00Z", kind="START", inputs=["a"]),
        run_event(LOWER, at="2026-01-01T10:05:00Z", outputs=["b"]),
    ]


def test_a_uuid_in_either_case_is_one_run_shown_as_its_first_event_spells_it() -> None:
    store = loaded(*reversed(mixed()), one_by_one=True)
    assert store.rows(RUNS) == [(UPPER, "COMPLETE", 2)]
    lx = lineage.open(store)
    assert [n.id for n in lx.impact(f"dataset:{NS}:a").nodes if n.kind == "dataset"] == [f"dataset:{NS}:b"]


@pytest.mark.parametrize("asked", [LOWER, UPPER, LOWER.title(), f" {LOWER} "])
def test_questions_take_either_spelling(asked: str) -> None:
    lx = lineage.open(loaded(*mixed()))
    assert lx.runs.show(asked).run.run_id == UPPER
    assert [thing.id for thing in lx.find(asked.strip()[:8]) if thing.kind == "run"] == [UPPER]
    assert marquez_pages.run(lx.view(), asked.strip())["id"] == UPPER


@pytest.mark.parametrize("run", ["NightLy", "1B671A64", f"{{{UPPER}}}", UPPER.replace("-", "")])
def test_an_id_that_is_no_uuid_stays_exact(run: str) -> None:
    lx = lineage.open(loaded(run_event(run, inputs=["a"]), run_event(run.lower(), inputs=["a"])))
    assert lx.store.rows("SELECT count(*) FROM run WHERE known_to = '9999-12-31'") == [(2,)]
    assert lx.runs.show(run).run.run_id == run
    third = run.upper().replace("A", "a").replace("L", "l")
    assert third not in (run, run.lower())
    with pytest.raises(UnknownRunError):
        lx.runs.show(third)


def test_the_archive_keeps_what_the_producer_wrote() -> None:
    from ingest.archive import fetch

    store = loaded(*mixed())
    with store.reading() as cursor:
        places = cursor.execute("SELECT block, position FROM event ORDER BY event_time").fetchall()
        bodies = fetch(cursor, places)
    assert [json.loads(bodies[place])["run"]["runId"] for place in places] == [UPPER, LOWER]


def exact_store(*events: bytes) -> Store:
    """A store as it was before: run ids by their spelling."""
    store = empty_store()
    with store.transaction() as cursor:
        Store.set_meta(cursor, EXACT_RUN_IDS, "1")
    Writer(store).ingest(events, source="test")
    return store


def test_a_store_with_exact_ids_stays_so_until_it_is_rebuilt() -> None:
    with exact_store(*mixed()) as store:
        assert [row[0] for row in store.rows(RUNS)] == [UPPER, LOWER]
        Writer(store).ingest([run_event(UPPER, at="2026-01-01T10:09:00Z", outputs=["b"])], source="test")
        assert store.rows(RUNS) == [(UPPER, "COMPLETE", 2), (LOWER, "COMPLETE", 1)]  # it finds the run it belongs to
        shown = lineage.open(store).runs.show
        assert [shown(run).run.run_id for run in (LOWER, UPPER)] == [LOWER, UPPER]  # the one that is asked for
        with empty_store() as fresh, empty_store() as other:
            rebuild(store, fresh)
            assert store.get_meta(EXACT_RUN_IDS) == "1" and fresh.get_meta(EXACT_RUN_IDS) is None
            assert fresh.rows(RUNS) == [(UPPER, "COMPLETE", 3)]
            Writer(other).ingest([*mixed(), run_event(UPPER, at="2026-01-01T10:09:00Z", outputs=["b"])], source="test")
            assert difference(state(fresh), state(other)) == {}


def test_doctor_tells_runs_that_a_rebuild_would_join() -> None:
    with exact_store(*mixed()) as store:
        (check,) = (one for one in examine(store).checks if one.name == "run-twice")
        assert check.found == 1 and LOWER in check.examples[0]
        with empty_store() as fresh:
            rebuild(store, fresh)
            assert examine(fresh).healthy


@pytest.mark.parametrize(("run", "exact"), [(UPPER, "1"), (LOWER, None), ("Nightly", None)])
def test_the_upgrade_keeps_ids_exact_only_where_a_key_would_change(tmp_path: Path, run: str, exact: str | None) -> None:
    path = tmp_path / "old.duckdb"
    connection = duckdb.connect(str(path))
    for number, sql in sorted(migrations().items()):
        if number <= 16:
            connection.execute(sql)
    connection.execute("INSERT INTO meta VALUES ('format', '16')")
    key = run_key(run, NS, "load", exact=True)
    connection.execute("INSERT INTO run (run, run_id, known_to) VALUES (?, ?, '9999-12-31'), (1, ?, '2026-01-01')",
                       [key, run, run])  # fmt: skip
    connection.close()
    with Store.open(path) as store:
        assert store.get_meta(EXACT_RUN_IDS) == exact
        assert store.rows("SELECT count(*) FROM meta WHERE key = ?", [EXACT_RUN_IDS]) == [(1 if exact else 0,)]
        assert (run_key(run, NS, "load") == key) is (exact is None)


def test_a_new_store_joins_them(tmp_path: Path) -> None:
    with Store.open(tmp_path / "new.duckdb") as store:
        assert store.get_meta(EXACT_RUN_IDS) is None
    lx = Lineage(loaded(*mixed()))
    assert len(lx.runs.list(since="2026-01-01", until="2026-01-02").rows()) == 1


def test_where_events_went_the_rule_stays_what_it_was() -> None:
    """What a baseline vouches for has keys by the spelling, and the events they followed from are not there."""
    with exact_store() as store, empty_store() as fresh:
        fill(store, days(3, 9))
        Writer(store).ingest(mixed(), source="test")
        removals = retain(store, ("events",), Rule(days=36), now=BEGIN + timedelta(days=40), actor="ann", key=KEY)
        assert [(one.applied, one.rows > 0) for one in removals] == [(True, True)]
        rebuild(store, fresh)
        assert fresh.get_meta(EXACT_RUN_IDS) == "1"
        assert difference(state(store), state(fresh)) == {}
        assert {row[0] for row in fresh.rows(RUNS)} >= {UPPER, LOWER}
