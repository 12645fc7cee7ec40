"""What one event says, in the terms of the engine. Everything here is an immutable value.

Times are microseconds since 1970 UTC. Parts that many events share (:class:`JobPart`, :class:`DatasetPart`,
:class:`Body`) are one object in memory, see :class:`ingest.project.Projector`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

PLACES = FACETS, INPUT_FACETS, OUTPUT_FACETS = "facets", "inputFacets", "outputFacets"


class Body(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One facet body. ``id`` is 0 for a deletion (``_deleted``) and for bodies that differ in every run.

    Compared by identity, which makes it a cheap part of a memo key: equal ones that are two objects only cost a miss.
    """

    id: int
    key: str
    deleted: bool = False
    parsed: Any = None  # what the registry's extractor made of it; None when it is only kept


class ColumnUse(NamedTuple):
    """One source column of an output. ``target`` is the output column, empty when every row is affected."""

    target: str
    namespace: str
    name: str
    field: str
    type: str | None
    subtype: str | None
    masking: bool
    description: str | None


class ColumnUses(NamedTuple):
    """A columnLineage facet; ``common`` are uses that decide about rows and stand at every field; no target here."""

    uses: tuple[ColumnUse, ...]
    common: tuple[ColumnUse, ...]
    fields: tuple[str, ...]

    def of(self, columns: Collection[str] | None) -> tuple[ColumnUse, ...]:
        """All uses, given the columns of the output as its schema tells them (``None``: no schema is told).

        What is common to all fields affects the whole dataset, unless there are columns that the facet does not name:
        of these it was not told, so it stays with each field.

        >>> use = ColumnUse("", "pg", "a", "day", "INDIRECT", "FILTER", False, None)
        >>> told = ColumnUses((), (use,), ("x", "y"))
        >>> [use.target for use in told.of(("x", "y"))], [use.target for use in told.of(("x", "y", "z"))]
        ([''], ['x', 'y'])
        """
        if not self.common or not columns:
            return self.uses + self.common
        fields = set(self.fields)
        named = fields.union(*map(_around, fields))  # a field that lies in a column names the column
        if all(column in named or not fields.isdisjoint(_around(column)) for column in columns):
            return self.uses + self.common
        return self.uses + tuple(use._replace(target=field) for field in self.fields for use in self.common)


def _around(column: str) -> list[str]:
    """Columns that a nested column lies in: ``a.b.c`` in ``a`` and ``a.b``."""
    parts = column.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


class ExplicitEdge(NamedTuple):
    """One edge of a lineage facet. A job without name is the event's own job."""

    source_kind: str
    source_namespace: str
    source_name: str
    target_kind: str
    target_namespace: str
    target_name: str


class ExplicitColumn(NamedTuple):
    """One column edge of a lineage facet, with the dataset it flows into."""

    target_namespace: str
    target_name: str
    use: ColumnUse


class ExplicitLineage(NamedTuple):
    """A lineage facet. That it is there, even empty, forbids product edges."""

    edges: tuple[ExplicitEdge, ...]
    columns: tuple[ExplicitColumn, ...]
    targets: tuple[tuple[str, str, str], ...]  # kind, namespace, name of every entry


class Symlink(NamedTuple):
    """Another identifier of a dataset."""

    namespace: str
    name: str
    type: str


class Lifecycle(NamedTuple):
    """A change in the life of a dataset; ``previous`` is its former (namespace, name) when it was renamed."""

    state: str
    previous: tuple[str, str] | None = None


class Parent(NamedTuple):
    """Parent and root run of a run; texts are empty where the producer said nothing."""

    run_id: str
    namespace: str
    name: str
    root_run_id: str = ""
    root_namespace: str = ""
    root_name: str = ""


class Dependency(NamedTuple):
    """Control flow: another job that runs before (``upstream``) or after this one."""

    namespace: str
    name: str
    upstream: bool


class Assertion(NamedTuple):
    """One test. ``status`` is pass, fail or skip; severity is independent of it."""

    field: str
    name: str
    status: str
    severity: str | None
    expected: str | None
    actual: str | None
    description: str | None


class Statistics(NamedTuple):
    """Volume of one dataset in one run."""

    row_count: int | None
    byte_count: int | None
    file_count: int | None


class Metrics(msgspec.Struct, frozen=True, gc=False):
    """Numbers of a dataset: (column or '', metric) and values. Facets that differ in numbers alone share ``names``."""

    names: tuple[tuple[str, str], ...]
    values: tuple[float, ...]
    tests: tuple[Assertion, ...] = ()  # results that came with a profile


class ColumnEdge(NamedTuple):
    """A column edge between node ids; ``dst`` is a dataset when all its rows are affected."""

    src: int
    dst: int
    type: str | None
    subtype: str | None
    masking: bool
    description: str | None
    provenance: str
    source: int  # dataset that src belongs to
    target: int  # dataset that dst belongs to, or is


class Edge(NamedTuple):
    """An edge between node ids; its job is that of the run or declaration which showed it."""

    src: int
    dst: int
    kind: str
    provenance: str


class ColumnLineage(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Column lineage of one output, resolved to node ids. Compared by identity, like :class:`Body`."""

    edges: tuple[ColumnEdge, ...]
    inputs: tuple[int, ...]  # datasets it names


class JobType(NamedTuple):
    """How the runs of a job live: ``BATCH``, ``STREAMING`` or ``SERVICE`` (``None``: not told), and what events count.

    ``snapshots``: the numbers of an event are those of its window alone, so a run's volume is their sum.
    """

    processing: str | None
    snapshots: bool = False


class DatasetPart(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A dataset as one event tells it."""

    id: int
    namespace: str
    name: str
    facets: tuple[tuple[str, Body], ...]  # (place, body), without those that differ in every run
    keyed: dict[tuple[str, str], Body]  # the same by (place, key); one object for all events that tell the same
    lineage: ColumnLineage | None
    explicit: ExplicitLineage | None
    plain: bool = True  # neither explicit lineage nor a turn in its life: see ingest.shapes
    per_run: tuple[tuple[str, Body], ...] = ()  # statistics, metrics, test results


class JobPart(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A job as one event tells it."""

    id: int
    namespace: str
    name: str
    facets: tuple[tuple[str, Body], ...]
    keyed: dict[tuple[str, str], Body]  # the same by (place, key)
    processing: str | None
    explicit: ExplicitLineage | None
    snapshots: bool = False  # see JobType
    plain: bool = True  # neither explicit lineage nor snapshots


class Listed(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The datasets on one side of an event."""

    parts: tuple[DatasetPart, ...] = ()
    shape: tuple[int, ...] = ()  # places in memory of what they share with other events
    plain: bool = True
    numbers: tuple[DatasetPart, ...] = ()  # those with numbers or tests of this run


class RunFacts(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What an event says of its run."""

    run_id: str
    nominal: tuple[int | None, int | None] | None
    parent: Parent | None
    engine: str | None
    error: str | None
    tests: tuple[Assertion, ...]
    dependencies: tuple[Dependency, ...]


class EventFacts(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One event, read."""

    hash: bytes
    at: int
    kind: str
    event_type: str | None
    run: int | None  # run key
    run_facts: RunFacts | None
    job: JobPart | None
    dataset: DatasetPart | None
    inputs: tuple[DatasetPart, ...]
    outputs: tuple[DatasetPart, ...]
    producer: str
    notes: tuple[str, ...]
    shape: tuple[Any, ...] = ()  # see ingest.shapes; empty: this one has none
    numbers: tuple[tuple[str, DatasetPart], ...] = ()  # direction and dataset, where there are numbers of this run
