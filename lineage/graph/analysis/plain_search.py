"""Breadth-first search as networkx does it, without a compiler."""

from __future__ import annotations

from typing import Any

import numpy as np

from lineage.graph.arrays import NONE, U32


class Digraph:
    """An adjacency that can be searched; see the compiled type of the same name."""

    def __init__(self, n: int, indptr: U32, indices: U32) -> None:
        self._starts, self._heads, self._n = indptr, indices, n

    def bfs(self, sources: U32, depth: int) -> tuple[U32, U32, U32]:
        """Reached vertices in the order in which a queue meets them, sources first; parent positions; level begins.

        Parameters
        ----------
        sources
            distinct vertices.
        depth
            last hop to reach, -1 for all.
        """
        seen = np.zeros(self._n, dtype=bool)
        seen[sources] = True
        orders, parents, levels = [sources], [np.full(len(sources), NONE, np.uint32)], [0, len(sources)]
        front = sources
        while len(front) and len(levels) - 2 != depth:
            begin = levels[-2]
            counts = (self._starts[front + np.uint32(1)] - self._starts[front]).astype(np.int64)
            tails = np.repeat(np.arange(len(front), dtype=np.uint32), counts)
            inside = np.arange(len(tails)) - np.repeat(np.cumsum(counts) - counts, counts)
            heads = self._heads[np.repeat(self._starts[front].astype(np.int64), counts) + inside]
            fresh = ~seen[heads]
            heads, tails = heads[fresh], tails[fresh]
            _, first = np.unique(heads, return_index=True)
            first.sort()
            front = heads[first]
            seen[front] = True
            if len(front):
                orders.append(front)
                parents.append((tails[first] + np.uint32(begin)).astype(np.uint32))
                levels.append(levels[-1] + len(front))
        return np.concatenate(orders), np.concatenate(parents), np.array(levels, dtype=np.uint32)

    def reached(self, labels: list[Any], source: int) -> set[Any]:
        """Set of the labels of all that is reached from a vertex, itself left out."""
        order, _, _ = self.bfs(np.array([source], dtype=np.uint32), -1)
        return {labels[v] for v in order[1:].tolist()}

    def path(self, turned: Digraph, source: int, target: int) -> U32 | None:
        """Vertices of a shortest path, searched from both ends, ``None`` when there is none.

        ``turned`` is the same graph turned round. Meeting is looked for edge by edge, as networkx does.
        """
        graphs, fringes = (self, turned), [[source], [target]]
        parents: tuple[dict[int, int], dict[int, int]] = ({source: -1}, {target: -1})
        meeting = source if source == target else -1
        while meeting < 0 and fringes[0] and fringes[1]:
            side = 0 if len(fringes[0]) <= len(fringes[1]) else 1
            fringes[side], meeting = graphs[side]._approach(fringes[side], parents[side], parents[1 - side])
        if meeting < 0:
            return None
        steps = []
        v = meeting
        while v >= 0:
            steps.append(v)
            v = parents[0][v]
        steps.reverse()
        v = parents[1][meeting]
        while v >= 0:
            steps.append(v)
            v = parents[1][v]
        return np.array(steps, dtype=np.uint32)

    def _approach(self, fringe: list[int], own: dict[int, int], other: dict[int, int]) -> tuple[list[int], int]:
        """One level further from one end, and the vertex where the ends meet or -1."""
        found: list[int] = []
        for v in fringe:
            for w in self._heads[self._starts[v] : self._starts[v + 1]].tolist():
                if w not in own:
                    own[w] = v
                    found.append(w)
                if w in other:
                    return found, w
        return found, -1
