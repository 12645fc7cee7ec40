"""Spans of valid time over which edges hold.

Many edges hold over the same span, so each span is kept once and an edge has its number. A question about an instant
asks of each span once whether the instant lies in it; of an edge it then reads one bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lineage.arrow import array_of, numbers
from lineage.graph.arrays import I64, U32, U64, Bool, bit_words, pair_halves, pair_keys


@dataclass(frozen=True, eq=False)
class Alive:
    """Which spans hold at one instant: ``flags`` one bool per span, ``bits`` the same as bits of 64-bit words."""

    flags: Bool

    @cached_property
    def bits(self) -> U64:
        """Bit ``k % 64`` of word ``k // 64`` stands for span ``k``."""
        return bit_words(self.flags)


@dataclass(frozen=True, eq=False, slots=True)
class Spans:
    """Distinct half-open spans, in microseconds since 1970; span 0 is there even when nothing has it."""

    begin: I64
    end: I64

    @classmethod
    def of(cls, begin: I64, end: I64) -> tuple[Spans, U32]:
        """The distinct ones among some spans, and the number of each.

        >>> spans, number = Spans.of(np.array([0, 5, 0]), np.array([9, 9, 9]))
        >>> number.tolist(), spans.begin.tolist(), spans.end.tolist()
        ([0, 1, 0], [0, 5], [9, 9])
        """
        if not len(begin):
            nothing = np.zeros(1, np.int64)
            return cls(nothing, nothing), np.zeros(0, np.uint32)
        (begins, one), (ends, other) = _coded(begin), _coded(end)
        pairs, number = _coded(pair_keys(one, other).view(np.int64))
        left, right = pair_halves(pairs.view(np.uint64))
        return cls(begins[left], ends[right]), number

    def at(self, moment: int) -> Alive:
        """Which of them hold at a moment.

        >>> Spans(np.array([0, 5]), np.array([5, 9])).at(5).flags.tolist()
        [False, True]
        """
        return Alive((self.begin <= moment) & (moment < self.end))


def _coded(values: I64) -> tuple[I64, U32]:
    """Distinct values in order of their first mention, and the place of each value among them."""
    coded = array_of(np.ascontiguousarray(values)).dictionary_encode()
    return numbers(coded.dictionary), numbers(coded.indices).astype(np.uint32)
