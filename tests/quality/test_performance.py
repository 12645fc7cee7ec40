"""How jobs ran, from what their runs told; unknown is no zero."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.quality.performance import JobPerformance
from tests.answers.builder import at
from tests.ingest.build import loaded, run_event


def run(
    day: int, minutes: float, *, job: str = "load", state: str = "COMPLETE", late: int | None = None
) -> list[bytes]:
    """START and end of one run; ``late`` minutes after its nominal time."""
    start = datetime(2026, 1, 1) + timedelta(days=day)  # noqa: DTZ001 - naive UTC
    facets = {}
    if late is not None:
        facets = {"nominalTime": {"nominalStartTime": (start - timedelta(minutes=late)).isoformat() + "Z"}}
    events = []
    for kind, when in (("START", start), (state, start + timedelta(minutes=minutes))):
        event = json.loads(run_event(f"{job}{day}", job, when.isoformat() + "Z", outputs=["t"], run_facets=facets))
        events.append(json.dumps({**event, "eventType": kind}).encode())
    return events


def of(*runs: list[bytes], **asked: object) -> tuple[JobPerformance, ...]:
    store = loaded(*(event for events in runs for event in events))
    return Lineage(store).quality.performance(as_of="2026-03-01", **asked).jobs  # type: ignore[arg-type]


def test_durations_failures_and_delay_are_counted_from_runs() -> None:
    (job,) = of(*(run(day, 10, late=5) for day in range(8)), run(8, 1, state="FAIL"), run(9, 20, late=15))
    assert (job.runs, job.failed, job.failure_rate) == (10, 1, 0.1)
    assert (job.median, job.last) == (600.0, 1200.0)
    assert job.delay_median == 300.0
    assert job.last_ended == at("2026-01-10T00:20:00Z")


def test_what_was_not_told_is_unknown() -> None:
    (job,) = of(run(0, 10))
    assert (job.odd, job.delay_median, job.bytes) == (None, None, None)


@pytest.mark.parametrize(("minutes", "odd"), [(10.5, False), (30, True), (1, True)])
def test_a_last_run_that_the_past_does_not_let_expect_is_odd(minutes: float, odd: bool) -> None:
    (job,) = of(*(run(day, 10 + day % 2 * 0.1) for day in range(40)), run(40, minutes))
    assert job.odd is odd
    assert job.expected == pytest.approx(603, rel=0.02)
    assert job.points >= 39


def test_a_run_that_failed_quickly_is_no_odd_duration() -> None:
    (job,) = of(*(run(day, 10) for day in range(20)), run(20, 0.1, state="FAIL"))
    assert (job.odd, job.last, job.failed) == (False, 600.0, 1)


def test_odd_jobs_stand_first_and_one_job_can_be_asked_for() -> None:
    runs = [*(run(day, 10, job="a") for day in range(20)), *(run(day, 10, job="b") for day in range(20))]
    jobs = of(*runs, run(20, 99, job="b"))
    assert [(job.job.rpartition(":")[2], job.odd) for job in jobs] == [("b", True), ("a", False)]
    (only,) = of(*runs, job=jobs[1].job)
    assert only.job == jobs[1].job


def test_an_odd_delay_and_odd_bytes_are_told_and_open_incidents_of_the_job() -> None:
    runs = [run(day, 10 if day != 25 else 40, late=5 if day < 30 else 95) for day in range(31)]
    for day, events in enumerate(runs):
        end = json.loads(events[1])
        size = 10_000 if day < 30 else 40
        end["outputs"][0]["outputFacets"] = {"outputStatistics": {"rowCount": 7, "size": size}}
        events[1] = json.dumps(end).encode()
    (job,) = of(*runs)
    assert (job.odd, job.delay_odd, job.bytes_odd, job.bytes) == (False, True, True, 40.0)
    found = (
        Lineage(loaded(*(event for events in runs for event in events))).quality.incidents(everything=True).incidents
    )
    assert {(i.what, i.state, i.node, i.began_at.day) for i in found} == {
        ("duration", "resolved", job.job, 26), ("delay", "open", job.job, 31), ("bytes written", "open", job.job, 31),
    }  # fmt: skip
    assert next(i.detail for i in found if i.what == "delay").startswith("95.0 minutes, expected 5.0 minutes (")


def test_only_the_days_asked_for_count_and_nothing_later() -> None:
    runs = [run(day, 10) for day in range(30)]
    assert of(*runs, days=1) == ()
    store = loaded(*(event for events in runs for event in events))
    (job,) = Lineage(store).quality.performance(as_of="2026-01-11T12:00:00Z", days=5).jobs
    assert job.runs == 5


def test_nonsense_is_refused_and_hidden_jobs_are_not_named() -> None:
    store = loaded(*run(0, 10))
    lx = Lineage(store)
    with pytest.raises(UsageError, match="is no job"):
        lx.quality.performance("t")
    with pytest.raises(UsageError, match="days: 0"):
        lx.quality.performance(days=0)
    masked = Actor("eve", frozenset({"unassigned"}))
    assert lx.quality.performance(as_of="2026-01-02", actor=masked).jobs == ()
    assert len(lx.quality.performance(as_of="2026-01-02").jobs) == 1


def test_the_blast_radius_of_a_job_is_that_of_what_it_writes() -> None:
    runs = [*(run(day, 10) for day in range(30)), run(30, 99)]
    onward = run_event("r", "read", "2026-01-01T00:00:00Z", inputs=["t"], outputs=["report"])
    quality = Lineage(loaded(*(event for events in runs for event in events), onward)).quality
    (found,) = quality.incidents(as_of="2026-02-01").incidents
    told = quality.incident(found.id, as_of="2026-02-01").blast
    assert [name.rpartition(":")[2] for name in told.datasets] == ["report", "t"]
