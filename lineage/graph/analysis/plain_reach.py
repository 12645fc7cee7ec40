"""How much each vertex of an acyclic graph reaches, without a compiler."""

from __future__ import annotations

from typing import Any

import numpy as np

from lineage.graph.arrays import U32, U64, Bool

_WORDS = 64  # of 64 bits: targets of one sweep


def reach_bitset(indptr: U32, indices: U32, weight: U32) -> U64:
    """Sum of the weights of what each vertex reaches, itself included.

    Sweeps from the last vertex to the first; edges lead to greater numbers. One sweep follows ``64 · _WORDS`` targets.
    """
    n = len(weight)
    total = np.zeros(n, dtype=np.uint64)
    targets = np.flatnonzero(weight)
    own = np.full(n, -1, dtype=np.int64)
    starts = indptr.tolist()
    for begin in range(0, len(targets), 64 * _WORDS):
        chunk = targets[begin : begin + 64 * _WORDS]
        own[:] = -1
        own[chunk] = np.arange(len(chunk))
        bits = np.zeros((n, _WORDS), dtype=np.uint64)
        uniform = bool((weight[chunk] == 1).all())
        padded = np.zeros(64 * _WORDS, dtype=np.uint64)
        padded[: len(chunk)] = weight[chunk]
        for v in range(int(chunk[-1]), -1, -1):
            low, high = starts[v], starts[v + 1]
            row = bits[v]
            if high - low == 1:
                row[:] = bits[indices[low]]
            elif high > low:
                np.bitwise_or.reduce(bits[indices[low:high]], axis=0, out=row)
            if own[v] >= 0:
                row[own[v] >> 6] |= np.uint64(1) << np.uint64(own[v] & 63)
        used = bits[: int(chunk[-1]) + 1]
        if uniform:
            total[: len(used)] += np.bitwise_count(used).sum(axis=1, dtype=np.uint64)
        else:
            for v in range(len(used)):
                total[v] += np.unpackbits(used[v].view(np.uint8), bitorder="little").astype(bool) @ padded
    return total


def _closure(starts: list[int], heads: list[int], v: int) -> tuple[set[int], int]:
    """What a vertex reaches, itself included, and the number of edges looked at."""
    seen, waiting, effort = {v}, [v], 0
    while waiting:
        u = waiting.pop()
        effort += starts[u + 1] - starts[u]
        for w in heads[starts[u] : starts[u + 1]]:
            if w not in seen:
                seen.add(w)
                waiting.append(w)
    return seen, effort


def reach_walk(indptr: U32, indices: U32, weight: U32) -> U64:
    """The same as :func:`reach_bitset` by one search for each vertex."""
    starts, heads, value = indptr.tolist(), indices.tolist(), weight.tolist()
    sums = [sum(value[w] for w in _closure(starts, heads, v)[0]) for v in range(len(value))]
    return np.array(sums, dtype=np.uint64)


def reach_effort(indptr: U32, indices: U32, vertices: U32) -> int:
    """Number of vertices and edges that searches from the given vertices look at."""
    starts, heads = indptr.tolist(), indices.tolist()
    total = 0
    for v in vertices.tolist():
        seen, effort = _closure(starts, heads, v)
        total += len(seen) + effort
    return total


def reach_sketch(indptr: U32, indices: U32, sketches: Any) -> Any:
    """Registers of what each vertex reaches (uint8, vertices × registers): the greatest along all edges."""
    found = np.frombuffer(sketches, np.uint8).reshape(len(indptr) - 1, -1).copy()
    starts = indptr.tolist()
    for v in range(len(starts) - 2, -1, -1):
        low, high = starts[v], starts[v + 1]
        if high > low:
            np.maximum(found[v], found[indices[low:high]].max(axis=0), out=found[v])
    return found


def reduction(indptr: U32, indices: U32) -> Bool:
    """Which edges of an acyclic graph no longer path replaces."""
    starts, heads = indptr.tolist(), indices.tolist()
    keep = np.ones(len(heads), dtype=bool)
    for u in range(len(starts) - 1):
        beside = heads[starts[u] : starts[u + 1]]
        further: set[int] = set()
        for v in beside:  # ascending: what reaches another successor comes first
            if v not in further:
                further |= _closure(starts, heads, v)[0] - {v}
        keep[starts[u] : starts[u + 1]] = [v not in further for v in beside]
    return keep
