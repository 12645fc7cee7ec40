"""From networkx's graphs to ours, and back."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from lineage.errors import MeshlineError
from lineage.graph.analysis import Flow
from lineage.networkx_backend.graph import MeshlineGraph

MOST_EDGES = 1_000_000  # a networkx.DiGraph needs about 334 bytes and 8 µs for each


class FallbackRefusedError(MeshlineError, nx.NetworkXError):  # type: ignore[misc]
    """A copy as a networkx.DiGraph would take too much memory and time."""


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


def to_networkx(graph: MeshlineGraph) -> nx.DiGraph:
    """A frozen networkx.DiGraph with all attributes, kept with the graph it was made of.

    Raises
    ------
    FallbackRefusedError
        when the graph has more than a million edges.
    """
    kept = graph.__networkx_cache__.get("meshline")
    if kept is not None:
        return kept
    if graph.flow.edges > MOST_EDGES:
        raise FallbackRefusedError(
            f"This graph has {graph.flow.edges:,} edges. An algorithm that the backend meshline does not have needs a "
            f"copy of it as a networkx.DiGraph, which is made up to {MOST_EDGES:,} edges. Ask about a part of it: "
            "G.subgraph(nodes).copy()."
        )
    find, edges = graph.node_attributes, graph.edge_attributes
    plain = nx.DiGraph(**graph.graph)
    plain.add_nodes_from((node, dict(find(v)) if find else {}) for v, node in enumerate(graph.labels))
    tails = np.repeat(np.arange(graph.flow.n), np.diff(graph.flow.indptr)).tolist()
    labels = graph.labels
    plain.add_edges_from(
        (labels[u], labels[v], dict(edges(k)) if edges else {})
        for k, (u, v) in enumerate(zip(tails, graph.flow.indices.tolist(), strict=True))
    )
    graph.__networkx_cache__["meshline"] = nx.freeze(plain)
    return plain
