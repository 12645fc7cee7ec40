"""Ways up a breadth-first tree, as readers want them."""

from __future__ import annotations

from collections.abc import Callable

from lineage.graph.arrays import NONE
from lineage.graph.level import Level
from lineage.graph.search import Tree


class Trails:
    """Ways from the roots of a tree to its positions; each is remembered, for it is the beginning of others."""

    def __init__(self, level: Level, tree: Tree, owner_of: Callable[[int], int]) -> None:
        self._offset, self._owner_of = level.offset, owner_of
        self._vertex = tree.order.tolist()
        self._step = level.public[tree.order].tolist()
        self._parent = tree.parent.tolist()
        self._known: dict[int, tuple[int, ...]] = {}

    def to(self, position: int, target: int) -> tuple[int, ...]:
        """Dense indices from a source to the target at a position, rowsets between columns left out."""
        waiting = []
        while position != NONE and position not in self._known:
            waiting.append(position)
            position = self._parent[position]
        trail = self._known[position] if position != NONE else (self._owner_of(self._vertex[waiting[-1]]),)
        for position in reversed(waiting):
            step = self._step[position]
            rowset = self._offset and step < self._offset and self._parent[position] != NONE  # not an input of a job
            trail = trail if rowset or trail[-1] == step else (*trail, step)
            self._known[position] = trail
        return trail if trail[-1] == target else (*trail, target)
