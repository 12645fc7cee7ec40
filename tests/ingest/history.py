"""A made history of a small company's jobs, day by day: alike runs for the most part, and all that breaks the row."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from ingest.writer import Writer
from lineage.store import Store
from tests.ingest.build import NS, column_lineage, dataset_event, job_event, run_event, schema

BEGIN = datetime(2026, 1, 1)  # noqa: DTZ001 - the store is naive UTC
_STREAM = {"jobType": {"processingType": "STREAMING", "integration": "TEST"}}


def stamp(day: float) -> str:
    """An event time."""
    return (BEGIN + timedelta(days=day)).isoformat() + "Z"


def days(seed: int, count: int) -> list[list[bytes]]:
    """Events of each day: jobs that lose inputs, fail, write other columns and tests, streams, drops and renames."""
    rng = random.Random(seed)
    return [_day(rng, day) for day in range(count)]


def fill(store: Store, history: list[list[bytes]], first: int = 0, at_once: int = 4) -> None:
    """Ingest days, so many at once, in the evening of the last of them; they begin with day ``first``."""
    writer = Writer(store)
    for begin in range(0, len(history), at_once):
        some = history[begin : begin + at_once]
        received = BEGIN + timedelta(days=first + begin + len(some) - 1, hours=23)
        writer.ingest([event for day in some for event in day], source="test", received_at=received)


def _day(rng: random.Random, day: int) -> list[bytes]:
    events = []
    for job in ("orders", "daily", "mart"):
        inputs = [name for name in ("a", "b", "c") if rng.random() < 0.85]
        columns = schema("x", "y") if day % 11 < 7 else schema("x", "y", "z")
        out: dict[str, Any] = {
            "schema": columns,
            "dataQualityMetrics": {"rowCount": rng.randint(1, 9), "columnMetrics": {"x": {"nullCount": day}}},
            "columnLineage": column_lineage({"x": [(name, "x") for name in inputs if rng.random() < 0.9]}),
            "outputFacets": {"outputStatistics": {"rowCount": rng.randint(1, 9)}},
        }
        kind = "FAIL" if rng.random() < 0.1 else "COMPLETE"
        tests = {"assertions": [{"assertion": "not_null", "column": "x", "success": rng.random() < 0.8}]}
        read = [(name, {"dataQualityAssertions": tests} if name == "a" else {}) for name in inputs]
        run = f"{job}-{day}"
        parent = {"parent": {"run": {"runId": f"dag-{day}"}, "job": {"namespace": NS, "name": "dag"}}}
        extra = {"run_facets": parent} if job == "mart" else {}
        events.append(run_event(run, job, stamp(day + 0.1), "START", read, **extra))
        events.append(run_event(run, job, stamp(day + 0.2), kind, read, [(f"out_{job}", out)], **extra))
    events.append(
        run_event("stream", "stream", stamp(day + 0.3), "RUNNING", ["a"], [f"s{day // 6}"], job_facets=_STREAM)
    )
    if rng.random() < 0.15:
        events.append(job_event("orders", stamp(day + 0.4), inputs=["a"], outputs=["out_orders"]))
    if rng.random() < 0.3:  # a catalogue profiles a table without any run
        tests = {"assertions": [{"assertion": "fresh", "success": rng.random() < 0.8}]}
        profile = {"rowCount": rng.randint(1, 9), "columnMetrics": {"x": {"nullCount": day}}}
        events.append(dataset_event("a", stamp(day + 0.45), dataQualityMetrics=profile, dataQualityAssertions=tests))
    if rng.random() < 0.2:  # and tells where a view comes from, and what another job reads
        source = {"namespace": NS, "name": rng.choice("abc"), "type": "DATASET"}
        events.append(dataset_event("view", stamp(day + 0.46), lineage={"inputs": [source]}))
        entry = {"namespace": NS, "name": "mart", "type": "JOB", "inputs": [source]}
        events.append(job_event("catalogue", stamp(day + 0.47), lineage={"entries": [entry]}))
    if rng.random() < 0.1:
        drop = {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}}
        events.append(dataset_event(rng.choice(("b", "out_daily")), stamp(day + 0.5), **drop))
    if rng.random() < 0.05:
        former = {"namespace": NS, "name": "out_daily"}
        renamed = {"lifecycleStateChange": {"lifecycleStateChange": "RENAME", "previousIdentifier": former}}
        events.append(dataset_event(f"renamed_{day}", stamp(day + 0.6), **renamed))
    if rng.random() < 0.2:
        link = {"identifiers": [{"namespace": "hive", "name": f"t{day % 2}", "type": "TABLE"}]}
        events.append(dataset_event("a", stamp(day + 0.7), symlinks=link))
    rng.shuffle(events)
    return events
