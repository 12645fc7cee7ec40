"""Strongly connected components, the acyclic graph between them, and cycles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lineage.graph.arrays import I64, U32

if TYPE_CHECKING:
    from lineage.graph.analysis.flow import Flow


@dataclass(frozen=True, slots=True)
class Components:
    """Strongly connected components.

    ``component[v]`` ascends along the flow: an edge leads to the same or a greater number. ``order`` lists the vertices
    by component, those of component ``c`` are ``order[start[c]:start[c + 1]]``.
    """

    count: int
    component: U32
    order: U32
    start: U32

    @property
    def sizes(self) -> I64:
        """Number of vertices of each component."""
        sizes: I64 = np.diff(self.start).astype(np.int64)
        return sizes

    def members(self, c: int) -> U32:
        """Vertices of a component."""
        return self.order[self.start[c] : self.start[c + 1]]

    @property
    def cyclic(self) -> I64:
        """Components of more than one vertex, in ascending order."""
        return np.flatnonzero(self.sizes > 1)


@dataclass(frozen=True, slots=True)
class Condensation:
    """Acyclic graph of the components: edges lead to greater numbers. ``weight`` is the sum of that of the members."""

    flow: Flow
    components: Components


def components(flow: Flow, *, depth_first: bool = False) -> Components:
    """Strongly connected components in topological order.

    Vertices are peeled off while nothing is left that leads to (or from) them; Tarjan's algorithm (1972), without
    recursion, runs over the rest. Where the numbering follows the flow already, only the ranges that are spanned
    by edges against it are looked at.

    Parameters
    ----------
    depth_first
        number them as one depth-first search from vertex 0, 1, … completes them, the last one first: among the
        topological orders, the one that networkx's condensation has.

    Examples
    --------
    >>> from lineage.graph.analysis import Flow
    >>> found = components(Flow.of_edges(4, [0, 1, 2, 2], [1, 2, 1, 3]))
    >>> found.count, found.component.tolist(), found.members(1).tolist()
    (3, [0, 1, 1, 2], [1, 2])
    """
    arrays = (flow.indptr, flow.indices, flow.rindptr, flow.rindices)
    component, order, count = flow.engine.components(flow.n, *arrays, depth_first)
    component, order = np.frombuffer(component, np.uint32), np.frombuffer(order, np.uint32)
    start = np.zeros(count + 1, dtype=np.uint32)
    np.cumsum(np.bincount(component, minlength=count), out=start[1:])
    return Components(int(count), component, order, start)


def condense(flow: Flow) -> Condensation:
    """Acyclic graph of the components: each pair once, without self-loops.

    Examples
    --------
    >>> from lineage.graph.analysis import Flow
    >>> small = condense(Flow.of_edges(4, [0, 1, 2, 2], [1, 2, 1, 3])).flow
    >>> small.indptr.tolist(), small.indices.tolist(), small.weight.tolist()
    ([0, 1, 2, 2], [1, 2], [1, 2, 1])
    """
    found = flow.components
    if not found.count:
        return Condensation(flow, found)
    arrays = flow.engine.condense(found.count, found.component, found.order, flow.indptr, flow.indices)
    indptr, indices = (np.frombuffer(part, np.uint32) for part in arrays)
    weight = np.add.reduceat(flow.weight[found.order], found.start[:-1]).astype(np.uint32)
    small = type(flow).__new__(type(flow))
    small.__dict__.update(indptr=indptr, indices=indices, n=found.count, engine=flow.engine, weight=weight)
    small.__dict__["public"] = np.arange(found.count, dtype=np.uint32)
    return Condensation(small, found)


def cycles(flow: Flow) -> list[U32]:
    """One cycle of each component that has one, as vertices in order: a shortest one through its smallest vertex.

    Self-loops are cycles of one vertex. In ascending order of the smallest vertex of the component.

    Examples
    --------
    >>> from lineage.graph.analysis import Flow
    >>> [cycle.tolist() for cycle in cycles(Flow.of_edges(4, [0, 1, 2, 3], [1, 2, 0, 3]))]
    [[0, 1, 2], [3]]
    """
    found = flow.components
    member = np.flatnonzero(np.repeat(np.arange(flow.n, dtype=np.uint32), np.diff(flow.indptr)) == flow.indices)
    loops = np.searchsorted(flow.indptr, member, side="right") - 1
    alone = loops[found.sizes[found.component[loops]] == 1]
    answer = [np.array([v], dtype=np.uint32) for v in np.unique(alone)]
    answer += [_cycle(flow, found.members(int(c))) for c in found.cyclic]
    return sorted(answer, key=lambda cycle: int(cycle.min()))


def _cycle(flow: Flow, members: U32) -> U32:
    """Shortest cycle through the smallest of the members of a component."""
    inside = np.sort(members)
    starts: I64 = flow.indptr[inside].astype(np.int64)
    counts: I64 = flow.indptr[inside + np.uint32(1)].astype(np.int64) - starts
    tails = np.repeat(np.arange(len(inside)), counts)
    at = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(len(tails))
    heads = np.minimum(np.searchsorted(inside, flow.indices[at]), len(inside) - 1)
    keep = inside[heads] == flow.indices[at]
    small = type(flow).of_edges(len(inside), tails[keep], heads[keep], kernels=None)
    order, parent, _ = (np.frombuffer(part, np.uint32) for part in small.digraph.bfs(np.zeros(1, np.uint32), -1))
    back = np.zeros(len(inside), dtype=bool)
    back[small.predecessors(0)] = True
    if back[0]:
        return inside[:1]
    position = int(np.flatnonzero(back[order])[0])
    steps = []
    while position < len(order):  # NONE, the parent of the source, is beyond
        steps.append(int(order[position]))
        position = int(parent[position])
    cycle: U32 = inside[np.array(steps[::-1])]
    return cycle
