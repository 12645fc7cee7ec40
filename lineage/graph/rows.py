"""Edge rows of a snapshot: everything the store says about each edge, in parallel arrays sorted by (src, dst).

The traversal never reads them. They explain single edges (:meth:`EdgeRows.between`) and answer "which datasets does
this job read".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from lineage.graph.arrays import (
    CERTAINTY_NAMES,
    I64,
    NONE,
    PROVENANCES,
    U8,
    U32,
    U64,
    Bool,
    pair_halves,
    pair_keys,
    ranges,
)
from lineage.graph.sorting import gathered, sorted_pairs
from lineage.times import EPOCH

if TYPE_CHECKING:
    from lineage.answers import Certainty


@dataclass(frozen=True, slots=True)
class EdgeView:
    """One edge between two nodes of a snapshot, all its rows taken together.

    ``src`` and ``dst`` are dense indices; ``jobs`` the dense indices of the jobs that move the data. ``certainty`` is
    that of the best row and ``provenance`` the most trusted one among the rows that are as certain. ``indirect`` is
    true when the source only filters, joins, groups or sorts, ``filtering`` are the jobs by whose rows alone it would
    be; ``type``, ``subtype`` and ``masking`` are those of a column edge.
    """

    src: int
    dst: int
    provenance: str
    certainty: Certainty
    jobs: tuple[int, ...]
    valid_from: datetime
    indirect: bool = False
    type: str | None = None
    subtype: str | None = None
    masking: bool = False
    filtering: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class ColumnUse:
    """What only column edges have, per row. ``kind`` is a position in ``kinds``, a list of (type, subtype)."""

    indirect: U8
    masking: U8
    kind: U32
    kinds: tuple[tuple[str | None, str | None], ...]


@dataclass(frozen=True, eq=False, slots=True)
class EdgeRows:
    """Rows sorted by ``key`` (src << 32 | dst), then certainty, then trust in their provenance."""

    key: U64
    job: U32
    provenance: U8
    certainty: U8
    valid_from: I64  # microseconds since 1970
    use: ColumnUse | None = None

    @classmethod
    def build(
        cls,
        src: U32,
        dst: U32,
        job: U32,
        provenance: U8,
        certainty: U8,
        valid_from: I64,
        use: ColumnUse | None = None,
        some: U32 | None = None,
    ) -> EdgeRows:
        """Sort rows given in any order. All arrays have one entry per row; ``some`` are the rows to take of them."""
        key, order = row_order(src, dst, (valid_from, job, provenance, certainty), some)
        if use is not None:
            indirect, masking, kind = (
                gathered(use.indirect, order),
                gathered(use.masking, order),
                gathered(use.kind, order),
            )
            use = ColumnUse(indirect, masking, kind, use.kinds)
        return cls(
            key=key,
            job=gathered(job, order),
            provenance=gathered(provenance, order),
            certainty=gathered(certainty, order),
            valid_from=gathered(valid_from, order),
            use=use,
        )

    def same_as(self, other: EdgeRows) -> bool:
        """Whether the rows say the same; of rows without use."""
        names = ("key", "job", "provenance", "certainty", "valid_from")
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    @property
    def src(self) -> U32:
        """Dense index of the source of each row."""
        return pair_halves(self.key)[0]

    @property
    def dst(self) -> U32:
        """Dense index of the target of each row."""
        return pair_halves(self.key)[1]

    def out_of(self, i: int) -> slice:
        """Rows whose source is ``i``."""
        low, high = np.searchsorted(self.key, pair_keys([i, i + 1], [0, 0]))
        return slice(int(low), int(high))

    def leaving(self, sources: npt.ArrayLike, counts: npt.ArrayLike) -> EdgeRows:
        """Rows out of many nodes: of ``count`` nodes from each ``source`` on, in the order of the sources."""
        first = np.asarray(sources, dtype=np.uint64)
        shift, last = np.uint64(32), first + np.asarray(counts, dtype=np.uint64)
        low, high = np.searchsorted(self.key, first << shift), np.searchsorted(self.key, last << shift)
        return taken(self, ranges(low, high - low))

    def targets(self, i: int) -> U32:
        """Distinct targets of ``i``, in ascending order."""
        return np.unique((self.key[self.out_of(i)] & np.uint64(NONE)).astype(np.uint32))

    def views(self, src: U32, dst: U32) -> list[EdgeView]:
        """One view for each pair that has rows, in the order given."""
        keys = pair_keys(src, dst)
        low = np.searchsorted(self.key, keys, side="left").tolist()
        high = np.searchsorted(self.key, keys, side="right").tolist()
        return [self._view(a, b) for a, b in zip(low, high, strict=True) if a < b]

    def has(self, src: U32, dst: U32) -> Bool:
        """For each pair whether it has rows."""
        keys = pair_keys(src, dst)
        found: Bool = np.searchsorted(self.key, keys, side="left") < np.searchsorted(self.key, keys, side="right")
        return found

    def _view(self, low: int, high: int) -> EdgeView:
        key = int(self.key[low])
        single = high - low == 1  # most pairs have one row; numpy costs ten times what reading it does
        jobs = self.job[low:high].tolist() if single else np.unique(self.job[low:high]).tolist()
        first = int(self.valid_from[low]) if single else int(self.valid_from[low:high].min())
        kind: tuple[str | None, str | None] = (None, None)
        indirect = masking = False
        filtering: set[int] = set()
        if self.use is not None:
            flags = self.use.indirect[low:high]
            best = low + int(flags.argmin())
            kind = self.use.kinds[int(self.use.kind[best])]
            indirect, masking = bool(flags.all()), bool(self.use.masking[low:high].all())
            if flags.any():
                filtering = set(jobs) - set(self.job[low:high][flags == 0].tolist())
        return EdgeView(
            src=key >> 32,
            dst=key & NONE,
            provenance=PROVENANCES[int(self.provenance[low])],
            certainty=CERTAINTY_NAMES[int(self.certainty[low])],
            jobs=tuple(j for j in jobs if j != NONE),
            valid_from=EPOCH + timedelta(microseconds=first),
            indirect=indirect,
            type=kind[0],
            subtype=kind[1],
            masking=masking,
            filtering=tuple(j for j in jobs if j in filtering and j != NONE) if filtering else (),
        )


def taken(rows: EdgeRows, at: Any) -> EdgeRows:
    """A selection of rows, in the same order."""
    use = rows.use and ColumnUse(rows.use.indirect[at], rows.use.masking[at], rows.use.kind[at], rows.use.kinds)
    return EdgeRows(rows.key[at], rows.job[at], rows.provenance[at], rows.certainty[at], rows.valid_from[at], use)


@dataclass(frozen=True, eq=False, slots=True)
class Relations:
    """Edge rows by what they mean; ``inflow`` follows from the others (see :mod:`lineage.graph.inflow`)."""

    lineage: EdgeRows
    columns: EdgeRows
    reads: EdgeRows  # dataset -> job
    writes: EdgeRows  # job -> dataset
    control: EdgeRows  # job -> job
    contains: EdgeRows  # parent job -> child job
    inflow: EdgeRows  # dataset -> job: what the job may hand on

    def views(self, src: U32, dst: U32) -> list[EdgeView]:
        """One view for each pair that data flows between, in the order given: as was told, else as was inferred."""
        told = self.lineage.views(src, dst)
        inferred = self.inflow.views(src, dst)
        if not inferred:
            return told
        found = {(edge.src, edge.dst): edge for edge in (*inferred, *told)}
        pairs = dict.fromkeys(zip(src.tolist(), dst.tolist(), strict=True))
        return [found[pair] for pair in pairs if pair in found]

    def has(self, src: U32, dst: U32) -> Bool:
        """For each pair whether data flows between them."""
        return self.lineage.has(src, dst) | self.inflow.has(src, dst)


RELATIONS = ("lineage", "columns", "reads", "writes", "control", "contains")


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """A relation between dense indices with the best certainty of each pair, searchable from both sides."""

    forward: U64  # left << 32 | right, sorted, distinct
    certainty: U8  # in the order of ``forward``
    backward: U64 = field(init=False)  # right << 32 | left, sorted
    backward_certainty: U8 = field(init=False)

    def __post_init__(self) -> None:
        low, high = self.forward & np.uint64(NONE), self.forward >> np.uint64(32)
        turned = (low << np.uint64(32)) | high
        order = np.argsort(turned)
        object.__setattr__(self, "backward", turned[order])
        object.__setattr__(self, "backward_certainty", self.certainty[order])

    @classmethod
    def of(cls, rows: EdgeRows) -> Pairs:
        """Distinct pairs of sorted rows."""
        first = first_of_runs(rows.key)
        return cls(rows.key[first], rows.certainty[first])

    @classmethod
    def of_sides(cls, forward: U64, certainty: U8, backward: U64, backward_certainty: U8) -> Self:
        """Pairs whose order from the other side is known."""
        found = object.__new__(cls)
        sides = (forward, certainty, backward, backward_certainty)
        for one, values in zip(fields(cls), sides, strict=True):
            object.__setattr__(found, one.name, values)
        return found

    def rights(self, i: int, certainty: int = 2) -> U32:
        """Everything on the right of ``i`` that is at least so certain, ascending."""
        return self.rights_of(np.array([i], dtype=np.uint32), certainty)[1]

    def lefts(self, j: int, certainty: int = 2) -> U32:
        """Everything on the left of ``j`` that is at least so certain, ascending."""
        return self.lefts_of(np.array([j], dtype=np.uint32), certainty)[1]

    def rights_of(self, i: U32, certainty: int = 2) -> tuple[I64, U32, U8]:
        """For many at once: position in ``i``, the right side, and its certainty."""
        return _lookup(self.forward, self.certainty, i, certainty)

    def lefts_of(self, j: U32, certainty: int = 2) -> tuple[I64, U32, U8]:
        """For many at once: position in ``j``, the left side, and its certainty."""
        return _lookup(self.backward, self.backward_certainty, j, certainty)


def first_of_runs(sorted_keys: U64) -> I64:
    """Positions at which a sorted array takes a new value."""
    fresh = np.ones(len(sorted_keys), dtype=bool)
    np.not_equal(sorted_keys[1:], sorted_keys[:-1], out=fresh[1:])
    return np.flatnonzero(fresh)


def row_order(src: U32, dst: U32, by: Sequence[npt.NDArray[Any]], some: U32 | None = None) -> tuple[U64, U32]:
    """Sorted keys of rows, and the order of the rows by key, then by further arrays, the last one first.

    ``some`` are the rows to take, in ascending order; default: all.
    """
    if some is not None:
        src, dst = gathered(src, some), gathered(dst, some)
    key, order = sorted_pairs(src, dst, int(src.max(initial=0)) + 1)
    return key, _settle_ties(order if some is None else gathered(some, order), key, by)


def _settle_ties(order: U32, key: U64, by: Sequence[npt.NDArray[Any]]) -> U32:
    """The order with rows of one key sorted by further arrays, the last one first."""
    same = np.zeros(len(key) + 1, dtype=bool)
    np.equal(key[1:], key[:-1], out=same[1:-1])
    tied = np.flatnonzero(same[1:] | same[:-1])
    if not len(tied):
        return order
    rows = order[tied]
    order = order.copy()
    order[tied] = rows[np.lexsort((*(a[rows] for a in by), key[tied]))]
    return order


def _lookup(keys: U64, certainties: U8, wanted: U32, certainty: int) -> tuple[I64, U32, U8]:
    high = wanted.astype(np.uint64)
    low = np.searchsorted(keys, high << np.uint64(32))
    count = np.searchsorted(keys, (high + np.uint64(1)) << np.uint64(32)) - low
    at = ranges(low, count)
    owner = np.repeat(np.arange(len(wanted)), count)
    found = certainties[at]
    keep = found <= certainty
    other = (keys[at] & np.uint64(NONE)).astype(np.uint32)
    return owner[keep], other[keep], found[keep]
