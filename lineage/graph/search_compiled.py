"""The traversal kernels in C (lineage/graph/kernels), behind the same face as the numpy ones."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lineage.graph._kernels import Graph, find, hops, take
from lineage.graph.arrays import U8, U32
from lineage.graph.barred import Closed
from lineage.graph.level import Adjacency, Csr, TimedCsr
from lineage.graph.search import Start, Tree
from lineage.graph.spans import Alive

_U8, _U32 = np.dtype(np.uint8), np.dtype(np.uint32)


class CompiledSearcher:
    """Searches over one adjacency (:class:`lineage.graph.search.Searcher`), given that of the other direction.

    Longer searches run without Python's global lock. The arrays of an answer are read-only.
    """

    def __init__(self, graph: Adjacency, reverse: Adjacency) -> None:
        self._graph, self._reverse = _graph(graph), _graph(reverse)

    @classmethod
    def pair(cls, graph: Adjacency, reverse: Adjacency) -> tuple[CompiledSearcher, CompiledSearcher]:
        """Searchers over both directions, which share their arrays."""
        one, other = cls(graph, reverse), cls.__new__(cls)
        other._graph, other._reverse = one._reverse, one._graph
        return one, other

    @classmethod
    def pair_at(cls, like: tuple[CompiledSearcher, CompiledSearcher], public: U32, alive: Alive) -> Pair:
        """Searchers over the same arrays through time, at another instant, with the dense indices of then."""
        one, other = cls.__new__(cls), cls.__new__(cls)
        one._graph = other._reverse = like[0]._graph.at(public, alive.bits)
        other._graph = one._reverse = like[1]._graph.at(public, alive.bits)
        return one, other

    @property
    def classes(self) -> int:
        """Bit set of the edge classes there are."""
        return self._graph.classes

    def bfs(self, start: Start, mask: int, depth: int, limit: int, closed: Closed | None) -> Tree:
        """Breadth-first search."""
        order, public, parent, levels, grades, stopped = self._graph.bfs(
            start.seeds,
            start.grades,
            start.late,
            start.late_grades,
            mask,
            depth,
            limit,
            None if closed is None else closed.bits,
        )
        return Tree(
            np.frombuffer(order, _U32),
            np.frombuffer(public, _U32),
            np.frombuffer(parent, _U32),
            np.frombuffer(levels, _U32),
            None if grades is None else partial(_bytes, grades),
            stopped,
        )

    def closure(self, vertices: U32, k: int, mask: int, closed: Closed | None) -> U32:
        """Dense indices of all vertices that ``vertices[k]`` reaches."""
        bits = None if closed is None else closed.bits
        return np.frombuffer(self._graph.closure(vertices, k, mask, bits), _U32)

    def find(self, values: U32, wanted: int) -> int:
        """Position of the first value that is ``wanted``, -1 when there is none."""
        return find(values, wanted)

    def hops(self, tree: Tree) -> U32:
        """Distance of each position of a tree."""
        return np.frombuffer(hops(tree.levels), _U32)

    def path(self, start: Start, targets: U32, mask: int, closed: Closed | None) -> U32 | None:
        """Vertices of a shortest path from a seed to a target, searched from both ends."""
        bits = None if closed is None else closed.bits
        found = self._graph.path(self._reverse, start.seeds, start.late, targets, mask, bits)
        return None if found is None else np.frombuffer(found, _U32)

    def among(self, answer: U32, mask: int, closed: Closed | None) -> tuple[int, int, U32]:
        """Edges inside a set of vertices, certain ones, and the vertices one edge outside."""
        edges, certain, outside = self._graph.among(answer, mask, None if closed is None else closed.bits)
        return edges, certain, np.sort(np.frombuffer(outside, _U32))

    def pick(self, values: U32, at: U32) -> U32:
        """``values[at]``."""
        return np.frombuffer(take(values, at), _U32)

    def reach(self, sources: U32, mask: int, counted: Closed) -> U32:
        """How many counted vertices each source reaches: 512 searches at once."""
        return np.frombuffer(self._graph.reach(self._reverse, sources, mask, counted.bits), _U32)

    def look_up(self, members: U32, values: U8, asked: U32) -> U8:
        """Value of each asked vertex that is a member, 3 for every other."""
        return _bytes(self._graph.look_up(members, values, asked))


Pair = tuple[CompiledSearcher, CompiledSearcher]


def _graph(graph: Adjacency) -> Graph:
    unit, zero = graph.unit, graph.zero
    return Graph(
        graph.n,
        unit.first,
        unit.indptr,
        _packed(unit),
        zero.first if zero else 0,
        zero.indptr if zero else None,
        _packed(zero) if zero else None,
        graph.public,
        graph.backwards,
        unit.alive.bits if isinstance(unit, TimedCsr) else None,
    )


def _packed(part: Csr) -> U32:
    return part.entries if isinstance(part, TimedCsr) else part.indices


def _bytes(found: Any) -> U8:
    return np.frombuffer(found, _U8)
