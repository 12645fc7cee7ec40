"""A level with some edges put in and taken out is the one that is made of all its edges, but for the numbering."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.graph import Snapshot, load, splice
from lineage.graph.arrays import CLASS_SHIFT, U32, VERTEX_MASK, pair_keys
from lineage.graph.level import Edges, csr
from lineage.graph.live import Live
from lineage.graph.splice import Backs, Change, spliced
from tests.graph.test_live import SECOND, close, content
from tests.graph.world import T0, World

DATASETS = ("a", "b", "c", "d", "e")
JOBS = ("load()", "move()")
COLUMNS = tuple(f"{dataset}.{column}" for dataset in DATASETS for column in "xy")


# -- one adjacency

edge = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5))


@given(st.sets(edge), st.sets(edge))
def test_an_adjacency_is_spliced_into_the_one_that_is_built_of_all_its_edges(
    before: set[tuple[int, ...]], after: set[tuple[int, ...]]
) -> None:
    one, other = (distinct(edges) for edges in (before, after))
    part = csr(one)
    first, pointers, indices = part.first, part.indptr.copy(), part.indices.copy()
    found = spliced(part, Change.between(one, other), place)
    expected = csr(other)
    assert found is not None
    assert (found.first, found.indptr.tolist()) == (expected.first, expected.indptr.tolist())
    assert found.indices.tolist() == expected.indices.tolist()
    assert (part.first, part.indptr.tolist(), part.indices.tolist()) == (first, pointers.tolist(), indices.tolist())


def distinct(edges: set[tuple[int, ...]]) -> Edges:
    src, dst, cls = np.array(sorted(edges), np.uint32).reshape(-1, 3).T
    return Edges(src, dst, cls.astype(np.uint8)).distinct(10)


def place(entry: U32) -> Any:
    return (entry & np.uint32(VERTEX_MASK)).astype(np.int64) * 2 + (entry >> np.uint32(CLASS_SHIFT)) // 3


def test_an_edge_that_is_not_there_cannot_go() -> None:
    part = csr(distinct({(1, 2, 0), (1, 4, 0)}))
    nothing = pair_keys([], [])
    for edges in (
        pair_keys([1], [3]),
        pair_keys([1], [5]),
        pair_keys([9], [2]),
        pair_keys([1], [2 | 1 << CLASS_SHIFT]),
    ):
        assert spliced(part, Change(edges, nothing), place) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20))))
def test_vertices_between_the_ends_of_edges_that_lead_back_are_counted_once(pairs: list[tuple[int, int]]) -> None:
    edges = pair_keys(*np.array(sorted(pairs), np.uint32).reshape(-1, 2).T)
    expected = {v for src, dst in pairs if src > dst for v in range(dst, src + 1)}
    assert Backs.none().more(edges).vertices == len(expected)


def test_an_edge_that_leads_back_already_and_changes_its_class_is_no_new_one() -> None:
    change = Change.between(distinct({(5, 2, 0), (6, 1, 1)}), distinct({(5, 2, 1), (7, 3, 0)}))
    assert change.fresh().tolist() == pair_keys([7], [3]).tolist()


# -- snapshots

ends = st.sampled_from(DATASETS)
columns = st.sampled_from(COLUMNS)
changes = st.one_of(
    st.tuples(
        st.just("edge"),
        ends,
        ends,
        st.sampled_from(["explicit", "column", "product"]),
        st.sampled_from(["current", "stale"]),
    ),
    st.tuples(st.just("flow"), st.sampled_from(DATASETS + JOBS), st.sampled_from(DATASETS + JOBS)),
    st.tuples(st.just("write"), st.sampled_from(JOBS), ends),
    st.tuples(st.just("read"), ends, st.sampled_from(JOBS)),
    st.tuples(
        st.just("column"),
        columns,
        st.one_of(columns, ends),
        st.sampled_from(["DIRECT", "INDIRECT"]),
        st.sampled_from(["current", "stale"]),
    ),
    st.tuples(st.just("close"), st.sampled_from(["edge", "column_edge"]), st.integers(0, 30)),
)


def apply(world: World, change: tuple[Any, ...], second: int) -> None:
    times = {"known_from": T0 + second * SECOND}
    match change:
        case ("edge", src, dst, provenance, state):
            world.edge(src, dst, job="load()", provenance=provenance, state=state, **times)
        case ("flow", src, dst):
            world.edge(src, dst, provenance="explicit", **times)
        case ("write", job, dst):
            world.edge(job, dst, job=job, kind="write", provenance="io", **times)
        case ("read", src, job):
            world.edge(src, job, job=job, kind="read", provenance="io", **times)
        case ("column", src, dst, type_, state):
            world.column_edge(src, dst, type=type_, state=state, **times)
        case ("close", table, number):
            close(world, table, number, second)


def busy(world: World) -> World:
    """Explicit flow of a job, rowsets, an edge that column lineage alone tells of, cycles and all classes."""
    world.nodes(*DATASETS, *JOBS, *COLUMNS)
    world.edge("a", "load()").edge("load()", "move()").edge("move()", "c").edge("move()", "d", kind="write")
    world.edge("a", "b", provenance="column").edge("b", "c", provenance="product").edge("c", "a", state="stale")
    world.column_edge("a.x", "b", type="INDIRECT").column_edge("a.x", "b.x", type="INDIRECT")
    return world.column_edge("b.x", "c.x").column_edge("c.x", "a.x").column_edge("c.y", "c", type="INDIRECT")


def answers(snapshot: Snapshot) -> dict[Any, Any]:
    """What is asked of a graph: walks, paths, closures, neighbours."""
    found: dict[Any, Any] = {}
    for direction in ("downstream", "upstream"):
        for i in range(snapshot.n):
            beside = found["neighbours", direction, i] = snapshot.neighbours(i, direction)
            far = [edge.src if direction == "upstream" else edge.dst for edge in beside]
            assert snapshot.ends(i, direction).tolist() == sorted(set(far))
            if snapshot.kind[i] != 2:
                few = np.array(far[::2], dtype=np.uint32)
                assert snapshot.neighbours(i, direction, few) == [
                    edge for edge, end in zip(beside, far, strict=True) if end in few
                ]
            for level in ("dataset", "column"):
                for options in ({}, {"indirect": False}, {"min_certainty": "certain"}):
                    walk = snapshot.walk([i], direction, level=level, **options)
                    paths = [] if options else [walk.path(j) for j in walk.nodes.tolist()[::3]]
                    key = (direction, i, level, *options)
                    found[key] = (walk.nodes.tolist(), walk.hops.tolist(), walk.certainty.tolist(), paths)
                    found["closer", *key] = sorted(snapshot.closer(direction, level=level, **options)(i).tolist())
        for kind, level in ((0, "dataset"), (2, "column")):
            nodes = np.flatnonzero(snapshot.kind == kind)
            found["closures", direction, level] = snapshot.closures(
                np.repeat(nodes, 8), direction, level=level
            ).tolist()
    return found


@pytest.mark.usefixtures("kernels")
@settings(
    max_examples=max(settings.default.max_examples // 4, 5),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(changes, min_size=1, max_size=4), min_size=1, max_size=5))
def test_every_answer_is_that_of_a_new_build_in_whatever_order_changes_come(
    kernels: str, batches: list[list[tuple[Any, ...]]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splice, "BACK", 1)  # however badly the numbers follow the flow
        world = busy(World.reused())
        world.load()
        live = Live(world.store, kernels)
        live.now()
        for second, batch in enumerate(batches, 1):
            for change in batch:
                apply(world, change, second)
            world.load()
            followed, built = live.now(), load(world.store, kernels=kernels)
            assert content(followed) == content(built)
        assert answers(followed) == answers(built)
        assert live.builds == 1


@pytest.fixture
def world() -> World:
    """A busy world in a store of its own."""
    world = busy(World())
    world.load()
    return world


@pytest.fixture
def any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level is never made anew for its order."""
    monkeypatch.setattr(splice, "BACK", 1)


def follow(world: World, kernels: str, *batches: list[tuple[Any, ...]]) -> tuple[Live, Snapshot, Snapshot]:
    """The snapshot before and after some changes, which is checked against a new build."""
    live = Live(world.store, kernels)
    before = after = live.now()
    for second, batch in enumerate(batches, 1):
        for change in batch:
            apply(world, change, second)
        world.load()
        after = live.now()
    built = load(world.store, kernels=kernels)
    assert content(after) == content(built)
    assert answers(after) == answers(built)
    assert live.builds == 1
    return live, before, after


@pytest.mark.usefixtures("any_order")
def test_vertices_keep_their_numbers_and_readers_their_graph(world: World, kernels: str) -> None:
    then = answers(load(world.store, kernels=kernels))
    new = [
        ("edge", "e", "a", "explicit", "current"),
        ("flow", "d", "move()"),
        ("column", "e.x", "b", "INDIRECT", "stale"),
    ]
    live, before, after = follow(world, kernels, new, [("close", "edge", 5)])
    assert (live.patches, live.reordered) == (2, 0)
    for name in ("dataset", "column"):
        old, now = before.level(name), after.level(name)
        assert now is not old
        assert now.public is old.public
        assert now.vertices is old.vertices
    assert answers(before) == then


@pytest.mark.usefixtures("any_order")
def test_a_level_without_a_change_is_the_old_one_with_its_searches(world: World, kernels: str) -> None:
    _, before, after = follow(world, kernels, [("edge", "d", "e", "explicit", "current")])
    assert after.level("column") is before.level("column")
    assert after._search["column", "upstream"] is before._search["column", "upstream"]
    assert after._search["dataset", "upstream"] is not before._search["dataset", "upstream"]


@pytest.mark.usefixtures("any_order")
def test_column_rows_alone_change_the_class_of_an_edge_between_datasets(world: World, kernels: str) -> None:
    live, before, after = follow(world, kernels, [("column", "a.y", "b.y", "DIRECT", "current")])
    a, b = (before.index(World.key(name).id) for name in "ab")
    assert (live.patches, live.reordered) == (1, 0)
    assert b not in before.walk([a], "downstream", indirect=False).nodes
    assert b in after.walk([a], "downstream", indirect=False).nodes


@pytest.mark.usefixtures("any_order")
def test_what_a_job_reads_may_go_into_what_it_hands_on(world: World, kernels: str) -> None:
    live, before, after = follow(world, kernels, [("read", "e", "load()")])
    e, c = (before.index(World.key(name).id) for name in "ec")
    assert (live.patches, live.reordered) == (1, 0)
    assert c not in before.walk([e], "downstream").nodes
    assert c in after.walk([e], "downstream").nodes


@pytest.mark.usefixtures("any_order")
@pytest.mark.parametrize(
    ("coming", "going"),
    [
        pytest.param([("column", "d.x", "e", "INDIRECT", "current")], [("close", "column_edge", 5)], id="rowset"),
        pytest.param([("flow", "e", "other()")], [("close", "edge", 7)], id="job that is reached"),
        pytest.param([("flow", "other()", "e")], [("close", "edge", 7)], id="job that reaches"),
        pytest.param([("flow", "other()", "other()")], [("close", "edge", 7)], id="job that leads to itself"),
    ],
)
def test_other_helper_vertices_take_a_level_made_anew(
    world: World, kernels: str, coming: list[Any], going: list[Any]
) -> None:
    world.nodes("other()").load()
    live, _, _ = follow(world, kernels, coming, [("write", "other()", "a")], going)
    assert (live.patches, live.reordered) == (3, 2)


def test_a_level_is_numbered_anew_when_edges_lead_back_over_much_of_it(world: World, kernels: str) -> None:
    before = load(world.store, kernels=kernels)
    level = before.level("dataset")
    names = {before.index(World.key(name).id): name for name in DATASETS}
    first, last = (names[int(level.public[v])] for v in np.sort(level.vertices)[[0, -1]])
    live, _, _ = follow(world, kernels, [("edge", last, first, "explicit", "current")])
    assert (live.patches, live.reordered) == (1, 1)


@pytest.mark.usefixtures("any_order")
def test_many_changes_of_a_small_level_take_it_made_anew(
    world: World, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splice, "FEW", 2)
    three = [("edge", src, dst, "explicit", "current") for src, dst in (("d", "e"), ("a", "e"), ("b", "e"))]
    live, _, _ = follow(world, kernels, three)
    assert (live.patches, live.reordered) == (1, 1)
