"""What is asked of a whole lineage graph: components, order, rank, reach, single points of failure.

Functions of a :class:`Flow` (arrays in, arrays out), compiled where a C compiler was there at installation, else with
numpy and scipy. :func:`of_level` makes a flow of one level of a snapshot:

>>> from lineage.graph import load
>>> from lineage.store import Store
>>> flow = of_level(load(Store.open(":memory:")).level("dataset"))
>>> reach(flow).count.tolist(), pagerank(flow).tolist()
([], [])
"""

from lineage.graph.analysis.engine import available
from lineage.graph.analysis.failure import Dominators, Loss, articulation_points, dominators, exclusive, removal
from lineage.graph.analysis.flow import Flow, of_level
from lineage.graph.analysis.order import Components, Condensation, components, condense, cycles
from lineage.graph.analysis.rank import pagerank
from lineage.graph.analysis.reach import Reach, ancestors_count, descendants_count, reach

__all__ = [
    "Components",
    "Condensation",
    "Dominators",
    "Flow",
    "Loss",
    "Reach",
    "ancestors_count",
    "articulation_points",
    "available",
    "components",
    "condense",
    "cycles",
    "descendants_count",
    "dominators",
    "exclusive",
    "of_level",
    "pagerank",
    "reach",
    "removal",
]
