"""The life of edges: from the runs of a job, and from declarations, to intervals of valid time (semantics 7, 14).

An edge begins with the first run that shows it (at the smallest event time of that run). Only BATCH runs that
completed and had a list on the side in question say anything about absence:

* absent in one such run: ``stale`` from there, still in every answer, marked;
* absent in three in event-time order: ended where the first of the three began;
* seen again before that: ``current`` again.

A run without that side is no evidence. Containment and control flow do not end by absence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from ingest.model import ColumnEdge, Edge
from ingest.sets import ColumnSet, EdgeSet, Sets

MISSES = 3  # complete runs without an edge that end it
NOT_SEEN = "not seen"
REDECLARED = "redeclared"


class Evidence(NamedTuple):
    """One run as evidence for the edges of its job. ``at`` = smallest event time, microseconds."""

    at: int
    run: int
    producer: str
    edge_set: int
    column_set: int
    complete: bool


class Declaration(NamedTuple):
    """One JobEvent or DatasetEvent as the source of declared edges, valid until the next one."""

    at: int
    hash: bytes
    producer: str
    edge_set: int
    column_set: int


class Interval(NamedTuple):
    """One state of one edge over [start, end); ``run`` opened it (``None``: a declaration did)."""

    edge: Any
    state: str
    run: int | None
    producer: str
    end_reason: str | None
    start: int
    end: int


@dataclass(slots=True)
class _Life:
    opened: Evidence
    misses: list[int] = field(default_factory=list)


def edge_lives(evidence: Sequence[Evidence], sets: Sets, open_end: int) -> list[Interval]:
    """Intervals of the edges that the runs of one job showed.

    Parameters
    ----------
    evidence
        the runs of the job, in any order.
    sets
        holds their sets of edges.
    open_end
        the end of what has not ended, microseconds.
    """
    return _lives(
        evidence,
        open_end,
        lambda run: sets.edges(run.edge_set).edges,
        lambda run, edge: _says_absent(sets.edges(run.edge_set), edge),
        by=lambda run: (run.edge_set, run.complete),
    )


def column_lives(evidence: Sequence[Evidence], sets: Sets, open_end: int) -> list[Interval]:
    """Intervals of the column edges that the runs of one job showed.

    A run says that a column edge is absent when it told columns of the same output without it, or wrote other
    outputs only.
    """
    return _lives(
        evidence,
        open_end,
        lambda run: sets.columns(run.column_set).edges,
        lambda run, edge: _says_column_absent(sets.edges(run.edge_set), sets.columns(run.column_set), edge),
        by=lambda run: (run.edge_set, run.column_set, run.complete),
        identity=lambda edge: edge._replace(description=None),
    )


def declared_lives(
    declarations: Iterable[Declaration], edges: Callable[[Declaration], Iterable[Any]], open_end: int
) -> list[Interval]:
    """Intervals of declared edges: each declaration is whole and holds until the next one."""
    ordered = sorted(declarations)
    intervals: list[Interval] = []
    live: dict[Any, Declaration] = {}
    for declaration in ordered:
        shown = frozenset(edges(declaration))
        for edge in [edge for edge in live if edge not in shown]:
            since = live.pop(edge)
            intervals.append(Interval(edge, "current", None, since.producer, REDECLARED, since.at, declaration.at))
        for edge in shown:
            live.setdefault(edge, declaration)
    intervals += [Interval(edge, "current", None, d.producer, None, d.at, open_end) for edge, d in live.items()]
    return [interval for interval in intervals if interval.start < interval.end]


def _lives(
    evidence: Sequence[Evidence],
    open_end: int,
    shown: Callable[[Evidence], Iterable[Any]],
    says_absent: Callable[[Evidence, Any], bool],
    by: Callable[[Evidence], tuple[Any, ...]],
    identity: Callable[[Any], Any] = lambda edge: edge,
) -> list[Interval]:
    """Walk over the runs in event-time order; runs alike in a row are one step."""
    live: dict[Any, _Life] = {}
    told: dict[Any, Any] = {}  # identity → edge as it was shown when its interval opened
    intervals: list[Interval] = []
    for _, group in groupby(sorted(evidence), key=by):
        runs = list(group)
        first = runs[0]
        present = {identity(edge): edge for edge in shown(first)}
        for key, edge in present.items():
            life = live.get(key)
            if life is None:
                live[key], told[key] = _Life(first), edge
            elif life.misses:
                intervals += _stale(told[key], life, first.at, None)
                live[key], told[key] = _Life(first), edge
        if not first.complete:
            continue
        for key in [key for key in live if key not in present and says_absent(first, key)]:
            life = live[key]
            life.misses += [run.at for run in runs[: MISSES - len(life.misses)]]
            if len(life.misses) >= MISSES:
                intervals.append(_interval(told[key], "current", life.opened, life.misses[0], NOT_SEEN))
                del live[key]
    for key, life in live.items():
        if life.misses:
            intervals += _stale(told[key], life, open_end, None)
        else:
            intervals.append(_interval(told[key], "current", life.opened, open_end, None))
    return [interval for interval in intervals if interval.start < interval.end]


def _stale(edge: Any, life: _Life, until: int, reason: str | None) -> list[Interval]:
    """Current up to the first miss, stale from there."""
    current = _interval(edge, "current", life.opened, life.misses[0], NOT_SEEN)
    stale = Interval(edge, "stale", life.opened.run, life.opened.producer, reason, life.misses[0], until)
    return [current, stale]


def _interval(edge: Any, state: str, opened: Evidence, end: int, reason: str | None) -> Interval:
    return Interval(edge, state, opened.run, opened.producer, reason, opened.at, end)


def _says_absent(shown: EdgeSet, edge: Edge) -> bool:
    if (edge.src, edge.dst, edge.kind) in shown.pairs:
        return False  # there, by another provenance
    if edge.kind == "read":
        return shown.has_inputs
    if edge.kind == "write":
        return bool(shown.outputs)
    return edge.kind == "lineage" and shown.has_inputs and bool(shown.outputs)


def _says_column_absent(shown: EdgeSet, columns: ColumnSet, edge: ColumnEdge) -> bool:
    if edge.target in columns.targets:
        return True
    return shown.has_inputs and bool(shown.outputs) and edge.target not in shown.outputs
