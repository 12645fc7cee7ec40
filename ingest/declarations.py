"""Declarations: what job and dataset events say without any run (rule: the newest event is the whole declaration)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ingest.entities import Contribution
from ingest.fold import Numbers, former_name
from ingest.history import DECLARED
from ingest.lives import Declaration
from ingest.model import Body, DatasetPart, Edge, EventFacts, Lifecycle
from ingest.project import Projector
from ingest.run_edges import columns_beside, data_edges, explicit_columns, explicit_edges
from ingest.runs import measures, test_rows
from ingest.sets import FacetRef, Sets
from ingest.tables import Row
from lineage.identity import NodeKey


class Declared(NamedTuple):
    """What one event declares of one entity.

    ``job`` is the job on the declared edges, 0 when a dataset declares its own. An event that does not tell edges
    (a dataset event without lineage) leaves the declared ones as they are.
    """

    entity: int
    job: int
    declaration: Declaration
    refs: tuple[FacetRef, ...]
    tells_edges: bool
    dropped: bool = False
    former: int | None = None  # dataset that was renamed to this one
    metrics: tuple[Row, ...] = ()  # rows of ``metric`` and ``assertion``, of no run
    tests: tuple[Row, ...] = ()

    def contribution(self) -> Contribution:
        """Its facets, for the history of the entity."""
        d = self.declaration
        return Contribution(self.entity, DECLARED, d.at, d.at, 0, d.producer, self.refs)

    def row(self, sets: Sets) -> Row:
        """Its row of ``declaration``; sets are NULL when the event tells no edges."""
        d = self.declaration
        told = (d.edge_set, d.column_set) if self.tells_edges else (None, None)
        return (self.entity, d.at, d.hash, d.producer, sets.add_facets(self.refs), *told, self.dropped)

    def turns(self) -> list[Row]:
        """Its rows of ``turn``."""
        d = self.declaration
        rows: list[Row] = [(self.entity, None, d.at, 0, d.hash)] if self.dropped else []
        return rows if self.former is None else [*rows, (self.former, self.entity, d.at, 0, d.hash)]


def declare(event: EventFacts, sets: Sets, projector: Projector) -> Iterable[Declared]:
    """Everything a job or dataset event declares."""
    if event.dataset is not None:
        yield _dataset(event, event.dataset, sets, projector)
        return
    yield _job(event, sets, projector)
    listed: dict[int, list[DatasetPart]] = {}
    for part in (*event.inputs, *event.outputs):
        listed.setdefault(part.id, []).append(part)
    for dataset, parts in listed.items():
        silent = Declaration(event.at, event.hash, event.producer, 0, 0)
        told = {(place, body.key): body for part in parts for place, body in part.facets}  # of one listed twice both
        refs = _refs((place, body) for (place, _), body in told.items())
        former = next((name for part in parts if (name := _former(part, projector)) is not None), None)
        numbers = _numbers(event, parts, projector)
        yield Declared(dataset, 0, silent, refs, False, any(map(_drops, parts)), former, *numbers)


def _numbers(
    event: EventFacts, parts: Sequence[DatasetPart], projector: Projector
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """A profile and test results that an event tells of a dataset without any run: as of its time."""
    if not any(part.per_run for part in parts):
        return (), ()
    told = Numbers(parts[0])
    for part in parts:
        told.fold_numbers(part)
    job = event.job.id if event.job is not None else None
    tests = test_rows(None, job, event.at, {}, {("in", told.part.id): told})
    metrics = [row for measured in measures(None, event.at, [told], projector) for row in measured.rows()]
    return tuple(metrics), tuple(tests)


def _job(event: EventFacts, sets: Sets, projector: Projector) -> Declared:
    job = event.job
    assert job is not None
    inputs = list(dict.fromkeys(part.id for part in event.inputs))
    outputs = {part.id: part.lineage for part in event.outputs}
    explicit = [job.explicit] if job.explicit is not None else []
    explicit += [part.explicit for part in (*event.inputs, *event.outputs) if part.explicit is not None]
    columns = [edge for lineage in outputs.values() if lineage is not None for edge in lineage.edges]
    if explicit:
        key = NodeKey("job", job.namespace, job.name)
        edges = explicit_edges(key, inputs, outputs, explicit, projector.node, "declared")
        columns = columns_beside(columns, explicit, projector.node)
        columns += explicit_columns(explicit, projector.column_edge)
    else:
        edges = data_edges(job.id, inputs, outputs, "declared")
    declaration = _declaration(event, sets.add_edges(edges), sets.add_columns(columns))
    return Declared(job.id, job.id, declaration, _refs(job.facets), tells_edges=True)


def _dataset(event: EventFacts, part: DatasetPart, sets: Sets, projector: Projector) -> Declared:
    columns = list(part.lineage.edges) if part.lineage else []
    if part.explicit is None:
        edges = [Edge(source, part.id, "lineage", "column") for source in (part.lineage.inputs if part.lineage else ())]
    else:
        edges = []
        columns = columns_beside(columns, [part.explicit], projector.node)
        columns += explicit_columns([part.explicit], projector.column_edge)
        for edge in part.explicit.edges:
            if edge.source_name:  # a source job without name would be the event's own job: there is none
                key = NodeKey(edge.source_kind, edge.source_namespace, edge.source_name)  # type: ignore[arg-type]
                edges.append(Edge(projector.node(key), part.id, "lineage", "explicit"))
    tells_edges = any(body.key in ("lineage", "columnLineage") for _, body in part.facets)
    declaration = _declaration(event, sets.add_edges(edges), sets.add_columns(columns))
    former = _former(part, projector)
    numbers = _numbers(event, [part], projector)
    return Declared(part.id, 0, declaration, _refs(part.facets), tells_edges, _drops(part), former, *numbers)


def _declaration(event: EventFacts, edge_set: int, column_set: int) -> Declaration:
    return Declaration(event.at, event.hash, event.producer, edge_set, column_set)


def _drops(part: DatasetPart) -> bool:
    return any(isinstance(body.parsed, Lifecycle) and body.parsed.state == "DROP" for _, body in part.facets)


def _former(part: DatasetPart, projector: Projector) -> int | None:
    names = [name for _, body in part.facets if (name := former_name(body, part)) is not None]
    return projector.node(NodeKey("dataset", *names[0])) if names else None


def _refs(facets: Iterable[tuple[str, Body]]) -> tuple[FacetRef, ...]:
    return tuple(FacetRef(place, body.key, body.id) for place, body in facets)
