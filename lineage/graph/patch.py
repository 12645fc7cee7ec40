"""Sorted edge rows with some rows taken out and some put in, without sorting the rest again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage.graph.arrays import U32, U64, UNREACHED, pair_halves, pair_keys, ranges
from lineage.graph.rows import ColumnUse, EdgeRows, Pairs, Relations, first_of_runs

Key = tuple[Any, ...]


def patched(rows: EdgeRows, gone: EdgeRows, come: EdgeRows) -> EdgeRows | None:
    """``rows`` without ``gone`` and with ``come``; ``None`` when a row of ``gone`` is not among them.

    Only rows between pairs with a change are sorted anew; all others are copied. The result is equal to
    :meth:`EdgeRows.build` of the same rows, but for the numbering of the kinds of use.

    Examples
    --------
    >>> def rows(*pairs):
    ...     src, dst = np.array(pairs or [(0, 0)], np.uint32).T[:, : len(pairs)]
    ...     zeros = np.zeros(len(pairs), np.uint8)
    ...     return EdgeRows.build(src, dst, src, zeros, zeros, src.astype(np.int64))
    >>> patched(rows((1, 2), (1, 3)), rows((1, 2)), rows((0, 5))).dst.tolist()
    [5, 3]
    >>> patched(rows((1, 2)), rows((7, 7)), rows()) is None
    True
    """
    if not len(gone.key) and not len(come.key):
        return rows
    pairs = touched(gone, come)
    low, high = np.searchsorted(rows.key, pairs, side="left"), np.searchsorted(rows.key, pairs, side="right")
    near = taken(rows, ranges(low, high - low))
    stay = _without(_keys(near), _keys(gone))
    if stay is None:
        return None
    fresh = _joined(taken(near, np.array(stay, dtype=np.int64)), come)
    begin, end = np.searchsorted(fresh.key, pairs, side="left"), np.searchsorted(fresh.key, pairs, side="right")
    return _spliced(rows, fresh, Cuts.of(rows.key, pairs, end - begin))


def touched(gone: EdgeRows, come: EdgeRows) -> U64:
    """Pairs of which rows came or went, distinct and ascending."""
    return np.unique(np.concatenate([gone.key, come.key]))


def regraded(before: EdgeRows, after: EdgeRows) -> U64:
    """Pairs that only one of two tells of, or with another certainty, distinct and ascending."""
    if before is after or not len(before.key) + len(after.key):
        return before.key[:0]
    sides = []
    for rows in (before, after):
        first = first_of_runs(rows.key)  # the most certain one
        sides.append((rows.key[first], rows.certainty[first]))
    grades = (np.setxor1d(*(key[certainty == grade] for key, certainty in sides)) for grade in range(UNREACHED))
    return np.unique(np.concatenate(list(grades)))


def patched_loops(loops: U32, relations: Relations, keys: dict[str, U64]) -> U32:
    """Nodes with an edge to themselves, ascending, when there were ``loops``.

    Parameters
    ----------
    relations
        the rows as they are now.
    keys
        pairs of ``lineage`` and of ``columns`` of which rows came or went.
    """
    before, after = [], []
    for name in ("lineage", "columns"):
        src, dst = pair_halves(keys[name])
        own, rows = keys[name][src == dst], getattr(relations, name)
        low, high = np.searchsorted(rows.key, own, side="left"), np.searchsorted(rows.key, own, side="right")
        before.append(src[src == dst])
        after.append(before[-1][low < high])
    return np.union1d(np.setdiff1d(loops, np.concatenate(before)), np.concatenate(after)).astype(np.uint32)


def patched_pairs(pairs: Pairs, rows: EdgeRows, keys: U64) -> Pairs:
    """The pairs of ``rows``, when ``pairs`` are those of before and of those in ``keys`` some rows came or went."""
    low, high = np.searchsorted(rows.key, keys, side="left"), np.searchsorted(rows.key, keys, side="right")
    there = low < high
    certainty = np.where(there, rows.certainty[np.minimum(low, len(rows.key) - 1)] if len(rows.key) else 0, 0)
    sides = []
    for key, own, grade in (
        (keys, pairs.forward, pairs.certainty),
        (pair_keys(*reversed(pair_halves(keys))), pairs.backward, pairs.backward_certainty),
    ):
        order = np.argsort(key)
        wanted, new = key[order], there[order]
        cuts = Cuts.of(own, wanted, new)
        sides += [cuts.filled(own, wanted[new]), cuts.filled(grade, certainty[order][new].astype(np.uint8))]
    return Pairs.of_sides(*sides)


@dataclass(frozen=True, slots=True)
class Cuts:
    """Stretches of a sorted array, and for each how many values take its place."""

    low: list[int]
    high: list[int]
    ends: list[int]

    @classmethod
    def of(cls, values: U64, wanted: U64, come: npt.NDArray[Any]) -> Cuts:
        """Where some values are; ``come``: how many take the place of each, in the same order."""
        low, high = np.searchsorted(values, wanted, side="left"), np.searchsorted(values, wanted, side="right")
        return cls(low.tolist(), high.tolist(), np.cumsum(come).tolist())

    def filled(self, old: npt.NDArray[Any], new: npt.NDArray[Any]) -> Any:
        """An array beside the sorted one with what takes the place of the stretches; the rest is copied in pieces."""
        pieces: list[npt.NDArray[Any]] = []
        done = first = 0
        for low, high, end in zip(self.low, self.high, self.ends, strict=True):
            pieces += (old[done:low], new[first:end])
            done, first = high, end
        return np.concatenate([*pieces, old[done:]])


def taken(rows: EdgeRows, at: npt.NDArray[Any]) -> EdgeRows:
    """A selection by mask or by position, in the same order."""
    use = rows.use and ColumnUse(rows.use.indirect[at], rows.use.masking[at], rows.use.kind[at], rows.use.kinds)
    return EdgeRows(rows.key[at], rows.job[at], rows.provenance[at], rows.certainty[at], rows.valid_from[at], use)


def _keys(rows: EdgeRows) -> list[Key]:
    """Everything of each row; two rows that say the same are equal."""
    fields: list[npt.NDArray[Any]] = [rows.key, rows.job, rows.provenance, rows.certainty, rows.valid_from]
    plain: list[Key] = list(zip(*(field.tolist() for field in fields), strict=True))
    if rows.use is None:
        return plain
    use = rows.use
    more = zip(use.indirect.tolist(), use.masking.tolist(), use.kind.tolist(), strict=True)
    return [
        (*key, indirect, masking, use.kinds[kind]) for key, (indirect, masking, kind) in zip(plain, more, strict=True)
    ]


def _without(rows: list[Key], gone: list[Key]) -> list[int] | None:
    """Positions of the rows that stay when each of ``gone`` takes an equal one along; ``None`` when it finds none."""
    missing = Counter(gone)
    stay = []
    for k, row in enumerate(rows):
        if missing[row] > 0:
            missing[row] -= 1
        else:
            stay.append(k)
    return None if any(missing.values()) else stay


def _recoded(use: ColumnUse, kinds: tuple[tuple[str | None, str | None], ...]) -> ColumnUse:
    """The same use with codes of a list of kinds that starts with ``kinds``."""
    codes = {kind: k for k, kind in enumerate(kinds)}
    code = np.array([codes.setdefault(kind, len(codes)) for kind in use.kinds], dtype=np.uint32)
    return ColumnUse(use.indirect, use.masking, code[use.kind] if len(code) else use.kind, tuple(codes))


def _joined(one: EdgeRows, other: EdgeRows) -> EdgeRows:
    """Rows of both, sorted."""
    use = None
    if one.use is not None and other.use is not None:
        more = _recoded(other.use, one.use.kinds)
        use = ColumnUse(
            np.concatenate([one.use.indirect, more.indirect]),
            np.concatenate([one.use.masking, more.masking]),
            np.concatenate([one.use.kind, more.kind]),
            more.kinds,
        )
    return EdgeRows.build(
        np.concatenate([one.src, other.src]),
        np.concatenate([one.dst, other.dst]),
        np.concatenate([one.job, other.job]),
        np.concatenate([one.provenance, other.provenance]),
        np.concatenate([one.certainty, other.certainty]),
        np.concatenate([one.valid_from, other.valid_from]),
        use,
    )


def _spliced(rows: EdgeRows, fresh: EdgeRows, cuts: Cuts) -> EdgeRows:
    """``rows`` with ``fresh`` ones in the place of some."""
    put = cuts.filled
    use = None
    if rows.use is not None and fresh.use is not None:
        more = _recoded(fresh.use, rows.use.kinds)
        use = ColumnUse(
            put(rows.use.indirect, more.indirect),
            put(rows.use.masking, more.masking),
            put(rows.use.kind, more.kind),
            more.kinds,
        )
    return EdgeRows(
        put(rows.key, fresh.key),
        put(rows.job, fresh.job),
        put(rows.provenance, fresh.provenance),
        put(rows.certainty, fresh.certainty),
        put(rows.valid_from, fresh.valid_from),
        use,
    )
