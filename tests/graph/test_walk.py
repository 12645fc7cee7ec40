from __future__ import annotations

import itertools
from datetime import timedelta

import numpy as np
import pytest

from lineage.errors import UsageError
from lineage.graph.choice import searchers
from lineage.graph.level import Adjacency
from tests.graph.world import T0, World


def chain() -> World:
    return World().edge("a", "b").edge("b", "c").edge("c", "d")


def test_hops_count_dataset_steps_in_both_directions(kernels: str) -> None:
    seen = chain().edge("a", "c").load(kernels=kernels)
    assert seen.walk("a").hops == {"b": 1, "c": 1, "d": 2}
    assert seen.walk("d", "upstream").hops == {"c": 1, "a": 2, "b": 2}


def test_depth_n_is_exactly_n_hops_and_names_the_frontier(kernels: str) -> None:
    seen = chain().edge("b", "e").load(kernels=kernels)
    walk = seen.walk("a", depth=1)
    assert walk.hops == {"b": 1}
    assert walk.cut == {"c", "e"}
    assert walk.raw.edges == 1
    assert seen.walk("a", depth=0).hops == {}
    assert seen.walk("a", depth=0).cut == {"b"}


def test_a_depth_that_reaches_the_end_is_not_partial(kernels: str) -> None:
    seen = chain().load(kernels=kernels)
    assert not seen.walk("a", depth=3).raw.partial
    assert not seen.walk("a").raw.partial


def test_max_nodes_keeps_the_nearest_and_names_what_was_left_out(kernels: str) -> None:
    world = World()
    for name in "bcdef":
        world.edge("a", name)
    seen = world.edge("f", "g").load(kernels=kernels)
    full = list(seen.walk("a").hops)
    walk = seen.walk("a", max_nodes=3)
    assert list(walk.hops) == full[:3]
    assert set(full[3:5]) <= walk.cut <= set(full[3:])
    assert seen.walk("a", max_nodes=0).cut == set("bcdef")
    assert not seen.walk("a", max_nodes=6).raw.partial


def test_a_cycle_ends_and_the_source_is_not_its_own_impact(kernels: str) -> None:
    seen = chain().edge("c", "a").load(kernels=kernels)
    assert seen.walk("a").hops == {"b": 1, "c": 2, "d": 3}
    assert seen.walk("a", "upstream").hops == {"c": 1, "b": 2}


def test_a_self_loop_is_kept_and_not_counted(kernels: str) -> None:
    seen = chain().edge("b", "b").load(kernels=kernels)
    assert seen.snapshot.self_loop(seen.index("b"))
    assert not seen.snapshot.self_loop(seen.index("a"))
    walk = seen.walk("a")
    assert walk.hops == {"b": 1, "c": 2, "d": 3}
    assert walk.raw.edges == 3
    assert [e.dst for e in seen.snapshot.neighbours(seen.index("b"), "downstream")] == [seen.index("c")]


def test_a_path_is_as_certain_as_its_weakest_edge(kernels: str) -> None:
    seen = (
        World()
        .edge("a", "b")
        .edge("b", "c", provenance="product")
        .edge("c", "d")
        .edge("d", "e", state="stale")
        .load(kernels=kernels)
    )
    walk = seen.walk("a")
    assert walk.certainty == {"b": "certain", "c": "probable", "d": "probable", "e": "stale"}
    assert (walk.raw.edges, walk.raw.certain_edges) == (4, 2)
    assert seen.walk("a", min_certainty="probable").hops == {"b": 1, "c": 2, "d": 3}
    assert seen.walk("a", min_certainty="certain").hops == {"b": 1}


def test_the_path_of_best_certainty_may_be_longer_than_the_hops(kernels: str) -> None:
    seen = World().edge("a", "c", provenance="sql").edge("a", "b").edge("b", "c").load(kernels=kernels)
    walk = seen.walk("a")
    assert walk.hops == {"b": 1, "c": 1}
    assert walk.certainty["c"] == "certain"
    assert walk.path("c") == ["a", "b", "c"]
    assert walk.path("b") == ["a", "b"]


def test_a_limited_answer_is_the_full_one_cut_short(kernels: str) -> None:
    seen = World().edge("a", "b", state="stale").edge("a", "x").edge("x", "y").edge("y", "b").load(kernels=kernels)
    walk = seen.walk("a", depth=1)
    assert walk.hops == {"b": 1, "x": 1}
    assert walk.certainty["b"] == "certain"
    assert walk.path("b") == ["a", "x", "y", "b"]


def test_of_parallel_rows_the_best_certainty_counts_and_all_jobs_are_named(kernels: str) -> None:
    seen = (
        World()
        .edge("a", "b", job="j()", provenance="product", valid_from=T0 + timedelta(days=1))
        .edge("a", "b", job="k()", provenance="column", state="stale")
        .edge("a", "b", job="l()", provenance="column", valid_from=T0 + timedelta(days=2))
        .load(kernels=kernels)
    )
    walk = seen.walk("a")
    assert walk.certainty == {"b": "certain"}
    assert walk.raw.edges == 1
    (edge,) = seen.snapshot.neighbours(seen.index("b"), "upstream")
    assert (edge.provenance, edge.certainty, edge.valid_from) == ("column", "certain", T0)
    assert {seen.name(j) for j in edge.jobs} == {"j()", "k()", "l()"}
    assert not edge.indirect


def test_several_sources_share_one_walk(kernels: str) -> None:
    seen = World().edge("a", "m").edge("b", "c").edge("c", "m").edge("m", "z").load(kernels=kernels)
    walk = seen.walk(["a", "b"])
    assert walk.hops == {"m": 1, "c": 1, "z": 2}
    assert walk.path("z") == ["a", "m", "z"]
    assert walk.path("c") == ["b", "c"]


def test_blocked_nodes_are_neither_reached_nor_passed(kernels: str) -> None:
    seen = chain().edge("a", "d").load(kernels=kernels)
    walk = seen.walk("a", blocked=["c"])
    assert walk.hops == {"b": 1, "d": 1}
    assert walk.raw.edges == 2
    assert not walk.raw.partial
    assert seen.walk("a", blocked=["c"], depth=1).cut == set()


def test_a_prepared_question_gives_the_nodes_of_a_walk(kernels: str) -> None:
    worlds = [
        chain().edge("b", "e", state="stale").run("j()", ["a"], ["x", "y"]),
        job_flow(),
        World().column_edge("a.x", "b.y").column_edge("b.y", "c.z").column_edge("a.x", "c", type="INDIRECT"),
    ]
    for world in worlds:
        snapshot = world.load(kernels=kernels).snapshot
        barred = np.arange(snapshot.n) == 2
        for direction, level, certainty, blocked in itertools.product(
            ("downstream", "upstream"), ("dataset", "column"), ("certain", "stale"), (None, barred)
        ):
            options = {"level": level, "min_certainty": certainty, "blocked": blocked}
            ask = snapshot.closer(direction, **options)
            for i in range(snapshot.n):
                assert ask(i).tolist() == snapshot.walk([i], direction, **options).nodes.tolist()
            with pytest.raises(UsageError, match="no index of a node"):
                ask(snapshot.n)
            with pytest.raises(UsageError, match="no index of a node"):
                ask(-1)


def test_a_job_downstream_is_its_outputs_and_what_follows(kernels: str) -> None:
    seen = World().run("j()", ["a"], ["b", "c"]).edge("b", "d").load(kernels=kernels)
    walk = seen.walk("j()")
    assert walk.hops == {"b": 0, "c": 0, "d": 1}
    assert walk.path("b") == ["j()", "b"]
    assert walk.path("d") == ["j()", "b", "d"]
    assert walk.certainty["b"] == "certain"
    assert seen.walk("j()", depth=0).hops == {"b": 0, "c": 0}
    assert seen.walk("j()", depth=0).cut == {"d"}
    assert seen.walk("j()", depth=0).raw.edges == 0


def test_a_job_upstream_is_its_inputs_at_one_hop(kernels: str) -> None:
    seen = World().edge("z", "a").run("j()", ["a"], ["b"]).load(kernels=kernels)
    walk = seen.walk("j()", "upstream")
    assert walk.hops == {"a": 1, "z": 2}
    assert walk.path("z") == ["j()", "a", "z"]
    assert seen.walk("j()", "upstream", depth=1).cut == {"z"}
    assert seen.walk("j()", "upstream", depth=0).cut == {"a"}


def test_a_source_that_is_also_an_output_of_a_source_job_is_listed(kernels: str) -> None:
    seen = World().run("j()", ["a"], ["b"]).edge("b", "c").load(kernels=kernels)
    assert seen.walk(["j()", "b"]).hops == {"b": 0, "c": 1}
    assert seen.walk(["b"]).hops == {"c": 1}


def test_a_walk_never_recreates_pairs_through_a_job(kernels: str) -> None:
    seen = (
        World()
        .edge("a", "j()", kind="read", provenance="io")
        .edge("b", "j()", kind="read", provenance="io")
        .edge("j()", "x", kind="write", provenance="io")
        .edge("j()", "y", kind="write", provenance="io")
        .edge("a", "x", job="j()")
        .edge("b", "y", job="j()")
        .load(kernels=kernels)
    )
    assert seen.walk("a").hops == {"x": 1}
    assert seen.walk("y", "upstream").hops == {"b": 1}
    i = seen.index
    assert seen.snapshot.readers(i("a")).tolist() == [i("j()")]
    assert seen.snapshot.writers(i("x")).tolist() == [i("j()")]
    assert sorted(seen.snapshot.inputs(i("j()")).tolist()) == sorted([i("a"), i("b")])
    assert sorted(seen.snapshot.outputs(i("j()")).tolist()) == sorted([i("x"), i("y")])


def job_flow() -> World:
    """a -> j -> k, k writes out; j also reads b and writes side."""
    return (
        World()
        .edge("a", "j()", provenance="explicit")
        .edge("j()", "k()", provenance="explicit")
        .edge("j()", "side", kind="write", provenance="io")
        .edge("k()", "out", kind="write", provenance="io")
        .edge("out", "end")
    )


def test_data_handed_from_job_to_job_arrives_at_the_outputs_of_the_second(kernels: str) -> None:
    seen = job_flow().load(kernels=kernels)
    walk = seen.walk("a")
    assert walk.hops == {"j()": 1, "k()": 2, "out": 2, "end": 3}
    assert walk.path("end") == ["a", "j()", "k()", "out", "end"]
    up = seen.walk("end", "upstream")
    assert up.hops == {"out": 1, "k()": 1, "j()": 2, "a": 3}
    assert up.path("a") == ["end", "out", "k()", "j()", "a"]


def test_what_came_from_a_dataset_does_not_leave_through_the_same_job(kernels: str) -> None:
    seen = job_flow().load(kernels=kernels)
    assert "side" not in seen.walk("a").hops
    assert seen.walk("side", "upstream").hops == {"j()": 0}


def test_a_job_with_explicit_flow_starts_at_its_outputs_and_hands_on(kernels: str) -> None:
    seen = job_flow().load(kernels=kernels)
    walk = seen.walk("j()")
    assert walk.hops == {"side": 0, "k()": 1, "out": 1, "end": 2}
    assert walk.path("out") == ["j()", "k()", "out"]
    assert seen.walk("k()", "upstream").hops == {"j()": 1, "a": 2}


def test_blocking_a_job_cuts_the_explicit_flow_through_it(kernels: str) -> None:
    seen = job_flow().load(kernels=kernels)
    assert seen.walk("a", blocked=["k()"]).hops == {"j()": 1}


def test_an_explicit_flow_in_a_circle_does_not_report_the_source_job(kernels: str) -> None:
    seen = job_flow().edge("k()", "j()").edge("end", "j()").load(kernels=kernels)
    assert seen.walk("j()").hops == {"side": 0, "k()": 1, "out": 1, "end": 2}
    assert seen.walk("a").hops == {"j()": 1, "k()": 2, "out": 2, "side": 3, "end": 3}


def test_control_and_containment_are_not_data_flow(kernels: str) -> None:
    seen = (
        World()
        .run("j()", ["a"], ["b"])
        .edge("j()", "k()", kind="control")
        .edge("dag()", "j()", kind="contains")
        .run("k()", ["b2"], ["c"])
        .load(kernels=kernels)
    )
    assert seen.walk("a").hops == {"b": 1}
    assert seen.snapshot.parents(seen.index("j()")).tolist() == [seen.index("dag()")]
    assert seen.snapshot.children(seen.index("dag()")).tolist() == [seen.index("j()")]


def test_only_rows_visible_at_the_instant_count(kernels: str) -> None:
    day = timedelta(days=1)
    world = World().edge("a", "b", valid_from=T0, valid_to=T0 + day).edge("a", "c", known_from=T0 + 2 * day)
    assert world.load(T0, T0 + day, kernels=kernels).walk("a").hops == {"b": 1}
    assert world.load(T0 + day, T0 + day, kernels=kernels).walk("a").hops == {}
    assert world.load(T0 + day, T0 + 2 * day, kernels=kernels).walk("a").hops == {"c": 1}
    assert world.load(T0 - day, kernels=kernels).walk("a").hops == {}


def test_a_node_is_unknown_before_it_was_learned(kernels: str) -> None:
    world = World()
    world.node("late", known_from=T0 + timedelta(days=1))
    assert world.load(T0, T0, kernels=kernels).snapshot.n == 0
    assert world.load(kernels=kernels).snapshot.n == 1


def test_now_is_not_before_the_newest_event(kernels: str) -> None:
    world = World().edge("a", "b", valid_from=T0.replace(year=2999))
    assert world.load(kernels=kernels).walk("a").hops == {}
    with world.store.transaction() as cursor:
        cursor.execute("INSERT INTO event (event_time, received_at) VALUES (TIMESTAMP '2999-01-02', now())")
    assert world.load(kernels=kernels).walk("a").hops == {"b": 1}


def test_an_edge_to_a_node_nobody_knows_is_counted_and_left_out(kernels: str) -> None:
    world = World().edge("a", "b")
    world.load()
    with world.store.transaction() as cursor:
        cursor.execute("UPDATE edge SET dst = 7")
    seen = world.load(kernels=kernels)
    assert seen.snapshot.dangling == 1
    assert seen.walk("a").hops == {}


def test_bad_questions_get_clear_answers(kernels: str) -> None:
    snapshot = chain().load(kernels=kernels).snapshot
    with pytest.raises(UsageError, match="depth: -1 is negative"):
        snapshot.walk([0], "downstream", depth=-1)
    with pytest.raises(UsageError, match="max_nodes: -5 is negative"):
        snapshot.walk([0], "downstream", max_nodes=-5)
    with pytest.raises(UsageError, match="“sideways” is none of downstream, upstream"):
        snapshot.walk([0], "sideways")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="“sure” is none of certain"):
        snapshot.walk([0], "downstream", min_certainty="sure")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="“job” is none of dataset, column"):
        snapshot.walk([0], "downstream", level="job")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="99 is no index"):
        snapshot.walk([99], "downstream")
    with pytest.raises(KeyError):
        snapshot.walk([0], "downstream").path(0)
    assert snapshot.index(12345) is None


def test_an_empty_store_gives_an_empty_graph(kernels: str) -> None:
    snapshot = World().load(kernels=kernels).snapshot
    assert snapshot.n == 0
    assert len(snapshot.walk([], "downstream")) == 0


def test_a_hub_with_100000_neighbours(kernels: str) -> None:
    world = World()
    world.nodes("hub")
    world.load()
    with world.store.transaction() as cursor:
        cursor.execute(
            "INSERT INTO node SELECT i + 1, 'dataset', 'ns', 'n' || i, '', NULL, TIMESTAMP '2024-01-01' "
            "FROM range(100000) t(i)"
        )
        cursor.execute(
            "INSERT INTO edge SELECT (SELECT id FROM node WHERE name = 'hub'), id, 0, 'lineage', 'explicit', "
            "'current', "
            "NULL, NULL, NULL, TIMESTAMP '2024-01-01', TIMESTAMP '9999-12-31', TIMESTAMP '2024-01-01', "
            "TIMESTAMP '9999-12-31' FROM node WHERE name <> 'hub'"
        )
    seen = world.load(kernels=kernels)
    assert len(seen.walk("hub").raw) == 100_000
    walk = seen.walk("hub", max_nodes=10)
    assert len(walk.raw) == 10
    assert len(walk.raw.cut) == 99_990
    assert len(seen.snapshot.neighbours(seen.index("hub"), "downstream")) == 100_000


def test_a_node_with_a_hundred_thousand_neighbours_is_walked_both_ways(kernels: str) -> None:
    from lineage.graph.level import Edges, csr
    from lineage.graph.search import Start

    many = 100_000
    spokes = np.arange(1, many + 1, dtype=np.uint32)
    hub = np.zeros(many, np.uint32)
    edges = Edges(np.append(hub, spokes), np.append(spokes, hub), np.zeros(2 * many, np.uint8)).distinct(many + 1)
    both = Adjacency(many + 1, csr(edges), None, np.arange(many + 1, dtype=np.uint32))
    search, _ = searchers(both, both, kernels)
    tree = search.bfs(Start.at(np.zeros(1, np.uint32)), 63, -1, -1, None)
    assert tree.levels.tolist() == [0, 1, many + 1]
    far = search.bfs(Start.at(spokes[:1]), 63, -1, -1, None)
    assert far.levels.tolist() == [0, 1, 2, many + 1]
    assert search.path(Start.at(spokes[:1]), spokes[-1:], 63, None).tolist() == [1, 0, many]  # type: ignore[union-attr]


def test_a_prepared_mask_is_what_the_mask_is(kernels: str) -> None:
    seen = chain().edge("a", "x").edge("x", "d").load(kernels=kernels)
    mask = seen.mask(["b"])
    barred = seen.snapshot.bar(mask)
    walks = [seen.snapshot.walk([seen.index("a")], "downstream", blocked=m) for m in (mask, barred, barred)]
    assert [{seen.name(i) for i in w.nodes} for w in walks] == [{"x", "d"}] * 3
    nothing = seen.snapshot.bar(seen.mask([]))
    assert nothing.on("dataset") is None
    assert len(seen.snapshot.walk([seen.index("a")], "downstream", blocked=nothing)) == 4
    with pytest.raises(UsageError, match="one per node"):
        seen.snapshot.bar(mask[1:])


def test_many_closures_at_once_count_what_single_walks_list(kernels: str) -> None:
    world = job_flow().edge("end", "b").edge("b", "c").edge("c", "d").edge("d", "b").edge("c", "e", provenance="sql")
    snapshot = world.load(kernels=kernels).snapshot
    datasets = np.flatnonzero(snapshot.kind == 0)
    for direction in ("downstream", "upstream"):
        for certainty in ("certain", "stale"):
            walks = [snapshot.walk([int(i)], direction, min_certainty=certainty) for i in datasets]
            wanted = [int((snapshot.kind[walk.nodes] == 0).sum()) for walk in walks]
            assert snapshot.closures(datasets, direction, min_certainty=certainty).tolist() == wanted
    assert snapshot.closures([], "downstream").tolist() == []
    with pytest.raises(UsageError, match="indices of datasets"):
        snapshot.closures(np.flatnonzero(snapshot.kind == 1), "downstream")
