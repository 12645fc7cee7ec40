"""Edge rows of all of valid time, and those of one instant among them.

Rows of an instant are taken out as a whole only when somebody asks for all of them: a look at single edges reads the
rows of these edges alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lineage.graph.arrays import I64, NONE, U8, U32, U64, Bool, pair_halves, pair_keys, ranges
from lineage.graph.rows import ColumnUse, EdgeRows, EdgeView, Pairs, first_of_runs, row_order, taken
from lineage.graph.spans import Alive, Spans

FEW = 16  # looks at single edges that cost no more than to begin with all rows,
AT_ONCE = 5_000  # and rows that are taken out in the time that another look takes


@dataclass(frozen=True, slots=True)
class Renumbering:
    """From the indices of a timeline to those of an instant and back; ``None`` where they are the same.

    ``there`` gives every index of the timeline that of its group, ``back`` an index of the instant that of its
    preferred member.
    """

    there: U32 | None
    back: U32 | None

    def to(self, values: U32) -> U32:
        """Indices of the instant; ``NONE`` stays."""
        if self.there is None:
            return values
        found = np.full(len(values), NONE, np.uint32)
        some = values != np.uint32(NONE)
        found[some] = self.there[values[some]]
        return found

    def of(self, values: U32) -> U32:
        """Indices of the timeline."""
        return values if self.back is None else self.back[values]


class TimedRows:
    """Rows of one relation over all of time, in the order of :class:`EdgeRows`, each with the number of its span."""

    def __init__(self, rows: EdgeRows, span: U32, spans: Spans) -> None:
        self.rows, self.span, self.spans = rows, span, spans

    @classmethod
    def build(cls, src: U32, dst: U32, rows: EdgeRows, begin: I64, end: I64) -> TimedRows:
        """Sort rows given in any order, whose ``key`` is not looked at.

        ``begin`` and ``end`` differ from ``valid_from`` where an edge had other ends for a while.
        """
        key, order = row_order(src, dst, (rows.valid_from, rows.job, rows.provenance, rows.certainty))
        spans, span = Spans.of(begin, end)
        rows = replace(taken(replace(rows, key=np.zeros(len(order), np.uint64)), order), key=key)
        return cls(rows, span[order], spans)

    @cached_property
    def loops(self) -> I64:
        """Rows that lead from a node to itself."""
        src, dst = pair_halves(self.rows.key)
        return np.flatnonzero(src == dst)

    @cached_property
    def backwards(self) -> U32:
        """Order of the rows by (dst, src)."""
        src, dst = pair_halves(self.rows.key)
        return np.argsort(pair_keys(dst, src), kind="stable").astype(np.uint32)


class RowsAt(EdgeRows):
    """Rows of an instant; its arrays are made when they are asked for."""

    def __init__(self, timed: TimedRows, moment: int, numbers: Renumbering) -> None:
        set_ = object.__setattr__
        set_(self, "_timed", timed)
        set_(self, "_moment", moment)
        set_(self, "_numbers", numbers)

    _timed: TimedRows
    _moment: int
    _numbers: Renumbering

    @cached_property
    def alive(self) -> Alive:
        """Which spans hold."""
        return self._timed.spans.at(self._moment)

    @cached_property
    def holding(self) -> Bool:
        """Which rows of the timeline hold."""
        found: Bool = self.alive.flags[self._timed.span]
        return found

    @cached_property
    def _all(self) -> EdgeRows:
        return self._named(taken(self._timed.rows, np.flatnonzero(self.holding)))

    def _named(self, rows: EdgeRows) -> EdgeRows:
        """Rows with the indices of the instant, in their order."""
        if self._numbers.there is None:
            return rows
        src, dst = (self._numbers.to(half) for half in pair_halves(rows.key))
        key, job = pair_keys(src, dst), self._numbers.to(rows.job)
        if (key[1:] >= key[:-1]).all():
            return EdgeRows(key, job, rows.provenance, rows.certainty, rows.valid_from, rows.use)
        return EdgeRows.build(src, dst, job, rows.provenance, rows.certainty, rows.valid_from, rows.use)

    @cached_property
    def key(self) -> U64:
        """src << 32 | dst."""
        return self._all.key

    @cached_property
    def job(self) -> U32:
        """Job that moves the data."""
        return self._all.job

    @cached_property
    def provenance(self) -> U8:
        """Code of the provenance."""
        return self._all.provenance

    @cached_property
    def certainty(self) -> U8:
        """0 certain, 1 probable, 2 stale."""
        return self._all.certainty

    @cached_property
    def valid_from(self) -> I64:
        """Microseconds since 1970."""
        return self._all.valid_from

    @cached_property
    def use(self) -> ColumnUse | None:
        """What only column edges have."""
        return self._all.use

    @property
    def loops(self) -> U32:
        """Nodes with an edge to themselves, some of them twice."""
        at = self._timed.loops
        at = at[self.alive.flags[self._timed.span[at]]]
        return self._numbers.to(pair_halves(self._timed.rows.key[at])[0])

    def _whole(self) -> bool:
        """Whether so many single edges were asked for that all rows of the instant cost less."""
        looks: int = self.__dict__.get("_looks", 0) + 1
        self.__dict__["_looks"] = looks
        return looks > FEW + len(self._timed.span) // AT_ONCE

    def leaving(self, sources: npt.ArrayLike, counts: npt.ArrayLike) -> EdgeRows:
        """Rows out of many nodes: of ``count`` nodes from each ``source`` on, in the order of the sources."""
        if self._whole():
            return self._all.leaving(sources, counts)
        own = self._numbers.of(ranges(sources, counts).astype(np.uint32))
        rows = self._timed.rows
        low = np.searchsorted(rows.key, own.astype(np.uint64) << np.uint64(32))
        high = np.searchsorted(rows.key, (own.astype(np.uint64) + np.uint64(1)) << np.uint64(32))
        at = ranges(low, high - low)
        return self._named(taken(rows, at[self.alive.flags[self._timed.span[at]]]))

    def targets(self, i: int) -> U32:
        """Distinct targets of ``i``, in ascending order."""
        if self._whole():
            return self._all.targets(i)
        rows = self._timed.rows
        own = rows.out_of(int(self._numbers.of(np.array([i], np.uint32))[0]))
        held = (rows.key[own] & np.uint64(NONE))[self.alive.flags[self._timed.span[own]]]
        return np.unique(self._numbers.to(held.astype(np.uint32)))

    def views(self, src: U32, dst: U32) -> list[EdgeView]:
        """One view for each pair that has rows, in the order given."""
        if self._whole():
            return self._all.views(src, dst)
        rows = self._timed.rows
        wanted = np.unique(pair_keys(self._numbers.of(src), self._numbers.of(dst)))
        low, high = np.searchsorted(rows.key, wanted, side="left"), np.searchsorted(rows.key, wanted, side="right")
        at = ranges(low, high - low)
        few = self._named(taken(rows, at[self.alive.flags[self._timed.span[at]]]))
        return few.views(src, dst)


class PairsAt(Pairs):
    """Pairs of an instant; their arrays are made when they are asked for."""

    def __init__(self, rows: RowsAt) -> None:
        object.__setattr__(self, "_rows", rows)

    _rows: RowsAt

    @cached_property
    def _sides(self) -> tuple[tuple[U64, U8], tuple[U64, U8]]:
        rows, numbers = self._rows._timed, self._rows._numbers
        forward = np.flatnonzero(self._rows.holding)
        backward = rows.backwards[self._rows.holding[rows.backwards]]
        found = []
        for at, turned in ((forward, False), (backward, True)):
            src, dst = (numbers.to(half) for half in pair_halves(rows.rows.key[at]))
            key = pair_keys(dst, src) if turned else pair_keys(src, dst)
            first = first_of_runs(key)  # the best row of a pair comes first
            found.append((key[first], rows.rows.certainty[at[first]]))
        return found[0], found[1]

    @cached_property
    def forward(self) -> U64:
        """left << 32 | right, sorted, distinct."""
        return self._sides[0][0]

    @cached_property
    def certainty(self) -> U8:
        """In the order of ``forward``."""
        return self._sides[0][1]

    @cached_property
    def backward(self) -> U64:
        """right << 32 | left, sorted."""
        return self._sides[1][0]

    @cached_property
    def backward_certainty(self) -> U8:
        """In the order of ``backward``."""
        return self._sides[1][1]
