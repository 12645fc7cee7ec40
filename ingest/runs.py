"""One run from its events: a pure merge that comes out the same in any order and with any repetition.

Events are put in the order (time, terminal last, hash); facets are replaced by key, lists only ever grow, what is
absent or null takes nothing away (openlineage.io, "Run cycle"; docs/semantics.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ingest.envelope import TERMINAL
from ingest.fold import Fold, Numbers, edge_sets, facet_set, fold_datasets, fold_run
from ingest.lives import Evidence
from ingest.model import Assertion, EventFacts, Parent
from ingest.project import Projector
from ingest.sets import Sets
from ingest.shapes import Shape, io_rows, key_of, numbers, shape_of
from ingest.stages import Stage, Stages, stages_of
from lineage.identity import NodeKey

_RANK = {"START": 0, "COMPLETE": 2, "FAIL": 2, "ABORT": 2}

UNSEEN = "UNSEEN"  # state of a run that others name and that has sent nothing itself

RunRow = tuple[Any, ...]


class Measured(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Numbers of one dataset in one run, column by column of ``metric``."""

    nodes: tuple[int, ...]
    run: int | None
    names: tuple[str, ...]
    at: int
    values: tuple[float, ...]

    def rows(self) -> list[RunRow]:
        """The same as rows."""
        run, at = self.run, self.at
        return [
            (node, run, name, at, value) for node, name, value in zip(self.nodes, self.names, self.values, strict=True)
        ]


class RunState(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Everything derived from the events of one run, as rows of the store without known times.

    ``row`` has the columns of ``run``, ``io`` those of ``run_io``, ``tests`` of ``assertion``, ``turns`` of ``turn``.
    Times are microseconds. ``stages`` tell of a STREAMING or SERVICE run what it had shown by when; a batch run is one
    fact.
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
    metrics: tuple[Measured, ...]
    tests: tuple[RunRow, ...]
    turns: tuple[RunRow, ...] = ()
    stages: Stages | None = None

    def entities(self) -> Iterable[int]:
        """Everything whose facets it tells."""
        if self.stages is not None:
            return [told.entity for told in self.stages.told]
        return [self.job, *(io[2] for io in self.io)]

    def tellings(self) -> Iterable[tuple[int, int, int, int]]:
        """(entity, set of facets, first, last) of a batch run."""
        found = [(io[2], io[6], io[4], io[5]) for io in self.io]
        found.append((self.job, self.job_facets, self.first, self.last))
        return found

    def metric_rows(self) -> list[RunRow]:
        """Rows of ``metric``."""
        return [row for measured in self.metrics for row in measured.rows()]

    def stage_rows(self) -> list[RunRow]:
        """Rows of ``run_stage``: none while the run has one stage."""
        found = self.stages.edges if self.stages is not None else ()
        return [(self.run, self.job, *stage) for stage in found] if len(found) > 1 else []

    def told_rows(self) -> list[RunRow]:
        """Rows of ``run_told``."""
        return [(self.run, *told) for told in self.stages.told] if self.stages is not None else []

    def evidence(self) -> Evidence:
        """The run as evidence for the edges of its job."""
        first, *later = self.stages.edges if self.stages is not None else [Stage(0, self.edge_set, self.column_set)]
        return Evidence(self.first, self.run, self.producer, *first[1:], self.complete, tuple(later))


def event_order(event: EventFacts) -> tuple[int, int, bytes]:
    """Order of events within a run: by time, terminal ones after others, then by hash."""
    return event.at, _RANK.get(event.event_type or "", 1), event.hash


def in_order(events: Sequence[EventFacts]) -> list[EventFacts]:
    """Events of a run in order; nearly all come in it."""
    found = list(events)
    for i in range(1, len(found)):
        if found[i - 1].at >= found[i].at:
            found.sort(key=event_order)
            break
    return found


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
    ordered = in_order(events)
    first_event, last_event = ordered[0], ordered[-1]
    job, facts, run = first_event.job, first_event.run_facts, first_event.run
    assert job is not None and facts is not None and run is not None
    fold = Fold()
    for event in ordered:
        fold_run(fold, event)
    processing = fold.processing or "BATCH"
    alike = key_of(ordered, fold)
    shape: Shape | None = sets.shape(alike) if alike is not None else None
    turns: tuple[RunRow, ...] = ()
    told: Mapping[tuple[str, int], Numbers]
    if shape is not None:
        told = numbers(ordered)
        edge_set, column_set, job_facets = shape[:3]
        io = io_rows(shape, run, job.id, ordered, told)
    else:
        fold.snapshots = any(event.job is not None and event.job.snapshots for event in ordered)
        for event in ordered:
            fold_datasets(fold, event)
        told = fold.io
        edge_set, column_set = edge_sets(NodeKey("job", job.namespace, job.name), fold, sets, projector)
        job_facets = facet_set(fold.job_facets, sets, job.keyed)
        io = list(_io_rows(run, job.id, first_event.at if processing == "BATCH" else None, fold, sets))
        turns = tuple(_turn_rows(run, fold, projector))
        if alike is not None:
            sets.add_shape(alike, shape_of(ordered, fold, edge_set, column_set, sets))
    state, ended, conflict = outcome(ordered)
    # What is told after the end is about the end: a count that is corrected a day later is no count of that day.
    measured = last_event.at if ended is None else ended
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
        io=tuple(io),
        metrics=measures(run, measured, told.values(), projector) if told else (),
        tests=tuple(test_rows(run, job.id, measured, fold.tests, told)) if told or fold.tests else (),
        turns=turns,
        stages=None
        if processing == "BATCH"
        else stages_of(NodeKey("job", job.namespace, job.name), ordered, fold, sets, projector),
    )


def outcome(ordered: Sequence[EventFacts]) -> tuple[str, int | None, bool]:
    """(state, end, conflict) of a run from its events in order.

    Terminal beats everything; among terminal states the latest event time wins and a contradiction is flagged. OTHER
    and events without type never change the state.
    """
    last_type = ordered[-1].event_type
    if last_type in TERMINAL and len(ordered) == 2 and ordered[0].event_type not in TERMINAL:  # nearly all runs
        return str(last_type), ordered[-1].at, False
    types = [event.event_type for event in ordered]
    terminal = [i for i, type_ in enumerate(types) if type_ in TERMINAL]
    if terminal:
        last = ordered[terminal[-1]]
        conflict = len(terminal) > 1 and len({types[i] for i in terminal}) > 1
        return str(last.event_type), last.at, conflict
    state = "RUNNING" if "RUNNING" in types else "START" if "START" in types else "OTHER"
    return state, None, False


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
    return (run, run_id, job, UNSEEN, False, "BATCH", *(None,) * 13, 0, 0, 0, 0)


def _parent_ids(parent: Parent | None, projector: Projector) -> tuple[int | None, ...]:
    if parent is None:
        return None, None, None, None
    job = projector.job(parent.namespace, parent.name)
    run = projector.run(parent.run_id, parent.namespace, parent.name) if parent.run_id else None
    if not parent.root_name:
        return run, job, None, None
    root_job = projector.job(parent.root_namespace, parent.root_name)
    root = projector.run(parent.root_run_id, parent.root_namespace, parent.root_name) if parent.root_run_id else None
    return run, job, root, root_job


def _io_rows(run: int, job: int, first: int | None, fold: Fold, sets: Sets) -> Iterable[RunRow]:
    """Rows of ``run_io``, seen at ``first``; of a stream (``None``) each at the event that first named it."""
    for (direction, dataset), io in fold.io.items():
        seen = io.first if first is None else first
        facets = facet_set(io.facets, sets, io.keyed)
        yield (run, job, dataset, direction, seen, io.last, facets, io.version(), io.dropped, *io.volume())


def _turn_rows(run: int, fold: Fold, projector: Projector) -> Iterable[RunRow]:
    """Drops and renames that a run tells; one of each sort and dataset."""
    rows: dict[tuple[int, int | None], int] = {}
    for io in fold.io.values():
        if io.dropped is not None:
            rows[io.part.id, None] = io.dropped
        for former, at in io.renamed.items():
            pair = (projector.node(NodeKey("dataset", *former)), io.part.id)
            rows[pair] = min(at, rows.get(pair, at))
    return [(*pair, at, run, None) for pair, at in rows.items()]


def measures(run: int | None, at: int, told: Iterable[Numbers], projector: Projector) -> tuple[Measured, ...]:
    """Numbers of a run; what it tells of a dataset that it wrote replaces what it tells of the same one as read."""
    found: dict[int, Measured] = {}
    for of in told:
        if not of.metrics:
            continue
        names, values = of.profile()
        nodes, metrics = projector.measures(of.part, names)
        dataset, earlier = of.part.id, found.get(of.part.id)
        if earlier is not None:
            rows = dict(zip(zip(earlier.nodes, earlier.names, strict=True), earlier.values, strict=True))
            rows.update(zip(zip(nodes, metrics, strict=True), values, strict=True))
            nodes, metrics = zip(*rows, strict=True)
            values = tuple(rows.values())
        found[dataset] = Measured(nodes, run, metrics, at, values)
    return tuple(found.values())


def test_rows(
    run: int | None,
    job: int | None,
    at: int,
    of_run: dict[tuple[str, str], Assertion],
    told: Mapping[tuple[str, int], Numbers],
) -> Iterable[RunRow]:
    """Rows of ``assertion``: one for each dataset, column and test; ``of_run`` are those of no dataset."""
    tested: list[tuple[int | None, dict[tuple[str, str], Assertion]]] = [(None, of_run)] if of_run else []
    tested += [(dataset, io.tests) for (_, dataset), io in told.items() if io.tests]
    rows: dict[tuple[Any, ...], RunRow] = {}
    for dataset, tests in tested:
        for test in tests.values():
            rows[dataset, test.field, test.name] = (
                dataset, test.field, run, job, test.name, test.status,
                test.severity, test.expected, test.actual, test.description, at,
            )  # fmt: skip
    return rows.values()
