"""The graph engine: immutable snapshots of the lineage graph, and walks over them.

>>> from lineage.graph import load
>>> from lineage.store import Store
>>> snapshot = load(Store.open(":memory:"))
>>> snapshot.n
0
"""

from lineage.graph.build import load
from lineage.graph.rows import EdgeView
from lineage.graph.snapshot import Snapshot
from lineage.graph.walk import Walk
from lineage.graph.ways import Between, between

__all__ = ["Between", "EdgeView", "Snapshot", "Walk", "between", "load"]
