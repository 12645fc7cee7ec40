"""PageRank, exactly, in one pass along the flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lineage.errors import UsageError
from lineage.graph.analysis.flow import Flow

F64 = npt.NDArray[np.float64]


def pagerank(
    flow: Flow,
    damping: float = 0.85,
    *,
    personalization: F64 | None = None,
    dangling: F64 | None = None,
    weight: F64 | None = None,
) -> F64:
    """PageRank of each vertex; sums to one.

    The linear system is solved along the flow: a vertex after all that lead to it, iterating only inside components of
    more than one vertex. That is the limit which power iteration (Page, Brin 1998; ``networkx.pagerank``) approaches,
    to about 1e-12.

    Parameters
    ----------
    damping
        share of the rank that follows edges, 0 ≤ damping < 1.
    personalization
        distribution of the rest, one non-negative number per vertex; default: equal.
    dangling
        where the rank of vertices without successors goes; default: as ``personalization``.
    weight
        one non-negative number per edge, in the order of ``flow.indices``; default: 1.

    Raises
    ------
    UsageError
        for a damping outside of its range, or arrays of another length, with a negative entry or without a positive.

    Examples
    --------
    >>> pagerank(Flow.of_edges(2, [0], [1])).round(4).tolist()
    [0.3509, 0.6491]
    """
    if not 0 <= damping < 1:
        raise UsageError(f"damping: {damping} is not from 0 to below 1.")
    if not flow.n:
        return np.zeros(0)
    rest = _distribution("personalization", personalization, flow.n)
    share, inward = _shares(flow, weight)
    found = _solve(flow, inward, share, rest, damping)
    if dangling is not None:
        ends = share == 0
        other = _solve(flow, inward, share, _distribution("dangling", dangling, flow.n), damping)
        mass = (1 - damping) * found[ends].sum() / (1 - damping * other[ends].sum())
        found = (1 - damping) * found + damping * mass * other
    answer: F64 = found / found.sum()
    return answer


def _solve(flow: Flow, inward: F64 | None, share: F64, base: F64, damping: float) -> F64:
    found = flow.components
    rank: Any = flow.engine.pagerank(
        found.component, found.order, flow.rindptr, flow.rindices, inward, share, base, damping
    )
    return np.frombuffer(rank, np.float64)


def _shares(flow: Flow, weight: F64 | None) -> tuple[F64, F64 | None]:
    """One by the weight out of each vertex (0: nothing leads out), and the weights in order of the edges inward."""
    if weight is None:
        return _inverse(np.diff(flow.indptr)), None
    weight = _checked("weight", weight, flow.edges)
    tail = np.repeat(np.arange(flow.n), np.diff(flow.indptr))
    inward = weight[np.argsort(flow.indices, kind="stable")]
    return _inverse(np.bincount(tail, weights=weight, minlength=flow.n)), np.ascontiguousarray(inward)


def _inverse(out: Any) -> F64:
    share: F64 = np.divide(1.0, out, out=np.zeros(len(out)), where=out > 0)
    return share


def _distribution(name: str, values: F64 | None, n: int) -> F64:
    if values is None:
        return np.full(n, 1.0 / n)
    found = _checked(name, values, n)
    total = float(found.sum())
    if total <= 0:
        raise UsageError(f"{name}: no entry is positive.")
    answer: F64 = found / total
    return answer


def _checked(name: str, values: F64, count: int) -> F64:
    found = np.ascontiguousarray(values, dtype=np.float64)
    if found.shape != (count,) or not np.isfinite(found).all() or (found < 0).any():
        raise UsageError(f"{name}: {count:,} numbers that are not negative are needed.")
    return found
