"""Sorted edge rows with some rows taken out and some put in, without sorting the rest again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage.graph.arrays import ranges
from lineage.graph.rows import ColumnUse, EdgeRows

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
    pairs = np.unique(np.concatenate([gone.key, come.key]))
    low, high = np.searchsorted(rows.key, pairs, side="left"), np.searchsorted(rows.key, pairs, side="right")
    touched = np.zeros(len(rows.key), dtype=bool)
    touched[ranges(low, high - low)] = True
    near = _taken(rows, touched)
    stay = _without(_keys(near), _keys(gone))
    if stay is None:
        return None
    far, fresh = _taken(rows, ~touched), _joined(_taken(near, np.array(stay, dtype=np.int64)), come)
    return _spliced(far, fresh, np.searchsorted(far.key, fresh.key))


def _taken(rows: EdgeRows, at: npt.NDArray[Any]) -> EdgeRows:
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


def _spliced(rows: EdgeRows, fresh: EdgeRows, at: npt.NDArray[Any]) -> EdgeRows:
    """``fresh`` put into ``rows`` before the positions ``at``."""
    use = None
    if rows.use is not None and fresh.use is not None:
        more = _recoded(fresh.use, rows.use.kinds)
        use = ColumnUse(
            np.insert(rows.use.indirect, at, more.indirect),
            np.insert(rows.use.masking, at, more.masking),
            np.insert(rows.use.kind, at, more.kind),
            more.kinds,
        )
    return EdgeRows(
        np.insert(rows.key, at, fresh.key),
        np.insert(rows.job, at, fresh.job),
        np.insert(rows.provenance, at, fresh.provenance),
        np.insert(rows.certainty, at, fresh.certainty),
        np.insert(rows.valid_from, at, fresh.valid_from),
        use,
    )
