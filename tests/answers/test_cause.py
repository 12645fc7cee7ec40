"""Failing nodes are explained by the smallest set of failing nodes upstream of them."""

from __future__ import annotations

import random
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from lineage.actor import Actor
from lineage.cause import causes
from lineage.cause_answer import Causes
from lineage.cli import run
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError, UsageError
from lineage.view import HiddenNodeError
from tests.answers.builder import World, at
from tests.answers.test_api import client_of, get


@pytest.fixture
def mesh(world: World) -> World:
    """raw → a → b → c, raw → x → y; c and y feed report."""
    for flow in ("raw ja a", "a jb b", "b jc c", "raw jx x", "x jy y", "c y jr report"):
        *inputs, job, output = flow.split()
        world.flow(inputs, job, [output])
    return world


def told(answer: Causes) -> dict[str, list[tuple[str, int]]]:
    def short(text: str) -> str:
        return text.removeprefix("dataset:pg:")

    return {short(g.cause): [(short(n.id), n.hops) for n in g.explains] for g in answer.groups}


def d(*names: str) -> list[str]:
    return [f"dataset:pg:{name}" for name in names]


def test_a_failure_is_explained_by_the_most_upstream_failing_node(mesh: World) -> None:
    answer = Lineage(mesh.store).cause(d("c", "b", "report"))
    assert told(answer) == {"b": [("c", 1), ("report", 2)]}
    assert answer.groups[0].explains[1].path == tuple(d("b", "c", "report"))
    assert answer.failing == 3


def test_two_causes_share_what_both_explain_and_a_healthy_ancestor_is_suspected(mesh: World) -> None:
    answer = Lineage(mesh.store).cause(d("b", "y", "report"))
    assert told(answer) == {"y": [("report", 1)], "b": []}
    assert answer.groups[0].explains[0].also == tuple(d("b"))
    assert [(s.id, s.hops) for s in answer.suspects] == [("dataset:pg:raw", 2)]
    assert set(answer.suspects[0].explains) == set(d("b", "y"))


def test_a_failure_does_not_pass_what_is_known_to_be_well(mesh: World) -> None:
    answer = Lineage(mesh.store).cause(d("a", "c"), passing=d("b"))
    assert told(answer) == {"a": [], "c": []}


def test_a_failing_job_stands_between_what_it_reads_and_what_it_writes(mesh: World) -> None:
    answer = Lineage(mesh.store).cause([*d("a", "c"), "job:pg:jb"])
    assert told(answer) == {"a": [("job:pg:jb", 1), ("c", 2)]}
    assert told(Lineage(mesh.store).cause([*d("c"), "job:pg:jb"])) == {"job:pg:jb": [("c", 2)]}


def test_a_failing_task_explains_why_its_dag_fails(mesh: World) -> None:
    mesh.edge(mesh.job("dag"), mesh.job("jb"), kind="contains")
    assert told(Lineage(mesh.store).cause(["job:pg:dag", "job:pg:jb"])) == {"job:pg:jb": [("job:pg:dag", 1)]}
    assert told(Lineage(mesh.store).cause(["job:pg:dag", *d("b")])) == {"b": [], "job:pg:dag": []}


def test_a_cycle_counts_as_one(world: World) -> None:
    for inputs, output in (("a", "b"), ("b", "a"), ("b", "c")):
        world.flow([inputs], f"j{inputs}{output}", [output])
    (group,) = Lineage(world.store).cause(d("a", "b", "c")).groups
    assert {group.cause, *group.cycle} == set(d("a", "b"))
    assert [n.id for n in group.explains] == d("c")


def test_columns_alone_are_explained_along_column_edges(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    world.column_edge(("a", "x"), ("b", "x"), "j")
    world.dataset("a", "y")
    answer = Lineage(world.store).cause(["column:pg:a:x", "column:pg:a:y", "column:pg:b:x"])
    assert told(answer) == {"column:pg:a:x": [("column:pg:b:x", 1)], "column:pg:a:y": []}


def test_without_nodes_it_explains_what_fails_at_the_asked_time(mesh: World) -> None:
    mesh.run("jb", "r1", state="FAIL", started_at=at("2026-02-01"))
    mesh.run("jb", "r2", state="COMPLETE", started_at=at("2026-02-03"))
    mesh.assertion(mesh.dataset("c"), "fresh", "fail", tested_at=at("2026-02-01"))
    mesh.assertion(mesh.dataset("x"), "fresh", "pass", tested_at=at("2026-02-01"))
    lx = Lineage(mesh.store)
    assert told(lx.cause(as_of="2026-02-02")) == {"job:pg:jb": [("c", 2)]}
    assert told(lx.cause()) == {"c": []}
    assert lx.cause(as_of="2026-01-02").failing == 0


def test_hidden_nodes_are_masked_on_the_way_and_may_not_be_asked_for(mesh: World) -> None:
    mesh.domain("hr", "b", "jb")
    mesh.run("jb", "r1", state="FAIL")
    lx, actor = Lineage(mesh.store), Actor("nosy", hidden_domains={"hr"})
    answer = lx.cause(d("a", "c"), actor=actor)
    assert answer.groups[0].explains[0].path == ("dataset:pg:a", "hidden (domain hr)", "dataset:pg:c")
    assert lx.cause(actor=actor).failing == 0
    with pytest.raises(HiddenNodeError):
        lx.cause(d("b"), actor=actor)


def test_the_command_and_the_route_say_the_same(
    mesh: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lx = Lineage(mesh.store)
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(mesh.store))
    body = get(client_of(lx), "/api/v2/cause", node=d("b", "c"))
    assert [g["cause"] for g in body["groups"]] == d("b")
    assert run(["cause", *d("b", "c")]) == 0
    assert "explains 1 more" in capsys.readouterr().out
    assert run(["cause"]) == 0
    assert "Nothing fails." in capsys.readouterr().out


def test_bad_input_is_refused(mesh: World) -> None:
    lx = Lineage(mesh.store)
    with pytest.raises(UnknownNodeError):
        lx.cause(["nothing"])
    for word in ("sure", "certain,stale", ""):
        with pytest.raises(UsageError, match="certainty"):
            lx.cause(d("a"), certainty=word)
    assert client_of(lx).get("/api/v2/cause", params={"node": "nothing"}).status_code == 404


# -- properties

NAMES = "abcdefg"


@cases(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=14),
    st.lists(st.sampled_from(NAMES), max_size=7),
    st.randoms(use_true_random=False),
)
def test_the_set_covers_all_is_as_small_as_can_be_and_does_not_depend_on_order(
    edges: list[tuple[str, str]], failing: list[str], order: random.Random
) -> None:
    world = World()
    ids = {name: world.dataset(name) for name in NAMES}
    for src, dst in set(edges):
        world.edge(ids[src], ids[dst])
    snapshot = Lineage(world.store).view().snapshot
    index = {name: snapshot.index(ids[name]) for name in NAMES}
    nodes = [i for name in failing if (i := index[name]) is not None]
    groups = causes(snapshot, nodes)
    order.shuffle(nodes)
    assert causes(snapshot, nodes) == groups

    graph = nx.DiGraph([(index[a], index[b]) for a, b in edges])
    graph.add_nodes_from(nodes)
    reach = {i: {i, *nx.descendants(graph, i)} for i in set(nodes)}
    found = {group.cause for group in groups}
    wanted = set(nodes)
    assert found <= wanted and set().union(*(reach[i] for i in found)) >= wanted
    for smaller in range(len(found)):
        assert not any(set().union(*(reach[i] for i in some)) >= wanted for some in combinations(wanted, smaller))
    listed = [i for g in groups for i in (g.cause, *g.cycle, *(m.node for m in g.members))]
    assert sorted(listed) == sorted(wanted)
    for group in groups:
        for member in group.members:
            distances = {c: nx.shortest_path_length(graph, c, member.node) for c in found if member.node in reach[c]}
            assert member.hops == distances[group.cause] == min(distances.values())
            assert {group.cause, *member.also} == set(distances)
            assert nx.is_path(graph, member.path)
    world.store.close()
