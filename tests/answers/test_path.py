"""Paths: shortest of the best certainty, every edge on any path, and the two sorts of "no"."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.actor import Actor
from lineage.answers import to_json
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError
from lineage.path_answer import PathAnswer
from lineage.view import HiddenNodeError
from tests.answers.builder import World, at
from tests.answers.test_api import client_of


def steps(answer: PathAnswer) -> list[str]:
    return [step.id.split(":pg:")[1] for step in answer.path]


@pytest.fixture
def diamond(world: World) -> World:
    """a → b → d and a → c → d by certain edges, a → d by a guess; e hangs on d, z on nothing of these."""
    for src, dst in (("a", "b"), ("b", "d"), ("a", "c"), ("c", "d"), ("d", "e")):
        world.flow([src], f"{src}{dst}", [dst], provenance="explicit")
    world.flow(["a"], "guess", ["d"])
    world.flow(["y"], "yz", ["z"])
    return world


def test_a_path_is_the_shortest_of_the_best_certainty(diamond: World) -> None:
    answer = Lineage(diamond.store).path("a", "e")
    assert (answer.verdict, answer.certainty) == ("found", "certain")
    assert steps(answer) in (["a", "b", "d", "e"], ["a", "c", "d", "e"])
    assert answer.hops == 2  # the guess from a to d is shorter
    assert answer.links == ()


def test_all_edges_on_any_path_and_no_others(diamond: World) -> None:
    diamond.flow(["a"], "aside", ["x"])
    links = Lineage(diamond.store).path("a", "d", every=True).links
    assert {(link.src[-1], link.dst[-1]) for link in links} == {
        ("a", "b"), ("b", "d"), ("a", "c"), ("c", "d"), ("a", "d"),
    }  # fmt: skip


def test_jobs_may_be_the_ends(diamond: World) -> None:
    lx = Lineage(diamond.store)
    assert steps(lx.path("b", "job:pg:de")) == ["b", "d", "de"] and lx.path("b", "job:pg:de").hops == 2
    assert steps(lx.path("job:pg:ab", "d")) == ["ab", "b", "d"]
    assert steps(lx.path("job:pg:ab", "job:pg:de")) == ["ab", "b", "d", "de"]


def test_no_path_is_said_when_one_side_told_everything(diamond: World) -> None:
    answer = Lineage(diamond.store).path("a", "z")
    assert answer.verdict == "none"
    assert answer.reasons == ("everything downstream of dataset:pg:a told where its data goes",)


def test_it_cannot_be_told_when_both_sides_are_open(diamond: World) -> None:
    diamond.flow(["e"], "silent", [])
    answer = Lineage(diamond.store).path("a", "z")
    assert answer.verdict == "blind"
    assert answer.reasons == (
        "job:pg:silent: was only ever seen reading; what it writes was not told",
        "dataset:pg:y: no job was ever seen writing it",
    )


def test_an_upstream_side_that_told_everything_is_enough(diamond: World) -> None:
    diamond.flow(["e"], "silent", [])
    origin = diamond.dataset("y")
    diamond.facet(origin, "lineage", {"inputs": []})
    writer = diamond.job("birth")
    diamond.edge(writer, origin, job=writer, kind="write", provenance="io")
    diamond.facet(writer, "lineage", {"entries": [{"inputs": []}]})
    answer = Lineage(diamond.store).path("a", "z")
    assert answer.verdict in ("none", "blind")
    assert not any("dataset:pg:y" in reason for reason in answer.reasons)


def test_the_other_direction_is_mentioned(diamond: World) -> None:
    answer = Lineage(diamond.store).path("e", "a")
    assert answer.verdict == "none" and answer.reverse


def test_from_column_to_column(world: World) -> None:
    world.flow(["a"], "j", ["b"], provenance="column")
    world.flow(["b"], "k", ["c"], provenance="column")
    world.column_edge(("a", "v"), ("b", "v"), "j")
    world.column_edge(("b", "v"), ("c", "v"), "k")
    world.column_edge(("a", "w"), ("b", "w"), "j")
    lx = Lineage(world.store)
    answer = lx.path("column:pg:a:v", "column:pg:c:v", every=True)
    assert steps(answer) == ["a:v", "b:v", "c:v"] and len(answer.links) == 2
    assert steps(lx.path("column:pg:a:v", "dataset:pg:c")) == ["a:v", "b:v", "c:v", "c"]
    assert steps(lx.path("dataset:pg:a", "column:pg:c:v")) == ["a", "a:v", "b:v", "c:v"]
    assert steps(lx.path("column:pg:a:v", "job:pg:k")) == ["a:v", "b:v", "k"]
    assert steps(lx.path("dataset:pg:a", "column:pg:a:v")) == ["a", "a:v"]
    assert lx.path("column:pg:a:w", "column:pg:c:v").verdict == "none"


def test_columns_that_were_not_told_make_it_blind(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    world.flow(["b"], "k", ["c"])
    world.dataset("a", "v")
    world.dataset("c", "v")
    answer = Lineage(world.store).path("column:pg:a:v", "column:pg:c:v")
    assert answer.verdict == "blind"
    assert answer.reasons == (
        "dataset:pg:a: goes on to others without telling its columns",
        "dataset:pg:c: comes from others without telling its columns",
    )


def test_cycles_self_loops_and_the_same_node_twice(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    world.flow(["b"], "k", ["a"])
    world.flow(["a"], "own", ["a"])
    lx = Lineage(world.store)
    assert steps(lx.path("a", "b")) == ["a", "b"]
    assert steps(lx.path("b", "a")) == ["b", "a"]
    assert (steps(lx.path("a", "a")), lx.path("a", "a").hops) == (["a"], 0)


def test_times_count(world: World) -> None:
    world.flow(["a"], "j", ["b"], valid_from=at("2026-02-01"))
    lx = Lineage(world.store)
    assert lx.path("a", "b").verdict == "found"
    assert lx.path("a", "b", as_of="2026-01-15").verdict != "found"


def test_hidden_steps_have_no_name_and_hidden_ends_are_refused(chain: World) -> None:
    chain.flow(["report"], "next", ["last"])
    lx, actor = Lineage(chain.store), Actor("x", hidden_domains=frozenset({"bi"}))
    assert [step.id for step in lx.path("raw", "last", actor=actor).path][2] == "hidden (domain bi)"
    assert "report" not in str(to_json(lx.path("raw", "last", every=True, actor=actor)))
    with pytest.raises(HiddenNodeError):
        lx.path("raw", "dataset:pg:report", actor=actor)


def test_unknown_nodes_have_candidates(lx: Lineage) -> None:
    with pytest.raises(UnknownNodeError) as error:
        lx.path("raw", "dataset:pg:reprot")
    assert error.value.candidates == ["dataset:pg:report"]


def test_rest_says_the_same(lx: Lineage) -> None:
    query: dict[str, Any] = {"from": "raw", "to": "report", "all": True}
    body = client_of(lx).get("/api/v2/path", params=query).json()
    wanted = to_json(lx.path("raw", "report", every=True))
    assert {**body, "as_of": 0, "known_at": 0} == {**wanted, "as_of": 0, "known_at": 0}
