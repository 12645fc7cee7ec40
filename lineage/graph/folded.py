"""Searches in which some steps are no hop: those between two nodes of one fold.

A fold is what somebody may see only as a whole. How many of its nodes follow each other on a way must not show in the
length of the way, so the way through them counts as one step, however long it is. The searches are those in numpy, with
as many rounds in a hop as it takes; the nodes they reach are those of a search without folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lineage.errors import UsageError
from lineage.graph.arrays import U32, Bool
from lineage.graph.search_numpy import NumpySearcher, Run, gather

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lineage.graph.barred import Closed
    from lineage.graph.level import Adjacency, Level


class Folds:
    """Folds of one snapshot, made by :meth:`lineage.graph.snapshot.Snapshot.fold`; any thread may use them."""

    def __init__(self, nodes: U32, levels: Mapping[Any, Level]) -> None:
        self.nodes, self._levels = nodes, levels
        self._searchers: dict[tuple[str, str], FoldedSearcher] = {}

    def searcher(self, level: str, direction: str) -> FoldedSearcher:
        """A search over one direction of a level that knows these folds."""
        if (level, direction) not in self._searchers:
            on = self._levels[level]
            self._searchers[level, direction] = FoldedSearcher(on.adjacency(direction), self.nodes[on.public])
        return self._searchers[level, direction]


def check_folds(folds: U32, n: int) -> U32:
    """Folds of ``n`` nodes.

    Raises
    ------
    UsageError
        unless it is one ``uint32`` for each node.
    """
    if folds.dtype != np.uint32 or folds.shape != (n,):
        raise UsageError(f"folds: wants {n} uint32, one per node, not {folds.dtype}{folds.shape}.")
    return folds


class FoldedSearcher(NumpySearcher):
    """Searches over one adjacency whose hops are counted outside folds only.

    Parameters
    ----------
    graph
        what is searched.
    folds
        fold of each vertex, 0 for none.

    Examples
    --------
    >>> from lineage.graph.level import Adjacency, Csr
    >>> from lineage.graph.search import Start
    >>> chain = Csr(0, np.array([0, 1, 2, 3], np.uint32), np.array([1, 2, 3], np.uint32))
    >>> graph = Adjacency(4, chain, None, np.arange(4, dtype=np.uint32))
    >>> search = FoldedSearcher(graph, np.array([0, 1, 1, 0], np.uint32))
    >>> search.hops(search.bfs(Start.at(np.array([0], np.uint32)), 0xFF, -1, -1, None)).tolist()
    [0, 1, 1, 2]
    """

    def __init__(self, graph: Adjacency, folds: U32) -> None:
        super().__init__(graph)
        self._folds = folds

    def _run(self, arrays: tuple[Bool, U32], mask: int, closed: Closed | None) -> Run:
        return _FoldedRun(self._graph, arrays, mask, closed, self._folds)


class _FoldedRun(Run):
    """State of one search that stays at its hop as long as it moves within folds."""

    def __init__(
        self, graph: Adjacency, arrays: tuple[Bool, U32], mask: int, closed: Closed | None, folds: U32
    ) -> None:
        super().__init__(graph, arrays, mask, closed)
        self._folds, self._begins = folds, 0

    def frontier(self) -> U32:
        """The vertices of the last level."""
        return np.concatenate(self.order[self._begins :])

    def level(self, found: U32, parents: U32, after: int) -> None:
        """Append a level: the fresh ones among ``found``, then all that zero edges and steps within folds add."""
        self._begins = len(self.order)
        size = self._append(found, parents)
        while len(fresh := self.order[-1]):
            neighbours, via, _ = gather(self.graph.unit, fresh, 0, self.mask)
            fold = self._folds[neighbours]
            inside = (fold != 0) & (fold == self._folds[fresh[via]])
            neighbours, via = neighbours[inside], via[inside]
            if self.graph.zero is not None:
                beside, at, _ = gather(self.graph.zero, fresh, 0, self.mask)
                neighbours, via = np.concatenate([neighbours, beside]), np.concatenate([via, at])
            via += np.uint32(after)
            after += len(fresh)
            size += self._append(neighbours, via)
        self.sizes.append(size)
