"""networkx's searches on our arrays. Names, arguments, answers and errors are networkx's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np

from lineage.graph.analysis import Flow
from lineage.graph.arrays import NONE, U32
from lineage.networkx_backend.graph import MeshlineGraph, VertexSet


def _search(graph: MeshlineGraph, sources: list[int], reverse: bool, depth: int) -> tuple[U32, U32, U32]:
    flow = graph.back if reverse else graph.flow
    order, parent, levels = flow.digraph.bfs(np.array(sources, dtype=np.uint32), depth)
    return np.frombuffer(order, np.uint32), np.frombuffer(parent, np.uint32), np.frombuffer(levels, np.uint32)


def _depth(limit: float | None) -> int:
    """Last hop to reach; networkx's limits may be any number, and a negative one is none."""
    return -1 if limit is None or limit == math.inf else max(math.ceil(limit), 0)


def _start(graph: MeshlineGraph, node: Any, text: str) -> int:
    return graph.vertex(node, nx.NodeNotFound, text.format(node))


def descendants(G: MeshlineGraph, source: Any) -> Any:  # noqa: N803 - networkx's name, here and below
    """All nodes reachable from ``source``."""
    return _reached(G, G.flow, G.vertex(source))


def ancestors(G: MeshlineGraph, source: Any) -> Any:  # noqa: N803
    """All nodes from which ``source`` is reachable."""
    return _reached(G, G.back, G.vertex(source))


def _reached(graph: MeshlineGraph, flow: Flow, vertex: int) -> Any:
    if not graph.lazy:
        return flow.digraph.reached(graph.labels, vertex)
    order = flow.digraph.bfs(np.array([vertex], dtype=np.uint32), -1)[0]
    return VertexSet(graph, np.frombuffer(order, np.uint32)[1:])


def _edges(graph: MeshlineGraph, source: Any, reverse: bool, limit: float | None) -> Iterator[tuple[Any, Any]]:
    order, parent, _ = _search(graph, [graph.vertex(source)], reverse, _depth(limit))
    tails = graph.names(order[parent[1:]])
    return zip(tails, graph.names(order[1:]), strict=True)


def bfs_edges(
    G: MeshlineGraph,  # noqa: N803
    source: Any,
    reverse: bool = False,
    depth_limit: float | None = None,
    sort_neighbors: None = None,
) -> Iterator[tuple[Any, Any]]:
    """Edges of a breadth-first search."""
    yield from _edges(G, source, reverse, depth_limit)


def bfs_tree(
    G: MeshlineGraph,  # noqa: N803
    source: Any,
    reverse: bool = False,
    depth_limit: float | None = None,
    sort_neighbors: None = None,
) -> nx.DiGraph:
    """Tree of a breadth-first search, as a networkx.DiGraph."""
    tree = nx.DiGraph()
    tree.add_node(source)
    tree.add_edges_from(_edges(G, source, reverse, depth_limit))
    return tree


def bfs_predecessors(
    G: MeshlineGraph,  # noqa: N803
    source: Any,
    depth_limit: float | None = None,
    sort_neighbors: None = None,
) -> Iterator[tuple[Any, Any]]:
    """Each node with the one it was found from."""
    for tail, head in _edges(G, source, False, depth_limit):
        yield head, tail


def bfs_successors(
    G: MeshlineGraph,  # noqa: N803
    source: Any,
    depth_limit: float | None = None,
    sort_neighbors: None = None,
) -> Iterator[tuple[Any, list[Any]]]:
    """Each node with those found from it."""
    parent = source
    children: list[Any] = []
    for tail, head in _edges(G, source, False, depth_limit):
        if tail != parent:
            yield parent, children
            parent, children = tail, []
        children.append(head)
    yield parent, children


def bfs_layers(G: MeshlineGraph, sources: Any) -> Iterator[list[Any]]:  # noqa: N803
    """Nodes by distance from the sources."""
    start = [sources] if sources in G else list(set(sources))
    text = "The node {} is not in the graph."
    order, _, levels = _search(G, [G.vertex(s, text=text.format(s)) for s in start], False, -1)
    for begin, end in zip(levels[:-1].tolist(), levels[1:].tolist(), strict=True):
        if end > begin:
            yield G.names(order[begin:end])


def descendants_at_distance(G: MeshlineGraph, source: Any, distance: int) -> set[Any]:  # noqa: N803
    """Nodes whose shortest distance from ``source`` is this."""
    start = G.vertex(source, text=f"The node {source} is not in the graph.")
    if distance < 0 or distance != int(distance):
        return set()
    order, _, levels = _search(G, [start], False, int(distance))
    if len(levels) < distance + 2:
        return set()
    return set(G.names(order[levels[int(distance)] : levels[int(distance) + 1]]))


# -- paths


def bidirectional_shortest_path(G: MeshlineGraph, source: Any, target: Any) -> list[Any]:  # noqa: N803
    """A shortest path, searched from both ends."""
    start, end = _start(G, source, "Source {} is not in G"), _start(G, target, "Target {} is not in G")
    found = G.flow.digraph.path(G.back.digraph, start, end)
    if found is None:
        raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
    return G.names(np.frombuffer(found, np.uint32))


def has_path(G: MeshlineGraph, source: Any, target: Any) -> bool:  # noqa: N803
    """Whether there is a path."""
    start, end = _start(G, source, "Source {} is not in G"), _start(G, target, "Target {} is not in G")
    return G.flow.digraph.path(G.back.digraph, start, end) is not None


def shortest_path(
    G: MeshlineGraph,  # noqa: N803
    source: Any = None,
    target: Any = None,
    weight: None = None,
    method: str = "dijkstra",
) -> Any:
    """Shortest path between two nodes, or by node those from the source or to the target."""
    _check_method(method)
    if source is None:
        return single_target_shortest_path(G, target)
    return single_source_shortest_path(G, source) if target is None else bidirectional_shortest_path(G, source, target)


def shortest_path_length(
    G: MeshlineGraph,  # noqa: N803
    source: Any = None,
    target: Any = None,
    weight: None = None,
    method: str = "dijkstra",
) -> Any:
    """Length of :func:`shortest_path`."""
    _check_method(method)
    if source is None:
        return single_target_shortest_path_length(G, target)
    if target is None:
        return single_source_shortest_path_length(G, source)
    return len(bidirectional_shortest_path(G, source, target)) - 1


def _check_method(method: str) -> None:
    if method not in ("dijkstra", "bellman-ford"):
        raise ValueError(f"method not supported: {method}")


def _lengths(graph: MeshlineGraph, start: int, reverse: bool, cutoff: float | None) -> dict[Any, int]:
    order, _, levels = _search(graph, [start], reverse, _depth(cutoff))
    hops = np.repeat(np.arange(len(levels) - 1), levels[1:] - levels[:-1])
    return dict(zip(graph.names(order), hops.tolist(), strict=True))


def _paths(graph: MeshlineGraph, start: int, reverse: bool, cutoff: float | None) -> dict[Any, list[Any]]:
    order, parent, _ = _search(graph, [start], reverse, _depth(cutoff))
    names, paths = graph.names(order), []
    for name, above in zip(names, parent.tolist(), strict=True):
        if above == NONE:
            paths.append([name])
        else:
            paths.append([name, *paths[above]] if reverse else [*paths[above], name])
    return dict(zip(names, paths, strict=True))


def single_source_shortest_path_length(
    G: MeshlineGraph,  # noqa: N803
    source: Any,
    cutoff: float | None = None,
) -> dict[Any, int]:
    """Distance of each node that is reachable from the source."""
    return _lengths(G, _start(G, source, "Source {} is not in G"), False, cutoff)


def single_target_shortest_path_length(
    G: MeshlineGraph,  # noqa: N803
    target: Any,
    cutoff: float | None = None,
) -> dict[Any, int]:
    """Distance to the target of each node from which it is reachable."""
    return _lengths(G, _start(G, target, "Target {} is not in G"), True, cutoff)


def single_source_shortest_path(
    G: MeshlineGraph,  # noqa: N803
    source: Any,
    cutoff: float | None = None,
) -> dict[Any, list[Any]]:
    """A shortest path to each node that is reachable from the source."""
    return _paths(G, _start(G, source, "Source {} not in G"), False, cutoff)


def single_target_shortest_path(
    G: MeshlineGraph,  # noqa: N803
    target: Any,
    cutoff: float | None = None,
) -> dict[Any, list[Any]]:
    """A shortest path to the target from each node from which it is reachable."""
    return _paths(G, _start(G, target, "Target {} not in G"), True, cutoff)


def all_pairs_shortest_path_length(
    G: MeshlineGraph,  # noqa: N803
    cutoff: float | None = None,
) -> Iterator[tuple[Any, dict[Any, int]]]:
    """Each node with the distances from it."""
    for vertex, node in enumerate(G.labels):
        yield node, _lengths(G, vertex, False, cutoff)
