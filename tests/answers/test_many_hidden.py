"""How much a hidden domain has is not told: however many hidden nodes there are, the answers are the same."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import networkx as nx
import pytest

from lineage.actor import Actor
from lineage.answers import to_json
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError
from lineage.stand_ins import stand_ins
from tests.answers.builder import World, only_asked
from tests.answers.test_api import client_of

EVE = Actor("eve", hidden_domains={"hr"})
MASK = "hidden (domain hr)"


def mesh(world: World, many: int) -> Lineage:
    """x leads to so many hidden ones, which lead to more of them, and one to y; as many lead to x."""
    for n in range(many):
        world.flow(["x"], "write", [f"h{n}"])
        world.flow([f"top{n}"], f"feed{n}", ["x"])
        world.flow([f"h{n}"], f"deep{n}", [f"low{n}"])
        world.flow([f"low{n}"], f"deeper{n}", [f"lowest{n}"])
        world.column_edge(("x", "id"), (f"h{n}", "id"), "write")
    world.flow(["h0"], "build", ["y"])
    names = ("h", "top", "low", "lowest", "feed", "deep", "deeper")
    world.domain("hr", *(f"{name}{n}" for name in names for n in range(many)))
    world.domain("bi", "x", "y", "build", "write")
    return Lineage(world.store)


ASK: dict[str, Callable[[Lineage], Any]] = {
    "impact": lambda lx: lx.impact("x", links=True, actor=EVE),
    "impact of depth 1": lambda lx: lx.impact("x", depth=1, actor=EVE),
    "impact of datasets": lambda lx: lx.impact("x", kinds="dataset", actor=EVE),
    "impact of domains": lambda lx: lx.impact("x", kinds="domain", actor=EVE),
    "impact of what is certain": lambda lx: lx.impact("x", certainty="certain", actor=EVE),
    "impact of a column": lambda lx: lx.impact("column:pg:x:id", actor=EVE),
    "provenance": lambda lx: lx.provenance("y", actor=EVE),
    "provenance of a column": lambda lx: lx.provenance("column:pg:x:id", actor=EVE),
    "counts": lambda lx: lx.impact_counts("x", actor=EVE),
    "show": lambda lx: lx.show("x", actor=EVE),
    "path": lambda lx: lx.path("x", "y", every=True, actor=EVE),
    "no path": lambda lx: lx.path("y", "x", actor=EVE),
    "picture": lambda lx: lx.picture("x", upstream=1, downstream=9, actor=EVE),
    "picture with jobs": lambda lx: lx.picture("x", upstream=9, downstream=9, jobs=True, actor=EVE),
    "narrow picture": lambda lx: lx.picture("x", upstream=1, downstream=1, actor=EVE),
    "column trace": lambda lx: lx.column_trace("column:pg:x:id", actor=EVE),
    "runs": lambda lx: lx.run_provenance("x", actor=EVE),
    "rehearsal": lambda lx: lx.rehearse(drop=["x"], actor=EVE),
    "rank": lambda lx: lx.rank(actor=EVE),
    "dead": lambda lx: lx.dead(actor=EVE),
    "marquez": lambda lx: lx.marquez("dataset:pg:x", actor=EVE),
}


def told(answer: Any) -> Any:
    """An answer without what names the state it was made from, which is another one."""
    found = to_json(answer)
    for key in ("fingerprint", "as_of", "known_at"):
        if isinstance(found, dict):
            found.pop(key, None)
    return found


@pytest.fixture(scope="module")
def hidden() -> Iterator[list[Lineage]]:
    """One hidden node and many, asked by all tests of the same question."""
    one, four = World(), World()
    mesh(one, 1)
    mesh(four, 4)
    with only_asked(one) as few, only_asked(four) as many:
        yield [Lineage(few), Lineage(many)]


@pytest.mark.parametrize("question", ASK)
def test_the_same_is_told_of_one_hidden_node_and_of_many(question: str, hidden: list[Lineage]) -> None:
    few, many = (told(ASK[question](lx)) for lx in hidden)
    assert json.dumps(few, indent=1, sort_keys=True) == json.dumps(many, indent=1, sort_keys=True)


def test_rows_of_a_hidden_domain_are_one_of_a_kind_and_totals_count_them(world: World) -> None:
    answer = mesh(world, 4).impact("x", actor=EVE)
    masked = [(node.kind, node.hops, node.path) for node in answer.nodes if node.id == MASK]
    assert masked == [("dataset", 1, ("dataset:pg:x", MASK)), ("job", 2, ("dataset:pg:x", MASK))]
    assert answer.totals.by_domain == {"bi": 3, "hr": 2}
    assert (answer.totals.nodes, answer.unfiltered) == (len(answer.nodes), len(answer.nodes))
    assert {node.id for node in answer.nodes} >= {"dataset:pg:y", "job:pg:build"}


def test_figures_of_a_rank_are_of_what_is_visible_and_what_lies_behind_the_hidden(world: World) -> None:
    lx = mesh(world, 4)
    rows = {row.id: row for row in lx.rank(actor=EVE).found}
    assert set(rows) == {"dataset:pg:x", "dataset:pg:y"}
    assert (rows["dataset:pg:x"].downstream, rows["dataset:pg:y"].upstream) == (1, 1)
    assert (rows["dataset:pg:x"].dependents, rows["dataset:pg:x"].readers) == (1, 0)  # y lives by x alone, through h0
    assert next(row for row in lx.rank().found if row.id == "dataset:pg:x").downstream == 13


def test_an_answer_is_partial_only_where_more_of_it_would_be_listed(world: World) -> None:
    lx = mesh(world, 2)
    assert lx.impact("x", depth=0, actor=EVE).partial and lx.impact("x", depth=1, actor=EVE).partial  # y lies behind
    assert not lx.impact("x", depth=2, actor=EVE).partial  # the rest of the hidden chain makes no other row
    assert lx.impact("x", depth=2).partial


def test_columns_of_a_hidden_dataset_are_no_candidates(world: World) -> None:
    lx = mesh(world, 2)
    with pytest.raises(UnknownNodeError) as caught:
        lx.impact("column:pg:h0:idd", actor=EVE)
    assert not [one for one in caught.value.candidates if "h0" in one]
    with pytest.raises(UnknownNodeError) as caught:
        lx.impact("column:pg:h0:idd")
    assert caught.value.candidates == ["column:pg:h0:id"]


def test_the_same_comes_through_the_rest_door() -> None:
    def texts(many: int) -> list[Any]:
        api = client_of(Lineage(mesh(World(), many).store), EVE)
        found = [
            api.get(path, params=params).json()
            for path, params in (
                ("/api/v2/impact", {"node": "dataset:pg:x"}),
                ("/api/v2/provenance", {"node": "dataset:pg:y"}),
                ("/api/v2/path", {"src": "dataset:pg:x", "dst": "dataset:pg:y", "all": True}),
                ("/api/v2/picture", {"node": "dataset:pg:x", "jobs": True, "downstream": 9}),
                ("/api/v1/lineage", {"nodeId": "dataset:pg:x"}),
            )
        ]
        return [{k: v for k, v in one.items() if k not in ("fingerprint", "as_of", "known_at")} for one in found]

    assert texts(1) == texts(5)


@pytest.mark.parametrize("seed", range(40))
def test_stand_ins_show_the_ways_between_visible_nodes_and_no_others(seed: int) -> None:
    chance = random.Random(seed)
    n = chance.randrange(3, 14)
    graph = nx.DiGraph((a, b) for a in range(n) for b in range(n) if a != b and chance.random() < 0.2)
    graph.add_nodes_from(range(n))
    hidden = {i: chance.choice("ab") for i in range(n) if chance.random() < 0.6}
    edges = [(a, b, chance.randrange(3)) for a, b in graph.edges]
    stands, arrows = stand_ins(hidden, edges)
    folded = nx.DiGraph((a, b) for a, b, _ in edges if a not in hidden and b not in hidden)
    folded.add_nodes_from([*(i for i in graph if i not in hidden), *stands.values()])
    folded.add_edges_from((arrow.src, arrow.dst) for arrow in arrows)
    visible = [i for i in graph if i not in hidden]
    for i in visible:
        assert nx.descendants(folded, i) & set(visible) == nx.descendants(graph, i) & set(visible)
        assert {hidden[j] for j in nx.descendants(folded, i) if j in hidden} == {
            hidden[j] for j in nx.descendants(graph, i) if j in hidden
        }
    for most in range(3):
        near = nx.DiGraph((a, b) for a, b, level in edges if level <= most)
        near.add_nodes_from(graph)
        drawn = nx.DiGraph((a, b) for a, b, level in edges if level <= most and not {a, b} & hidden.keys())
        drawn.add_nodes_from(folded)
        drawn.add_edges_from((arrow.src, arrow.dst) for arrow in arrows if arrow.level <= most)
        for i in visible:
            assert nx.descendants(drawn, i) & set(visible) == nx.descendants(near, i) & set(visible)
    shown: dict[int, set[tuple[int, int, bool]]] = {stand: set() for stand in stands.values()}
    for arrow in arrows:  # with each arrow those that are less certain
        stand, end = (arrow.dst, arrow.src) if arrow.dst in shown else (arrow.src, arrow.dst)
        shown[stand] |= {(end, level, arrow.dst in shown) for level in range(arrow.level, 3)}
    assert not [
        (one, other)
        for one, mine in shown.items()
        for other, more in shown.items()
        if one != other and hidden[one] == hidden[other] and mine <= more
    ]
