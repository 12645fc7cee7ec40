"""Retention of events and what follows from them breaks neither the graph nor the audit trail (docs/retention.md)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.noting import Noting
from ingest.rebuild import rebuild
from ingest.retention import KINDS, Removal, Rule, retain
from ingest.sql_step import read_pending
from ingest.writer import Writer
from lineage.audit.batches import log_batches
from lineage.audit.signing import SigningKey
from lineage.audit.verify import verify
from lineage.engine import Lineage
from lineage.errors import StoreError, UsageError
from lineage.fingerprint import fingerprint
from lineage.partial import gathered
from lineage.store import Store
from lineage.store.version import state_fingerprint
from tests.answers.test_api import client_of
from tests.ingest.build import empty_store, run_event
from tests.ingest.cli import Cli
from tests.ingest.history import BEGIN, days, fill, stamp
from tests.ingest.state import difference, state

KEY = SigningKey(bytes(range(32)))
GRAPH = ("edge", "column_edge", "facet", "alias", "declaration", "turn", "node")


def let_go(
    store: Store, day: float, *kinds: str, keep: int | None = None, key: SigningKey | None = KEY
) -> list[Removal]:
    """Apply a rule on the day 40: everything older than ``day`` goes."""
    now = BEGIN + timedelta(days=40)
    rule = Rule(days=40 - day, keep=keep)
    return retain(store, kinds or KINDS, rule, now=now, actor="ann", key=key)


def both_clocks(store: Store) -> dict[str, set[tuple[Any, ...]]]:
    """Derived rows with all their times."""
    tables = ("run", "run_io", "edge", "column_edge", "facet", "alias", "metric", "assertion", "run_told", "run_stage")
    return {table: set(store.rows(f"SELECT * FROM {table}")) for table in tables}


def rebuilt(store: Store) -> Store:
    fresh = empty_store()
    rebuild(store, fresh)
    read_pending(fresh)
    return fresh


@settings(max_examples=2)
@given(seed=st.integers(0, 2**32), cut=st.integers(3, 7))
def test_the_graph_stays_goes_on_and_is_rebuilt_as_if_nothing_had_gone(seed: int, cut: int) -> None:
    history = days(seed, 12)
    with empty_store() as kept, empty_store() as thinned:
        for store in (kept, thinned):
            fill(store, history[:9])
        before, first = state(kept), fingerprint(thinned)
        let_go(thinned, cut, "events")
        assert fingerprint(thinned) == first  # only bytes went
        let_go(thinned, cut, "metrics", "assertions", "runs")
        graph = {table: before[table] for table in GRAPH}
        assert difference(graph, {table: state(thinned)[table] for table in GRAPH}) == {}
        for store in (kept, thinned):
            fill(store, history[9:], 9)
        after = state(thinned)
        assert difference({t: state(kept)[t] for t in GRAPH}, {t: after[t] for t in GRAPH}) == {}
        let_go(thinned, cut, "edges")
        with rebuilt(thinned) as fresh:
            assert fingerprint(fresh) == fingerprint(thinned)
            assert state_fingerprint(fresh) == state_fingerprint(thinned)
            assert difference(both_clocks(thinned), both_clocks(fresh)) == {}


def test_much_goes_and_the_newest_of_everything_stays() -> None:
    with empty_store() as store:
        fill(store, days(5, 24))
        ended = "SELECT count(*) FROM edge WHERE valid_to < '2026-01-15' AND known_to = '9999-12-31'"
        size = "SELECT sum(octet_length(body)) FROM raw"
        before, bytes_before = store.rows(ended), store.rows(size)[0][0]
        plan = let_go(store, 20, key=None)
        assert store.rows(ended) == before and store.rows("SELECT * FROM baseline") == []
        done = let_go(store, 20)
        assert [item.rows for item in done] == [item.rows for item in plan]
        assert all(item.rows for item in done if item.kind != "runs")  # these are all different
        assert store.rows(size)[0][0] < bytes_before / 2
        assert store.rows(ended) == [(0,)] != before
        jobs = store.rows("SELECT count(DISTINCT job) FROM run WHERE state <> 'UNSEEN'")
        with empty_store() as other:
            fill(other, days(5, 24))
            assert jobs == other.rows("SELECT count(DISTINCT job) FROM run WHERE state <> 'UNSEEN'")


def test_runs_that_are_alike_go_and_those_that_changed_something_stay() -> None:
    def load(day: int, *inputs: str) -> bytes:
        return run_event(f"r{day}", at=stamp(day), inputs=inputs, outputs=["out"])

    with empty_store() as store:
        fill(store, [[load(day, "a", "b") if day < 12 or day > 14 else load(day, "a")] for day in range(30)])
        edges = "SELECT * EXCLUDE (known_from) FROM edge WHERE known_to = '9999-12-31' ORDER BY ALL"
        before = store.rows(edges)
        let_go(store, 28)
        left = {row[0] for row in store.rows("SELECT run_id FROM run WHERE known_to = '9999-12-31'")}
        assert {"r0", "r12", "r13", "r14", "r15"} < left  # the three that ended an edge, and it again
        assert len(left) < 16
        assert "r7" not in left and "r21" not in left
        assert [row for row in before if row[-2] > BEGIN + timedelta(days=28)] == store.rows(edges)


def test_a_run_that_has_not_ended_keeps_its_events_and_can_end() -> None:
    with empty_store() as store:
        start = run_event("long", at=stamp(10), kind="START", inputs=["a", "b"])
        others = run_event("done", "other", stamp(0), inputs=["x"]), run_event("n", "new", stamp(39))
        fill(store, [[start, others[0]], [others[1]]], at_once=1)
        (done,) = let_go(store, 35, "events")
        assert (done.rows, done.kept) == (1, 2)
        Writer(store).ingest([run_event("long", at=stamp(39), outputs=["c"])], source="test")
        rows = store.rows("SELECT state, events FROM run WHERE run_id = 'long' AND known_to = '9999-12-31'")
        assert rows == [("COMPLETE", 2)]
        assert Writer(store).ingest([start], source="test").duplicates == 1
        with rebuilt(store) as fresh:
            assert fingerprint(fresh) == fingerprint(store)


def test_the_audit_trail_holds_and_names_what_went() -> None:
    with empty_store() as store:
        fill(store, days(3, 16))
        let_go(store, 12)
        log_batches(store)
        with store.reading() as cursor:
            assert verify(cursor).problems == ()
        payload = json.loads(store.rows("SELECT payload FROM audit WHERE resource = 'events'")[0][0])
        assert payload["blocks"] == [[1, 3]] and payload["baseline"] == 1
        assert store.rows("SELECT digest FROM baseline") == [(payload["digest"],)]


def test_an_event_that_was_accepted_is_known_again_without_its_bytes() -> None:
    history = days(3, 16)
    with empty_store() as store:
        fill(store, history)
        let_go(store, 12)
        before = fingerprint(store)
        outcome = Writer(store).ingest([event for day in history for event in day], source="again")
        assert outcome.accepted == 0 and fingerprint(store) == before


def test_a_late_event_is_kept_and_flagged_and_changes_nothing() -> None:
    with empty_store() as store:
        fill(store, days(3, 16))
        let_go(store, 12)
        before = {table: state(store)[table] for table in ("run", "edge", "facet")}
        late = [
            run_event("daily-3", "daily", stamp(30), "FAIL", ["z"], ["y"]),  # its run has no bytes any more
            run_event("old", "unheard", stamp(5), inputs=["a"], outputs=["q"]),  # its time is not all there
        ]
        assert Writer(store).ingest(late, source="test").accepted == 2
        assert difference(before, {table: state(store)[table] for table in before}) == {}
        notes = store.rows("SELECT notes FROM event WHERE run IS NULL AND kind = 'run' ORDER BY event_time")
        assert "older than the retention horizon 2026-01-13" in notes[0][0]
        assert "its run lies before the retention horizon" in notes[1][0]
        with rebuilt(store) as fresh:
            assert fingerprint(fresh) == fingerprint(store)


def test_an_old_event_is_placed_and_flagged_when_only_bytes_went() -> None:
    with empty_store() as store:
        fill(store, days(3, 16))
        let_go(store, 12, "events")
        Writer(store).ingest([run_event("old", "unheard", stamp(5), inputs=["a"], outputs=["q"])], source="test")
        assert store.rows("SELECT count(*) FROM run WHERE run_id = 'old'") == [(1,)]
        assert store.rows("SELECT notes LIKE '%older than the retention horizon%' FROM event WHERE run IS NOT NULL "
                          "AND notes IS NOT NULL") == [(True,)]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    ["UPDATE run SET state = 'FAIL' WHERE run_id = 'orders-9'", "UPDATE baseline SET before = before - INTERVAL 1 DAY"],
)
def test_a_rebuild_refuses_a_baseline_that_was_altered(change: str) -> None:
    with empty_store() as store, empty_store() as fresh:
        fill(store, days(3, 16))
        let_go(store, 12, "events")
        with store.transaction() as cursor:
            cursor.execute(change)
        with pytest.raises(StoreError, match="altered"):
            rebuild(store, fresh)


def test_the_newest_n_events_stay_whatever_their_age() -> None:
    with empty_store() as store:
        fill(store, [[run_event(f"r{day}", at=stamp(day), inputs=["a"])] for day in range(10)], at_once=1)
        (done,) = let_go(store, 39, "events", keep=4)
        assert (done.rows, done.kept) == (6, 4)


def test_nothing_derived_goes_before_the_bytes_it_follows_from() -> None:
    with empty_store() as store:
        fill(store, days(3, 8))
        assert [item.rows for item in let_go(store, 5, "metrics", "assertions", "edges", "runs")] == [0, 0, 0, 0]


def test_a_rule_for_refused_inputs_is_no_rule_for_events() -> None:
    with empty_store() as store, pytest.raises(UsageError, match="refused inputs"):
        retain(store, KINDS, Rule(days=1, replayed=True), now=BEGIN, actor="a", key=None)


def test_the_command_plans_and_applies(meshline: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    meshline("ingest", meshline.write("events.ndjson", run_event("a", inputs=["x"]) + b"\n"))
    meshline("ingest", meshline.write("more.ndjson", run_event("b", inputs=["x"]) + b"\n"))
    monkeypatch.setenv("MESHLINE_SIGNING_KEY", str(meshline.write("unused", b"").parent / "key" / "signing.key"))
    code, out, _ = meshline("retention", "all", "--older-than", "0")
    assert code == 0 and out.count(b"say --apply") == 5 and out.startswith(b"events: 1 rows")
    assert meshline("retention", "events", "--older-than", "0", "--apply", "--actor", "ann")[0] == 0
    assert meshline("rebuild")[0] == 0
    assert meshline("doctor")[0] == 0
    assert "partial: before retention horizon" in meshline("show", "dataset:warehouse:x", "--as-of", "2026-01-01")[2]
    assert "partial" not in meshline("show", "dataset:warehouse:x")[2]


def test_answers_about_times_before_the_horizon_say_that_they_are_partial() -> None:
    with empty_store() as store:
        fill(store, days(3, 16))
        lx = Lineage(store)
        assert not lx.impact("dataset:warehouse:a", as_of=BEGIN + timedelta(days=9)).partial
        let_go(store, 12)
        note = "partial: before retention horizon 2026-01-13T00:00:00Z"
        lx = Lineage(store)
        for asked in ({"as_of": BEGIN + timedelta(days=9)}, {"known_at": BEGIN + timedelta(days=9)}):
            answer = lx.impact("dataset:warehouse:a", **asked)
            assert answer.partial and note in answer.notes
            assert note in lx.run_provenance("dataset:warehouse:out_orders", **asked).blind_spots
        early = BEGIN + timedelta(days=9)
        assert lx.diff(early, None).notes == (note,) == lx.diff(early, None).remarks()[:1]
        assert lx.quality.report(as_of=early).notes == (note,)
        assert lx.quality.explain("dataset:warehouse:a", as_of=early).notes == (note,)
        assert lx.cost.report(period="2026-01").notes == (note,)
        assert lx.quality.report().notes == lx.diff(BEGIN + timedelta(days=13), None).notes == ()
        api = client_of(lx)
        asked = {"q": "orders", "as_of": early.isoformat() + "Z"}
        assert api.get("/api/v2/search", params=asked).headers["meshline-notes"] == note
        assert "meshline-notes" not in api.get("/api/v2/search", params={"q": "orders"}).headers
        app = Noting(client_of(lx).app)
        asked = {"from": "dataset:warehouse:a", "to": "dataset:warehouse:out_orders"}
        with TestClient(app) as served:
            told = served.get("/api/v2/path", params={**asked, "as_of": early.isoformat() + "Z"})
            assert (told.status_code, told.headers["meshline-notes"]) == (200, note)
            assert "meshline-notes" not in served.get("/api/v2/path", params=asked).headers
        with gathered() as notes:
            lx.history()
        assert list(notes) == [note]  # its first part lies before
        late = lx.impact("dataset:warehouse:a")
        assert not late.partial and late.notes == () and late.nodes
