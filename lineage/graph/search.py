"""What a traversal kernel takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from lineage.graph.arrays import U8, U32
from lineage.graph.barred import Closed


class Start(NamedTuple):
    """Vertices to start from at hop 0, and ``late`` ones at hop 1; what is named twice counts once.

    ``grades`` and ``late_grades`` are the certainty (0 to 2) of each beginning.
    """

    seeds: U32
    grades: U8
    late: U32
    late_grades: U8

    @classmethod
    def at(cls, seeds: U32) -> Start:
        """Certain seeds, none of them late."""
        return cls(seeds, np.zeros(len(seeds), np.uint8), seeds[:0], np.zeros(0, np.uint8))


class Tree(NamedTuple):
    """Breadth-first tree.

    ``order`` lists the reached vertices, sources first, and ``public`` their dense indices; ``parent[k]`` is the
    position in ``order`` of the vertex from which ``order[k]`` was first reached, ``NONE`` for sources; ``levels[h]``
    is the position at which hop ``h`` begins and the last entry the length. ``stopped``: vertices of the last hop
    were not expanded; then there are no ``grades``, otherwise they give the certainty of the best path to each vertex
    of ``order``.
    """

    order: U32
    public: U32
    parent: U32
    levels: U32
    grades: Callable[[], U8] | None
    stopped: bool


class Searcher(Protocol):
    """Searches over one adjacency; any thread may call it at any time."""

    @property
    def classes(self) -> int:
        """Bit set of the edge classes there are."""
        ...

    def bfs(self, start: Start, mask: int, depth: int, limit: int, closed: Closed | None) -> Tree:
        """Breadth-first search.

        Parameters
        ----------
        mask
            bit set of the admitted edge classes.
        depth
            last hop to reach; -1 for all.
        limit
            stop after the hop that brings the number of vertices to this; -1 for never.
        closed
            vertices that are neither reached nor passed.
        """
        ...

    def closure(self, vertices: U32, k: int, mask: int, closed: Closed | None) -> U32:
        """Dense indices of all vertices that ``vertices[k]`` reaches, the nearest first, itself not among them.

        Raises
        ------
        IndexError
            when there is no such entry.
        """
        ...

    def find(self, values: U32, wanted: int) -> int:
        """Position of the first value that is ``wanted`` (0 ≤ wanted < 2**32), -1 when there is none."""
        ...

    def hops(self, tree: Tree) -> U32:
        """Distance of each position of a tree."""
        ...

    def path(self, start: Start, targets: U32, mask: int, closed: Closed | None) -> U32 | None:
        """Vertices of a shortest path from a seed to a target; ``None`` when there is none.

        Of several shortest paths the one that :meth:`bfs` has in its tree.
        """
        ...

    def among(self, answer: U32, mask: int, closed: Closed | None) -> tuple[int, int, U32]:
        """Admitted edges inside a set of vertices, how many of them are certain, and the vertices one edge outside."""
        ...

    def pick(self, values: U32, at: U32) -> U32:
        """``values[at]``, of one value for each vertex."""
        ...

    def reach(self, sources: U32, mask: int, counted: Closed) -> U32:
        """How many of the ``counted`` vertices each source reaches, itself included."""
        ...

    def look_up(self, members: U32, values: U8, asked: U32) -> U8:
        """Value of each asked vertex that is one of ``members``, 3 for every other."""
        ...
