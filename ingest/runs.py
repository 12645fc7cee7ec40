"""One run from its events: a pure merge that comes out the same in any order and with any repetition.

Events are put in the order (time, terminal last, hash); facets are replaced by key, lists only ever grow, what is
absent or null takes nothing away (openlineage.io, "Run cycle"; docs/semantics.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ingest.envelope import TERMINAL
from ingest.model import (
    Assertion,
    Body,
    ColumnLineage,
    DatasetPart,
    Dependency,
    EventFacts,
    ExplicitLineage,
    Lifecycle,
    Metrics,
    Parent,
    Statistics,
)
from ingest.project import Projector
from ingest.run_edges import control_edges, data_edges, explicit_columns, explicit_edges
from ingest.sets import FacetRef, Sets
from lineage.identity import NodeKey

_RANK = {"START": 0, "COMPLETE": 2, "FAIL": 2, "ABORT": 2}

RunRow = tuple[Any, ...]


class RunState(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Everything derived from the events of one run, as rows of the store without known times.

    ``row`` has the columns of ``run``, ``io`` those of ``run_io``, ``metrics`` of ``metric``, ``tests`` of
    ``assertion``. Times are microseconds.
    """

    run: int
    job: int
    first: int
    producer: str
    complete: bool  # a BATCH run that completed: evidence for the end of edges
    edge_set: int
    column_set: int
    job_facets: int
    last: int
    row: RunRow
    io: tuple[RunRow, ...]
    metrics: tuple[RunRow, ...]
    tests: tuple[RunRow, ...]


@dataclass(slots=True)
class _Io:
    """One dataset on one side of a run while its events are folded."""

    part: DatasetPart
    last: int = 0
    facets: dict[tuple[str, str], Body] = field(default_factory=dict)
    lineage: ColumnLineage | None = None
    dropped: int | None = None
    statistics: list[int | None] = field(default_factory=lambda: [None, None, None])
    metrics: dict[tuple[str, str], float] = field(default_factory=dict)
    tests: dict[tuple[str, str], Assertion] = field(default_factory=dict)

    def fold(self, at: int, part: DatasetPart) -> None:
        self.last = at
        for place, body in part.facets:
            self.facets[place, body.key] = body
            if body.key == "columnLineage":
                self.lineage = part.lineage
            elif isinstance(body.parsed, Lifecycle):
                self.dropped = at if body.parsed.state == "DROP" else None
        for _, body in part.per_run:
            _fold_per_run(self, body.parsed)

    def version(self) -> str | None:
        return next((body.parsed for (_, key), body in self.facets.items() if key == "version"), None)


@dataclass(slots=True)
class _Fold:
    """What is gathered while the events of a run are folded in order."""

    processing: str | None = None
    nominal_start: int | None = None
    nominal_end: int | None = None
    parent: Parent | None = None
    engine: str | None = None
    error: str | None = None
    producer: str = ""
    has_explicit: bool = False
    explicit: dict[ExplicitLineage, None] = field(default_factory=dict)
    job_facets: dict[tuple[str, str], Body] = field(default_factory=dict)
    io: dict[tuple[str, int], _Io] = field(default_factory=dict)
    tests: dict[tuple[str, str], Assertion] = field(default_factory=dict)
    dependencies: dict[Dependency, None] = field(default_factory=dict)


def event_order(event: EventFacts) -> tuple[int, int, bytes]:
    """Order of events within a run: by time, terminal ones after others, then by hash."""
    return event.at, _RANK.get(event.event_type or "", 1), event.hash


def merge(events: Sequence[EventFacts], sets: Sets, projector: Projector) -> RunState:
    """State of a run.

    Parameters
    ----------
    events
        every event of one run key, in any order; at least one.
    sets
        where its sets of facets and edges are registered.
    projector
        gives node ids.
    """
    ordered = sorted(events, key=event_order)
    first_event, last_event = ordered[0], ordered[-1]
    job, facts, run = first_event.job, first_event.run_facts, first_event.run
    assert job is not None and facts is not None and run is not None
    fold = _Fold()
    for event in ordered:
        _fold_event(fold, event)
    state, ended, conflict = outcome(ordered)
    # What is told after the end is about the end: a count that is corrected a day later is no count of that day.
    measured = last_event.at if ended is None else ended
    processing = fold.processing or "BATCH"
    edge_set, column_set = _edge_sets(NodeKey("job", job.namespace, job.name), fold, sets, projector)
    job_facets = _facet_set(fold.job_facets, sets)
    starts = [event.at for event in ordered if event.event_type == "START"]
    row = (
        run, facts.run_id, job.id, state, conflict, processing, first_event.at, last_event.at,
        min(starts, default=None), ended, fold.nominal_start, fold.nominal_end,
        *_parent_ids(fold.parent, projector), fold.engine, fold.error, fold.producer, len(ordered),
        edge_set, column_set, job_facets,
    )  # fmt: skip
    return RunState(
        run=run,
        job=job.id,
        first=first_event.at,
        last=last_event.at,
        producer=fold.producer,
        complete=state == "COMPLETE" and processing == "BATCH",
        edge_set=edge_set,
        column_set=column_set,
        job_facets=job_facets,
        row=row,
        io=tuple(_io_rows(run, job.id, first_event.at, fold, sets)),
        metrics=tuple(_metric_rows(run, measured, fold, projector)),
        tests=tuple(_test_rows(run, job.id, measured, fold)),
    )


def outcome(ordered: Sequence[EventFacts]) -> tuple[str, int | None, bool]:
    """(state, end, conflict) of a run from its events in order.

    Terminal beats everything; among terminal states the latest event time wins and a contradiction is flagged. OTHER
    and events without type never change the state.
    """
    terminal = [event for event in ordered if event.event_type in TERMINAL]
    if terminal:
        last = terminal[-1]
        return str(last.event_type), last.at, len({event.event_type for event in terminal}) > 1
    types = {event.event_type for event in ordered}
    state = "RUNNING" if "RUNNING" in types else "START" if "START" in types else "OTHER"
    return state, None, False


def drops(run: RunState | None) -> dict[int, int]:
    """Datasets that a run dropped, and when."""
    return {io[2]: io[8] for io in run.io if io[8] is not None} if run is not None else {}


def parents_of(events: Iterable[EventFacts], projector: Projector) -> Iterable[tuple[int, str, NodeKey]]:
    """(run key, runId, job) of every parent and root that the events name with a runId."""
    parents = {event.run_facts.parent for event in events if event.run_facts is not None}
    for parent in parents:
        if parent is None:
            continue
        if parent.run_id:
            job = NodeKey("job", parent.namespace, parent.name)
            yield projector.run(parent.run_id, job.namespace, job.name), parent.run_id, job
        if parent.root_run_id and parent.root_name:
            job = NodeKey("job", parent.root_namespace, parent.root_name)
            yield projector.run(parent.root_run_id, job.namespace, job.name), parent.root_run_id, job


def placeholder_row(run: int, run_id: str, job: int) -> RunRow:
    """Row of a run that was named as a parent and has sent no event of its own."""
    return (run, run_id, job, "UNSEEN", False, "BATCH", *(None,) * 13, 0, 0, 0, 0)


def _fold_event(fold: _Fold, event: EventFacts) -> None:
    job, facts = event.job, event.run_facts
    assert job is not None and facts is not None
    fold.processing = job.processing or fold.processing
    fold.producer = event.producer or fold.producer
    for place, body in job.facets:
        fold.job_facets[place, body.key] = body
    if job.explicit is not None:
        fold.has_explicit = True
        fold.explicit[job.explicit] = None
    if facts.nominal is not None:  # the first that is known counts: re-runs repeat it, retries must not move it
        start, end = facts.nominal
        fold.nominal_start = start if fold.nominal_start is None else fold.nominal_start
        fold.nominal_end = end if fold.nominal_end is None else fold.nominal_end
    fold.parent = facts.parent or fold.parent
    fold.engine = facts.engine or fold.engine
    fold.error = facts.error or fold.error
    fold.tests.update(((test.field, test.name), test) for test in facts.tests)
    fold.dependencies.update(dict.fromkeys(facts.dependencies))
    for direction, parts in (("in", event.inputs), ("out", event.outputs)):
        for part in parts:
            io = fold.io.get((direction, part.id))
            if io is None:
                io = fold.io[direction, part.id] = _Io(part)
            io.fold(event.at, part)
            if part.explicit is not None:
                fold.has_explicit = True
                fold.explicit[part.explicit] = None


def _fold_per_run(io: _Io, parsed: Any) -> None:
    if isinstance(parsed, Statistics):
        io.statistics = [new if new is not None else old for new, old in zip(parsed, io.statistics, strict=True)]
    elif isinstance(parsed, Metrics):
        io.metrics.update({(column, name): value for column, name, value in parsed.values})
    elif parsed is not None:
        io.tests.update(((test.field, test.name), test) for test in parsed)


def _edge_sets(job: NodeKey, fold: _Fold, sets: Sets, projector: Projector) -> tuple[int, int]:
    """Ids of the sets of edges and column edges; made once for all runs that look alike."""
    inputs = tuple(dataset for direction, dataset in fold.io if direction == "in")
    outputs = {dataset: io.lineage for (direction, dataset), io in fold.io.items() if direction == "out"}
    explicit, dependencies = tuple(fold.explicit), tuple(fold.dependencies)
    parent = fold.parent and (fold.parent.namespace, fold.parent.name, *fold.parent[4:])
    key = (job, inputs, tuple(outputs.items()), fold.has_explicit, explicit, dependencies, parent)

    def make() -> tuple[int, int]:
        own = projector.node(job)
        columns = [edge for lineage in outputs.values() if lineage is not None for edge in lineage.edges]
        if fold.has_explicit:
            edges = explicit_edges(job, inputs, outputs, explicit, projector.node)
            columns += explicit_columns(explicit, projector.column_edge)
        else:
            edges = data_edges(own, inputs, outputs)
        edges += control_edges(own, dependencies, _parent_jobs(own, fold.parent, projector), projector.node)
        return sets.add_edges(edges), sets.add_columns(columns)

    return sets.memo(key, make)


def _facet_set(facets: dict[tuple[str, str], Body], sets: Sets) -> int:
    def make() -> int:
        return sets.add_facets(FacetRef(place, key, body.id) for (place, key), body in facets.items())

    return sets.memo(tuple(facets.items()), make)


def _parent_jobs(own: int, parent: Parent | None, projector: Projector) -> list[tuple[int, int]]:
    if parent is None:
        return []
    direct = projector.node(NodeKey("job", parent.namespace, parent.name))
    pairs = [(direct, own)]
    if parent.root_name:
        pairs.append((projector.node(NodeKey("job", parent.root_namespace, parent.root_name)), direct))
    return pairs


def _parent_ids(parent: Parent | None, projector: Projector) -> tuple[int | None, ...]:
    if parent is None:
        return None, None, None, None
    job = projector.node(NodeKey("job", parent.namespace, parent.name))
    run = projector.run(parent.run_id, parent.namespace, parent.name) if parent.run_id else None
    if not parent.root_name:
        return run, job, None, None
    root_job = projector.node(NodeKey("job", parent.root_namespace, parent.root_name))
    root = projector.run(parent.root_run_id, parent.root_namespace, parent.root_name) if parent.root_run_id else None
    return run, job, root, root_job


def _io_rows(run: int, job: int, first: int, fold: _Fold, sets: Sets) -> Iterable[RunRow]:
    for (direction, dataset), io in fold.io.items():
        facet_set = _facet_set(io.facets, sets)
        yield (run, job, dataset, direction, first, io.last, facet_set, io.version(), io.dropped, *io.statistics)


def _metric_rows(run: int, at: int, fold: _Fold, projector: Projector) -> Iterable[RunRow]:
    rows: dict[tuple[int, str], RunRow] = {}
    for io in fold.io.values():
        for (column, name), value in io.metrics.items():
            part = io.part
            node = projector.node(NodeKey("column", part.namespace, part.name, column)) if column else part.id
            rows[node, name] = (node, run, name, at, value)
    return rows.values()


def _test_rows(run: int, job: int, at: int, fold: _Fold) -> Iterable[RunRow]:
    rows: dict[tuple[Any, ...], RunRow] = {}
    tested: list[tuple[int | None, dict[tuple[str, str], Assertion]]] = [(None, fold.tests)]
    tested += [(dataset, io.tests) for (_, dataset), io in fold.io.items()]
    for dataset, tests in tested:
        for test in tests.values():
            rows[dataset, test.field, test.name] = (
                dataset, test.field, run, job, test.name, test.status,
                test.severity, test.expected, test.actual, test.description, at,
            )  # fmt: skip
    return rows.values()
