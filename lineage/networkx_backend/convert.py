"""From networkx's graphs to ours."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from lineage.graph.analysis import Flow
from lineage.networkx_backend.graph import MeshlineGraph


def from_networkx(graph: nx.DiGraph) -> MeshlineGraph:
    """Arrays of a networkx graph, neighbours in its order, with its attributes.

    Raises
    ------
    NotImplementedError
        for an undirected graph or one with parallel edges, as networkx wants it of a backend.
    """
    if not graph.is_directed() or graph.is_multigraph():
        raise NotImplementedError("meshline: directed graphs without parallel edges only.")
    labels = list(graph)
    index = {node: k for k, node in enumerate(labels)}
    flow, data = _flow(graph._adj, labels, index)
    back, _ = _flow(graph._pred, labels, index)
    nodes = [graph._node[node] for node in labels]
    return MeshlineGraph(
        flow,
        labels,
        node_attributes=nodes.__getitem__,
        edge_attributes=data.__getitem__,
        back=back,
        attributes=graph.graph,
    )


def _flow(adjacency: Any, labels: list[Any], index: dict[Any, int]) -> tuple[Flow, list[Any]]:
    rows = [adjacency[node] for node in labels]
    indptr = np.zeros(len(rows) + 1, dtype=np.uint32)
    np.cumsum([len(row) for row in rows], out=indptr[1:])
    indices = np.fromiter((index[w] for row in rows for w in row), dtype=np.uint32, count=int(indptr[-1]))
    return Flow(indptr, indices), [data for row in rows for data in row.values()]
