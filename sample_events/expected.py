"""What the engine must answer, worked out from the description of the company and the plan of its runs alone.

No event is read and no part of the engine is used: a small graph walk over dictionaries, written to be obviously right
rather than fast. The rules are those of docs/semantics.md: edges per run, the end of an edge after three complete runs
without it, certainty as of the weakest step, hops over all edges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from typing import Literal

from sample_events.datasets import DATASETS
from sample_events.jobs import DECLARED, DECLARED_AT, JOBS, TARGETS_AT
from sample_events.model import Flow, Job
from sample_events.plan import Run, batch_after, runs

CERTAIN, PROBABLE, STALE = 0, 1, 2
WORDS = ("certain", "probable", "stale")
ALWAYS = datetime(2100, 1, 1)  # noqa: DTZ001 - naive UTC like all times here
NEVER = datetime.max  # noqa: DTZ901
Direction = Literal["downstream", "upstream"]
Node = str | tuple[str, str]  # key of a dataset, or (key of a dataset, column)
Pair = tuple[Node, Node]


@dataclass(frozen=True, slots=True)
class Seen:
    """One edge as one job showed it: from when until when, and since when it is stale."""

    pair: Pair
    job: str
    certainty: int
    since: datetime
    stale: datetime
    until: datetime

    def certainty_on(self, at: datetime) -> int | None:
        """Its certainty at ``at``; ``None`` when it does not hold then."""
        if not self.since <= at < self.until:
            return None
        return STALE if at >= self.stale else self.certainty


@dataclass(frozen=True, slots=True)
class Reached:
    """How one node is reached. ``paths`` are all shortest paths of the best certainty."""

    hops: int
    certainty: str
    paths: tuple[tuple[Node, ...], ...] = field(default=(), compare=False)


def node_id(node: Node) -> str:
    """Node text; a column goes by the preferred name of its dataset.

    >>> node_id(("rep_ifrs15", "month"))
    'column:superset://bi.harbourpine.example:finance/ifrs15_report:month'
    """
    if isinstance(node, str):
        return DATASETS[node].id
    return DATASETS[node[0]].column_id(node[1])


def impact(start: Node, *, as_of: datetime = ALWAYS, known_at: datetime = ALWAYS) -> dict[Node, Reached]:
    """Datasets downstream of a dataset, or columns downstream of a column."""
    return _walk(start, "downstream", as_of, known_at)


def provenance(start: Node, *, as_of: datetime = ALWAYS, known_at: datetime = ALWAYS) -> dict[Node, Reached]:
    """Datasets upstream of a dataset, or columns upstream of a column."""
    return _walk(start, "upstream", as_of, known_at)


def jobs_downstream(start: str, *, as_of: datetime = ALWAYS, known_at: datetime = ALWAYS) -> dict[str, int]:
    """Jobs that read ``start`` or something downstream of it, with hops: one more than what they read."""
    hops = {start: 0, **{key: r.hops for key, r in impact(start, as_of=as_of, known_at=known_at).items()}}
    found: dict[str, int] = {}
    for seen in _touches(known_at):
        dataset, job = seen.pair
        if dataset in hops and seen.certainty_on(as_of) is not None:
            found[str(job)] = min(found.get(str(job), 99), hops[dataset] + 1)
    return found


def names(nodes: dict[Node, Reached]) -> list[str]:
    """Node texts in order."""
    return sorted(node_id(node) for node in nodes)


# --- edges ------------------------------------------------------------------------------------------------------------
@cache
def dataset_edges(known_at: datetime = ALWAYS) -> tuple[Seen, ...]:
    """Every dataset edge that is known at ``known_at``."""
    found = [*_lives(_dataset_pairs, known_at)]
    declared = datetime.combine(DECLARED_AT, time(8, 40))
    targets = datetime.combine(TARGETS_AT, time(8, 15))
    if batch_after(declared) <= known_at:
        found += [
            Seen((key, DECLARED.outputs[0]), DECLARED.id, CERTAIN, declared, NEVER, NEVER)
            for key in DECLARED.inputs_on(DECLARED_AT)
        ]
    if batch_after(targets) <= known_at:
        found.append(Seen(("gs_targets", "revenue_targets"), "", CERTAIN, targets, NEVER, NEVER))
    return tuple(seen for seen in found if seen.pair[0] != seen.pair[1])


@cache
def column_edges(known_at: datetime = ALWAYS) -> tuple[Seen, ...]:
    """Every column edge; a column that decides the rows of a dataset leads to each of its columns."""
    return tuple(seen for seen in _lives(_column_pairs, known_at) if seen.pair[0] != seen.pair[1])


def _dataset_pairs(run: Run) -> dict[Pair, int]:
    return {
        pair: certainty
        for day in _told_on(run)
        for flow in run.job.flows
        for pair, certainty in _flow_pairs(run, day, flow).items()
    }


def _flow_pairs(run: Run, day: date, flow: Flow) -> dict[Pair, int]:
    if run.job.detail == "explicit":
        return {(key, flow.output): CERTAIN for key in flow.inputs_on(day)}
    named: set[str] = set()
    if run.job.detail == "columns" and run.state in ("COMPLETE", "RUNNING"):
        named = {u.dataset for _, uses in flow.columns_on(day, DATASETS) for u in uses}
        named |= {u.dataset for u in flow.rows_on(day)}
    return {(key, flow.output): CERTAIN if key in named else PROBABLE for key in run.job.inputs_on(day)}


def _column_pairs(run: Run) -> dict[Pair, int]:
    found: dict[Pair, int] = {}
    if run.job.detail == "none" or run.state not in ("COMPLETE", "RUNNING"):
        return found
    for day in _told_on(run):
        for flow in run.job.flows:
            for column, uses in flow.columns_on(day, DATASETS):
                found |= {((u.dataset, u.column), (flow.output, column)): CERTAIN for u in uses}
            names = {c.name for c in DATASETS[flow.output].columns}
            for use in flow.rows_on(day):
                found |= {((use.dataset, use.column), (flow.output, name)): CERTAIN for name in names}
    return found


def _told_on(run: Run) -> list[date]:
    """Days whose shape a run tells: a stream tells that of every schema it lives through."""
    if run.job.cadence != "stream":
        return [run.day]
    changes = {c.since for key in run.job.outputs for c in DATASETS[key].columns}
    return sorted({run.day, *(day for day in changes if run.day < day < (run.end or ALWAYS).date())})


def _lives(pairs_of: Callable[[Run], dict[Pair, int]], known_at: datetime) -> Iterator[Seen]:
    for key in JOBS:
        known = [run for run in runs_of(key) if run.received(run.end or run.start) <= known_at]
        yield from _job_lives(JOBS[key], [(run, pairs_of(run)) for run in known])


def _job_lives(job: Job, shown: list[tuple[Run, dict[Pair, int]]]) -> Iterator[Seen]:
    evidence = [run for run, _ in shown if run.state == "COMPLETE" and job.cadence != "stream"]
    last: dict[Pair, Run] = {}
    first: dict[Pair, Run] = {}
    best: dict[Pair, int] = {}
    for run, pairs in shown:
        for pair, certainty in pairs.items():
            first.setdefault(pair, run)
            last[pair] = run
            best[pair] = min(best.get(pair, STALE), certainty)
    for pair, run in first.items():
        absent = [r for r in evidence if r.start > last[pair].start]
        ended = absent[0].start if len(absent) >= 3 else NEVER
        stale = absent[0].start if absent else NEVER
        yield Seen(pair, job.id, best[pair], first_event(run), stale, ended)


def _touches(known_at: datetime) -> Iterator[Seen]:
    """(dataset, job) for each dataset that a job reads."""
    for key, job in JOBS.items():
        known = [run for run in runs_of(key) if run.received(run.end or run.start) <= known_at]
        shown: list[tuple[Run, dict[Pair, int]]] = [
            (run, {(dataset, job.id): CERTAIN for dataset in job.inputs_on(run.day)}) for run in known
        ]
        yield from _job_lives(job, shown)
    at = datetime.combine(DECLARED_AT, time(8, 40))
    if batch_after(at) <= known_at:
        for dataset in DECLARED.inputs_on(DECLARED_AT):
            yield Seen((dataset, DECLARED.id), DECLARED.id, CERTAIN, at, NEVER, NEVER)


def first_event(run: Run) -> datetime:
    """Time of the first event of a run: the exporter of reports sends one, at the end."""
    return run.end if run.job.style == "bi" and run.end else run.start


@cache
def runs_of(key: str) -> tuple[Run, ...]:
    """Runs of one job in the order of their start."""
    return tuple(run for run in runs() if run.job.key == key)


# --- walk -------------------------------------------------------------------------------------------------------------
def _walk(start: Node, direction: Direction, as_of: datetime, known_at: datetime) -> dict[Node, Reached]:
    edges = dataset_edges(known_at) if isinstance(start, str) else column_edges(known_at)
    steps: dict[Node, dict[Node, int]] = defaultdict(dict)
    for seen in edges:
        certainty = seen.certainty_on(as_of)
        if certainty is None:
            continue
        here, there = seen.pair if direction == "downstream" else (seen.pair[1], seen.pair[0])
        steps[here][there] = min(certainty, steps[here].get(there, STALE))
    hops = _distances(start, steps, STALE)
    found: dict[Node, Reached] = {}
    for worst in (CERTAIN, PROBABLE, STALE):
        near = _distances(start, steps, worst)
        for node in near.keys() - found.keys() - {start}:
            paths = tuple(_paths(start, node, steps, near, worst))
            found[node] = Reached(hops[node], WORDS[worst], paths)
    return found


def _distances(start: Node, steps: dict[Node, dict[Node, int]], worst: int) -> dict[Node, int]:
    distance = {start: 0}
    frontier = [start]
    while frontier:
        following = []
        for node in frontier:
            for there, certainty in steps.get(node, {}).items():
                if certainty <= worst and there not in distance:
                    distance[there] = distance[node] + 1
                    following.append(there)
        frontier = following
    return distance


def _paths(
    start: Node, end: Node, steps: dict[Node, dict[Node, int]], distance: dict[Node, int], worst: int
) -> Iterable[tuple[Node, ...]]:
    if end == start:
        return [(start,)]
    before = [
        node
        for node, near in steps.items()
        if near.get(end, 3) <= worst and distance.get(node, -9) == distance[end] - 1
    ]
    return [(*path, end) for node in before for path in _paths(start, node, steps, distance, worst)]
