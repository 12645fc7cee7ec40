"""What a traversal kernel takes and gives, and the choice between the compiled ones and numpy."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lineage.errors import UsageError
from lineage.graph.arrays import U32, Bool

if TYPE_CHECKING:
    from lineage.graph.level import Adjacency


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

    def contains(self, members: U32, asked: U32) -> Bool:
        """Whether each asked vertex is one of ``members``."""
        ...


def available() -> tuple[str, ...]:
    """Names of the implementations that work here, the best first."""
    try:
        import lineage.graph._kernels  # noqa: F401
    except ImportError:
        return ("numpy",)
    return ("compiled", "numpy")


def searcher(graph: Adjacency, kernels: str | None = None) -> Searcher:
    """Searcher over an adjacency.

    Parameters
    ----------
    kernels
        ``"compiled"``, ``"numpy"``, or ``None`` for what ``MESHLINE_KERNELS`` says, else the best one there is.

    Raises
    ------
    UsageError
        when that implementation is not there.
    """
    there = available()
    wanted = kernels or os.environ.get("MESHLINE_KERNELS") or there[0]
    if wanted not in there:
        raise UsageError(f"MESHLINE_KERNELS: “{wanted}” is not there; this installation has {', '.join(there)}.")
    if wanted == "numpy":
        from lineage.graph.search_numpy import NumpySearcher

        return NumpySearcher(graph)
    from lineage.graph.search_compiled import CompiledSearcher

    return CompiledSearcher(graph)
