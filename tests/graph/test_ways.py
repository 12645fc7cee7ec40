from __future__ import annotations

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.graph import Between, between
from lineage.graph.choice import available
from tests.graph.test_oracle import Edge, column_edges, dataset_edges, dataset_oracle, job_edges, writes
from tests.graph.test_walk import job_flow
from tests.graph.world import Seen, World


def names(seen: Seen, found: Between) -> tuple[set[str], set[tuple[str, str]]]:
    pairs = zip(found.src.tolist(), found.dst.tolist(), strict=True)
    return {seen.name(i) for i in found.nodes.tolist()}, {(seen.name(a), seen.name(b)) for a, b in pairs}


def ask(seen: Seen, source: str, target: str, level: str = "dataset") -> tuple[set[str], set[tuple[str, str]]]:
    found = between(seen.snapshot, [seen.index(source)], [seen.index(target)], level=level)  # type: ignore[arg-type]
    return names(seen, found)


def test_all_ways_and_nothing_beside_them(kernels: str) -> None:
    world = World().edge("a", "b").edge("a", "c").edge("b", "d").edge("c", "d").edge("d", "e").edge("a", "x")
    seen = world.edge("y", "d", state="stale").load(kernels=kernels)
    assert ask(seen, "a", "d") == ({"a", "b", "c", "d"}, {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")})
    assert ask(seen, "d", "a") == (set(), set())
    assert not between(seen.snapshot, [seen.index("x")], [seen.index("e")])
    stale = between(seen.snapshot, [seen.index("y")], [seen.index("d")])
    assert stale.certainty.tolist() == [2]
    assert not between(seen.snapshot, [seen.index("y")], [seen.index("d")], min_certainty="probable")


def test_a_way_through_a_job_needs_flow_from_job_to_job(kernels: str) -> None:
    seen = job_flow().load(kernels=kernels)
    assert ask(seen, "a", "end")[0] == {"a", "j()", "k()", "out", "end"}
    assert ask(seen, "a", "side") == (set(), set())


def test_a_column_that_affects_all_rows_leads_through_the_dataset(kernels: str) -> None:
    seen = World().nodes("b.p", "b.q").column_edge("a.f", "b").column_edge("b.q", "c.q").load(kernels=kernels)
    nodes, edges = ask(seen, "a.f", "c.q", "column")
    assert nodes == {"a.f", "b", "b.q", "c.q"}
    assert edges == {("a.f", "b"), ("b", "b.q"), ("b.q", "c.q")}


@settings(max_examples=settings.default.max_examples // 2)
@given(st.lists(dataset_edges, max_size=18), st.lists(job_edges, max_size=5), st.lists(writes, max_size=4))
def test_what_lies_between_agrees_with_networkx(flat: list[Edge], flow: list[Edge], written: list[Edge]) -> None:
    world = World.reused().nodes("d0", "d1")
    for e in flat + flow:
        world.edge(e.src, e.dst, provenance=e.provenance, state=e.state)
    for e in written:
        world.edge(e.src, e.dst, kind="write", provenance=e.provenance, state=e.state)
    oracle = dataset_oracle(flat + flow, written)
    graph = nx.DiGraph()
    graph.add_nodes_from(["d0", "d1"])
    graph.add_edges_from((a, b) for a, b, *_ in oracle.edges)
    inside = (nx.descendants(graph, "d0") | {"d0"}) & (nx.ancestors(graph, "d1") | {"d1"})
    pairs = {
        (oracle.node(a), oracle.node(b)) for a, b in graph.subgraph(inside).edges if oracle.node(a) != oracle.node(b)
    }
    for kernels in available():
        seen = world.load(kernels=kernels)
        assert ask(seen, "d0", "d1") == ({oracle.node(v) for v in inside}, pairs)


@settings(max_examples=settings.default.max_examples // 2)
@given(st.lists(column_edges, max_size=18))
def test_columns_between_lie_on_both_walks(edges: list[Edge]) -> None:
    world = World.reused().nodes("d0.x", "d1.x")
    for e in edges:
        world.column_edge(e.src, e.dst, provenance=e.provenance, state=e.state, type=e.type)
    seen = world.load(kernels=available()[0])
    down = set(seen.walk("d0.x", level="column").hops) | {"d0.x"}
    up = set(seen.walk("d1.x", "upstream", level="column").hops) | {"d1.x"}
    columns = {name for name in ask(seen, "d0.x", "d1.x", "column")[0] if "." in name}
    assert columns == {name for name in down & up if "." in name}
