"""Ranks, cycles and dead branches are what a plain recomputation says, through every door."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from lineage.actor import Actor
from lineage.change_effects import Change, effects
from lineage.cli import run
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError, UsageError
from lineage.unread import exclusive_ancestors, removal_plan, unread_datasets
from tests.answers.builder import World, at
from tests.answers.test_api import client_of, get


@pytest.fixture
def mesh(world: World) -> World:
    """raw → a → b → end, raw → x → other; b and x also feed both."""
    for flow in ("raw ja a", "a jb b", "b je end", "raw jx x", "x jo other"):
        *inputs, job, output = flow.split()
        world.flow(inputs, job, [output])
    world.domain("sales", "a", "b", "ja", "jb")
    return world


def d(*names: str) -> list[str]:
    return [f"dataset:pg:{name}" for name in names]


def test_the_source_of_everything_is_the_most_critical(mesh: World) -> None:
    answer = Lineage(mesh.store).rank()
    first = answer.found[0]
    assert (first.id, first.downstream, first.dependents, first.criticality) == ("dataset:pg:raw", 5, 5, 100.0)
    assert (answer.nodes, answer.error) == (6, 0.0)
    figures = {r.id: (r.downstream, r.upstream, r.dependents, r.feeders) for r in answer.found}
    assert figures["dataset:pg:b"] == (1, 2, 1, 1) and figures["dataset:pg:end"] == (0, 3, 0, 2)


def test_domains_limit_and_level_choose_the_rows(mesh: World) -> None:
    lx = Lineage(mesh.store)
    assert [r.id for r in lx.rank("upstream", domains="sales").found] == d("b", "a")
    assert len(lx.rank(limit=2).found) == 2
    assert lx.rank(level="column").found == ()


def test_cycles_name_their_datasets_and_jobs(world: World) -> None:
    for flow in ("a j b", "b k a", "b l c", "c m c"):
        source, job, output = flow.split()
        world.flow([source], job, [output])
    lx = Lineage(world.store)
    (cycle,) = lx.cycles().found
    assert (cycle.datasets, cycle.jobs) == (tuple(d("a", "b")), ("job:pg:j", "job:pg:k"))
    assert {r.id: r.cycle for r in lx.rank().found} == {**dict.fromkeys(d("a", "b"), 1), "dataset:pg:c": None}


def test_what_nobody_reads_is_listed_with_what_exists_only_for_it(mesh: World) -> None:
    mesh.flow(["end"], "check", [])
    mesh.assertion(mesh.dataset("end"), "t", "pass", job=mesh.job("check"))
    answer = Lineage(mesh.store).dead()
    assert [(b.id, b.exclusive, b.written) for b in answer.unread] == [
        ("dataset:pg:end", 2, True), ("dataset:pg:other", 1, True),
    ]  # fmt: skip
    assert answer.steps == ()
    assert [b.id for b in Lineage(mesh.store).dead(keep=d("other")).unread] == d("end")


def test_a_removal_takes_readers_before_what_they_read(mesh: World) -> None:
    steps = Lineage(mesh.store).dead(d("end")).steps
    assert [s.id for s in steps] == ["job:pg:je", *d("end"), "job:pg:jb", *d("b"), "job:pg:ja", *d("a")]


def test_what_is_still_read_is_refused_and_a_shared_job_is_named(mesh: World) -> None:
    lx = Lineage(mesh.store)
    with pytest.raises(UsageError, match="still read"):
        lx.dead(d("a"))
    with pytest.raises(UsageError, match="only datasets"):
        lx.dead(["job:pg:ja"])
    mesh.edge(mesh.job("je"), mesh.dataset("more"), job=mesh.job("je"), kind="write", provenance="io")
    answer = Lineage(mesh.store).dead(d("end"))
    assert answer.notes == ("job:pg:je: goes on for other outputs; take dataset:pg:end out of it",)
    assert [s.id for s in answer.steps] == d("end")


def test_hidden_nodes_are_in_no_list(mesh: World) -> None:
    lx, actor = Lineage(mesh.store), Actor("nosy", hidden_domains={"sales"})
    assert {r.id for r in lx.rank(actor=actor).found} == set(d("raw", "end", "x", "other"))
    assert [b.id for b in lx.dead(actor=actor).unread] == d("other")
    assert "dataset:pg:a" not in repr(lx.dead(actor=actor))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"by": "beauty"}, "none of criticality"),
        ({"level": "run"}, "none of dataset, column"),
        ({"limit": 0}, "below 1"),
        ({"domains": "salse"}, "no domain"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(mesh: World, query: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Lineage(mesh.store).rank(**query)


def test_every_door_says_the_same(
    mesh: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = client_of(Lineage(mesh.store))
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(mesh.store))
    assert get(api, "/api/v2/rank", by="upstream", limit=1)["found"][0]["id"] == "dataset:pg:end"
    assert get(api, "/api/v2/cycles")["found"] == []
    assert len(get(api, "/api/v2/dead", node="dataset:pg:end")["steps"]) == 6
    assert api.get("/api/v2/dead", params={"node": "nothing"}).status_code == 404
    assert api.get("/api/v2/rank", params={"by": "beauty"}).status_code == 400
    assert run(["rank", "--limit", "2"]) == run(["rank", "--cycles"]) == run(["dead"]) == run(["dead", *d("end")]) == 0
    out = capsys.readouterr().out
    assert "dataset:pg:raw" in out and "0 cycles" in out and "3 can go" in out
    assert run(["rank", "--by", "beauty"]) == 2


def test_an_empty_database_ranks_nothing(world: World) -> None:
    lx = Lineage(world.store)
    assert (lx.rank().found, lx.cycles().found, lx.dead().unread) == ((), (), ())
    with pytest.raises(UnknownNodeError):
        lx.dead(["a"])


def test_what_lives_in_a_cycle_that_nothing_feeds_depends_on_each_of_its_members(world: World) -> None:
    for flow in ("a j1 b", "b j2 a", "a j3 c", "c j4 d", "d j5 e", "e j6 d"):
        source, job, target = flow.split()
        world.flow([source], job, [target])
    lx = Lineage(world.store)
    found = {row.id[-1]: row for row in lx.rank().found}
    assert {name: (row.dependents, row.feeders) for name, row in found.items()} == {
        "a": (4, 1), "b": (4, 0), "c": (2, 2), "d": (1, 4), "e": (0, 4),
    }  # fmt: skip
    for name in "ab":
        lost = {e.id for e in lx.rehearse(drop=[f"dataset:pg:{name}"]).effects if e.harm == "all"}
        assert len([one for one in lost if one.startswith("dataset")]) == found[name].dependents


# -- properties

NAMES = "abcdefgh"
FLOWS = st.lists(
    st.tuples(st.sets(st.sampled_from(NAMES), max_size=2), st.sets(st.sampled_from(NAMES), min_size=1, max_size=2)),
    max_size=8,
)


@cases(max_examples=30)
@given(FLOWS, st.sets(st.sampled_from(NAMES), max_size=2))
def test_figures_and_removals_hold_against_a_recomputation(
    flows: list[tuple[set[str], set[str]]], wanted: set[str]
) -> None:
    world = World()
    ids = {name: world.dataset(name) for name in NAMES}
    for number, (inputs, outputs) in enumerate(flows):
        world.flow(sorted(inputs), f"j{number}", sorted(outputs))
    lx = Lineage(world.store)
    graph = nx.DiGraph((a, b) for inputs, outputs in flows for a in inputs for b in outputs if a != b)
    graph.add_nodes_from(NAMES)
    for row in lx.rank(limit=100).found:
        name = row.id[-1]
        assert row.downstream == len(nx.descendants(graph, name)) and row.upstream == len(nx.ancestors(graph, name))

    view = lx.view()
    snapshot = view.snapshot
    index = {name: snapshot.index(ids[name]) for name in NAMES}
    figures = {row.id[-1]: row for row in lx.rank(limit=100).found}
    for name in set(NAMES) & figures.keys():
        hits = effects(snapshot, [Change("drop", index[name] or 0)]).values()
        lost = {hit.node for hit in hits if hit.harm == "all" and snapshot.kind[hit.node] == 0}
        assert figures[name].dependents == len(lost)  # those that a rehearsal says lose everything
    unread = {name for name in NAMES if index[name] in unread_datasets(view.instant)}
    assert unread == {name for name in NAMES if not list(graph.successors(name))}
    ends = {index[name] for name in wanted if index[name] is not None}
    served = exclusive_ancestors(view.instant, ends)
    plan = removal_plan(view.instant, ends)
    gone: set[int] = set()
    for i in plan.order:
        if snapshot.kind[i] == 0:
            waiting = {*snapshot.readers(i).tolist(), *snapshot.writers(i).tolist()} - gone
            assert waiting <= {job for job, _ in plan.shared}  # nothing that goes on needs it any more
            assert all(e.dst in served for e in snapshot.neighbours(i, "downstream"))
        gone.add(i)
    assert {i for i in plan.order if snapshot.kind[i] == 0} == set(served)
    world.store.close()


def test_what_was_not_there_yet_is_neither_ranked_nor_unread(mesh: World, capsys: pytest.CaptureFixture[str]) -> None:
    mesh.flow(["end"], "jl", ["later"], valid_from=at("2026-03-01"))
    mesh.dataset("raw", "id")
    mesh.dataset("later", "id")
    mesh.domain("ads", "later", "jl")
    lx = Lineage(mesh.store)
    assert "dataset:pg:later" in {row.id for row in lx.rank().found}
    before = lx.rank(as_of="2026-02-01")
    assert {row.id for row in before.found} == set(d("raw", "a", "b", "x", "end", "other"))
    assert (before.nodes, before.not_yet) == (6, 1)
    assert before.found[0].criticality == 100.0, "of those that were there"
    assert before.remarks() == (
        "6 of 6; counts are exact",
        "1 dataset known today was not there yet at 2026-02-01T00:00:00Z",
    )
    assert [row.id for row in lx.rank(level="column", as_of="2026-02-01").found] == ["column:pg:raw:id"]
    assert lx.rank(as_of="2026-02-01", actor=Actor("eve", frozenset({"ads"}))).not_yet == 0, "hidden"
    assert {branch.id for branch in lx.dead(as_of="2026-02-01").unread} == set(d("end", "other"))
    never = lx.rank(as_of="1990-01-01")
    assert (never.found, never.nodes, never.not_yet) == ((), 0, 7)
    assert never.remarks()[0] == "no dataset was there to rank"
    assert lx.dead(as_of="1990-01-01").unread == ()
    assert get(client_of(lx), "/api/v2/rank", as_of="1990-01-01")["not_yet"] == 7


def test_a_node_that_is_only_named_is_not_said_to_be_absent_once_anything_was_told(world: World) -> None:
    world.dataset("named")
    world.flow(["a"], "j", ["b"])
    world.flow(["late"], "k", ["later"], valid_from=at("2026-03-01"))
    lx = Lineage(world.store)
    assert {row.id for row in lx.rank(as_of="2026-02-01").found} == set(d("a", "b", "named"))
    assert lx.rank(as_of="1990-01-01").found == (), "before the first thing that was told nothing was there"
