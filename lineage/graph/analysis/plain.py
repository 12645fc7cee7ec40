"""The analysis functions without a compiler: numpy and scipy where whole arrays can be treated at once, else Python.

Names, arguments and answers are those of the compiled module (``_analysis.c``); the arrays must be contiguous and of
the stated type. ``indptr, indices`` are the adjacency out of each vertex, ``rindptr, rindices`` that into it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lineage.graph.analysis.plain_failure import Failures, articulation, dominators, subtree_sums
from lineage.graph.analysis.plain_order import depth_first_components, generations
from lineage.graph.analysis.plain_reach import reach_bitset, reach_effort, reach_sketch, reach_walk, reduction
from lineage.graph.analysis.plain_search import Digraph
from lineage.graph.arrays import I64, NONE, U32, ranges

__all__ = [
    "Digraph",
    "Failures",
    "articulation",
    "components",
    "condense",
    "dominators",
    "generations",
    "pagerank",
    "reach_bitset",
    "reach_effort",
    "reach_sketch",
    "reach_walk",
    "reduction",
    "set_of",
    "subtree_sums",
    "transpose",
]


def set_of(labels: list[Any], vertices: Any) -> set[Any]:
    """Set of the labels of vertices."""
    return {labels[v] for v in np.frombuffer(vertices, np.uint32).tolist()}


def transpose(n: int, indptr: U32, indices: U32) -> tuple[U32, U32]:
    """Adjacency in the other direction; each list ascends."""
    src = np.repeat(np.arange(n, dtype=np.uint32), np.diff(indptr))
    order = np.argsort(indices, kind="stable")
    out = np.zeros(n + 1, dtype=np.uint32)
    np.cumsum(np.bincount(indices, minlength=n), out=out[1:])
    return out, src[order]


def components(
    n: int, indptr: U32, indices: U32, rindptr: U32, rindices: U32, depth_first: bool
) -> tuple[U32, U32, int]:
    """Component of each vertex (numbers ascend along the flow), vertices in order of them, number of components."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    if not n:
        return np.zeros(0, np.uint32), np.zeros(0, np.uint32), 0
    if depth_first:
        return depth_first_components(n, indptr.tolist(), indices.tolist())
    matrix = csr_array((np.ones(len(indices), np.uint8), indices.astype(np.int32), indptr.astype(np.int32)), (n, n))
    count, label = connected_components(matrix, directed=True, connection="strong")
    rank = _topological(int(count), label[np.repeat(np.arange(n), np.diff(indptr))], label[indices])
    component = rank[label].astype(np.uint32)
    return component, np.argsort(component, kind="stable").astype(np.uint32), int(count)


def _topological(count: int, a: I64, b: I64) -> I64:
    """Position of each vertex of an acyclic graph along the flow, by waves (Kahn)."""
    between = a != b
    a, b = a[between], b[between]
    order = np.argsort(a, kind="stable")
    a, b = a[order], b[order]
    start = np.searchsorted(a, np.arange(count + 1))
    open_ = np.bincount(b, minlength=count)
    rank = np.zeros(count, dtype=np.int64)
    wave, done = np.flatnonzero(open_ == 0), 0
    while len(wave):
        rank[wave] = np.arange(done, done + len(wave))
        done += len(wave)
        targets = b[ranges(start[wave], start[wave + 1] - start[wave])]
        np.subtract.at(open_, targets, 1)
        wave = np.unique(targets[open_[targets] == 0])
    return rank


def condense(count: int, component: U32, order: U32, indptr: U32, indices: U32) -> tuple[U32, U32]:
    """Adjacency between components: without self-loops, each pair once, each list ascending."""
    src = component[np.repeat(np.arange(len(component)), np.diff(indptr))].astype(np.uint64)
    dst = component[indices].astype(np.uint64)
    keys = np.unique((src[src != dst] << np.uint64(32)) | dst[src != dst])
    out = np.zeros(count + 1, dtype=np.uint32)
    np.cumsum(np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=count), out=out[1:])
    return out, (keys & np.uint64(NONE)).astype(np.uint32)


def pagerank(
    component: U32, order: U32, rindptr: U32, rindices: U32, weight: Any, share: Any, base: Any, damping: float
) -> Any:
    """Solution of x[v] = base[v] + damping · Σ x[u] · weight(u → v) · share[u], by waves of the condensation.

    ``weight`` is ``None`` for 1; ``share[u]`` is one by the sum of the weights out of ``u``, 0 when there are none.
    """
    from scipy.sparse import csr_array, eye_array
    from scipy.sparse.linalg import spsolve_triangular

    n = len(order)
    values = damping * share[rindices] * (1.0 if weight is None else weight)
    matrix = csr_array((values, rindices.astype(np.int32), rindptr.astype(np.int32)), (n, n))
    matrix = matrix[order][:, order]
    if (np.diff(component[order].astype(np.int64)) > 0).all():
        system = (eye_array(n, format="csr") - matrix).tocsr()
        found = spsolve_triangular(system, np.asarray(base)[order], lower=True)
    else:
        found = _iterate(matrix, np.asarray(base)[order], damping)
    answer = np.empty(n)
    answer[order] = found
    return answer


def _iterate(matrix: Any, base: Any, damping: float) -> Any:
    """Plain iteration: the error shrinks by ``damping`` each time."""
    found = base.copy()
    for _ in range(int(np.ceil(np.log(1e-16) / np.log(damping))) if damping else 1):
        following = base + matrix @ found
        if np.abs(following - found).max() <= 1e-17 * np.abs(following).sum():
            return following
        found = following
    return found
