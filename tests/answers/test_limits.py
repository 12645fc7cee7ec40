"""Limits of impact and provenance: what exactly n hops means, the first n rows, and all that lies behind them."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from lineage.actor import LOCAL, Actor
from lineage.answers import Answer, Frontier, Reached, to_json
from lineage.cli import run
from lineage.engine import Lineage
from lineage.engine import open as open_lineage
from lineage.errors import UsageError
from lineage.formats import FORMATS, render, unsaid
from lineage.store import Store
from lineage.tables import summary_lines
from tests.answers.builder import World
from tests.answers.test_api import client_of, get

EVE = Actor("eve", hidden_domains={"hr"})
HOW = {"certain": {"provenance": "explicit"}, "probable": {}, "stale": {"state": "stale"}}


def random_world(world: World, chance: random.Random) -> nx.MultiDiGraph:
    """Datasets that jobs feed from each other, with columns, domains, temporary ones, cycles; and its dataset edges."""
    names = [f"d{k}" for k in range(chance.randrange(4, 12))] + [f"tmp_{k}" for k in range(2)]
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(names)
    for k in range(chance.randrange(3, 16)):
        certainty = chance.choice(sorted(HOW))
        inputs = chance.sample(names, chance.randrange(1, 3))
        outputs = chance.sample(names, chance.randrange(0, 3))
        world.flow(inputs, f"j{chance.randrange(9)}", outputs, **HOW[certainty])
        graph.add_edges_from((a, b, {"level": certainty}) for a in inputs for b in outputs)
        if outputs and chance.random() < 0.6:
            world.column_edge((inputs[0], f"c{k % 3}"), (outputs[0], chance.choice(["c0", "c1", ""])), f"j{k % 9}")
    for name in names:
        world.dataset(name, "c0")
    for domain in ("hr", "sales", "bi"):
        world.domain(domain, *(name for k, name in enumerate(names) if hash_of(name, k) == domain), f"j{len(domain)}")
    return graph


def hash_of(name: str, k: int) -> str:
    """A domain, or none, for a name."""
    return ("hr", "sales", "bi", "")[(len(name) + 3 * k) % 4]


def by_domain(rows: list[Reached]) -> dict[str, int]:
    """Visible rows per domain."""
    return dict(Counter(row.domain for row in rows if not row.id.startswith("hidden (")))


def key(row: Reached) -> tuple[str, str, int]:
    return row.id, row.kind, row.hops


QUESTIONS: list[dict[str, Any]] = [
    {}, {"kinds": "dataset"}, {"kinds": "job,dataset", "domains": "sales,unassigned"}, {"certainty": "certain"},
    {"certainty": "certain,probable", "domains": "bi"}, {"kinds": "column"}, {"kinds": "column,dataset,job"},
    {"kinds": "domain,dataset"}, {"bridge": True}, {"bridge": True, "kinds": "dataset"},
]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_limits_cut_the_full_answer_and_the_frontier_counts_all_of_the_rest(seed: int) -> None:
    chance = random.Random(seed)
    world = World()
    random_world(world, chance)
    lx = Lineage(world.store)
    for question in QUESTIONS:
        ask = chance.choice([lx.impact, lx.provenance])
        node = chance.choice(["dataset:pg:d0", "dataset:pg:d1", "dataset:pg:d2", "column:pg:d1:c0"])
        if "dataset" in node and chance.random() < 0.2 and not question.get("bridge"):
            node = "domain:sales"
        for actor in (LOCAL, EVE):
            if actor is EVE and lx.show(node if node != "domain:sales" else "dataset:pg:d0", actor=EVE).hidden:
                continue
            full = ask(node, actor=actor, facts=False, **question)
            assert not full.partial and full.frontier is None and full.limits == {} and not full.totals.partial
            far = max((row.hops for row in full.nodes), default=0)
            for n in range(far + 2):
                check(full, ask(node, depth=n, actor=actor, facts=False, **question), "depth", n)
                check(full, ask(node, hops=n, actor=actor, facts=False, **question), "hops", n)
            for n in {1, 2, max(1, len(full.nodes) - 1), len(full.nodes) + 1}:
                check(full, ask(node, max_nodes=n, actor=actor, facts=False, **question), "max_nodes", n)
                deep, ring = (
                    ask(node, **{limit: 1}, max_nodes=n, actor=actor, facts=False, **question)
                    for limit in ("depth", "hops")
                )
                near = [row for row in full.nodes if row.hops <= 1]
                assert list(map(key, deep.nodes)) == list(map(key, near[:n]))
                at = [row for row in full.nodes if row.hops == 1]
                assert list(map(key, ring.nodes)) == list(map(key, at[:n]))
                assert_behind(ring, [*at[n:], *(row for row in full.nodes if row.hops > 1)])


def check(full: Answer, cut: Answer, limit: str, n: int) -> None:
    """A limited answer against the same without limits."""
    if limit == "max_nodes":
        kept, rest = full.nodes[:n], full.nodes[n:]
        assert cut.nodes == kept
    else:
        kept = tuple(row for row in full.nodes if (row.hops <= n if limit == "depth" else row.hops == n))
        rest = tuple(row for row in full.nodes if row.hops > n)
        assert list(map(key, cut.nodes)) == list(map(key, kept))
    assert cut.limits == {limit: n} and cut.totals.nodes == len(kept)
    assert cut.verdict == full.verdict or not full.unfiltered
    assert_behind(cut, list(rest))


def assert_behind(cut: Answer, rest: list[Reached]) -> None:
    """Exactly some rows are behind."""
    assert cut.partial == bool(rest) == cut.totals.partial
    if not rest:
        assert cut.frontier is None
        return
    assert cut.frontier is not None and cut.frontier.exact
    assert cut.frontier.domains == by_domain(rest) and cut.frontier.nodes == sum(by_domain(rest).values())
    assert set(cut.frontier.hidden) == {row.id for row in rest if row.id.startswith("hidden (")}


@pytest.mark.parametrize("seed", range(4))
def test_exactly_n_hops_are_the_nodes_that_networkx_has_at_this_distance(seed: int) -> None:
    world = World()
    graph = random_world(world, random.Random(100 + seed))
    lx = Lineage(world.store)
    for certainty in ("certain", "certain,probable", None):
        admitted = certainty.split(",") if certainty else sorted(HOW)
        best = nx.DiGraph((a, b) for a, b, level in graph.edges(data="level") if level in admitted)
        best.add_nodes_from(graph)
        for down in (True, False):
            distance = nx.single_source_shortest_path_length(best if down else best.reverse(), "d0")
            for n in range(1, 6):
                ask = lx.impact if down else lx.provenance
                answer = ask("dataset:pg:d0", hops=n, kinds="dataset", certainty=certainty, facts=False)
                found = {row.id.rpartition(":")[2] for row in answer.nodes}
                assert found == {name for name, far in distance.items() if far == n}
                behind = sum(far > n for far in distance.values())
                assert (answer.frontier.nodes if answer.frontier else 0) == behind


@pytest.fixture
def chain(world: World) -> World:
    """A chain in memory."""
    return make_chain(world)


def make_chain(world: World) -> World:
    """a → b → c → d → e, with columns; hr has c and its job, bi has d and e."""
    for a, b in ("ab", "bc", "cd", "de"):
        world.flow([a], f"{a}_to_{b}", [b], provenance="explicit")
        world.column_edge((a, "x"), (b, "x"), f"{a}_to_{b}")
    world.domain("hr", "c", "b_to_c")
    world.domain("bi", "d", "e")
    return world


def test_every_door_gives_the_same_limited_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "chain.duckdb"
    make_chain(World(_store=Store.open(file))).store.close()
    lx = open_lineage(file)
    api = client_of(lx)
    for limits in ({"hops": 2}, {"max_nodes": 3}, {"depth": 1}, {"hops": 1, "max_nodes": 1}, {"hops": 9}):
        for name in ("impact", "provenance"):
            node = "dataset:pg:a" if name == "impact" else "dataset:pg:e"
            answer = to_json(getattr(lx, name)(node, **limits))
            rest = get(api, f"/api/v2/{name}", node=node, **limits)
            words = [word for key, n in limits.items() for word in (f"--{key.replace('_', '-')}", str(n))]
            assert run([name, node, *words, "--format", "json", "--db", str(file)]) == 0
            typed = json.loads(capsys.readouterr().out)
            for key in ("nodes", "frontier", "partial", "totals", "limits", "unfiltered", "verdict"):
                assert answer[key] == rest[key] == typed[key], key


def test_every_format_says_what_was_cut(chain: World) -> None:
    lx = Lineage(chain.store)
    answer = lx.impact("dataset:pg:a", max_nodes=3, links=True)
    assert answer.frontier == Frontier(5, {"bi": 2, "hr": 1, "unassigned": 2})
    behind = str(answer.frontier)
    for format in FORMATS:
        text = render(answer, format)
        if format in ("json", "openlineage"):
            body = json.loads(text if format == "json" else text.splitlines()[0])
            told = body if format == "json" else body["dataset"]["facets"]["meshline_answer"]
            assert told["partial"] is True and told["frontier"]["nodes"] == answer.frontier.nodes
            assert told["limits"] == {"max_nodes": 3} and told["totals"]["partial"] is True
        elif format == "csv":
            head, *rows = text.splitlines()
            at = head.split(",").index("nodes_behind")
            assert [row.split(",")[at - 1 : at + 1] for row in rows] == [["true", str(answer.frontier.nodes)]] * 3
        else:
            assert f"partial: {behind}" in text and "the totals are of the 3 shown" in text
            assert "limits: max_nodes 3" in text
    graph = nx.read_graphml(io.BytesIO(render(answer, "graphml").encode()))
    assert sum(data["listed"] for _, data in graph.nodes(data=True)) == 3
    nothing = lx.impact("dataset:pg:a", depth=0)
    assert unsaid(nothing, "csv") == (f"partial: {nothing.frontier}",) and not unsaid(answer, "csv")
    assert f"Partial: {behind}. Ask with a greater --max-nodes, or with none." in summary_lines(answer)
    assert any(line.startswith("By hops of what is shown: ") for line in summary_lines(answer))


def test_an_empty_ring_says_what_is_nearer(chain: World) -> None:
    answer = Lineage(chain.store).impact("dataset:pg:d", hops=4)
    assert (answer.nodes, answer.partial, answer.verdict, answer.unfiltered) == ((), False, "found", 2)
    assert summary_lines(answer)[0] == "Nothing at 4 hops; nearer are 2 nodes."


def test_an_answer_is_complete_when_nothing_behind_fits_the_filters(chain: World) -> None:
    lx = Lineage(chain.store)
    assert not lx.impact("dataset:pg:a", depth=3, domains="hr").partial
    assert lx.impact("dataset:pg:a", depth=1, domains="hr").partial
    assert lx.impact("dataset:pg:a", depth=0, domains="hr").verdict == "found"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"hops": -1}, "hops: -1 is negative"), ({"hops": True}, "hops: True is no whole number"),
        ({"depth": True}, "depth: True is no whole number"), ({"depth": 1.5}, "depth: 1.5 is no whole number"),
        ({"max_nodes": 0}, "max_nodes: 0 is below 1"), ({"max_nodes": "3"}, "max_nodes: '3' is no whole number"),
        ({"depth": 1, "hops": 1}, "depth and hops do not go together"),
    ],
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused(chain: World, limits: dict[str, Any], words: str) -> None:
    lx = Lineage(chain.store)
    for ask in (lx.impact, lx.provenance):
        with pytest.raises(UsageError) as caught:
            ask("dataset:pg:a", **limits)
        assert str(caught.value).startswith(words)


def test_depth_of_runs_is_a_number_too(chain: World) -> None:
    with pytest.raises(UsageError, match="depth: True is no whole number"):
        Lineage(chain.store).run_provenance("dataset:pg:e", depth=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hops", "-1"], "--hops: -1 is negative"), (["--max-nodes", "0"], "--max-nodes: 0 is below 1"),
        (["--hops", "1", "--depth", "1"], "--depth and --hops do not go together"),
    ],
)  # fmt: skip
def test_the_command_line_names_its_options(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Store.open(tmp_path / "empty.duckdb").close()
    assert run(["impact", "a", *words, "--db", str(tmp_path / "empty.duckdb")]) == 2
    assert said in capsys.readouterr().err


def test_runs_have_no_rings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["provenance", "a", "--runs", "--hops", "0", "--db", "none.duckdb"]) == 2
    assert "--hops does not go with --runs" in capsys.readouterr().err
