"""Questions to whole graphs, and the networkx backend, against graph libraries, on the seeded mesh, in one run.

    python -m benchmarks.analysis                      # 1,000,000 datasets, 3.1 million edges
    python -m benchmarks.analysis --datasets 100000    # with exact reach

Candidates take turns and are checked as in ``benchmarks.graph``. *snapshot* is the numbering along the flow that a
snapshot has, *any order* the shuffled one that the libraries get. networkx is measured twice: as it runs in Python,
with the garbage collector on, and with the collector off, which is kinder to it.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np

from benchmarks.graph import Candidate, compete
from benchmarks.mesh import Mesh, mesh
from benchmarks.needs import has
from lineage.graph import analysis
from lineage.graph.analysis import Flow
from lineage.networkx_backend.graph import MeshlineGraph


def flows(graph: Mesh) -> tuple[Flow, Flow, Any]:
    """The mesh in any order and along the flow, and the place along the flow of each dataset."""
    given = Flow.of_edges(graph.n, graph.src, graph.dst)
    rank = np.empty(graph.n, dtype=np.uint32)
    rank[given.components.order] = np.arange(graph.n, dtype=np.uint32)
    ordered = Flow.of_edges(graph.n, rank[graph.src], rank[graph.dst])
    for flow in (given, ordered):
        _ = flow.rindptr, flow.components
    return given, ordered, rank


def components(given: Flow, ordered: Flow, graph: Mesh, peers: dict[str, Any]) -> None:
    from scipy.sparse.csgraph import connected_components

    candidates = [
        Candidate("meshline, any order", lambda: analysis.components(given), lambda c: c.count),
        Candidate("meshline, snapshot", lambda: analysis.components(ordered), lambda c: c.count),
        Candidate(
            "scipy", lambda: connected_components(peers["scipy"], connection="strong"), lambda found: int(found[0]), 3
        ),
    ]
    if "igraph" in peers:
        candidates.append(
            Candidate("igraph", lambda: peers["igraph"].connected_components(mode="strong"), lambda c: len(c), 3)
        )
    if "rustworkx" in peers:
        import rustworkx as rx

        candidates.append(Candidate("rustworkx", lambda: rx.strongly_connected_components(peers["rustworkx"]), len, 2))
    compete("strongly connected components in topological order", candidates, {"igraph": 5})


def ranks(given: Flow, ordered: Flow, rank: Any, peers: dict[str, Any]) -> None:
    def top(values: Any) -> float:
        return round(float(np.max(np.asarray(values))), 9)

    candidates = [
        Candidate("meshline, snapshot", lambda: analysis.pagerank(ordered), top),
        Candidate("meshline, any order", lambda: analysis.pagerank(given), top),
    ]
    if "igraph" in peers:
        candidates.append(Candidate("igraph", lambda: peers["igraph"].pagerank(damping=0.85), top, 3))
    compete("PageRank, greatest value, the order being known", candidates, {"igraph": 20})


def reach(ordered: Flow) -> None:
    compete(
        "exact reach of all nodes",
        [Candidate("meshline", lambda: analysis.reach(ordered), lambda found: int(found.count.sum()), 3)],
    )


def single(name: str, ask: Callable[[], Any], times: int = 3) -> None:
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        ask()
        best = min(best, time.process_time() - start)
    print(f"  {name:<46}{best * 1e3:12.3f} ms")


def others(ordered: Flow, hub: int) -> None:
    print("\nother questions, order known")
    _ = ordered.condensation, ordered.failures
    single("dominators and their sub-trees", lambda: analysis.dominators(ordered))
    single("articulation points", lambda: analysis.articulation_points(ordered))
    single("loss of the hub", lambda: analysis.removal(ordered, [hub]))
    single("reach by sketches", lambda: analysis.reach(ordered, method="sketch"), 1)


def networkx(graph: Mesh, ordered: Flow, rank: Any, hub: int, peers: bool) -> None:
    """``nx.descendants`` of the hub, nodes being the numbers of the datasets."""
    names = np.empty(graph.n, dtype=np.int64)
    names[rank] = np.arange(graph.n)
    ours = MeshlineGraph(ordered, names.tolist())
    lazy = ours.lazily()
    candidates = [
        Candidate("meshline backend, real set", lambda: nx.descendants(ours, hub), len),
        Candidate("meshline backend, lazy set", lambda: nx.descendants(lazy, hub), len),
    ]
    if peers:
        plain = nx.DiGraph()
        plain.add_nodes_from(range(graph.n))
        plain.add_edges_from(zip(graph.src.tolist(), graph.dst.tolist(), strict=True))

        def with_collector() -> Any:
            gc.enable()
            found = nx.descendants(plain, hub)
            gc.disable()
            return found

        candidates.append(Candidate("networkx, collector off", lambda: nx.descendants(plain, hub), len, 5))
        candidates.append(Candidate("networkx, collector on", with_collector, len, 3))
    gates = {"networkx, collector off": 60, "networkx, collector on": 60}
    compete("nx.descendants of the hub", candidates, gates)
    leaf = int(names[-1])
    start = time.process_time()
    for _ in range(2_000):
        nx.descendants(ours, leaf)
    print(f"  nx.descendants of a leaf, dispatch included   {(time.process_time() - start) / 2_000 * 1e6:12.2f} µs")


def libraries(graph: Mesh) -> dict[str, Any]:
    """The mesh in each library that is installed."""
    from scipy.sparse import csr_array

    ones = np.ones(len(graph.src), np.int8)
    found: dict[str, Any] = {"scipy": csr_array((ones, (graph.src, graph.dst)), shape=(graph.n, graph.n))}
    if has("igraph"):
        import igraph

        found["igraph"] = igraph.Graph(n=graph.n, edges=np.column_stack([graph.src, graph.dst]), directed=True)
    if has("rustworkx"):
        import rustworkx

        found["rustworkx"] = rustworkx.PyDiGraph()
        found["rustworkx"].add_nodes_from(list(range(graph.n)))
        found["rustworkx"].add_edges_from_no_data(list(zip(graph.src.tolist(), graph.dst.tolist(), strict=True)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-networkx", action="store_true", help="leave out networkx, which takes most of the time")
    options = parser.parse_args()
    graph = mesh(options.datasets, seed=options.seed)
    print(f"{graph.n:,} datasets, {len(graph.src):,} edges; {', '.join(analysis.available())}")
    given, ordered, rank = flows(graph)
    peers = libraries(graph)
    components(given, ordered, graph, peers)
    ranks(given, ordered, rank, peers)
    if graph.n <= 200_000:
        reach(ordered)
    hub = int(np.bincount(graph.src, minlength=graph.n).argmax())
    others(ordered, int(rank[hub]))
    peers.clear()
    networkx(graph, ordered, rank, hub, not options.no_networkx)


if __name__ == "__main__":
    main()
