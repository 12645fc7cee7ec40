"""Single points of failure: what goes when a vertex goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage.errors import UsageError
from lineage.graph.analysis.flow import Flow
from lineage.graph.arrays import NONE, U32, U64, Bool


@dataclass(frozen=True, slots=True)
class Dominators:
    """Dominator tree under a virtual root over all origins.

    ``parent[v]`` is the nearest vertex without which ``v`` gets nothing, 0xFFFFFFFF where there is none. ``dependents``
    is the sum of the weights of the vertices that lose *all* inputs when ``v`` fails, itself left out. Members of a
    cycle that nothing feeds live by each other alone, so all of them go with any: they stand below one of them, which
    is ``top[v]`` of each; of all other vertices ``top[v]`` is ``v``.
    """

    parent: U32
    dependents: U64
    top: U32


@dataclass(frozen=True, slots=True)
class Loss:
    """Answer of :func:`removal`: vertices that lose all inputs, and those that lose some; both ascending."""

    all: U32
    some: U32


def dominators(flow: Flow) -> Dominators:
    """Which single vertex every path to a vertex goes through (Cooper, Harvey, Kennedy 2001; along the components).

    Origins are the components that nothing leads into; a cycle without an input is one as a whole, and goes as a whole.

    Examples
    --------
    >>> found = dominators(Flow.of_edges(4, [0, 0, 1, 2], [1, 2, 3, 3]))
    >>> found.parent[1:].tolist(), found.dependents.tolist()
    ([0, 0, 0], [3, 0, 0, 0])
    >>> dominators(Flow.of_edges(3, [0, 1, 0], [1, 0, 2])).dependents.tolist()
    [2, 2, 0]
    """
    found = flow.components
    arrays = (flow.indptr, flow.indices, flow.rindptr, flow.rindices)
    parent, order = flow.engine.dominators(found.component, found.order, *arrays)
    parent, order = np.frombuffer(parent, np.uint32), np.frombuffer(order, np.uint32)
    total = np.frombuffer(flow.engine.subtree_sums(parent, order, flow.weight), np.uint64)
    top = _tops(flow, parent)
    return Dominators(parent, total[top] - flow.weight, top)


def _tops(flow: Flow, parent: U32) -> U32:
    """What each vertex stands below when it goes: itself, or the first of its cycle when nothing feeds that."""
    found, top = flow.components, np.arange(flow.n, dtype=np.uint32)
    inside = found.order[(found.sizes > 1)[found.component[found.order]]]  # members of cycles
    begin, end = flow.rindptr[inside].astype(np.int64), flow.rindptr[inside + np.uint32(1)].astype(np.int64)
    at = np.repeat(begin - np.cumsum(end - begin) + (end - begin), end - begin) + np.arange(int((end - begin).sum()))
    own = np.repeat(found.component[inside], end - begin)
    fed = np.zeros(found.count, dtype=bool)
    fed[own[found.component[flow.rindices[at]] != own]] = True
    below = inside[~fed[found.component[inside]]]
    top[below] = np.where(parent[below] == NONE, below, parent[below])
    return top


def articulation_points(flow: Flow) -> Bool:
    """Which vertices cut the graph into more parts when they go, directions ignored (Hopcroft, Tarjan 1973).

    Examples
    --------
    >>> articulation_points(Flow.of_edges(3, [0, 1], [1, 2])).tolist()
    [False, True, False]
    """
    arrays = (flow.indptr, flow.indices, flow.rindptr, flow.rindices)
    return np.frombuffer(flow.engine.articulation(*arrays), np.bool_)


def removal(flow: Flow, removed: Sequence[int] | npt.ArrayLike) -> Loss:
    """Who loses all inputs and who only some when vertices go: a countdown from the removed ones.

    A vertex of a cycle lives as long as something from outside still reaches it. A cycle that never had an input is an
    origin, and goes as a whole when one of its vertices goes. The removed ones are in neither list.

    Raises
    ------
    UsageError
        when one of ``removed`` is no vertex.

    Examples
    --------
    >>> loss = removal(Flow.of_edges(4, [0, 1, 2, 3], [1, 2, 1, 2]), [0])
    >>> loss.all.tolist(), loss.some.tolist()
    ([], [1])
    """
    given = np.unique(np.asarray(removed, dtype=np.int64).reshape(-1))
    wrong = given[(given < 0) | (given >= flow.n)]
    if len(wrong):
        raise UsageError(f"{int(wrong[0])} is no vertex of this graph of {flow.n:,}.")
    lost, some = flow.failures.removal(given.astype(np.uint32))
    return Loss(np.frombuffer(lost, np.uint32), np.frombuffer(some, np.uint32))


def exclusive(found: Dominators, v: int) -> U32:
    """Vertices that lose all inputs when ``v`` fails: all below ``top[v]`` in the tree, ascending, without ``v``."""
    parent = found.parent
    inside = np.zeros(len(parent), dtype=bool)
    front = found.top[[v]]
    inside[front] = True
    order = np.argsort(parent, kind="stable")
    begin = parent[order]
    while len(front):
        low, high = np.searchsorted(begin, front), np.searchsorted(begin, front, side="right")
        front = np.concatenate([order[a:b] for a, b in zip(low, high, strict=True)])
        inside[front] = True
    inside[v] = False
    return np.flatnonzero(inside).astype(np.uint32)
