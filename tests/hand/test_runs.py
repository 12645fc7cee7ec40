"""Runs one by one: failures first, unknown ends said, one run with everything that is known of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.runs.questions import UnknownRunError
from tests.ingest.build import loaded, run_event

SQL = {"sql": {"query": "INSERT INTO orders SELECT * FROM raw"}}
STATS = {"outputFacets": {"outputStatistics": {"rowCount": 7, "size": 70}}}
ERROR = {"errorMessage": {"message": "disk full", "programmingLanguage": "python", "stackTrace": "at line 1"}}


@pytest.fixture(scope="module")
def lx() -> Iterator[Lineage]:
    with loaded(
        run_event("a", at="2026-01-01T00:00:00Z", kind="START", inputs=["raw"], outputs=["orders"]),
        run_event("a", at="2026-01-01T00:01:00Z", inputs=["raw"], outputs=[("orders", STATS)], job_facets=SQL),
        run_event("b", at="2026-01-02T00:00:00Z", kind="START"),
        run_event("b", at="2026-01-02T00:00:30Z", kind="FAIL", run_facets=ERROR),
        run_event("c", at="2026-01-02T12:00:00Z", kind="START", outputs=["orders"]),
        run_event("a", "other", at="2026-01-01T03:00:00Z"),
    ) as store:
        yield Lineage(store)


def test_failures_come_first_and_the_counts_are_of_all(lx: Lineage) -> None:
    found = lx.runs.list(as_of="2026-01-04", limit=2)
    assert [(r.run_id, r.state, r.seconds) for r in found.runs] == [("b", "FAIL", 30.0), ("c", "START", None)]
    assert (found.total, found.partial, found.failed, found.overdue) == (4, True, 1, 1)
    assert [r.run_id for r in lx.runs.list(states=["OVERDUE"], as_of="2026-01-04").runs] == ["c"]
    assert lx.runs.list(as_of="2026-01-02T00:00:10Z", states=["FAIL"]).runs == ()  # it had not failed by then
    assert lx.runs.list(since="2026-01-02", until="2026-01-03", as_of="2026-01-04").total == 2
    assert {r.job for r in lx.runs.list(job="other", as_of="2026-01-04").runs} == {"job:warehouse:other"}
    with pytest.raises(UsageError, match="before"):
        lx.runs.list(since="2026-01-03", until="2026-01-02")


def test_one_run_tells_what_it_read_and_wrote_its_sql_and_its_error(lx: Lineage) -> None:
    one = lx.runs.show("a", job="job:warehouse:load", as_of="2026-01-04")
    assert [(s.dataset, s.row_count, s.byte_count) for s in one.outputs] == [("dataset:warehouse:orders", 7, 70)]
    assert [(s.dataset, s.row_count) for s in one.inputs] == [("dataset:warehouse:raw", None)]
    assert (one.run.seconds, one.sql, one.siblings) == (60.0, SQL["sql"]["query"], ("job:warehouse:other",))
    assert [event.type for event in one.events] == ["START", "COMPLETE"]
    failed = lx.runs.show("b", as_of="2026-01-04")
    assert (failed.run.error, failed.stack, failed.usual_seconds) == ("disk full", "at line 1", 60.0)


def test_a_run_of_a_hidden_job_is_not_known(lx: Lineage) -> None:
    bob = Actor("bob", frozenset({"unassigned"}))
    assert lx.runs.list(as_of="2026-01-04", actor=bob).total == 0
    for run, actor in (("a", bob), ("nothing", Actor("ann"))):
        with pytest.raises(UnknownRunError):
            lx.runs.show(run, as_of="2026-01-04", actor=actor)
