"""The traversal kernels in C (lineage/graph/kernels), behind the same face as the numpy ones."""

from __future__ import annotations

import numpy as np

from lineage.graph._kernels import Graph
from lineage.graph.arrays import U8, U32, Bool
from lineage.graph.level import Adjacency
from lineage.graph.search import Tree

_U32 = np.dtype(np.uint32)
_BOOL = np.dtype(np.bool_)


class CompiledSearcher:
    """Searches over one adjacency (:class:`lineage.graph.search.Searcher`).

    Longer searches run without Python's global lock. The arrays of an answer are read-only.
    """

    def __init__(self, graph: Adjacency) -> None:
        unit, zero = graph.unit, graph.zero
        self._backwards = int(graph.backwards)
        self._graph = Graph(
            graph.n,
            unit.first,
            unit.indptr,
            unit.indices,
            zero.first if zero else 0,
            zero.indptr if zero else None,
            zero.indices if zero else None,
            graph.public,
        )

    def bfs(self, seeds: U32, late: U32, mask: int, depth: int, limit: int, blocked: Bool | None) -> Tree:
        """Breadth-first search."""
        order, parent, levels, classes, edges, certain, stopped = self._graph.bfs(
            seeds, late, mask, depth, limit, blocked
        )
        return Tree(
            np.frombuffer(order, _U32),
            np.frombuffer(parent, _U32),
            np.frombuffer(levels, _U32),
            classes,
            edges,
            certain,
            stopped,
        )

    def among(self, answer: U32, mask: int, blocked: Bool | None) -> tuple[int, int, U32]:
        """Edges inside a set of vertices, certain ones, and the vertices one edge outside."""
        edges, certain, outside = self._graph.among(answer, mask, blocked)
        return edges, certain, np.sort(np.frombuffer(outside, _U32))

    def grade(self, closure: U32, mask: int, roots: U32, grades: U8, asked: U32) -> U8:
        """Certainty of the best path from the roots to each asked vertex; 3 where there is none."""
        found = self._graph.grade(closure, mask, self._backwards, roots, grades, asked)
        return np.frombuffer(found, np.uint8)

    def contains(self, members: U32, asked: U32) -> Bool:
        """Whether each asked vertex is one of ``members``."""
        return np.frombuffer(self._graph.contains(members, asked), _BOOL)
