"""What a graph loses when vertices and edges are taken away: exactly, by looking only at what lies downstream of them.

A vertex *lives* when data still reaches it from where the change does not reach: by an edge from outside the part
downstream of the change, over vertices that live themselves. A cycle that only feeds itself does not live. Of those
that live, some lose an input; the others are merely downstream.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineage.graph.arrays import NONE, U32, U64, Bool, pair_keys, ranges
from lineage.graph.level import Adjacency, Csr, Level
from lineage.graph.search_numpy import gather


@dataclass(frozen=True, slots=True)
class Loss:
    """Vertices downstream of a change in ascending order: without any input, without some, and the others."""

    all: U32
    some: U32
    touched: U32


def loss(level: Level, removed: U32, cut: U64, mask: int, *, rowsets: bool = True) -> Loss:
    """What is lost when vertices and edges go.

    Parameters
    ----------
    level
        one level of a snapshot.
    removed
        vertices that go, with all their edges; they are in none of the lists.
    cut
        edges that go, ``src << 32 | dst`` of vertices.
    mask
        bit set of the edge classes that count as inputs, see :func:`lineage.graph.arrays.class_mask`.
    rowsets
        whether edges without a hop count (from a job to its outputs, from what affects all rows to each column).
    """
    removed = np.unique(removed).astype(np.uint32)
    heads = (np.unique(cut) & np.uint64(NONE)).astype(np.uint32)
    below = _closure(_parts(level.down, rowsets), level.down.n, np.union1d(removed, heads).astype(np.uint32), mask)
    inside = np.setdiff1d(below, removed).astype(np.uint32)
    src, at = _edges(_parts(level.up, rowsets), inside, mask)
    gone = np.isin(src, removed) | np.isin(pair_keys(src, inside[at]), cut)
    outside = ~np.isin(src, below) & ~gone
    inner = ~outside & ~gone
    feeder = np.searchsorted(inside, src[inner]).astype(np.uint32)
    alive = _reached(len(inside), feeder, at[inner], np.unique(at[outside]))
    starved = np.zeros(len(inside), dtype=bool)
    starved[at[gone]] = True
    starved[at[inner][~alive[feeder]]] = True
    return Loss(inside[~alive], inside[alive & starved], inside[alive & ~starved])


def _parts(graph: Adjacency, rowsets: bool) -> list[Csr]:
    return [graph.unit, *([graph.zero] if rowsets and graph.zero is not None else [])]


def _closure(parts: list[Csr], n: int, start: U32, mask: int) -> U32:
    """The vertices themselves and all that is reached from them, ascending."""
    seen = np.zeros(n, dtype=bool)
    seen[start] = True
    front = start
    while len(front):
        found = [gather(part, front, 0, mask)[0] for part in parts]
        front = np.unique(np.concatenate(found))
        front = front[~seen[front]]
        seen[front] = True
    return np.flatnonzero(seen).astype(np.uint32)


def _edges(parts: list[Csr], vertices: U32, mask: int) -> tuple[U32, U32]:
    """Other end of every edge at some vertices, and the position of its vertex; self-loops left out."""
    found = [gather(part, vertices, 0, mask) for part in parts]
    other, at = (np.concatenate([part[k] for part in found]) for k in (0, 1))
    keep = other != vertices[at]
    return other[keep], at[keep]


def _reached(n: int, src: U32, dst: U32, start: U32) -> Bool:
    """Which of ``n`` vertices a search from some of them reaches over edges ``src → dst``."""
    order = np.argsort(src, kind="stable")
    heads = dst[order]
    pointers = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(src, minlength=n), out=pointers[1:])
    seen = np.zeros(n, dtype=bool)
    seen[start] = True
    front = start.astype(np.int64)
    while len(front):
        found = np.unique(heads[ranges(pointers[front], pointers[front + 1] - pointers[front])])
        front = found[~seen[found]].astype(np.int64)
        seen[front] = True
    return seen
