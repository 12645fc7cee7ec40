"""Nodes that no walk may reach or pass, in the form in which the kernels ask for them.

A mask of bools is turned into one bit per vertex once, not in every walk: the masked nodes of an actor stay the same as
long as the snapshot does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.errors import UsageError
from lineage.graph.arrays import U32, U64, Bool, bit_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.graph.level import Level


@dataclass(frozen=True, eq=False)
class Closed:
    """Closed vertices of one level: ``flags`` one bool per vertex, ``bits`` the same as bits of 64-bit words.

    >>> Closed(np.array([False, True, True])).bits.tolist()
    [6]
    """

    flags: Bool

    @classmethod
    def of(cls, blocked: Bool, public: U32) -> Closed:
        """From one bool per dense index; ``public`` is the dense index of each vertex."""
        return cls(blocked[public])

    @cached_property
    def bits(self) -> U64:
        """Bit ``v % 64`` of word ``v // 64`` stands for vertex ``v``."""
        return bit_words(self.flags)


class Barred:
    """Barred nodes of one snapshot, made by :meth:`lineage.graph.snapshot.Snapshot.bar`; any thread may use it."""

    def __init__(self, nodes: Bool, levels: Mapping[Any, Level]) -> None:
        self.nodes, self._levels = nodes, levels
        self._closed: dict[str, Closed | None] = {}

    def on(self, level: str) -> Closed | None:
        """Closed vertices of a level; ``None`` when there are none."""
        if level not in self._closed:
            closed = Closed.of(self.nodes, self._levels[level].public)
            self._closed[level] = closed if closed.flags.any() else None
        return self._closed[level]


def check_mask(blocked: Bool, n: int) -> Bool:
    """A mask with one bool for each of ``n`` nodes.

    Raises
    ------
    UsageError
        for any other array.
    """
    if blocked.dtype != np.bool_ or blocked.shape != (n,):
        raise UsageError(f"blocked: wants {n} bools, one per node, not {blocked.dtype}{blocked.shape}.")
    return blocked
