"""The traversal kernels in numpy: the fallback where the compiled module could not be built.

They give the same arrays in the same order as the compiled kernels; one test suite runs over both.
"""

from __future__ import annotations

from functools import cached_property, partial

import numpy as np

from lineage.graph.arrays import (
    CERTAIN,
    CLASS_SHIFT,
    NONE,
    PROBABLE,
    STALE,
    U8,
    U32,
    UNREACHED,
    VERTEX_MASK,
    Bool,
    class_mask,
    ranges,
)
from lineage.graph.barred import Closed
from lineage.graph.level import Adjacency, Csr, TimedCsr
from lineage.graph.search import Start, Tree

_SHIFT = np.uint32(CLASS_SHIFT)
_VERTEX = np.uint32(VERTEX_MASK)


class Scratch:
    """Work arrays for graphs of one size, handed out to one caller at a time and given back clean."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._free: list[tuple[Bool, U32]] = []

    def take(self) -> tuple[Bool, U32]:
        """A cleared bool array and a uint32 array of any content, one entry per vertex."""
        try:
            return self._free.pop()
        except IndexError:
            return np.zeros(self._n, dtype=bool), np.empty(self._n, dtype=np.uint32)

    def give(self, arrays: tuple[Bool, U32]) -> None:
        """Give cleared arrays back."""
        self._free.append(arrays)


class NumpySearcher:
    """Searches over one adjacency (:class:`lineage.graph.search.Searcher`)."""

    def __init__(self, graph: Adjacency) -> None:
        self._graph = graph
        self._scratch = Scratch(graph.n)

    @cached_property
    def classes(self) -> int:
        """Bit set of the edge classes there are."""
        found = 0
        for part in (self._graph.unit, self._graph.zero):
            if part is not None:
                seen = np.bincount(part.indices[: part.edges] >> _SHIFT, minlength=8)
                found |= sum(1 << c for c in np.flatnonzero(seen).tolist())
        return found

    def bfs(self, start: Start, mask: int, depth: int, limit: int, closed: Closed | None) -> Tree:
        """Breadth-first search, one vectorised step for each hop."""
        arrays = self._scratch.take()
        run = self._run(arrays, mask, closed)
        seeds, late = start.seeds, start.late
        try:
            run.level(seeds, np.full(len(seeds), NONE, np.uint32), after=0)
            hop = 0
            while run.sizes[-1] or (hop == 0 and len(late)):
                if hop == depth or 0 <= limit <= run.total:
                    break
                run.hop(late if hop == 0 else late[:0])
                hop += 1
            stopped = bool(run.sizes[-1]) or (hop == 0 and len(late) > 0)
            order, parent, levels = run.tree()
        finally:
            for chunk in run.order:
                arrays[0][chunk] = False
            self._scratch.give(arrays)
        grades = None if stopped else partial(self._grades, order, start, mask)
        return Tree(order, self._graph.public[order], parent, levels, grades, stopped)

    def closure(self, vertices: U32, k: int, mask: int, closed: Closed | None) -> U32:
        """Dense indices of all vertices that ``vertices[k]`` reaches."""
        if not 0 <= k < len(vertices):
            raise IndexError(f"no vertex {k} in a graph of {self._graph.n}")
        return self.bfs(Start.at(vertices[[k]]), mask, -1, -1, closed).public[1:]

    def find(self, values: U32, wanted: int) -> int:
        """Position of the first value that is ``wanted``, -1 when there is none."""
        at = np.flatnonzero(values == wanted)
        return int(at[0]) if len(at) else -1

    def hops(self, tree: Tree) -> U32:
        """Distance of each position of a tree."""
        return np.repeat(np.arange(len(tree.levels) - 1, dtype=np.uint32), np.diff(tree.levels))

    def path(self, start: Start, targets: U32, mask: int, closed: Closed | None) -> U32 | None:
        """Vertices of a shortest path from a seed to a target."""
        tree = self.bfs(start, mask, -1, -1, closed)
        arrived = np.flatnonzero(np.isin(tree.order, targets))
        if not len(arrived):
            return None
        steps, position = [], int(arrived[0])
        while position != NONE:
            steps.append(tree.order[position])
            position = int(tree.parent[position])
        return np.array(steps[::-1], dtype=np.uint32)

    def among(self, answer: U32, mask: int, closed: Closed | None) -> tuple[int, int, U32]:
        """Edges inside a set of vertices, certain ones, and the vertices one edge outside."""
        neighbours, _, classes = gather(self._graph.unit, answer, 0, mask)
        if closed is not None:
            free = ~closed.flags[neighbours]
            neighbours, classes = neighbours[free], classes[free]
        inside = self.look_up(answer, np.zeros(len(answer), np.uint8), neighbours) == 0
        kept = classes[inside]
        return len(kept), int((kept % 3 == 0).sum()), np.unique(neighbours[~inside])

    def pick(self, values: U32, at: U32) -> U32:
        """``values[at]``."""
        return values[at]

    def reach(self, sources: U32, mask: int, counted: Closed) -> U32:
        """How many counted vertices each source reaches: one search after the other."""
        trees = (self.bfs(Start.at(sources[k : k + 1]), mask, -1, -1, None) for k in range(len(sources)))
        return np.array([counted.flags[tree.order].sum() for tree in trees], dtype=np.uint32)

    def look_up(self, members: U32, values: U8, asked: U32) -> U8:
        """Value of each asked vertex that is a member, 3 for every other."""
        inside, value = self._scratch.take()
        inside[members], value[members] = True, values
        found = np.where(inside[asked], value[asked], UNREACHED).astype(np.uint8)
        inside[members] = False
        self._scratch.give((inside, value))
        return found

    def _run(self, arrays: tuple[Bool, U32], mask: int, closed: Closed | None) -> Run:
        return Run(self._graph, arrays, mask, closed)

    def _grades(self, closure: U32, start: Start, mask: int) -> U8:
        """Certainty of the best path, by searches over ever less certain edges that go on from what was found."""
        arrays = self._scratch.take()
        left, grade = arrays  # of the closure: what has no grade yet, and the grade of the rest
        left[closure] = True
        roots = np.concatenate([start.seeds, start.late])
        grades = np.concatenate([start.grades, start.late_grades])
        settled = roots[:0]
        for certainty in (CERTAIN, PROBABLE, STALE):
            admitted = mask & class_mask(certainty, indirect=True)
            fresh = np.unique(roots[(grades <= certainty) & left[roots]])
            frontier = np.concatenate([settled, fresh])
            while len(frontier):
                left[fresh], grade[fresh] = False, certainty
                settled = np.concatenate([settled, fresh])
                found = [gather(g, frontier, 0, admitted)[0] for g in (self._graph.unit, self._graph.zero) if g]
                beyond = np.concatenate(found)
                frontier = fresh = np.unique(beyond[left[beyond]])
        left[closure] = False
        result = grade[closure].astype(np.uint8)
        self._scratch.give(arrays)
        return result


class Run:
    """State of one search."""

    def __init__(self, graph: Adjacency, arrays: tuple[Bool, U32], mask: int, closed: Closed | None) -> None:
        self.graph, self.mask, self.closed = graph, mask, closed
        self.visited, self.owner = arrays
        self.order: list[U32] = []
        self.parent: list[U32] = []
        self.sizes: list[int] = []
        self.total = 0

    def hop(self, late: U32) -> None:
        """Expand the last level into the next one."""
        start = self.total - self.sizes[-1]
        neighbours, parents, _ = gather(self.graph.unit, self.frontier(), start, self.mask)
        found = np.concatenate([late, neighbours])
        self.level(found, np.concatenate([np.full(len(late), NONE, np.uint32), parents]), after=self.total)

    def frontier(self) -> U32:
        """The vertices of the last level."""
        return np.concatenate(self.order[-2:]) if self.graph.zero is not None else self.order[-1]

    def level(self, found: U32, parents: U32, after: int) -> None:
        """Append a level: the fresh ones among ``found``, then what zero edges add to them."""
        size = self._append(found, parents)
        zero = self.graph.zero
        if zero is not None:
            neighbours, via, _ = gather(zero, self.order[-1], after, self.mask)
            size += self._append(neighbours, via)
        self.sizes.append(size)

    def tree(self) -> tuple[U32, U32, U32]:
        """Order, parents and begins of the levels."""
        sizes = self.sizes if self.sizes[-1] or len(self.sizes) == 1 else self.sizes[:-1]
        levels = np.zeros(len(sizes) + 1, dtype=np.uint32)
        np.cumsum(sizes, out=levels[1:])
        return np.concatenate(self.order), np.concatenate(self.parent), levels

    def _append(self, found: U32, parents: U32) -> int:
        fresh = ~self.visited[found]
        if self.closed is not None:
            fresh &= ~self.closed.flags[found]
        found, parents = found[fresh], parents[fresh]
        at = np.arange(len(found), dtype=np.uint32)
        self.owner[found[::-1]] = at[::-1]  # the first mention of a vertex is written last and wins
        first = self.owner[found] == at
        found, parents = found[first], parents[first]
        self.visited[found] = True
        self.order.append(found)
        self.parent.append(parents)
        self.total += len(found)
        return len(found)


def gather(graph: Csr, vertices: U32, start: int, mask: int) -> tuple[U32, U32, U32]:
    """Admitted neighbours of all ``vertices`` in order, with the position of each one's vertex and its class.

    Positions count from ``start``.
    """
    row = vertices.astype(np.int64) - graph.first
    inside = (row >= 0) & (row < len(graph.indptr) - 1)
    position = np.flatnonzero(inside)
    row = row[inside]
    begin = graph.indptr[row].astype(np.int64)
    count = graph.indptr[row + 1].astype(np.int64) - begin
    at = ranges(begin, count)
    packed = graph.indices[at]
    parent = np.repeat((position + start).astype(np.uint32), count)
    classes = packed >> _SHIFT
    admitted = (np.uint32(mask) >> classes) & np.uint32(1) == 1
    if isinstance(graph, TimedCsr):
        admitted &= graph.holds(at)
    return packed[admitted] & _VERTEX, parent[admitted], classes[admitted]
