"""Impact and provenance: hops, paths, certainty, jobs, and the three kinds of nothing."""

from __future__ import annotations

import random

import pytest

from lineage.actor import Actor
from lineage.answers import Answer
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.formats import render
from lineage.tables import print_answer
from tests.answers.builder import World, at


def rows(answer: Answer) -> list[tuple[str, int, str]]:
    return [(node.id.removeprefix("dataset:pg:"), node.hops, node.certainty) for node in answer.nodes]


def test_impact_lists_datasets_and_the_jobs_that_read_them(lx: Lineage) -> None:
    answer = lx.impact("raw")
    assert rows(answer) == [
        ("orders", 1, "certain"),
        ("job:pg:load", 1, "certain"),
        ("report", 2, "probable"),
        ("job:pg:build", 2, "certain"),
    ]
    assert answer.nodes[2].path == ("dataset:pg:raw", "dataset:pg:orders", "dataset:pg:report")
    assert (answer.verdict, answer.partial, answer.frontier) == ("found", False, None)


def test_provenance_gives_the_job_the_hops_of_what_it_wrote(lx: Lineage) -> None:
    assert rows(lx.provenance("report")) == [
        ("job:pg:build", 0, "certain"),
        ("orders", 1, "probable"),
        ("job:pg:load", 1, "probable"),
        ("raw", 2, "probable"),
    ]


def test_a_job_counts_as_its_outputs_downstream_and_stands_before_its_inputs_upstream(lx: Lineage) -> None:
    assert rows(lx.impact("job:pg:load")) == [
        ("orders", 0, "certain"),
        ("report", 1, "probable"),
        ("job:pg:build", 1, "certain"),
    ]
    assert rows(lx.provenance("job:pg:build")) == [
        ("orders", 1, "certain"),
        ("job:pg:load", 1, "certain"),
        ("raw", 2, "certain"),
    ]


def test_what_an_explicit_facet_ruled_out_is_not_recreated_through_the_job(world: World) -> None:
    worker = world.job("j")
    a, b, x, y = (world.dataset(name) for name in "abxy")
    for source in (a, b):
        world.edge(source, worker, job=worker, kind="read", provenance="io")
    for target in (x, y):
        world.edge(worker, target, job=worker, kind="write", provenance="io")
    world.edge(a, x, job=worker, provenance="explicit")
    world.edge(b, y, job=worker, provenance="explicit")
    assert rows(Lineage(world.store).impact("a")) == [("x", 1, "certain"), ("job:pg:j", 1, "certain")]


def test_a_limit_says_partial_and_counts_what_lies_behind(lx: Lineage) -> None:
    answer = lx.impact("raw", depth=1)
    assert answer.partial and answer.frontier is not None
    assert answer.frontier.domains == {"bi": 2}  # the report and the job that builds it
    assert not lx.impact("raw", depth=2).partial


def test_a_reader_behind_the_limit_makes_the_answer_partial_too(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    world.flow(["b"], "dashboard", [])
    answer = Lineage(world.store).impact("a", depth=1)
    assert answer.partial and answer.frontier is not None and answer.frontier.nodes == 1


def test_nodes_of_other_domains_are_marked(lx: Lineage) -> None:
    crossing = {node.id: node.crosses_domain for node in lx.impact("orders").nodes}
    assert crossing == {"dataset:pg:report": True, "job:pg:build": True}


def test_stale_edges_stay_in_the_answer_and_are_marked(world: World) -> None:
    world.flow(["a"], "j", ["b"], state="stale", provenance="explicit")
    assert rows(Lineage(world.store).impact("a")) == [("b", 1, "stale"), ("job:pg:j", 1, "stale")]


def test_a_self_loop_is_no_impact(world: World) -> None:
    world.flow(["a"], "compact", ["a"])
    world.flow(["raw"], "load", ["a"])
    answer = Lineage(world.store).impact("a")
    assert rows(answer) == []
    assert answer.verdict == "none"


def test_the_job_of_a_self_loop_is_named_though_it_is_no_impact(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.flow(["a"], "compact", ["a"])
    lx = Lineage(world.store)
    down, up = lx.impact("a", links=True), lx.provenance("a")
    circle = "job:pg:compact reads it to write it again, a circle to itself: no impact on anything else by that"
    use = f"dataset:pg:a: {circle}"
    origin = "dataset:pg:a: is made from itself too, by job:pg:compact"
    assert (down.verdict, down.totals.nodes, down.itself, down.notes) == ("none", 0, ("job:pg:compact",), (use,))
    assert (up.verdict, rows(up), up.notes) == ("found", [("job:pg:compact", 0, "certain")], (origin,))
    assert lx.path("a", "a").notes == (origin,)
    assert lx.dead("a").notes == (use,)
    assert [(e.id, e.harm) for e in lx.rehearse(drop=["a"]).effects] == [("job:pg:compact", "all")]
    assert all("job:pg:compact" in render(down, name) for name in ("json", "md", "mermaid", "graphml", "openlineage"))
    print_answer(down)
    assert "only job:pg:compact, a circle to itself, uses dataset:pg:a" in " ".join(capsys.readouterr().out.split())


def test_of_a_node_that_others_use_too_the_circle_is_a_note_beside_them(world: World) -> None:
    world.flow(["a"], "compact", ["a"])
    world.flow(["a"], "j", ["b"])
    lx = Lineage(world.store)
    answer = lx.impact("a")
    assert rows(answer) == [("b", 1, "probable"), ("job:pg:j", 1, "certain")]
    assert answer.itself == ("job:pg:compact",) and lx.impact("b").itself == ()


def test_a_hidden_job_of_a_circle_is_not_named(world: World) -> None:
    world.flow(["a"], "compact", ["a"])
    world.domain("hr", "compact")
    answer = Lineage(world.store).impact("a", actor=Actor("x", hidden_domains=frozenset({"hr"})))
    assert answer.itself == ("hidden (domain hr)",) and "compact" not in str(answer)


def test_owner_and_aliases_come_with_each_node(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    world.facet(world.dataset("b"), "ownership", {"owners": [{"name": "team:x", "type": "OWNER"}]})
    world.alias(world.dataset("/b", namespace="file"), world.dataset("b"), type="TABLE")
    node = Lineage(world.store).impact("a").nodes[0]
    assert (node.id, node.owner, node.aliases) == ("dataset:pg:b", "team:x", ("dataset:file:/b",))


# -- columns


def test_a_column_reaches_columns_and_datasets_it_affects_as_a_whole(world: World) -> None:
    world.dataset("b", "x", "y")
    world.column_edge(("a", "id"), ("b", "x"))
    world.column_edge(("a", "flag"), ("b", ""), type="INDIRECT", subtype="FILTER")
    lx = Lineage(world.store)
    assert [(n.id, n.kind, n.use) for n in lx.impact("column:pg:a:id").nodes] == [("column:pg:b:x", "column", "direct")]
    found = {(n.id, n.use) for n in lx.impact("column:pg:a:flag").nodes}
    assert ("dataset:pg:b", "indirect") in found
    assert ("column:pg:b:y", "indirect") in found


# -- nothing, in three ways


def test_no_impact_where_the_node_was_seen_well_enough(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    world.run("j")
    answer = Lineage(world.store).impact("b")
    assert (answer.verdict, answer.nodes, answer.blind_spots) == ("none", (), ())


@pytest.mark.parametrize(
    ("node", "spot"),
    [
        ("dataset:pg:named", "known by name only"),
        ("job:pg:reader", "was only ever seen reading"),
        ("job:pg:idle", "was never seen with a dataset"),
        ("job:pg:dag", "ask for one of the 1 jobs it contains"),
        ("dataset:pg:fresh", "no run that touched it has ended yet"),
        ("column:pg:in:c", "2 datasets come from it without telling from which columns"),
    ],
)
def test_nothing_found_but_blind_downstream(world: World, node: str, spot: str) -> None:
    world.dataset("named")
    world.flow(["in"], "reader", [])
    world.flow(["in"], "one", ["x", "y"])
    world.dataset("in", "c")
    world.job("idle")
    world.edge(world.job("dag"), world.job("one"), kind="contains")
    world.flow(["z"], "running", ["fresh"])
    world.run("running", state="START")
    answer = Lineage(world.store).impact(node)
    assert (answer.verdict, answer.nodes) == ("blind", ())
    assert spot in answer.blind_spots[0]


@pytest.mark.parametrize(
    ("node", "verdict", "spot"),
    [
        ("dataset:pg:source", "blind", "no job was ever seen writing it"),
        ("job:pg:extract", "blind", "was only ever seen writing"),
        ("dataset:pg:born", "none", None),
        ("column:pg:out:made", "none", None),
        ("column:pg:mixed:c", "blind", "comes from 1 dataset without telling from which columns"),
    ],
)
def test_nothing_upstream_is_blind_unless_it_was_told_so(
    world: World, node: str, verdict: str, spot: str | None
) -> None:
    world.flow(["source"], "j", ["mixed"])
    world.dataset("mixed", "c")
    world.flow([], "extract", ["landed"])
    world.facet(world.dataset("born"), "lineage", {"inputs": []})
    world.flow(["source"], "k", ["out"], provenance="column")
    world.dataset("out", "made")
    answer = Lineage(world.store).provenance(node)
    assert (answer.verdict, answer.nodes) == (verdict, ())
    assert (spot in answer.blind_spots[0]) if spot else answer.blind_spots == ()


def test_an_answer_names_its_blind_spots_and_counts_what_is_guessed(world: World) -> None:
    worker = world.flow(["a"], "j", ["b"])
    world.run("j", state="START")
    world.facet(worker, "sql", {"query": "insert into b select * from a"})
    answer = Lineage(world.store).provenance("b")
    assert answer.coverage is not None
    assert answer.coverage.datasets_without_writer == ("dataset:pg:a",)
    assert (answer.coverage.edges, answer.coverage.certain_edges) == (1, 0)
    assert (answer.coverage.runs_without_end, answer.coverage.unparsed_sql) == (1, 1)
    assert answer.blind_spots == (
        "dataset:pg:a: no job was ever seen writing it",
        "job:pg:j: has runs that have not ended",
    )


def test_a_job_that_tests_data_is_no_blind_spot(world: World) -> None:
    world.flow(["a"], "load", ["b"])
    tester = world.flow(["b"], "tests", [])
    world.assertion(world.dataset("b"), "not_null", "pass", job=tester)
    lx = Lineage(world.store)
    assert lx.impact("a").blind_spots == ()
    assert lx.impact("job:pg:tests").verdict == "none"


# -- both clocks


def test_as_of_and_known_at_ask_either_clock(world: World) -> None:
    feb, mar = at("2026-02-01"), at("2026-03-01")
    world.flow(["a"], "j", ["b"], valid_from=feb)
    world.flow(["a"], "k", ["c"], valid_from=feb, known_from=mar)
    lx = Lineage(world.store)
    assert [n.id for n in lx.impact("a", as_of="2026-01-15").nodes] == []
    assert len(lx.impact("a", as_of="2026-02-15").nodes) == 4
    assert len(lx.impact("a", as_of="2026-02-15", known_at="2026-02-15").nodes) == 2
    assert len(lx.impact("a", as_of=at("2026-02-15").replace(tzinfo=None)).nodes) == 4


def test_a_time_that_is_none_is_refused(lx: Lineage) -> None:
    with pytest.raises(UsageError, match="as-of: “tomorrow-ish” is no time"):
        lx.impact("raw", as_of="tomorrow-ish")
    with pytest.raises(UsageError, match="negative"):
        lx.impact("raw", depth=-1)


# -- cache


def test_a_change_is_seen_by_the_next_question(chain: World) -> None:
    lx = Lineage(chain.store)
    before = lx.impact("report")
    chain.flow(["report"], "send", ["mail"])
    assert chain.store is lx.store  # writes what waits
    after = lx.impact("report")
    assert before.nodes == () and len(after.nodes) == 2


def test_questions_without_a_change_between_them_share_a_snapshot(lx: Lineage) -> None:
    assert lx.view().snapshot is lx.view().snapshot
    assert lx.view("2026-05-01").snapshot is lx.view("2026-05-01").snapshot
    assert lx.view("2026-05-01").snapshot is not lx.view().snapshot


def test_all_paths_at_once_are_the_paths_one_by_one(world: World) -> None:
    chance = random.Random(5)
    names = [f"d{i}" for i in range(10)]
    for number in range(14):
        source, target, state = chance.choice(names), chance.choice(names), chance.choice(["current", "stale"])
        trust = chance.choice(["explicit", "product"])
        world.flow([source], f"j{number}", [target], provenance=trust, state=state)
        world.edge(world.job(f"j{number}"), world.job(f"j{chance.randrange(number + 1)}"), provenance="explicit")
        column = chance.choice(["x", "y", ""])
        world.column_edge((source, "x"), (target, column), type=chance.choice(["DIRECT", "INDIRECT"]), state=state)
    snapshot = Lineage(world.store).view().snapshot
    for i in range(snapshot.n):
        for direction, level in (("downstream", "dataset"), ("upstream", "dataset"), ("upstream", "column")):
            walk = snapshot.walk([i], direction, level=level)  # type: ignore[arg-type]
            assert walk.paths() == [tuple(walk.path(node)) for node in walk.nodes.tolist()]


# -- counts without rows


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_the_totals_of_the_full_answers(world: World, seed: int) -> None:
    rng = random.Random(seed)
    names = [f"t{i}" for i in range(14)]
    for number in range(16):
        inputs, outputs = rng.sample(names, rng.randint(0, 2)), rng.sample(names, rng.randint(0, 2))
        world.flow(inputs, f"j{number}", outputs, state=rng.choice(["current", "stale"]))
        for a in inputs:
            for b in outputs:
                world.column_edge((a, "c"), (b, "c"), f"j{number}")
    world.domain("sales", "t1", "t2", "j1", "j3")
    for name in names:
        world.dataset(name, "c")
    lx = Lineage(world.store)
    for node in [*(f"dataset:pg:{n}" for n in names), "job:pg:j1", "job:pg:j2", *(f"column:pg:{n}:c" for n in names)]:
        counts = lx.impact_counts(node)
        assert counts.downstream == lx.impact(node).totals
        assert counts.upstream == lx.provenance(node).totals


def test_provenance_lists_runs_without_end_and_datasets_read_in_parts(chain: World) -> None:
    chain.run("load", "r9", state="RUNNING", ended_at=None)
    chain.facet(chain.dataset("raw"), "subset", {"inputCondition": {"type": "location"}}, place="inputFacets")
    spots = Lineage(chain.store).provenance("report").blind_spots
    assert "job:pg:load: has runs that have not ended" in spots
    assert "dataset:pg:raw: only a part of it was read or written" in spots


def test_a_shorter_way_that_only_filters_is_shown_beside_a_use_that_is_direct(world: World) -> None:
    world.flow(["s"], "j", ["m"], provenance="column")
    world.flow(["m"], "k", ["t"], provenance="column")
    world.flow(["s"], "f", ["t"], provenance="column")
    world.column_edge(("s", "x"), ("m", "x"), "j")
    world.column_edge(("m", "x"), ("t", "x"), "k")
    world.column_edge(("s", "x"), ("t", "x"), "f", type="INDIRECT", subtype="FILTER")
    lx = Lineage(world.store)
    found = next(n for n in lx.impact("column:pg:s:x", kinds="column").nodes if n.id == "column:pg:t:x")
    assert (found.hops, found.use, found.subtypes) == (1, "direct", ())
    assert found.path == ("column:pg:s:x", "column:pg:t:x")
