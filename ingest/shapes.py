"""The shape of a run: what all runs that look alike have in common, made once.

Most runs of a job tell the same of the same datasets, byte for byte; only times, numbers and the run's own facets
differ. Events that tell the same share the objects they were read into (:mod:`ingest.project`), so where these lie in
memory tells that two runs look alike, and nothing of their content need be compared or folded again. Explicit lineage,
streams, drops and renames have no shape: such runs are folded event by event.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ingest.fold import SILENT, Fold, Numbers, facet_set
from ingest.model import EventFacts
from ingest.sets import Sets

_Key = tuple[Any, ...]


class IoShape(NamedTuple):
    """One dataset on one side of a run; ``last`` is the place of the last event that names it."""

    direction: str
    dataset: int
    last: int
    facets: int
    version: str | None


class Shape(NamedTuple):
    """What runs of one shape have in common."""

    edge_set: int
    column_set: int
    job_facets: int
    io: tuple[IoShape, ...]
    kept: tuple[Any, ...]  # what the key points at: nothing else may come to lie there


def key_of(ordered: Sequence[EventFacts], fold: Fold) -> _Key | None:
    """What two runs that look alike have in common; ``None`` for a run without shape.

    Parameters
    ----------
    ordered
        its events in order.
    fold
        what they say of the run itself.
    """
    shapes = [event.shape for event in ordered]
    if not all(shapes) or fold.dependencies or (fold.processing or "BATCH") != "BATCH":
        return None
    return (fold.parent and (fold.parent.namespace, fold.parent.name, *fold.parent[4:]), *shapes)


def shape_of(ordered: Sequence[EventFacts], fold: Fold, edge_set: int, column_set: int, sets: Sets) -> Shape:
    """The shape of a run whose events were folded whole."""
    last = {
        (direction, part.id): i
        for i, event in enumerate(ordered)
        for direction, parts in (("in", event.inputs), ("out", event.outputs))
        for part in parts
    }
    io = tuple(
        IoShape(direction, dataset, last[direction, dataset], facet_set(io.facets, sets, io.keyed), io.version())
        for (direction, dataset), io in fold.io.items()
    )
    kept = tuple(
        thing for event in ordered for thing in (event.job, *(part.keyed for part in (*event.inputs, *event.outputs)))
    )
    job = ordered[0].job
    assert job is not None
    return Shape(edge_set, column_set, facet_set(fold.job_facets, sets, job.keyed), io, kept)


def numbers(ordered: Iterable[EventFacts]) -> dict[tuple[str, int], Numbers]:
    """What a run tells that no other run does: volumes, metrics, test results, by direction and dataset."""
    found: dict[tuple[str, int], Numbers] = {}
    for event in ordered:
        for direction, part in event.numbers:
            key = (direction, part.id)
            told = found.get(key)
            if told is None:
                told = found[key] = Numbers(part)
            told.fold_numbers(part)
    return found


def io_rows(
    shape: Shape, run: int, job: int, ordered: Sequence[EventFacts], told: dict[tuple[str, int], Numbers]
) -> list[Any]:
    """Rows of ``run_io`` of a batch run of this shape."""
    first, times = ordered[0].at, [event.at for event in ordered]
    if not told:
        return [
            (run, job, dataset, direction, first, times[last], facets, version, None, *SILENT)
            for direction, dataset, last, facets, version in shape.io
        ]
    rows: list[Any] = []
    for direction, dataset, last, facets, version in shape.io:
        numbers = told.get((direction, dataset))
        count, size, files = numbers.statistics if numbers is not None else SILENT
        rows.append((run, job, dataset, direction, first, times[last], facets, version, None, count, size, files))
    return rows
