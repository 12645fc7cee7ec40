"""Functions that networkx tests on no directed graph, compared with networkx itself; and calls with graphs of both."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import networkx as nx
import pytest

from lineage.graph.analysis import Flow
from lineage.networkx_backend.graph import MeshlineGraph
from lineage.networkx_backend.info import FUNCTIONS
from tests.graph.test_networkx_suite import AT_LEAST, NEVER

Ask = Callable[[Any, int, int], Any]
# Each with the arguments it takes; graph, and two nodes of it.
COMPARED: dict[str, tuple[Ask, ...]] = {
    "bfs_tree": (
        lambda g, s, t: nx.bfs_tree(g, s),
        lambda g, s, t: nx.bfs_tree(g, s, reverse=True),
        lambda g, s, t: nx.bfs_tree(g, s, depth_limit=2),
        lambda g, s, t: nx.bfs_tree(g, 99),
        lambda g, s, t: nx.bfs_tree(g, s, sort_neighbors=lambda nodes: sorted(nodes, reverse=True)),
    ),
    "bfs_successors": (
        lambda g, s, t: list(nx.bfs_successors(g, s)),
        lambda g, s, t: list(nx.bfs_successors(g, s, depth_limit=1)),
        lambda g, s, t: list(nx.bfs_successors(g, 99)),
        lambda g, s, t: list(nx.bfs_successors(g, s, sort_neighbors=lambda nodes: sorted(nodes, reverse=True))),
    ),
    "bfs_predecessors": (
        lambda g, s, t: list(nx.bfs_predecessors(g, s)),
        lambda g, s, t: list(nx.bfs_predecessors(g, s, depth_limit=2)),
        lambda g, s, t: list(nx.bfs_predecessors(g, 99)),
    ),
    "bfs_layers": (
        lambda g, s, t: list(nx.bfs_layers(g, s)),
        lambda g, s, t: list(nx.bfs_layers(g, [s, t] if s != t else [s])),
        lambda g, s, t: list(nx.bfs_layers(g, [s, 99])),
    ),
    "all_pairs_shortest_path_length": (
        lambda g, s, t: [(node, list(far.items())) for node, far in nx.all_pairs_shortest_path_length(g)],
        lambda g, s, t: [(node, list(far.items())) for node, far in nx.all_pairs_shortest_path_length(g, cutoff=1)],
    ),
    "single_target_shortest_path_length": (
        lambda g, s, t: list(dict(nx.single_target_shortest_path_length(g, t)).items()),
        lambda g, s, t: list(dict(nx.single_target_shortest_path_length(g, t, cutoff=2)).items()),
        lambda g, s, t: dict(nx.single_target_shortest_path_length(g, 99)),
    ),
}


def graphs(seed: int) -> tuple[MeshlineGraph, nx.DiGraph, int, int]:
    """A random graph, ours and of networkx with the same order, and two nodes of it; every second has no circle."""
    chance = random.Random(seed)
    n = chance.randrange(1, 12)
    pairs = [(chance.randrange(n), chance.randrange(n)) for _ in range(chance.randrange(3 * n))]
    if seed % 2:
        pairs = [(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]
    pairs = list(dict.fromkeys(pairs))
    ours = MeshlineGraph(Flow.of_edges(n, [a for a, _ in pairs], [b for _, b in pairs]), list(range(n)))
    theirs = nx.DiGraph()
    theirs.add_nodes_from(ours)
    theirs.add_edges_from(ours.edges)
    return ours, theirs, chance.randrange(n), chance.randrange(n)


def answer(ask: Ask, graph: Any, s: int, t: int) -> Any:
    """The answer as what can be compared in order, or the error."""
    try:
        found = ask(graph, s, t)
    except nx.NetworkXException as error:
        return type(error), str(error)
    return (list(found.nodes), list(found.edges)) if isinstance(found, nx.Graph) else found


@pytest.mark.parametrize("name", COMPARED)
def test_answers_orders_and_errors_are_those_of_networkx(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lineage.networkx_backend.backend import _on_arrays, backend

    calls = 0
    function = getattr(backend, name)

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        return function(*args, **kwargs)

    monkeypatch.setattr(backend, name, counted)
    for seed in range(60):
        ours, theirs, s, t = graphs(seed)
        for ask in COMPARED[name]:
            assert answer(ask, ours, s, t) == answer(ask, theirs, s, t), seed
    assert calls >= 60 * len(COMPARED[name]) or not _on_arrays(name)  # of networkx 3.4 one is not


def test_every_function_of_the_backend_is_in_one_of_the_two_comparisons() -> None:
    assert AT_LEAST.keys() | COMPARED.keys() == FUNCTIONS.keys() and COMPARED.keys() >= NEVER


# -- a mesh and a graph of networkx in one call

MIXED: dict[str, Ask] = {
    "compose": lambda mesh, other, same: nx.compose(mesh, other),
    "compose, the other way": lambda mesh, other, same: nx.compose(other, mesh),
    "compose_all": lambda mesh, other, same: nx.compose_all([mesh, other]),
    "union": lambda mesh, other, same: nx.union(mesh, nx.DiGraph([("q", "z")])),
    "difference": lambda mesh, other, same: nx.difference(mesh, same),
    "intersection": lambda mesh, other, same: nx.intersection(mesh, other),
    "is_isomorphic": lambda mesh, other, same: nx.is_isomorphic(mesh, same),
}


@pytest.fixture
def mesh() -> MeshlineGraph:
    return MeshlineGraph(
        Flow.of_edges(3, [0, 1], [1, 2]), ["a", "b", "c"], edge_attributes=lambda _: {"certainty": "certain"}
    )


@pytest.fixture
def quiet() -> Iterator[None]:
    with nx.config(fallback_to_nx=True, warnings_to_ignore={"cache"}):
        yield


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.usefixtures("quiet")
def test_with_the_line_of_the_docs_a_mesh_and_another_graph_go_into_one_call(name: str, mesh: MeshlineGraph) -> None:
    other = nx.DiGraph([("a", "new")])
    ask: Any = MIXED[name]
    found, expected = ask(mesh, other, mesh.copy()), ask(mesh.copy(), other, mesh.copy())
    assert nx.utils.graphs_equal(found, expected) if isinstance(expected, nx.Graph) else found == expected


@pytest.mark.parametrize("name", MIXED)
def test_a_copy_goes_into_one_call_with_another_graph_as_it_is(name: str, mesh: MeshlineGraph) -> None:
    ask: Any = MIXED[name]
    ask(mesh.copy(), nx.DiGraph([("a", "new")]), mesh.copy())


def test_dicts_of_a_mesh_can_be_copied(mesh: MeshlineGraph) -> None:
    assert nx.to_dict_of_dicts(mesh) == {
        "a": {"b": {"certainty": "certain"}},
        "b": {"c": {"certainty": "certain"}},
        "c": {},
    }
    row = mesh["a"].copy()
    row["new"] = {}
    assert "new" not in mesh["a"] and "new" in row
