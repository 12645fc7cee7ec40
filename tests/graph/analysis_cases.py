"""Random graphs on which the analysis functions, compiled and numpy, must give what networkx gives.

Run as a program (``python -m tests.graph.analysis_cases FILE``) it does so with a compiled module from another place:
the one that was built with sanitizers.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from lineage.graph import analysis
from lineage.graph.analysis import Flow


def random_edges(rng: np.random.Generator) -> tuple[int, np.ndarray, np.ndarray]:
    """Graphs of all sorts: empty, along the flow, with back edges, tangled, with self-loops and repeated edges."""
    n = int(rng.choice([1, 2, 5, 12, 40, 150]))
    m = int(n * rng.uniform(0, 3))
    src, dst = rng.integers(0, n, m), rng.integers(0, n, m)
    if rng.random() < 0.6:  # mostly along the flow
        low, high = np.minimum(src, dst), np.maximum(src, dst)
        back = rng.random(m) < rng.choice([0, 0.02, 0.1])
        src, dst = np.where(back, high, low), np.where(back, low, high)
    if rng.random() < 0.5:
        shuffle = rng.permutation(n)
        src, dst = shuffle[src], shuffle[dst]
    return n, src, dst


def reference(n: int, src: np.ndarray, dst: np.ndarray) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(zip(src.tolist(), dst.tolist(), strict=True))
    return graph


def check(rng: np.random.Generator, kernels: str) -> None:
    n, src, dst = random_edges(rng)
    flow = Flow.of_edges(n, src, dst, kernels=kernels)
    graph = reference(n, src, dst)
    check_components(flow, graph)
    check_order(flow)
    check_reach(flow, graph)
    check_rank(flow, src, dst, rng)
    check_failure(flow, graph, rng)
    check_search(flow, graph, rng)


def check_components(flow: Flow, graph: nx.DiGraph) -> None:
    found = flow.components
    wanted = {frozenset(c) for c in nx.strongly_connected_components(graph)}
    assert {frozenset(found.members(c).tolist()) for c in range(found.count)} == wanted
    assert sorted(found.order.tolist()) == list(range(flow.n))
    assert all(found.component[u] <= found.component[v] for u, v in graph.edges)
    small = flow.condensation.flow
    pairs = {(int(found.component[u]), int(found.component[v])) for u, v in graph.edges}
    have = [(c, int(d)) for c in range(small.n) for d in small.successors(c)]
    assert have == sorted({(a, b) for a, b in pairs if a != b})
    assert small.weight.tolist() == found.sizes.tolist()
    again = analysis.components(flow, depth_first=True)
    ordered = adjacency(flow)
    completed = [set(again.members(c).tolist()) for c in range(again.count - 1, -1, -1)]
    assert completed == list(nx.strongly_connected_components(ordered))
    cycles = [cycle.tolist() for cycle in analysis.cycles(flow)]
    assert all(graph.has_edge(a, b) for cycle in cycles for a, b in zip(cycle, cycle[1:] + cycle[:1], strict=True))
    looped = {int(found.component[v]) for v in graph if graph.has_edge(v, v)} | set(found.cyclic.tolist())
    assert sorted(int(found.component[cycle[0]]) for cycle in cycles) == sorted(looped)


def adjacency(flow: Flow) -> nx.DiGraph:
    """The graph with its neighbours in order."""
    ordered = nx.DiGraph()
    ordered.add_nodes_from(range(flow.n))
    ordered.add_edges_from((v, int(w)) for v in range(flow.n) for w in flow.successors(v))
    return ordered


def check_order(flow: Flow) -> None:
    order, levels = flow.engine.generations(flow.indptr, flow.indices)
    order, levels = np.frombuffer(order, np.uint32).tolist(), np.frombuffer(levels, np.uint32).tolist()
    found = [order[a:b] for a, b in pairwise(levels)]
    ordered = adjacency(flow)
    wanted = []
    try:
        for generation in nx.topological_generations(ordered):
            wanted.append(generation)
    except nx.NetworkXUnfeasible:
        assert len(order) < flow.n
    assert found == wanted or ordered.number_of_edges() < flow.edges  # of repeated edges networkx knows nothing
    dag = flow.condensation.flow
    keep = np.frombuffer(dag.engine.reduction(dag.indptr, dag.indices), np.bool_)
    tails = np.repeat(np.arange(dag.n), np.diff(dag.indptr))
    reduced = set(zip(tails[keep].tolist(), dag.indices[keep].tolist(), strict=True))
    assert reduced == set(nx.transitive_reduction(adjacency(dag)).edges)


def check_reach(flow: Flow, graph: nx.DiGraph) -> None:
    down = [len(nx.descendants(graph, v)) for v in range(flow.n)]
    up = [len(nx.ancestors(graph, v)) for v in range(flow.n)]
    for method in ("bitset", "walk", None):
        assert analysis.descendants_count(flow, method=method).count.tolist() == down, method
        assert analysis.ancestors_count(flow, method=method).count.tolist() == up, method
    sketched = analysis.descendants_count(flow, method="sketch")
    assert np.abs(sketched.count.astype(float) - down).max() <= 0.25 * max(down) + 2
    weight = np.arange(flow.n, dtype=np.uint32) % np.uint32(3)
    weighted = Flow(flow.indptr, flow.indices, weight=weight, kernels=_name(flow))
    wanted = [int(weight[list(nx.descendants(graph, v))].sum()) for v in range(flow.n)]
    for method in ("bitset", "walk"):
        assert analysis.reach(weighted, method=method).count.tolist() == wanted, method


def check_rank(flow: Flow, src: np.ndarray, dst: np.ndarray, rng: np.random.Generator) -> None:
    n = flow.n
    weight = rng.uniform(0, 3, flow.edges)
    weight[rng.random(flow.edges) < 0.1] = 0
    rest, ends = rng.uniform(0, 1, n) + 1e-3, rng.uniform(0, 1, n) + 1e-3
    tail = np.repeat(np.arange(n), np.diff(flow.indptr))
    for options in ({}, {"weight": weight}, {"personalization": rest, "dangling": ends, "weight": weight}):
        found = analysis.pagerank(flow, 0.85, **options)
        matrix = np.zeros((n, n))
        np.add.at(matrix, (flow.indices, tail), options.get("weight", np.ones(flow.edges)))
        out = matrix.sum(axis=0)
        jump = options.get("personalization", np.ones(n))
        sink = options.get("dangling", jump)
        matrix = np.where(out > 0, matrix / np.where(out > 0, out, 1), (sink / sink.sum())[:, None])
        wanted = np.linalg.solve(np.eye(n) - 0.85 * matrix, 0.15 * jump / jump.sum())
        assert np.abs(found - wanted).max() < 1e-12


def check_failure(flow: Flow, graph: nx.DiGraph, rng: np.random.Generator) -> None:
    cut = analysis.articulation_points(flow)
    plain = nx.Graph(graph)
    plain.remove_edges_from(list(nx.selfloop_edges(plain)))
    assert set(np.flatnonzero(cut).tolist()) == set(nx.articulation_points(plain))
    found = analysis.dominators(flow)
    rooted = graph.copy()
    for first, *others in _origins(flow):  # each member of a cycle that nothing feeds lives by the others
        rooted.add_edges_from([("root", first), *((first, v) for v in others)])
    wanted = nx.immediate_dominators(rooted, "root")
    for v in range(flow.n):
        assert wanted[v] == ("root" if found.parent[v] == 0xFFFFFFFF else int(found.parent[v]))
    for v in rng.integers(0, flow.n, 4).tolist():
        loss = analysis.removal(flow, [v])
        assert loss.all.tolist() == sorted(set(graph) - _alive(graph, [v]) - {v})
        assert analysis.exclusive(found, v).tolist() == loss.all.tolist()
        assert int(found.dependents[v]) == len(loss.all)
    gone = np.unique(rng.integers(0, flow.n, 3)).tolist()
    loss = analysis.removal(flow, gone)
    alive = _alive(graph, gone)
    assert loss.all.tolist() == sorted(set(range(flow.n)) - alive - set(gone))
    dead = set(loss.all.tolist()) | set(gone)
    assert loss.some.tolist() == sorted(v for v in alive if any(u in dead for u in graph.predecessors(v)))


def _alive(graph: nx.DiGraph, gone: list[int]) -> set[int]:
    """What data still reaches from where the change does not reach: by definition, one vertex after the other."""
    rest = graph.copy()
    rest.remove_nodes_from(gone)
    outside = set(rest).difference(*(nx.descendants(graph, v) for v in gone))
    return outside.union(*(nx.descendants(rest, v) for v in outside))


def _origins(flow: Flow) -> list[list[int]]:
    found = flow.components
    members = (found.members(c).tolist() for c in range(found.count))
    return [own for own in members if not {u for v in own for u in flow.predecessors(v).tolist()}.difference(own)]


def check_search(flow: Flow, graph: nx.DiGraph, rng: np.random.Generator) -> None:
    source = int(rng.integers(0, flow.n))
    for depth in (-1, 0, 2):
        parts = flow.digraph.bfs(np.array([source], np.uint32), depth)
        order, parent, levels = (np.frombuffer(part, np.uint32) for part in parts)
        hops = nx.single_source_shortest_path_length(graph, source, cutoff=None if depth < 0 else depth)
        distance = np.repeat(np.arange(len(levels) - 1), np.diff(levels))
        assert dict(zip(order.tolist(), distance.tolist(), strict=True)) == dict(hops)
        wanted = list(nx.bfs_edges(adjacency(flow), source, depth_limit=None if depth < 0 else depth))
        assert [(int(order[parent[k]]), int(order[k])) for k in range(1, len(order))] == wanted
    names = [f"node {v}" if v % 2 else v for v in range(flow.n)]
    assert flow.digraph.reached(names, source) == {names[v] for v in nx.descendants(graph, source)}
    both = adjacency(flow)
    for node, others in both.pred.items():  # predecessors in the order that ours have
        assert set(others) == set(flow.predecessors(node).tolist())
    target = int(rng.integers(0, flow.n))
    found = flow.digraph.path(flow.turned.digraph, source, target)
    if found is None:
        assert not nx.has_path(graph, source, target)
    else:
        steps = np.frombuffer(found, np.uint32).tolist()
        assert (steps[0], steps[-1]) == (source, target) and nx.is_path(graph, steps)
        assert len(steps) - 1 == nx.shortest_path_length(graph, source, target)


def _name(flow: Flow) -> str:
    return "numpy" if flow.engine.__name__.endswith("plain") else "compiled"


def use_module(path: str) -> None:
    """Make an extension file the module ``lineage.graph.analysis._analysis`` of this process."""
    import importlib.util

    name = "lineage.graph.analysis._analysis"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    analysis._analysis = module  # type: ignore[attr-defined]


def main() -> None:
    use_module(sys.argv[1])
    rng = np.random.default_rng(7)
    for _ in range(24):
        check(rng, "compiled")
    print("clean")


if __name__ == "__main__":
    main()
