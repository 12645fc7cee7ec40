"""One instant of a timeline is the snapshot that is built for that instant."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.graph import Snapshot, load, whole
from lineage.graph.snapshot import CertaintyName
from lineage.graph.timeline import Past, Timeline, TooManyChangesError, members
from lineage.graph.timeline import past as past_instants
from lineage.graph.timeline import timeline as whole_timeline
from lineage.graph.ways import between
from lineage.times import OPEN_END
from tests.graph.test_live import content
from tests.graph.world import T0, World

DATASETS = ("a", "b", "c", "d", "e")
JOBS = ("load()", "send()", "take()")
SECOND = timedelta(seconds=1)
LAST = 8

moments = st.integers(0, LAST)
spans = st.tuples(moments, st.one_of(moments, st.just(99)))
datasets = st.sampled_from(DATASETS)
jobs = st.sampled_from(JOBS)
columns = st.builds("{}.{}".format, datasets, st.sampled_from("xy"))
provenances = st.sampled_from(["explicit", "column", "product", "sql"])
states = st.sampled_from(["current", "stale"])
uses, bases = st.sampled_from(["DIRECT", "INDIRECT"]), st.sampled_from(["symlink", "rename", "rule", "veto"])
facts = st.one_of(
    st.tuples(st.just("lineage"), st.one_of(datasets, datasets, jobs), st.one_of(datasets, jobs), provenances, states),
    st.tuples(st.just("lineage"), datasets, datasets, st.just("column"), states),
    st.tuples(st.just("read"), datasets, jobs, st.just("io"), states),
    st.tuples(st.just("handed"), jobs, jobs, jobs, st.just("current")),  # by the third, who told it
    st.tuples(st.just("carried"), datasets, datasets, jobs, states),
    st.tuples(st.just("write"), jobs, datasets, st.just("io"), states),
    st.tuples(st.sampled_from(["control", "contains"]), jobs, jobs, st.just("io"), states),
    st.tuples(
        st.just("column"),
        columns,
        st.one_of(columns, columns, datasets),
        st.sampled_from(["DIRECT", "INDIRECT"]),
        states,
    ),
    st.tuples(
        st.just("alias"), datasets, datasets, st.sampled_from(["symlink", "rename", "rule", "veto"]), st.just("")
    ),
    st.tuples(st.sampled_from(["manual", "refuted"]), datasets, datasets, st.just(""), st.just("")),
)


def moment(second: int) -> datetime:
    return OPEN_END if second == 99 else T0 + second * SECOND


def told(history: list[tuple[tuple[int, int], tuple[str, ...]]]) -> World:
    """A world in which each fact holds over its span."""
    world = World.reused().nodes(*DATASETS, *JOBS, *(f"{d}.{c}" for d in DATASETS for c in "xy"))
    world.store.rows("DELETE FROM edge_mark")
    for (begin, end), (what, src, dst, how, state) in history:
        times = {"valid_from": moment(begin), "valid_to": moment(end)}
        if what == "column":
            world.column_edge(src, dst, type=how, subtype=how.lower(), state=state, job="load()", **times)
        elif what == "alias":
            world.alias(src, dst, basis=how, **times)
        elif what in ("manual", "refuted"):
            world.store.rows(
                "INSERT INTO edge_mark VALUES (?, ?, ?, 'me', '', ?, ?, ?, ?)",
                [world.key(src).id, world.key(dst).id, what, *times.values(), T0, OPEN_END],
            )
        elif what in ("handed", "carried"):
            provenance = "explicit" if what == "handed" else "product"
            world.edge(src, dst, provenance=provenance, state=state, job=how, **times)
        else:
            job = "load()" if what == "lineage" and how != "explicit" else None
            world.edge(src, dst, kind=what, provenance=how, state=state, job=job, **times)
    return world


def walks(snapshot: Snapshot, certainty: CertaintyName, indirect: bool) -> list[Any]:
    """What walks from every node find, without the order of equals."""
    found: list[Any] = []
    for direction, level in itertools.product(("downstream", "upstream"), ("dataset", "column")):
        asked: dict[str, Any] = {"level": level, "min_certainty": certainty, "indirect": indirect}
        ask = snapshot.closer(direction, **asked)
        for i in range(snapshot.n):
            walk = snapshot.walk([i], direction, **asked)
            told = [values.tolist() for values in (walk.hops, walk.nodes, walk.certainty, walk.indirect)]
            paths = [(path[0], path[-1], len(path)) for path in walk.paths()]
            assert paths == [(path[0], path[-1], len(path)) for path in map(walk.path, walk.nodes.tolist())]
            found.append((sorted(zip(*told, strict=True)), sorted(paths), walk.edges, walk.certain_edges))
            found.append(sorted(ask(i).tolist()))
            few = snapshot.walk([i], direction, depth=1, **asked)
            found.append((sorted(few.nodes.tolist()), few.cut.tolist(), few.partial))
    return found


def looks(snapshot: Snapshot) -> list[Any]:
    """What is told of single nodes and edges."""
    found: list[Any] = [snapshot.n, snapshot.ids.tolist(), snapshot.dangling, snapshot.edge_rows]
    for i in range(snapshot.n):
        found.append((snapshot.text(i), snapshot.members(i), snapshot.self_loop(i), snapshot.columns_of(i).tolist()))
        found += [sorted(map(repr, snapshot.neighbours(i, d))) for d in ("downstream", "upstream")]
        found += [f(i).tolist() for f in (snapshot.readers, snapshot.writers, snapshot.parents, snapshot.children)]
        found += [f(i).tolist() for f in (snapshot.inputs, snapshot.outputs)]
    found.append(sorted(map(repr, snapshot.column_edges(range(snapshot._nodes.datasets)))))
    return found


def compare(world: World, timeline: Timeline, second: float, kernels: str | None, *asked: Any) -> None:
    at = T0 + second * SECOND
    one, other = timeline.at(at), load(world.store, at, kernels=kernels)
    assert looks(one) == looks(other)
    assert walks(one, *asked) == walks(other, *asked)
    assert content(one) == content(other)
    everybody = np.arange(other._nodes.datasets)
    assert one.closures(everybody, "upstream").tolist() == other.closures(everybody, "upstream").tolist()


handings = st.one_of(
    st.tuples(st.just("read"), datasets, jobs, st.just("io"), states),
    st.tuples(st.just("write"), jobs, datasets, st.sampled_from(["io", "explicit"]), states),
    st.tuples(st.just("handed"), st.just("send()"), st.just("take()"), jobs, states),
    st.tuples(st.just("carried"), datasets, datasets, st.just("send()"), states),
)


@settings(max_examples=settings.default.max_examples // 3)
@given(
    st.lists(st.tuples(spans, st.one_of(facts, facts, handings)), max_size=14),
    st.lists(st.integers(-1, 2 * LAST + 1), min_size=2, max_size=2),
    st.sampled_from(["certain", "probable", "stale"]),
    st.booleans(),
)
def test_every_instant_equals_a_snapshot_built_for_it(
    history: list[Any], halves: list[int], certainty: CertaintyName, indirect: bool
) -> None:
    world = told(history)
    world.load()
    for kernels in ("numpy", None):
        timeline = Timeline.read(world.store, kernels=kernels)
        for half in halves:
            compare(world, timeline, half / 2, kernels, certainty, indirect)


def test_groups_of_names_change_within_a_timeline_and_edges_move_with_them() -> None:
    """``old`` becomes ``new`` at second 4; what was told of either is told of the one node that there is then."""
    world = World().nodes("old", "new", "report", "old.x", "new.x", "report.x")
    world.edge("old", "report", valid_to=moment(6)).edge("new", "report", valid_from=moment(6))
    world.column_edge("old.x", "report.x", valid_to=moment(6)).column_edge("new.x", "report.x", valid_from=moment(6))
    world.alias("new", "old", basis="rename", valid_from=moment(4)).load()
    timeline = Timeline.read(world.store)
    for second in (0, 3.5, 4, 5, 6, 9):
        compare(world, timeline, second, None, "stale", True)
    before, after = timeline.at(moment(1)), timeline.at(moment(5))
    assert (before.n, after.n) == (6, 4)


def test_an_edge_told_by_columns_is_a_filter_only_while_all_of_them_are() -> None:
    world = World().nodes("a", "b", "a.x", "a.y", "b.x")
    world.edge("a", "b", provenance="column")
    world.column_edge("a.y", "b", type="INDIRECT").column_edge("a.x", "b.x", valid_from=moment(3), valid_to=moment(5))
    world.load()
    timeline = Timeline.read(world.store)
    found = []
    for second in range(7):
        seen = timeline.at(moment(second))
        a = seen.index(world.key("a").id)
        assert a is not None
        found.append(len(seen.walk([a], "downstream", indirect=False)))
    assert found == [0, 0, 0, 1, 1, 0, 0]


def test_a_job_has_ports_only_while_it_is_in_explicit_flow() -> None:
    """Else a job that is both a source and a target would be on a way to itself."""
    world = World().nodes("a", "load()", "send()")
    world.edge("load()", "send()", valid_from=moment(3), valid_to=moment(5))
    world.edge("send()", "a", kind="write", provenance="io").load()
    timeline = Timeline.read(world.store)
    found = []
    for second in (2, 3, 5):
        one, other = timeline.at(moment(second)), load(world.store, moment(second))
        jobs = one.indices([world.key(name).id for name in ("load()", "send()")]).tolist()
        ways = [between(seen, jobs, jobs) for seen in (one, other)]
        assert ways[0].nodes.tolist() == ways[1].nodes.tolist()
        found.append(len(ways[0].nodes))
    assert found == [0, 2, 0]


def test_the_first_instants_are_loaded_and_the_next_ones_share_a_timeline() -> None:
    world = World().nodes("a", "b", "c")
    world.edge("a", "b", valid_from=moment(2)).load()
    past = Past(world.store)
    assert [past.at(moment(s)).edge_rows for s in (1, 2, 1, 2)] == [0, 1, 0, 1]
    assert past.builds == 0
    assert [past.at(moment(s)).edge_rows for s in (3, 1, 2)] == [1, 0, 1]
    assert past.builds == 1
    world.store.rows("INSERT INTO run (run, known_from, known_to) VALUES (1, '2024-01-02', '9999-12-31')")
    assert past.at(moment(5)).edge_rows == 1 and past.builds == 1  # a run of known jobs changes no edge
    world.edge("b", "c", valid_from=moment(1)).load()
    assert [past.at(moment(s)).edge_rows for s in (1, 2)] == [1, 2]
    assert past.builds == 1
    assert past.at(moment(3)).edge_rows == 2 and past.builds == 2


def test_what_was_known_at_a_past_time_has_a_timeline_of_its_own_that_stays() -> None:
    world = World().nodes("a", "b", "c")
    world.edge("a", "b", known_to=moment(5)).edge("b", "c", known_from=moment(5)).load()
    past = Past(world.store)
    for known, ends in ((moment(4), "ab"), (moment(6), "bc")):
        for second in range(4):
            seen, built = past.at(moment(second), known), load(world.store, moment(second), known)
            assert content(seen) == content(built)
            assert seen.known_at == known
            pair = tuple(seen.indices([world.key(name).id for name in ends]).tolist())
            assert [(e.src, e.dst) for e in whole.edges_between(seen, [pair])] == [pair]
    assert past.builds == 2
    world.edge("a", "c", known_from=moment(8)).load()
    assert past.at(moment(7), moment(6)).edge_rows == 1 and past.builds == 2


def test_at_one_version_the_store_is_not_looked_at_again() -> None:
    world = World().nodes("a", "b")
    world.edge("a", "b").load()
    past = Past(world.store)
    assert [past.at(moment(s), version=1).edge_rows for s in range(4)] == [1, 1, 1, 1]
    world.edge("b", "a").load()
    assert past.at(moment(5), version=1).edge_rows == 1
    assert past.at(moment(5), version=2).edge_rows == 2


def test_a_store_whose_names_changed_too_often_is_asked_instant_by_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MOST", 1)
    world = World().nodes("a", "b", "c")
    world.edge("a", "c").alias("a", "b", valid_from=moment(2)).load()
    with pytest.raises(TooManyChangesError, match="changed so often"):
        Timeline.read(world.store)
    past = Past(world.store)
    assert [past.at(moment(s)).n for s in (0, 1, 2, 3, 4)] == [3, 3, 2, 2, 2]
    assert past.builds == 0
    monkeypatch.undo()
    assert [past.at(moment(s)).n for s in (5, 6, 7)] == [2, 2, 2] and past.builds == 0  # not tried at this state again
    world.edge("b", "c").load()
    assert [past.at(moment(s)).n for s in (5, 6, 7)] == [2, 2, 2] and past.builds == 1


def test_more_rows_than_a_timeline_takes_are_asked_instant_by_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (past_instants, whole_timeline):
        monkeypatch.setattr(module, "MOST", 1)
    world = World().nodes("a", "b", "c")
    world.edge("a", "c").edge("b", "c").load()
    with pytest.raises(TooManyChangesError, match="2 edge rows"):
        Timeline.read(world.store)
    past = Past(world.store)
    assert [past.at(moment(s)).edge_rows for s in range(4)] == [2, 2, 2, 2]
    assert past.builds == 0


def test_evidence_that_is_told_over_and_over_is_limited_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 rows for one pair: 122 stays, but 1,830 rows in them."""
    monkeypatch.setattr(members, "MOST", 1_000)
    world = World().nodes("a", "b")
    for second in range(60):
        world.alias("a", "b", valid_from=moment(second))
    world.load()
    with pytest.raises(TooManyChangesError, match=r"1,830 pieces of evidence"):
        Timeline.read(world.store)


def test_rows_with_an_end_that_is_no_node_count_as_dangling_while_they_hold() -> None:
    world = World().nodes("a", "b")
    world.edge("a", "b", valid_to=moment(3)).load()
    world.store.rows("DELETE FROM node WHERE name = 'b'")
    timeline = Timeline.read(world.store)
    assert [timeline.at(moment(s)).dangling for s in (0, 2, 3)] == [1, 1, 0]
