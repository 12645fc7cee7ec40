"""How a story point is put together: the question as a command, the answer as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sample_events import expected, plan
from sample_events.datasets import DATASETS
from sample_events.expected import ALWAYS, Node, node_id
from sample_events.jobs import FAILED_DAY

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to find in the data."""

    id: str
    title: str
    text: str
    command: tuple[str, ...]
    expect: Json

    def block(self) -> str:
        """The machine-readable form that stands in STORY.md."""
        value = {"id": self.id, "command": ["meshline", *self.command, "--format", "json"], "expect": self.expect}
        return json.dumps(value, indent=1, ensure_ascii=False)


def impact(
    name: str,
    title: str,
    text: str,
    start: Node,
    *,
    as_of: datetime = ALWAYS,
    known_at: datetime = ALWAYS,
    paths: Iterable[Node] = (),
    absent: Iterable[Node] = (),
    jobs: bool = False,
) -> Point:
    """What is downstream. ``paths`` and ``absent`` name nodes whose path, or absence, belongs to the answer."""
    found = expected.impact(start, as_of=as_of, known_at=known_at)
    expect: Json = {"nodes": nodes(found), **_extras(found, paths, absent)}
    if jobs and isinstance(start, str):
        expect["jobs"] = dict(sorted(expected.jobs_downstream(start, as_of=as_of, known_at=known_at).items()))
    return Point(name, title, text, ("impact", node_id(start), *_clocks(as_of, known_at)), expect)


def provenance(name: str, title: str, text: str, start: Node, *, paths: Iterable[Node] = ()) -> Point:
    """What is upstream."""
    found = expected.provenance(start)
    return Point(
        name, title, text, ("provenance", node_id(start)), {"nodes": nodes(found), **_extras(found, paths, ())}
    )


def nodes(found: dict[Node, expected.Reached], within: int = 99) -> Json:
    """Reached nodes up to some hops, nearest first."""
    ordered = sorted(found.items(), key=lambda item: (item[1].hops, node_id(item[0])))
    return {
        node_id(node): {"hops": reached.hops, "certainty": reached.certainty}
        for node, reached in ordered
        if reached.hops <= within
    }


def _extras(found: dict[Node, expected.Reached], paths: Iterable[Node], absent: Iterable[Node]) -> Json:
    extras: Json = {}
    for node in paths:
        (path,) = found[node].paths  # only where there is one shortest path
        extras.setdefault("paths", {})[node_id(node)] = [node_id(step) for step in path]
    if missing := [node_id(node) for node in absent if node not in found]:
        extras["absent"] = missing
    return extras


def schema(name: str, title: str, text: str, key: str, day: date) -> Point:
    """Columns of a dataset at noon of a day."""
    columns = {c.name: c.type for c in DATASETS[key].columns_on(day)}
    return Point(name, title, text, ("show", node_id(key), "--as-of", f"{day}T12:00:00Z"), {"column_types": columns})


def rows(name: str, title: str, text: str, *, corrected: bool) -> Point:
    """Number of rows of fct_orders on the day of the duplicates."""
    run = run_of("fct_orders", FAILED_DAY, "COMPLETE")
    command = ["show", node_id("fct_orders"), "--as-of", f"{FAILED_DAY}T12:00:00Z"]
    if not corrected:
        command += ["--known-at", f"{FAILED_DAY}T12:00:00Z"]
    return Point(name, title, text, tuple(command), {"rows": plan.rows(run, "fct_orders", corrected=corrected)})


def _clocks(as_of: datetime, known_at: datetime) -> tuple[str, ...]:
    words: list[str] = []
    for option, at in (("--as-of", as_of), ("--known-at", known_at)):
        if at != ALWAYS:
            words += [option, at.isoformat() + "Z"]
    return tuple(words)


def run_of(key: str, day: date, state: str) -> plan.Run:
    """The run of a job on a day that ended in a state."""
    return next(r for r in plan.runs() if r.job.key == key and r.day == day and r.state == state)


def retry_id() -> str:
    """Id of the run that repaired the failed one."""
    return next(run.run_id for run in plan.runs() if run.retry)


def noon(day: date, plus: int) -> datetime:
    """Noon, some days after a day."""
    return datetime.combine(day + timedelta(days=plus), time(12))


def day_of(at: datetime | None) -> str:
    """Its day as text."""
    return str(at.date()) if at else ""
