"""What a traversal kernel takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lineage.graph.arrays import U8, U32, Bool


@dataclass(frozen=True, slots=True)
class Tree:
    """Breadth-first tree.

    ``order`` lists the reached vertices, sources first; ``parent[k]`` is the position in ``order`` of the vertex from
    which ``order[k]`` was first reached, ``NONE`` for sources; ``levels[h]`` is the position at which hop ``h`` begins
    and the last entry the length. ``classes`` is the bit set of edge classes seen, ``edges`` and ``certain_edges``
    count the admitted edges out of all expanded vertices, ``stopped`` says that vertices of the last hop were not
    expanded.
    """

    order: U32
    parent: U32
    levels: U32
    classes: int
    edges: int
    certain_edges: int
    stopped: bool


class Searcher(Protocol):
    """Searches over one adjacency; any thread may call it at any time."""

    def bfs(self, seeds: U32, late: U32, mask: int, depth: int, limit: int, blocked: Bool | None) -> Tree:
        """Breadth-first search.

        Parameters
        ----------
        seeds, late
            vertices to start from at hop 0, and at hop 1; what is named twice counts once.
        mask
            bit set of the admitted edge classes.
        depth
            last hop to reach; -1 for all.
        limit
            stop after the hop that brings the number of vertices to this; -1 for never.
        blocked
            bool per dense index: vertices of such nodes are neither reached nor passed.
        """
        ...

    def among(self, answer: U32, mask: int, blocked: Bool | None) -> tuple[int, int, U32]:
        """Admitted edges inside a set of vertices, how many of them are certain, and the vertices one edge outside."""
        ...

    def grade(self, closure: U32, mask: int, roots: U32, grades: U8, asked: U32) -> U8:
        """Certainty of the best path from the roots to each asked vertex; 3 where there is none.

        Parameters
        ----------
        closure
            everything reached from the roots over admitted edges, each vertex once; paths stay inside of it.
        mask
            bit set of the admitted edge classes.
        roots, grades
            where paths begin, and the certainty of each beginning.
        """
        ...

    def contains(self, members: U32, asked: U32) -> Bool:
        """Whether each asked vertex is one of ``members``."""
        ...
