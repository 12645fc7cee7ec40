"""Array types and codes shared by the modules of the graph engine.

A neighbour in an adjacency list is one ``uint32``: the low 29 bits are the vertex, the high 3 bits the *class* of the
edge, ``certainty + 3 * indirect``. The filter on certainty and kind of use is then a shift and a bit test inside the
loop and costs neither memory nor a cache line. 2**29 vertices (537 million) per level is the limit that follows.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

NONE: Final = 0xFFFFFFFF  # "no such vertex / parent / job" in a uint32 array
CLASS_SHIFT: Final = 29
VERTEX_MASK: Final = (1 << CLASS_SHIFT) - 1
LANE: Final = 16  # padding behind an array of neighbours, see kernels/search.h

DATASET, JOB, COLUMN = 0, 1, 2
KIND_NAMES: Final = ("dataset", "job", "column")

CERTAIN, PROBABLE, STALE = 0, 1, 2
CERTAINTY_NAMES: Final = ("certain", "probable", "stale")
UNREACHED: Final = 3

# In order of trust: among rows of equal certainty the first one explains the edge.
PROVENANCES: Final = ("explicit", "column", "declared", "manual", "io", "product", "sql", "other")

_DIRECT_BITS: Final = (0b001, 0b011, 0b111)


def class_mask(certainty: int, *, indirect: bool) -> int:
    """Bit set of the edge classes that are admitted: at least this certain, with or without indirect use.

    >>> bin(class_mask(CERTAIN, indirect=True))
    '0b1001'
    """
    direct = _DIRECT_BITS[certainty]
    return direct | (direct << 3) if indirect else direct


# where the halves of a uint64 lie in memory
_HIGH: Final = 1 if sys.byteorder == "little" else 0


def pair_keys(left: npt.ArrayLike, right: npt.ArrayLike) -> U64:
    """One sortable ``uint64`` for each pair of ``uint32``: ``left << 32 | right``.

    >>> pair_keys([1, 0], [2, 5]).tolist() == [(1 << 32) + 2, 5]
    True
    """
    high = np.asarray(left)
    halves = np.empty((*high.shape, 2), dtype=np.uint32)  # written in place: no array for either side
    halves[..., _HIGH], halves[..., 1 - _HIGH] = high, right
    return halves.view(np.uint64)[..., 0]


def pair_halves(keys: U64) -> tuple[U32, U32]:
    """Left and right of :func:`pair_keys`.

    >>> [half.tolist() for half in pair_halves(pair_keys([1, 0], [2, 5]))]
    [[1, 0], [2, 5]]
    """
    halves = np.ascontiguousarray(keys).view(np.uint32)
    return halves[_HIGH::2].copy(), halves[1 - _HIGH :: 2].copy()


def bit_words(flags: Bool) -> U64:
    """Bools as bits: number ``k`` is bit ``k % 64`` of word ``k // 64``; the last word has at least one bit to spare.

    >>> bit_words(np.array([False, True, True])).tolist()
    [6]
    """
    room = np.zeros((len(flags) // 64 + 1) * 8, dtype=np.uint8)
    packed = np.packbits(flags, bitorder="little")
    room[: len(packed)] = packed
    return room.view("<u8").astype(np.uint64, copy=False)


def picked(values: Any, keep: Bool, *, everything: bool) -> Any:
    """``values[keep]``, or the values themselves when it is said that all are kept."""
    return values if everything else values[keep]


def ranges(starts: npt.ArrayLike, counts: npt.ArrayLike) -> I64:
    """Concatenation of ``arange(start, start + count)`` for each pair.

    >>> ranges([10, 20], [2, 3]).tolist()
    [10, 11, 20, 21, 22]
    """
    begin = np.asarray(starts, dtype=np.int64)
    count = np.asarray(counts, dtype=np.int64)
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(begin - (ends - count), count) + np.arange(total, dtype=np.int64)
