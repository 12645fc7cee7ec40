"""The events of one run folded in order: facets are replaced by key, lists only grow, silence takes nothing back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ingest.model import (
    PLACES,
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
from ingest.run_edges import columns_beside, control_edges, data_edges, explicit_columns, explicit_edges
from ingest.sets import FacetRef, Sets
from lineage.identity import NodeKey

SILENT = (None, None, None)  # no rows, bytes and files were told


class Numbers(msgspec.Struct, eq=False):
    """What a run tells of one dataset that no other run does."""

    part: DatasetPart
    statistics: tuple[int | None, ...] = SILENT
    metrics: tuple[Metrics, ...] = ()  # in order
    tests: dict[tuple[str, str], Assertion] = {}

    def fold_numbers(self, part: DatasetPart) -> None:
        """Take in what an event tells of this run alone."""
        for _, body in part.per_run:
            told = body.parsed
            if type(told) is Statistics:
                self.statistics = newer(told, self.statistics)
            elif type(told) is Metrics:
                self.metrics = (*self.metrics, told) if self.metrics else (told,)
                if told.tests:
                    self.tests.update(((test.field, test.name), test) for test in told.tests)
            elif told is not None:
                self.tests.update(((test.field, test.name), test) for test in told)

    def profile(self) -> tuple[tuple[tuple[str, str], ...], tuple[float, ...]]:
        """(column or '', metric) of all numbers, and these; of one that was told again the last."""
        if len(self.metrics) == 1:
            return self.metrics[0].names, self.metrics[0].values
        told: dict[tuple[str, str], float] = {}
        for metrics in self.metrics:
            told.update(zip(metrics.names, metrics.values, strict=True))
        return tuple(told), tuple(told.values())


class Io(Numbers, eq=False):
    """One dataset on one side of a run while its events are folded."""

    first: int = 0
    last: int = 0
    facets: dict[tuple[str, str], Body] = {}
    keyed: dict[tuple[str, str], Body] | None = None  # facets of the newest event
    changing: bool = False  # a facet tells of a change at the time of its event
    lineage: ColumnLineage | None = None
    dropped: int | None = None
    renamed: dict[tuple[str, str], int] = {}  # former name → the first event that told it
    windows: dict[int, tuple[int | None, ...]] = {}  # of a run whose events are snapshots

    def fold(self, at: int, part: DatasetPart) -> None:
        """Take in what an event tells of the dataset."""
        self.last = at
        if part.keyed is not self.keyed or self.changing:  # what an earlier event told already needs no second look
            self._fold_facets(at, part)
        self.fold_numbers(part)

    def _fold_facets(self, at: int, part: DatasetPart) -> None:
        self.keyed = part.keyed
        self.facets = over(self.facets, part.keyed)
        for _, body in part.facets:
            if body.key == "columnLineage":
                self.lineage = part.lineage
            elif isinstance(body.parsed, Lifecycle):
                self.changing = True
                self.dropped = at if body.parsed.state == "DROP" else None
                if (former := former_name(body, part)) is not None:
                    self.renamed.setdefault(former, at)

    def add_window(self, at: int, part: DatasetPart) -> None:
        """Take in numbers of one window: the volume of the run is their sum, the last of one instant counts."""
        for _, body in part.per_run:
            if isinstance(body.parsed, Statistics):
                self.windows[at] = newer(body.parsed, self.windows.get(at, SILENT))

    def volume(self) -> Sequence[int | None]:
        """Rows, bytes and files of the run: the last values told, or the sums over its windows."""
        if not self.windows:
            return self.statistics
        columns = zip(*self.windows.values(), strict=True)
        told = [[value for value in column if value is not None] for column in columns]
        return [sum(values) if values else None for values in told]

    def version(self) -> str | None:
        """Version that the producer named last."""
        found = (self.facets.get((place, "version")) for place in PLACES)
        return next((body.parsed for body in found if body is not None), None)


class Fold(msgspec.Struct, eq=False):
    """What is gathered while the events of a run are folded in order."""

    processing: str | None = None
    nominal_start: int | None = None
    nominal_end: int | None = None
    parent: Parent | None = None
    engine: str | None = None
    error: str | None = None
    producer: str = ""
    has_explicit: bool = False
    snapshots: bool = False  # the numbers of each event are those of a window of their own
    explicit: dict[ExplicitLineage, None] = {}
    job_facets: dict[tuple[str, str], Body] = {}
    io: dict[tuple[str, int], Io] = {}
    tests: dict[tuple[str, str], Assertion] = {}
    dependencies: dict[Dependency, None] = {}


def former_name(body: Body, part: DatasetPart) -> tuple[str, str] | None:
    """Namespace and name that a dataset had before, when a facet tells that it was renamed."""
    told = body.parsed
    if not isinstance(told, Lifecycle) or told.state != "RENAME" or told.previous is None:
        return None
    former = (told.previous[0] or part.namespace, told.previous[1])
    return former if former != (part.namespace, part.name) else None


def fold_event(fold: Fold, event: EventFacts) -> None:
    """Take in one event; events come in order."""
    fold_run(fold, event)
    fold_datasets(fold, event)


def fold_run(fold: Fold, event: EventFacts) -> None:
    """Take in what an event says of its run and job."""
    job, facts = event.job, event.run_facts
    assert job is not None and facts is not None
    fold.processing = job.processing or fold.processing
    fold.producer = event.producer or fold.producer
    fold.job_facets = over(fold.job_facets, job.keyed)
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
    if facts.tests:
        fold.tests.update(((test.field, test.name), test) for test in facts.tests)
    if facts.dependencies:
        fold.dependencies.update(dict.fromkeys(facts.dependencies))


def fold_datasets(fold: Fold, event: EventFacts) -> None:
    """Take in what an event says of datasets."""
    for direction, parts in (("in", event.inputs), ("out", event.outputs)):
        for part in parts:
            io = fold.io.get((direction, part.id))
            if io is None:
                io = fold.io[direction, part.id] = Io(part, first=event.at)
            io.fold(event.at, part)
            if fold.snapshots:
                io.add_window(event.at, part)
            if part.explicit is not None:
                fold.has_explicit = True
                fold.explicit[part.explicit] = None


def newer(told: Statistics, known: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """Rows, bytes and files: as told, and where nothing is told as known."""
    if known is SILENT or None not in told:
        return told
    return tuple([old if new is None else new for new, old in zip(told, known, strict=True)])


def edge_sets(job: NodeKey, fold: Fold, sets: Sets, projector: Projector) -> tuple[int, int]:
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
            columns = columns_beside(columns, explicit, projector.node)
            columns += explicit_columns(explicit, projector.column_edge)
        else:
            edges = data_edges(own, inputs, outputs)
        edges += control_edges(own, dependencies, _parent_jobs(own, fold.parent, projector), projector.node)
        return sets.add_edges(edges), sets.add_columns(columns)

    return sets.memo(key, make)


def over(earlier: dict[tuple[str, str], Body], told: dict[tuple[str, str], Body]) -> dict[tuple[str, str], Body]:
    """Facets after an event told some more; the very object of the event when nothing else is left."""
    return told if earlier is told or earlier.keys() <= told.keys() else {**earlier, **told}


def facet_set(facets: dict[tuple[str, str], Body], sets: Sets, shared: object = None) -> int:
    """Id of a set of facets; made once for all that are the same objects, told at once when they are ``shared``."""
    if facets is shared:
        return sets.memo_of(facets, lambda: facet_set(facets, sets))

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
