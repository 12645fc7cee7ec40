"""Edges that hold over spans of time, and the levels through time that are made of them.

Several rows of the store may speak of one edge over spans that overlap. What a walk needs is one class at every moment.
So rows of one edge are swept along time: at each moment where one begins or ends the rows that hold are counted, and
the class follows from the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lineage.errors import MeshlineError
from lineage.graph.arrays import CLASS_SHIFT, I64, LANE, U8, U32, U64, VERTEX_MASK, pair_halves, pair_keys
from lineage.graph.level import Adjacency, Edges, Level, TimedCsr, csr, turned_csr
from lineage.graph.rows import first_of_runs
from lineage.graph.sorting import order_vertices, sort_keys, sort_pairs, trimmed
from lineage.graph.spans import Alive, Spans

NOTHING = 255  # no edge at that moment
ALWAYS = -(1 << 62), 1 << 62  # beyond every moment of the store, in microseconds

Decide = Callable[[Sequence[I64]], U8]


def best(counts: Sequence[I64]) -> U8:
    """Certainty of the best row, when rows are counted by certainty.

    >>> best([np.array([0, 0]), np.array([2, 0]), np.array([1, 0])]).tolist()
    [1, 255]
    """
    found = np.full(len(counts[0]), NOTHING, np.uint8)
    for certainty in range(len(counts) - 1, -1, -1):
        found[counts[certainty] > 0] = certainty
    return found


def swept(key: U64, counter: U8, begin: I64, end: I64, counters: int, decide: Decide) -> tuple[U64, U8, I64, I64]:
    """What holds of each key, moment for moment.

    Parameters
    ----------
    key, counter, begin, end
        rows in any order: over its span each counts for one of the ``counters`` of its key.
    decide
        from the counts (one array per counter) to the value, ``NOTHING`` where nothing holds.

    Returns
    -------
    key, value, begin, end
        spans of one key do not overlap, and neighbours differ; sorted by key and time.

    Examples
    --------
    >>> rows = np.array([7, 7], np.uint64), np.array([1, 0], np.uint8), np.array([0, 5]), np.array([9, 7])
    >>> _, value, begin, end = swept(*rows, 2, best)
    >>> list(zip(value.tolist(), begin.tolist(), end.tolist()))
    [(1, 0, 5), (0, 5, 7), (1, 7, 9)]
    """
    keys, times = np.concatenate([key, key]), np.concatenate([begin, end])
    step = np.repeat(np.array([1, -1]), len(key))
    which = np.concatenate([counter, counter])
    order = np.lexsort((times, keys))
    keys, times, step, which = (values[order] for values in (keys, times, step, which))
    turn = np.ones(len(keys), dtype=bool)  # the last mention of a moment
    turn[:-1] = (keys[1:] != keys[:-1]) | (times[1:] != times[:-1])
    at = np.flatnonzero(turn)
    value = decide([np.cumsum(np.where(which == c, step, 0))[at] for c in range(counters)])
    keys, times = keys[at], times[at]
    fresh = np.ones(len(keys), dtype=bool)
    fresh[1:] = (keys[1:] != keys[:-1]) | (value[1:] != value[:-1])
    at = np.flatnonzero(fresh)
    keys, times, value = keys[at], times[at], value[at]
    some = np.flatnonzero(value != NOTHING)  # at the last moment of a key nothing holds any more
    return keys[some], value[some], times[some], times[some + 1]


@dataclass(frozen=True, slots=True)
class TimedEdges(Edges):
    """Edges that hold from ``begin`` until before ``end``, in microseconds since 1970."""

    begin: I64
    end: I64

    def distinct(self, n: int) -> TimedEdges:
        """One edge at each moment for each pair and kind of use, the most certain one; without self-loops; sorted."""
        edges = self.taken((self.src != self.dst) & (self.begin < self.end))
        low: U32 = edges.dst * np.uint32(2) + edges.cls // np.uint8(3)
        order = sort_pairs(edges.src, low, 2 * n)
        edges, key = edges.taken(order), pair_keys(edges.src, low)[order]
        first = first_of_runs(key)
        size = np.diff(np.append(first, len(key)))
        several = np.repeat(size > 1, size)
        if not several.any():
            return edges
        some = edges.taken(several)
        keys, certainty, begin, end = swept(key[several], some.cls % np.uint8(3), some.begin, some.end, 3, best)
        src, low = pair_halves(keys)
        cls = certainty + np.uint8(3) * (low % np.uint32(2)).astype(np.uint8)
        both: TimedEdges = Edges.joined(edges.taken(~several), TimedEdges(src, low // np.uint32(2), cls, begin, end))
        return both.taken(sort_pairs(both.src, both.dst * np.uint32(2) + both.cls // np.uint8(3), 2 * n))


@dataclass(frozen=True, slots=True)
class Presence:
    """Spans over which something is there, sorted by key and time; those of one key do not overlap."""

    key: U32
    begin: I64
    end: I64

    @classmethod
    def of(cls, keys: U32, begin: I64, end: I64) -> Presence:
        """Of spans in any order that may overlap.

        >>> found = Presence.of(np.array([7, 7], np.uint32), np.array([0, 5]), np.array([6, 9]))
        >>> found.key.tolist(), found.begin.tolist(), found.end.tolist()
        ([7], [0], [9])
        """
        key, _, begin, end = swept(keys.astype(np.uint64), np.zeros(len(keys), np.uint8), begin, end, 1, best)
        return cls(key.astype(np.uint32), begin, end)

    def at(self, moment: int) -> U32:
        """Keys that are there at a moment, ascending."""
        return self.key[(self.begin <= moment) & (moment < self.end)]


@dataclass(frozen=True, slots=True)
class TimedLevel:
    """A level through time: at every instant what :func:`lineage.graph.level.build_level` makes of the edges of then.

    ``level`` has the arrays and the numbering of vertices, along the flow of all edges together; ``spans`` are those
    that its edges name. ``ports`` tells when which jobs have ports; ``None``: its helpers are no ports, and are always
    there (a rowset that nothing affects is not seen in any answer).
    """

    level: Level
    spans: Spans
    ports: Presence | None

    @classmethod
    def build(
        cls,
        unit: TimedEdges,
        zero: TimedEdges,
        public: U32,
        offset: int,
        count: int,
        helpers: tuple[U32, U32],
        twin: U32 | None = None,
        *,
        ports: Presence | None = None,
    ) -> TimedLevel:
        """The same parameters as :func:`lineage.graph.level.build_level`, and when jobs have ports."""
        n = len(public)
        if n > VERTEX_MASK:
            raise MeshlineError(f"The history has {n:,} nodes on one level; this engine holds {VERTEX_MASK:,}.")
        unit, zero = unit.distinct(n), zero.distinct(n)
        ends = np.concatenate([unit.src, zero.src]), np.concatenate([unit.dst, zero.dst])
        flow = Edges(*ends, np.zeros(len(ends[0]), np.uint8)).distinct(n)
        order, _, _ = order_vertices(n, csr(flow), turned_csr(flow, n))
        rank = np.empty(n, dtype=np.uint32)
        rank[order] = np.arange(n, dtype=np.uint32)
        times = (np.concatenate([getattr(edges, side) for edges in (unit, zero)]) for side in ("begin", "end"))
        spans, number = Spans.of(*times)
        never = Alive(np.zeros(len(spans.begin), dtype=bool))
        parts: list[TimedCsr | None] = []
        for edges, span in ((unit, number[: len(unit.src)]), (zero, number[len(unit.src) :])):
            src, dst = rank[edges.src], rank[edges.dst]
            parts += [_csr(src, dst, edges.cls, span, n, never), _csr(dst, src, edges.cls, span, n, never)]
        down, up, zero_down, zero_up = parts
        assert down is not None and up is not None
        public = public[order]
        none = not len(zero.src)
        level = Level(
            down=Adjacency(n, down, None if none else zero_down, public),
            up=Adjacency(n, up, None if none else zero_up, public, True),
            public=public,
            offset=offset,
            vertices=rank[:count],
            twin=np.arange(n, dtype=np.uint32) if twin is None else rank[twin[order]],
            helper_key=helpers[0],
            helper_vertex=rank[helpers[1]],
        )
        return cls(level, spans, ports)

    def seen(self, frame: Level, alive: Alive, moment: int) -> Level:
        """The level with the names of ``frame`` at a moment, at which some spans hold."""
        seen = replace(frame, down=_at(frame.down, alive), up=_at(frame.up, alive))
        if self.ports is None:
            return seen
        at = np.searchsorted(self.level.helper_key, self.ports.at(moment))
        return replace(seen, helper_key=frame.helper_key[at], helper_vertex=frame.helper_vertex[at])


def _csr(src: U32, dst: U32, cls: U8, span: U32, n: int, alive: Alive) -> TimedCsr:
    """Adjacency of edges whose lists keep their order."""
    order = sort_keys(src, n)
    entries = np.zeros((len(src) + LANE, 2), dtype=np.uint32)
    entries[: len(src), 0] = (dst | cls.astype(np.uint32) << np.uint32(CLASS_SHIFT))[order]
    entries[: len(src), 1] = span[order]
    first, indptr = trimmed(np.bincount(src, minlength=1)) if len(src) else (0, np.zeros(1, np.uint32))
    return TimedCsr.of(first, indptr, entries, alive)


def _at(side: Adjacency, alive: Alive) -> Adjacency:
    unit, zero = (part.at(alive) if isinstance(part, TimedCsr) else part for part in (side.unit, side.zero))
    assert unit is not None
    return replace(side, unit=unit, zero=zero)
