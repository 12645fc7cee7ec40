"""The graph that networkx users get."""

from __future__ import annotations

import copy
import io
import json
import pickle
from collections.abc import Iterator

import networkx as nx
import numpy as np
import pytest

import lineage
from lineage.actor import LOCAL, Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.graph.analysis import Flow
from lineage.networkx_backend import graph as backend_graph
from lineage.networkx_backend.build import GRAPH_LEVELS
from lineage.networkx_backend.graph import FallbackRefusedError, MeshlineGraph
from tests.answers.builder import World, only_asked
from tests.ingest.build import NS, column_lineage, loaded, run_event

NOSY = Actor("nosy", hidden_domains={"hr"})


def labels(*names: str) -> list[str]:
    return [f"dataset:pg:{name}" for name in names]


def test_nodes_are_texts_along_the_flow_with_the_attributes_of_the_catalogue(world: World) -> None:
    world.flow(["raw"], "load", ["orders"], provenance="explicit")
    world.flow(["orders"], "build", ["report"])
    world.domain("bi", "report", "build")
    world.facet(world.dataset("orders"), "ownership", {"owners": [{"name": "team:sales"}]})
    tags = [{"key": "gold", "value": "true"}, {"key": "pii", "value": "true", "field": "email"}]
    world.facet(world.dataset("orders", "email"), "tags", {"tags": tags})
    lx = Lineage(world.store)
    graph = lx.graph()
    assert list(graph) == labels("raw", "orders", "report")
    node = graph.nodes["dataset:pg:orders"]
    assert (node["kind"], node["namespace"], node["name"]) == ("dataset", "pg", "orders")
    assert (node["owner"], node["tags"], node["self_loop"]) == ("team:sales", "gold", False)
    assert graph.nodes["dataset:pg:report"]["domain"] == "bi"
    assert graph.edges["dataset:pg:raw", "dataset:pg:orders"] == {"certainty": "certain", "use": "direct"}
    assert graph.edges["dataset:pg:orders", "dataset:pg:report"]["certainty"] == "probable"
    assert nx.descendants(graph, "dataset:pg:raw") == set(labels("orders", "report"))
    assert nx.shortest_path(graph, *labels("raw", "report")) == labels("raw", "orders", "report")
    assert graph.graph["level"] == "dataset"
    assert lx.graph("column").nodes["column:pg:orders:email"]["tags"] == "pii"
    assert list(lx.graph("job").edges) == [("job:pg:load", "job:pg:build")]
    with pytest.raises(UsageError, match="“table” is none of dataset, column"):
        lx.graph("table")


def test_a_graph_of_the_past_has_what_was_there() -> None:
    late = column_lineage({"b": [("s", "a")]})
    lx = lineage.open(
        loaded(
            run_event("r1", at="2026-01-01T06:00:00Z", inputs=["s"], outputs=["t"]),
            run_event("r2", at="2026-02-01T06:00:00Z", inputs=["s"], outputs=[("u", {"columnLineage": late})], job="k"),
        )
    )
    assert sorted(lx.graph().nodes) == [f"dataset:{NS}:{name}" for name in "stu"]
    then = lx.graph(as_of="2026-01-15")
    assert sorted(then.nodes) == [f"dataset:{NS}:{name}" for name in "st"]
    assert list(then.edges) == [(f"dataset:{NS}:s", f"dataset:{NS}:t")]
    assert f"column:{NS}:u:b" in lx.graph("column")
    assert f"column:{NS}:u:b" not in lx.graph("column", as_of="2026-01-15")
    assert not lx.graph(as_of="2025-01-01").nodes


@pytest.fixture(scope="module")
def told() -> Iterator[Lineage]:
    """A mesh with everything that attributes can say: owners, several tags, times of runs, unknowns, a hidden-to-be."""
    world = World()
    world.flow(["raw"], "load", ["orders"], provenance="explicit")
    world.flow(["orders"], "build", ["report"])
    world.column_edge(("raw", "id"), ("orders", "id"), "load")
    world.domain("bi", "report", "build", owner="team:bi")
    world.facet(world.dataset("orders"), "ownership", {"owners": [{"name": "team:sales"}]})
    for entity in (world.dataset("orders"), world.job("load")):
        world.facet(entity, "tags", {"tags": [{"key": "gold", "value": "true"}, {"key": "tier", "value": '<1> & "2"'}]})
    world.facet(world.job("load"), "ownership", {"owners": [{"name": "team:load"}]})
    for job, source, target in (("load", "raw", "orders"), ("build", "orders", "report")):
        run = world.run(job, f"r-{job}")
        world.run_io(run, job, source, "in")
        world.run_io(run, job, target, "out")
    with only_asked(world) as store:
        yield Lineage(store)


def as_json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False).encode()


WRITERS = {
    "graphml": lambda graph, file: nx.write_graphml_xml(graph, file),
    "gml": nx.write_gml,
    "gexf": nx.write_gexf,
    "json": lambda graph, file: file.write(
        json.dumps(nx.node_link_data(graph, edges="edges"), allow_nan=False).encode()
    ),
    "cytoscape": lambda graph, file: file.write(as_json(nx.cytoscape_data(graph))),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("level", GRAPH_LEVELS)
@pytest.mark.parametrize("actor", [LOCAL, NOSY], ids=["local", "nosy"])
def test_every_writer_of_networkx_takes_every_graph(told: Lineage, level: str, writer: str, actor: Actor) -> None:
    for graph in (found := told.graph(level, actor=actor), found.copy(), found.reverse()):
        WRITERS[writer](graph, io.BytesIO())
    for values in (found.graph, *dict(found.nodes(data=True)).values(), *(data for *_, data in found.edges(data=True))):
        assert {type(value) for value in values.values()} <= {str, int, float, bool}, values


def test_what_was_written_is_read_again_as_it_was(told: Lineage) -> None:
    for level in ("dataset", "run", "job"):
        graph, file = told.graph(level), io.BytesIO()
        nx.write_graphml_xml(graph, file)
        file.seek(0)
        again = nx.read_graphml(file)
        assert dict(again.nodes(data=True)) == {node: dict(data) for node, data in graph.nodes(data=True)}
        assert {(a, b): data for a, b, data in again.edges(data=True)} == {
            (a, b): dict(data) for a, b, data in graph.edges(data=True)
        }
        assert again.graph["as_of"] == graph.graph["as_of"]
        linked = json.loads(json.dumps(nx.node_link_data(graph, edges="edges")))
        assert nx.utils.graphs_equal(nx.node_link_graph(linked, edges="edges"), graph.copy())


def test_times_are_texts_several_values_are_one_and_the_unknown_is_left_out(told: Lineage) -> None:
    graph = told.graph(as_of="2026-02-01", known_at="2026-02-02")
    assert (graph.graph["as_of"], graph.graph["known_at"]) == ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z")
    assert graph.nodes["dataset:pg:orders"]["tags"] == 'gold; tier:<1> & "2"'
    assert "owner" not in graph.nodes["dataset:pg:raw"] and graph.nodes["dataset:pg:raw"]["tags"] == ""
    assert nx.get_node_attributes(graph, "owner") == {"dataset:pg:orders": "team:sales"}
    assert {data["started_at"] for _, data in told.graph("run").nodes(data=True) if data["kind"] == "run"} == {
        "2026-01-01T00:00:00Z"
    }


def test_jobs_domains_and_what_is_named_after_a_job_have_the_attributes_of_the_catalogue(told: Lineage) -> None:
    for level in ("job", "application", "dag"):
        node = told.graph(level).nodes[f"{level}:pg:load"]
        assert (node["kind"], node["namespace"], node["name"]) == (level, "pg", "load")
        assert (node["domain"], node["owner"], node["tags"]) == ("unassigned", "team:load", 'gold; tier:<1> & "2"')
        assert (node["jobs"], node["hidden"]) == (1, False)
    assert told.graph("job").nodes["job:pg:build"]["domain"] == "bi"
    assert told.graph("domain").nodes["domain:bi"]["owner"] == "team:bi"


def test_a_group_named_after_a_hidden_job_tells_nothing_of_it(world: World) -> None:
    world.flow(["raw"], "load", ["orders"])
    world.edge(world.job("boss"), world.job("load"), kind="contains")
    world.facet(world.job("boss"), "ownership", {"owners": [{"name": "team:secret"}]})
    world.domain("hr", "boss")
    graph = Lineage(world.store).graph("application", actor=NOSY)
    assert "team:secret" not in str(dict(graph.nodes(data=True)))


def test_what_only_joins_nodes_is_passed_through(world: World) -> None:
    world.dataset("a", "id")
    world.dataset("b", "x", "y")
    world.column_edge(("a", "id"), ("b", ""))
    into, onward = world.job("into"), world.job("onward")
    world.edge(world.dataset("a"), into, job=into)
    world.edge(into, onward, job=into, provenance="explicit")
    world.edge(onward, world.dataset("b"), job=onward, provenance="explicit")
    lx = Lineage(world.store)
    assert list(lx.graph().edges(data="certainty")) == [(*labels("a", "b"), "probable")]
    columns = lx.graph("column")
    assert set(columns.successors("column:pg:a:id")) == {"column:pg:b:x", "column:pg:b:y"}


def test_what_is_hidden_is_passed_through_and_counted_nowhere(world: World) -> None:
    world.flow(["raw"], "payroll", ["salaries"])
    world.flow(["salaries"], "more", ["bonus"])
    world.flow(["bonus"], "build", ["report"])
    world.flow(["secret"], "other", ["report"])
    world.domain("hr", "salaries", "bonus", "secret")
    graph = Lineage(world.store).graph(actor=NOSY)
    up, down = "hidden (domain hr), upstream", "hidden (domain hr), downstream"
    assert sorted(graph) == sorted([*labels("raw", "report"), up, down])
    assert sorted(graph.edges) == sorted(
        [tuple(labels("raw", "report")), (labels("raw")[0], down), (up, labels("report")[0])]
    )
    assert dict(graph.nodes[up]) == {"kind": "hidden", "domain": "hr"}
    assert nx.is_directed_acyclic_graph(graph)
    assert "hidden (domain hr)" in Lineage(world.store).graph("domain", actor=NOSY)


@pytest.fixture
def small() -> MeshlineGraph:
    """a → b → c → a, c → d; with a weight on every edge."""
    flow = Flow.of_edges(4, [0, 1, 2, 2], [1, 2, 0, 3])
    values = [{"weight": k + 1} for k in range(4)]
    nodes = [{"rank": k} for k in range(4)]
    return MeshlineGraph(flow, list("abcd"), node_attributes=nodes.__getitem__, edge_attributes=values.__getitem__)


def test_it_reads_like_a_digraph_and_refuses_to_be_changed(small: MeshlineGraph) -> None:
    plain = nx.DiGraph()
    plain.add_nodes_from((name, {"rank": k}) for k, name in enumerate("abcd"))
    plain.add_weighted_edges_from([("a", "b", 1), ("b", "c", 2), ("c", "a", 3), ("c", "d", 4)])
    assert isinstance(small, nx.DiGraph)
    for copied in (small.copy(), nx.DiGraph(small), copy.deepcopy(small), pickle.loads(pickle.dumps(small))):
        assert nx.utils.graphs_equal(copied, plain)
        copied.add_edge("d", "e")
    assert nx.utils.graphs_equal(small.reverse().copy(), plain.reverse())
    assert nx.utils.graphs_equal(small.to_undirected(), plain.to_undirected())
    assert nx.utils.graphs_equal(small.subgraph("abc").copy(), plain.subgraph("abc").copy())
    assert dict(small.in_degree) == dict(plain.in_degree)
    assert list(small.predecessors("a")) == ["c"]
    assert (len(small), small.size(), small.has_edge("a", "b"), small.has_edge("b", "a"), "z" in small) == (
        4, 4, True, False, False,
    )  # fmt: skip
    with pytest.raises(nx.NetworkXError, match="read-only"):
        small.add_edge("a", "d")
    with pytest.raises(nx.NetworkXError, match="read-only"):
        small.nodes["a"]["rank"] = 7
    with pytest.raises(nx.NetworkXError, match="read-only"):
        nx.set_node_attributes(small, 1, "x")
    for change in (lambda: small.graph.__setitem__("q", 1), lambda: small.graph.pop("q"), small.graph.clear):
        with pytest.raises(nx.NetworkXError, match="read-only"):
            change()
    assert small.graph.pop("id", None) is None
    with pytest.raises(KeyError):
        small.edges["b", "a"]


def test_algorithms_the_backend_lacks_run_on_a_copy_made_once(small: MeshlineGraph) -> None:
    plain = small.copy()
    assert nx.betweenness_centrality(small) == nx.betweenness_centrality(plain)
    first = small.to_networkx()
    assert nx.dijkstra_path(small, "a", "d") == ["a", "b", "c", "d"]
    assert small.to_networkx() is first and nx.is_frozen(first)
    assert nx.shortest_path(small, "a", "d", weight="weight") == ["a", "b", "c", "d"]
    assert list(nx.bfs_edges(small, "c", sort_neighbors=sorted)) == [("c", "a"), ("c", "d"), ("a", "b")]
    assert nx.is_isomorphic(small, small.lazily())


def test_a_copy_of_a_very_large_graph_is_refused_with_a_way_out(
    small: MeshlineGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_graph, "MOST_EDGES", 3)
    with pytest.raises(FallbackRefusedError, match=r"4 edges.*up to 3 edges.*G.subgraph"):
        nx.betweenness_centrality(small)
    assert nx.descendants(small, "a") == {"b", "c", "d"}


def test_pagerank_is_that_of_networkx_to_the_ninth_digit(small: MeshlineGraph) -> None:
    plain = small.copy()
    for options in (
        {},
        {"alpha": 0.5},
        {"weight": None},
        {"personalization": {"a": 1, "d": 3}},
        {"dangling": {"b": 1}},
    ):
        exact = nx.pagerank(plain, tol=1e-15, max_iter=2_000, **options)
        assert nx.pagerank(small, **options) == pytest.approx(exact, abs=1e-9)
    with pytest.raises(nx.PowerIterationFailedConvergence):
        nx.pagerank(small, max_iter=0)


def test_cutoffs_are_honoured(small: MeshlineGraph) -> None:
    assert nx.single_source_shortest_path_length(small, "a", cutoff=1) == {"a": 0, "b": 1}
    assert nx.single_source_shortest_path(small, "a", cutoff=0) == {"a": ["a"]}
    assert dict(nx.all_pairs_shortest_path_length(small, cutoff=1))["d"] == {"d": 0}
    assert list(nx.bfs_layers(small, ["a"])) == [["a"], ["b"], ["c"], ["d"]]
    assert nx.descendants_at_distance(small, "a", 2) == {"c"}


def test_a_lazy_set_is_a_set_that_makes_nothing_before_it_is_read(small: MeshlineGraph) -> None:
    found = nx.descendants(small.lazily(), "a")
    assert not isinstance(found, set)
    assert found == {"b", "c", "d"} and {"b", "c", "d"} == found
    assert ("b" in found, "a" in found, 5 in found, len(found)) == (True, False, False, 3)
    assert found | {"z"} == {"b", "c", "d", "z"} and found & {"b"} == {"b"}
    assert isinstance(nx.descendants(small, "a"), set)


def test_errors_are_those_of_networkx(small: MeshlineGraph) -> None:
    with pytest.raises(nx.NetworkXError, match="not in the digraph"):
        nx.descendants(small, "z")
    with pytest.raises(nx.NodeNotFound):
        nx.has_path(small, "a", "z")
    with pytest.raises(nx.NetworkXNoPath):
        nx.shortest_path(small, "d", "a")
    with pytest.raises(nx.NetworkXUnfeasible):
        list(nx.topological_sort(small))


def test_a_networkx_graph_is_converted_when_the_backend_is_asked_for() -> None:
    plain = nx.gnp_random_graph(60, 0.05, seed=1, directed=True)
    assert nx.descendants(plain, 0, backend="meshline") == nx.descendants(plain, 0)
    plain.add_edge(0, 1)  # drops the converted graph
    assert nx.number_strongly_connected_components(plain, backend="meshline") == (
        nx.number_strongly_connected_components(plain)
    )
    with pytest.raises(NotImplementedError):
        nx.descendants(nx.path_graph(3), 0, backend="meshline")


def test_numbered_nodes_are_plain_integers() -> None:
    graph = MeshlineGraph(Flow.of_edges(3, [0, 1], [1, 2]))
    assert nx.descendants(graph, 0) == {1, 2}
    assert {type(node) for node in nx.descendants(graph, 0)} == {int}
    assert np.isclose(sum(nx.pagerank(graph).values()), 1)
