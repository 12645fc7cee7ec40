"""All edges between the nodes of a set, read in bulk: the work grows with the set and its edges, not with the graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from lineage.graph.arrays import U32, pair_halves, pair_keys, ranges
from lineage.graph.rows import EdgeRows, EdgeView

if TYPE_CHECKING:
    from lineage.graph.snapshot import Snapshot


def edges_among(snapshot: Snapshot, nodes: Iterable[int]) -> list[EdgeView]:
    """Lineage edges, reads, writes and column edges whose both ends are among some nodes, without self-loops.

    Parameters
    ----------
    nodes
        dense indices. A column edge that affects all rows of a dataset is one when that dataset is among them.
    """
    inside = np.unique(np.fromiter(nodes, dtype=np.uint32))
    relations = snapshot._relations
    found: dict[tuple[int, int], EdgeView] = {}
    for rows in (relations.lineage, relations.inflow, relations.reads, relations.writes, relations.columns):
        for edge in rows.views(*_pairs(rows, inside)):
            found.setdefault((edge.src, edge.dst), edge)
    return list(found.values())


def _pairs(rows: EdgeRows, inside: U32) -> tuple[U32, U32]:
    """Distinct ends of the rows of one relation that lie inside."""
    low = np.searchsorted(rows.key, pair_keys(inside, np.zeros(len(inside))))
    high = np.searchsorted(rows.key, pair_keys(inside.astype(np.uint64) + 1, np.zeros(len(inside))))
    keys = np.unique(rows.key[ranges(low, high - low)])
    src, dst = pair_halves(keys)
    keep = np.isin(dst, inside) & (src != dst)
    return src[keep], dst[keep]
