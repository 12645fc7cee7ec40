"""What is asked of all nodes and edges of a snapshot at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.graph.arrays import U64
from lineage.graph.rows import first_of_runs

if TYPE_CHECKING:
    from lineage.graph.snapshot import Snapshot


def distinct_pairs(snapshot: Snapshot) -> U64:
    """Every pair of nodes joined by lineage, ``src << 32 | dst`` of dense indices, ascending; loops included."""
    keys = snapshot._relations.lineage.key
    return keys[first_of_runs(keys)]
