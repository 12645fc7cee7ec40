"""networkx's algorithms over whole graphs on our arrays. Names, arguments, answers and errors are networkx's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from lineage.graph import analysis
from lineage.graph.analysis import Flow
from lineage.graph.arrays import U32
from lineage.networkx_backend.graph import MeshlineGraph


def _looped(flow: Flow) -> Any:
    """Vertices with an edge to themselves."""
    return flow.indices[np.repeat(np.arange(flow.n), np.diff(flow.indptr)) == flow.indices]


def is_directed_acyclic_graph(G: MeshlineGraph) -> bool:  # noqa: N803 - networkx's name, here and below
    """Whether the graph has no cycle."""
    return G.flow.components.count == G.flow.n and not len(_looped(G.flow))


def topological_generations(G: MeshlineGraph) -> Iterator[list[Any]]:  # noqa: N803
    """Nodes by the length of the longest path to them."""
    flow = G.flow
    order, levels = flow.engine.generations(flow.indptr, flow.indices)
    order, levels = np.frombuffer(order, np.uint32), np.frombuffer(levels, np.uint32).tolist()
    for begin, end in pairwise(levels):
        yield G.names(order[begin:end])
    if len(order) < flow.n:
        raise nx.NetworkXUnfeasible("Graph contains a cycle or graph changed during iteration")


def topological_sort(G: MeshlineGraph) -> Iterator[Any]:  # noqa: N803
    """Nodes along the flow."""
    for generation in topological_generations(G):
        yield from generation


def strongly_connected_components(G: MeshlineGraph) -> Iterator[set[Any]]:  # noqa: N803
    """Sets of nodes that reach each other, against the flow."""
    found = G.flow.components
    names = G.names(found.order)
    start = found.start.tolist()
    for c in range(found.count - 1, -1, -1):
        yield set(names[start[c] : start[c + 1]])


def number_strongly_connected_components(G: MeshlineGraph) -> int:  # noqa: N803
    """How many there are."""
    return G.flow.components.count


def is_strongly_connected(G: MeshlineGraph) -> bool:  # noqa: N803
    """Whether all nodes reach each other."""
    if not len(G):
        raise nx.NetworkXPointlessConcept("Connectivity is undefined for the null graph.")
    return G.flow.components.count == 1


def condensation(G: MeshlineGraph, scc: Iterable[Any] | None = None) -> nx.DiGraph:  # noqa: N803
    """Acyclic graph of the components, as a networkx.DiGraph; numbered as networkx does."""
    small = nx.DiGraph()
    if scc is None:
        found = analysis.components(G.flow, depth_first=True)
        names, start = G.names(found.order), found.start.tolist()
        groups: list[Any] = [set(names[start[c] : start[c + 1]]) for c in range(found.count - 1, -1, -1)]
    else:
        groups = list(scc) if len(G) else []
    mapping = {node: k for k, component in enumerate(groups) for node in component}
    small.graph["mapping"] = mapping
    if not len(G):
        return small
    small.add_nodes_from((k, {"members": component}) for k, component in enumerate(groups))
    number = np.array([mapping[node] for node in G.labels], dtype=np.uint64)
    flow = G.flow
    tails, heads = np.repeat(number, np.diff(flow.indptr)), number[flow.indices]
    pairs = np.unique((tails << np.uint64(32) | heads)[tails != heads])
    small.add_edges_from(zip((pairs >> np.uint64(32)).tolist(), (pairs & np.uint64(0xFFFFFFFF)).tolist(), strict=True))
    return small


def pagerank(
    G: MeshlineGraph,  # noqa: N803
    alpha: float = 0.85,
    personalization: dict[Any, float] | None = None,
    max_iter: int = 100,
    tol: float = 1.0e-6,
    nstart: dict[Any, float] | None = None,
    weight: str | None = "weight",
    dangling: dict[Any, float] | None = None,
) -> dict[Any, float]:
    """PageRank, solved exactly: ``max_iter``, ``tol`` and ``nstart`` have no part in the answer."""
    if not len(G):
        return {}
    if max_iter < 1:
        raise nx.PowerIterationFailedConvergence(max_iter)
    rest = _values(G, personalization)
    if rest is not None and rest.sum() == 0:
        raise ZeroDivisionError
    found = analysis.pagerank(
        G.flow, alpha, personalization=rest, dangling=_values(G, dangling), weight=edge_weights(G, weight)
    )
    return dict(zip(G.labels, found.tolist(), strict=True))


def _values(graph: MeshlineGraph, given: dict[Any, float] | None) -> Any:
    return None if given is None else np.array([given.get(node, 0) for node in graph.labels], dtype=np.float64)


def edge_weights(graph: MeshlineGraph, weight: str | None) -> Any:
    """Values of an edge attribute, 1 where an edge has none; ``None`` when no edge has it."""
    find = graph.edge_attributes
    if weight is None or find is None:
        return None
    if graph.edge_names is not None and weight not in graph.edge_names:
        return None
    return np.array([find(k).get(weight, 1) for k in range(graph.flow.edges)], dtype=np.float64)


def transitive_closure(G: MeshlineGraph, reflexive: bool | None = False) -> MeshlineGraph:  # noqa: N803
    """The graph with an edge for every path, as a read-only graph of ours; attributes stay."""
    if reflexive not in (None, True, False):
        raise nx.NetworkXError("Incorrect value for the parameter `reflexive`")
    flow = G.flow
    itself = np.zeros(flow.n, dtype=bool)
    if reflexive:
        itself[:] = True
    else:
        itself[_looped(flow)] = True
        if reflexive is False:
            itself |= flow.components.sizes[flow.components.component] > 1
    rows: list[U32] = []
    for v in range(flow.n):
        order = flow.digraph.bfs(np.array([v], dtype=np.uint32), -1)[0]
        rows.append(np.frombuffer(order, np.uint32)[0 if itself[v] else 1 :])
    indptr = np.zeros(flow.n + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=indptr[1:])
    whole = Flow(indptr, np.concatenate([*rows, np.zeros(0, np.uint32)]), kernels=None)
    return MeshlineGraph(
        whole,
        G.labels,
        node_attributes=G.node_attributes,
        edge_attributes=_kept(G, whole),
        lazy=G.lazy,
        attributes=G.graph,
        edge_names=G.edge_names,
    )


def _kept(graph: MeshlineGraph, whole: Flow) -> Any:
    """Attributes of the edges of a greater graph that has all edges of the given one."""
    find = graph.edge_attributes
    if find is None:
        return None
    flow, n = graph.flow, np.uint64(max(graph.flow.n, 1))
    tails = np.repeat(np.arange(flow.n, dtype=np.uint64), np.diff(flow.indptr))
    known = dict(zip((tails * n + flow.indices).tolist(), range(flow.edges), strict=True))

    def attributes(k: int) -> Any:
        tail = int(np.searchsorted(whole.indptr, k, side="right")) - 1
        place = known.get(tail * int(n) + int(whole.indices[k]))
        return {} if place is None else find(place)

    return attributes


def transitive_reduction(G: MeshlineGraph) -> nx.DiGraph:  # noqa: N803
    """The smallest graph with the same paths, as a networkx.DiGraph without attributes."""
    if not is_directed_acyclic_graph(G):
        raise nx.NetworkXError("Directed Acyclic Graph required for transitive_reduction")
    small = nx.DiGraph()
    small.add_nodes_from(G.labels)
    order = G.flow.components.order
    dag = G.flow.condensation.flow
    keep = np.frombuffer(dag.engine.reduction(dag.indptr, dag.indices), np.bool_)
    tails = np.repeat(np.arange(dag.n, dtype=np.uint32), np.diff(dag.indptr))[keep]
    small.add_edges_from(zip(G.names(order[tails]), G.names(order[dag.indices[keep]]), strict=True))
    return small
