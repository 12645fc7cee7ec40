"""Stages of a run without end: what a STREAMING or SERVICE run had shown by when.

A batch run is one fact, dated to its start. A stream runs for months and changes on the way: what its RUNNING event of
day 60 shows first was not true on day 30. So its edges are those of everything it had shown up to each instant, and a
facet holds from the event that told it. What kind of run it is, and whether any of its events carries explicit lineage
(which forbids products in all of it), is asked of the run as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from ingest.fold import Fold, edge_sets, fold_event
from ingest.model import Body, EventFacts
from ingest.project import Projector
from ingest.sets import FacetRef, Sets
from lineage.identity import NodeKey


class Stage(NamedTuple):
    """The edges a run had shown from ``since`` (microseconds) on."""

    since: int
    edge_set: int
    column_set: int


class Told(NamedTuple):
    """Facets of one entity that a run told from ``first`` to ``last``; ``direction`` is in, out or job."""

    entity: int
    direction: str
    first: int
    last: int
    facet_set: int


class Stages(NamedTuple):
    """A stream in time: its stages, at least one, and what it told of entities."""

    edges: tuple[Stage, ...]
    told: tuple[Told, ...]


_Entity = tuple[int, str]
_Spans = list[tuple[int, int, int]]  # body, first, last


def stages_of(job: NodeKey, ordered: Sequence[EventFacts], whole: Fold, sets: Sets, projector: Projector) -> Stages:
    """Stages of a run.

    Parameters
    ----------
    job
        the job of the run.
    ordered
        all its events in order.
    whole
        all of them folded.
    sets, projector
        as for :func:`ingest.runs.merge`.
    """
    fold = Fold(has_explicit=whole.has_explicit)
    edges: list[Stage] = []
    told: dict[_Entity, dict[tuple[str, str], _Spans]] = {}
    for at, group in groupby(ordered, key=lambda event: event.at):
        shown: dict[_Entity, dict[tuple[str, str], Body]] = {}
        for event in group:
            fold_event(fold, event)
            for entity, facets in _facets(event):
                shown.setdefault(entity, {}).update(((place, body.key), body) for place, body in facets)
        found = edge_sets(job, fold, sets, projector)
        if not edges or found != edges[-1][1:]:
            edges.append(Stage(at, *found))
        for entity, bodies in shown.items():
            _tell(told.setdefault(entity, {}), bodies, at)
    return Stages(tuple(edges), tuple(_told(told, sets)))


def _facets(event: EventFacts) -> Iterable[tuple[_Entity, tuple[tuple[str, Body], ...]]]:
    if event.job is not None:
        yield (event.job.id, "job"), event.job.facets
    for direction, parts in (("in", event.inputs), ("out", event.outputs)):
        for part in parts:
            yield (part.id, direction), part.facets


def _tell(spans: dict[tuple[str, str], _Spans], bodies: dict[tuple[str, str], Body], at: int) -> None:
    """Take in the facets of one instant: the same body goes on, another one begins."""
    for key, body in bodies.items():
        known = spans.setdefault(key, [])
        if known and known[-1][0] == body.id:
            known[-1] = (body.id, known[-1][1], at)
        else:
            known.append((body.id, at, at))


def _told(told: dict[_Entity, dict[tuple[str, str], _Spans]], sets: Sets) -> Iterable[Told]:
    """One row for all facets of an entity that were told over the same time."""
    for (entity, direction), spans in told.items():
        together: dict[tuple[int, int], list[FacetRef]] = {}
        for (place, key), found in spans.items():
            for body, first, last in found:
                together.setdefault((first, last), []).append(FacetRef(place, key, body))
        for (first, last), refs in together.items():
            yield Told(entity, direction, first, last, sets.add_facets(refs))
