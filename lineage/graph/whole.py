"""What is asked of all nodes and edges of a snapshot at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lineage.graph.arrays import U64, VERTEX_MASK
from lineage.graph.rows import EdgeView, first_of_runs

if TYPE_CHECKING:
    from lineage.graph.snapshot import Snapshot


def distinct_pairs(snapshot: Snapshot) -> U64:
    """Every pair of nodes joined by lineage, ``src << 32 | dst`` of dense indices, ascending; loops included."""
    keys, more = snapshot._relations.lineage.key, snapshot._relations.inflow.key
    return np.unique(np.concatenate([keys, more])) if len(more) else keys[first_of_runs(keys)]


def edges_between(snapshot: Snapshot, pairs: Sequence[tuple[int, int]]) -> list[EdgeView]:
    """The lineage edge of each pair of nodes (source, target) that has one, in the order given."""
    ends = np.asarray(pairs, dtype=np.uint32).reshape(-1, 2)
    return snapshot._relations.views(ends[:, 0], ends[:, 1])


def classed_pairs(snapshot: Snapshot) -> tuple[list[int], list[int], list[int]]:
    """Every edge of the dataset level once, by dense indices, with its class: certainty, and 3 more when indirect."""
    level = snapshot.level("dataset")
    unit = level.down.unit
    packed = unit.indices[: unit.edges]
    pointers = unit.indptr.astype(np.int64)
    row = np.repeat(np.arange(unit.first, unit.first + len(pointers) - 1), pointers[1:] - pointers[:-1])
    src, dst = level.public[row], level.public[packed & np.uint32(VERTEX_MASK)]
    return src.tolist(), dst.tolist(), (packed >> np.uint32(29)).tolist()
