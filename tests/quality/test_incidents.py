"""Incidents come from what runs told, stay the same whatever the order, and carry what people did."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.rebuild import rebuild
from ingest.writer import Writer
from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.quality.incidents import UnknownIncidentError
from lineage.quality.streaks import late
from lineage.store import Store
from lineage.times import utcnow
from tests.answers.builder import T0, World, at
from tests.ingest.build import loaded, run_event

ANN = Actor("ann")


def outcome(day: int, success: bool, run: str = "", root: str = "", name: str = "unique") -> bytes:
    event = json.loads(
        run_event(
            run or f"test{day}", "check", f"2026-01-{day:02d}T00:00:00Z", inputs=[("orders", {})],
            run_facets={"parent": {"run": {"runId": root}, "job": {"namespace": "air", "name": "dag"}}} if root else {},
        )
    )  # fmt: skip
    body = {"assertions": [{"assertion": name, "column": "id", "success": success}]}
    event["inputs"][0]["inputFacets"] = {"dataQualityAssertions": body}
    return json.dumps(event).encode()


FLOW = run_event("build", "build", "2026-01-01T00:00:00Z", inputs=["orders"], outputs=["report"])


def test_an_incident_lasts_from_the_first_failure_to_the_next_pass() -> None:
    store = loaded(FLOW, outcome(1, True), outcome(2, False), outcome(3, False), outcome(5, True), outcome(6, False))
    lx = Lineage(store)
    (now,) = lx.quality.incidents().incidents
    assert (now.state, now.failures, now.began_at, now.what) == ("open", 1, at("2026-01-06"), "unique of id")
    first, second = sorted(lx.quality.incidents(everything=True).incidents, key=lambda i: i.began_at)
    assert (first.began_at, first.resolved_at, first.failures) == (at("2026-01-02"), at("2026-01-05"), 2)
    assert (first.time_to_repair, first.resolved_by) == (3 * 86_400, "a later pass")
    assert second.id == now.id


def test_any_order_of_events_and_a_rebuild_give_the_same_incidents_with_their_acts() -> None:
    events = [FLOW, *(outcome(day, day % 4 == 0) for day in range(1, 12))]
    store = loaded(*events)
    lx = Lineage(store)
    open_ = lx.quality.incidents().incidents[0]
    lx.quality.acknowledge(open_.id, actor=ANN)
    expected = {(i.id, i.began_at, i.resolved_at) for i in lx.quality.incidents(everything=True).incidents}
    random.Random(1).shuffle(events)
    other = Lineage(loaded(*events, one_by_one=True)).quality.incidents(everything=True)
    assert {(i.id, i.began_at, i.resolved_at) for i in other.incidents} == expected
    target = Store.open(":memory:")
    rebuild(store, target)
    again = Lineage(target).quality.incident(open_.id)
    assert (again.incident.state, again.acts[0].actor) == ("acknowledged", "ann")


def test_a_late_event_that_moves_the_beginning_does_not_lose_what_people_did() -> None:
    store = loaded(FLOW, outcome(3, False))
    lx = Lineage(store)
    lx.quality.assign(lx.quality.incidents().incidents[0].id, "bob", actor=ANN)
    Writer(store).ingest([outcome(2, False)], source="late")
    (found,) = lx.quality.incidents().incidents
    assert (found.began_at, found.assignee, found.failures) == (at("2026-01-02"), "bob", 2)


def test_retries_of_one_orchestrator_run_are_one_failure() -> None:
    store = loaded(FLOW, *(outcome(day, False, root="dagrun") for day in (2, 3, 4)), outcome(5, False, root="other"))
    (found,) = Lineage(store).quality.incidents().incidents
    assert (found.failures, len(found.runs)) == (2, 2)


def test_incidents_stand_under_the_most_upstream_cause_with_their_blast_radius() -> None:
    event = json.loads(outcome(2, False, run="second"))
    event["inputs"][0]["name"] = "report"
    onward = run_event("send", "send", "2026-01-01T00:00:00Z", inputs=["report"], outputs=["mail"])
    lx = Lineage(loaded(FLOW, onward, outcome(2, False), json.dumps(event).encode()))
    found = {i.node: i for i in lx.quality.incidents().incidents}
    assert {i.cause for i in found.values()} == {"dataset:warehouse:orders"}
    detail = lx.quality.incident(found["dataset:warehouse:orders"].id)
    assert detail.blast.datasets == ("dataset:warehouse:mail", "dataset:warehouse:report")
    assert detail.group == (found["dataset:warehouse:report"].id,)


def test_what_people_do_is_kept_and_recorded() -> None:
    store = loaded(FLOW, outcome(2, False))
    lx, now = Lineage(store), utcnow()
    id = lx.quality.incidents().incidents[0].id
    muted = lx.quality.mute(id, now + timedelta(days=1), note="known", now=now, actor=ANN)
    assert (muted.state, muted.muted_until) == ("muted", now + timedelta(days=1))
    assert lx.quality.incidents(now=now + timedelta(days=2)).incidents[0].state == "open"
    acked = lx.quality.acknowledge(id[:5], now=now, actor=ANN)
    assert acked.time_to_acknowledge == (now - acked.detected_at).total_seconds()
    done = lx.quality.resolve(id, note="fixed", now=now, actor=ANN)
    assert (done.state, done.resolved_by, done.resolved_at) == ("resolved", "ann", now)
    assert lx.quality.incidents().incidents == ()
    acts = store.rows("SELECT action, actor, resource FROM audit WHERE action LIKE 'incident%' ORDER BY seq")
    assert acts == [(f"incident.{what}", "ann", id) for what in ("mute", "acknowledge", "resolve")]
    with pytest.raises(UsageError, match="resolved since"):
        lx.quality.acknowledge(id, actor=ANN)
    with pytest.raises(UnknownIncidentError, match="is no incident"):
        lx.quality.incident("nonsense")


def test_a_failure_after_somebody_called_it_resolved_is_a_new_incident() -> None:
    store = loaded(FLOW, outcome(2, False))
    lx = Lineage(store)
    first = lx.quality.incidents().incidents[0]
    lx.quality.resolve(first.id, now=at("2026-01-03"), actor=ANN)
    Writer(store).ingest([outcome(4, False)], source="later")
    (found,) = lx.quality.incidents().incidents
    assert (found.began_at, found.state) == (at("2026-01-04"), "open")
    assert {i.id for i in lx.quality.incidents(everything=True).incidents} == {first.id, found.id}


def test_a_promise_of_freshness_is_broken_from_the_end_of_its_time_to_the_next_write() -> None:
    writes = [(T0, "a"), (T0 + timedelta(hours=30), "b")]
    (past, open_) = late(1, writes, 86_400.0, T0 + timedelta(hours=60))
    assert (past.began, past.ended) == (T0 + timedelta(hours=24), T0 + timedelta(hours=30))
    assert (open_.began, open_.ended) == (T0 + timedelta(hours=54), None)


def test_a_strange_row_count_opens_an_incident_and_a_shifted_level_is_accepted_once() -> None:
    world = World()
    world.flow([], "load", ["raw"])
    for day in range(40):
        when = T0 + timedelta(days=day)
        run = world.run("load", f"r{day}", started_at=when, ended_at=when)
        rows = 5 if day == 20 else 3_000 if day >= 30 else 1_000
        world.run_io(run, "load", "raw", "out", seen_at=when, last_at=when, row_count=rows)
    once, shift = sorted(Lineage(world.store).quality.incidents(everything=True).incidents, key=lambda i: i.began_at)
    assert (once.began_at.day, once.failures, once.sort, once.time_to_repair) == (21, 1, "volume", 86_400)
    assert once.detail == "5 rows, expected 1,000 (900 to 1,100, 20 points)"
    assert (shift.failures, shift.state) == (3, "resolved")


def test_a_count_of_a_column_that_is_not_expected_opens_an_incident_and_an_extreme_does_not() -> None:
    world = World()
    world.dataset("orders", "id")
    column = world.node("column", "orders", "id")
    for day in range(20):
        for name, usual in (("nullCount", 3.0), ("max", 100.0)):
            world.metric(column, name, usual * (50 if day == 15 else 1), T0 + timedelta(days=day))
    (found,) = Lineage(world.store).quality.incidents(everything=True).incidents
    assert (found.what, found.node, found.severity) == ("nullCount of id", "dataset:pg:orders", "warning")
    assert (found.began_at, found.resolved_at) == (T0 + timedelta(days=15), T0 + timedelta(days=16))
    assert found.detail == "150, expected 3 (3 to 3, 15 points)"


def test_incidents_of_hidden_domains_are_not_told() -> None:
    world = World()
    world.assertion(world.dataset("orders"), "unique", "fail")
    world.domain("secret", "orders")
    lx = Lineage(world.store)
    (found,) = lx.quality.incidents().incidents
    nosy = Actor("nosy", hidden_domains={"secret"})
    assert lx.quality.incidents(everything=True, actor=nosy).incidents == ()
    with pytest.raises(UnknownIncidentError):
        lx.quality.incident(found.id, actor=nosy)


def test_recorded_failures_of_dbt_open_incidents(events: Path) -> None:
    files = sorted((events / "dbt-duckdb").glob("*.ndjson"))
    store = loaded(*(line for file in files for line in file.read_bytes().splitlines()))
    found = Lineage(store).quality.incidents(everything=True).incidents
    failed = store.rows("SELECT count(*) FROM assertion WHERE status = 'fail' AND known_to = '9999-12-31'")[0][0]
    assert bool(found) == bool(failed)
    assert all(i.failures <= failed for i in found)


def test_the_blast_radius_of_a_resolved_incident_stays_what_it_was() -> None:
    later = run_event("later", "copy", "2026-01-09T00:00:00Z", inputs=["orders"], outputs=["copy of orders"])
    store = loaded(FLOW, outcome(2, False), outcome(5, True), outcome(8, False), later)
    quality = Lineage(store).quality
    old, new = sorted(quality.incidents(everything=True).incidents, key=lambda i: i.began_at)
    assert [name.rpartition(":")[2] for name in quality.incident(old.id).blast.datasets] == ["report"]
    assert [name.rpartition(":")[2] for name in quality.incident(new.id).blast.datasets] == ["copy of orders", "report"]
