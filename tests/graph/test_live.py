"""The snapshot that follows the store is the one that a new build gives."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.graph import Snapshot, load
from lineage.graph.arrays import CLASS_SHIFT, LANE, VERTEX_MASK
from lineage.graph.level import Csr, Level
from lineage.graph.live import Live
from lineage.graph.rows import RELATIONS
from tests.graph.world import T0, World

DATASETS, JOBS = ("a", "b", "c", "d"), ("load()", "send()", "catalogue()")
SECOND = timedelta(seconds=1)


def lists(level: Level, part: Csr | None) -> dict[Any, list[Any]]:
    """What each vertex leads to, in its order; vertices by what they stand for, not by their numbers."""
    if part is None:
        return {}
    assert part.first + len(part.indptr) - 1 <= len(level.public)
    assert not part.edges or part.indptr[1] > 0 < part.indptr[-1] - part.indptr[-2], "not trimmed"
    assert not part.indices[part.edges :].any()
    assert len(part.indices) == part.edges + LANE

    def name(v: int) -> tuple[int, bool]:
        i = int(level.public[v])
        return i, level.vertex(i) == v

    rows = range(part.first, part.first + len(part.indptr) - 1)
    entries = {v: part.indices[part.indptr[v - part.first] : part.indptr[v - part.first + 1]].tolist() for v in rows}
    return {
        name(v): [(*name(entry & VERTEX_MASK), entry >> CLASS_SHIFT) for entry in some]
        for v, some in entries.items()
        if some
    }


def content(snapshot: Snapshot) -> dict[str, Any]:
    """Everything in a snapshot that an answer can depend on, in plain lists."""
    parts = snapshot.parts()
    found: dict[str, Any] = {"ids": snapshot.ids.tolist(), "loops": parts["self_loops"].tolist()}
    for name in (*RELATIONS, "inflow"):
        rows = getattr(parts["relations"], name)
        plain = [getattr(rows, f.name).tolist() for f in fields(rows) if f.name != "use"]
        use = rows.use and [rows.use.indirect.tolist(), rows.use.masking.tolist()]
        kinds = rows.use and [rows.use.kinds[k] for k in rows.use.kind.tolist()]
        found[name] = (plain, use, kinds)
    for name, level in parts["levels"].items():
        found[f"{name} level"] = [
            lists(level, part) for side in (level.down, level.up) for part in (side.unit, side.zero)
        ]
    found["pairs"] = [(p.forward.tolist(), p.certainty.tolist(), p.backward.tolist()) for p in parts["pairs"]]
    return found


def close(world: World, table: str, number: int, second: int) -> None:
    """Let the ``number``-th open row of a table end to be known."""
    rows = world.store.rows(f"SELECT rowid FROM {table} WHERE known_to = '9999-12-31' ORDER BY rowid")
    if rows:
        row = rows[number % len(rows)][0]
        world.store.rows(f"UPDATE {table} SET known_to = ? WHERE rowid = ?", [T0 + second * SECOND, row])


ends = st.sampled_from(DATASETS)
columns = st.builds("{}.{}".format, ends, st.sampled_from("xy"))
changes = st.one_of(
    st.tuples(st.just("edge"), ends, ends, st.sampled_from(["explicit", "column", "sql"])),
    st.tuples(st.just("run"), ends, ends),
    st.tuples(st.just("read"), ends, st.sampled_from(["load()", "send()"])),
    st.tuples(st.just("handed"), st.sampled_from(JOBS)),
    st.tuples(st.just("column"), columns, st.one_of(columns, ends), st.sampled_from(["DIRECT", "INDIRECT"])),
    st.tuples(st.just("close"), st.sampled_from(["edge", "column_edge"]), st.integers(0, 9)),
    st.tuples(st.just("alias"), ends, ends),
    st.tuples(st.just("nothing")),
)


def apply(world: World, change: tuple[Any, ...], second: int) -> None:
    times = {"known_from": T0 + second * SECOND}
    match change:
        case ("edge", src, dst, provenance):
            world.edge(src, dst, job="load()", provenance=provenance, **times)
        case ("run", src, dst):
            world.edge(src, "load()", job="load()", kind="read", provenance="io", **times)
            world.edge("load()", dst, job="load()", kind="write", provenance="io", **times)
        case ("read", src, job):
            world.edge(src, job, job=job, kind="read", provenance="io", **times)
        case ("handed", teller):
            world.edge("load()", "send()", job=teller, **times)
        case ("column", src, dst, type_):
            world.column_edge(src, dst, type=type_, subtype=type_.lower(), **times)
        case ("close", table, number):
            close(world, table, number, second)
        case ("alias", a, b):
            world.alias(a, b, **times)


@settings(max_examples=settings.default.max_examples // 3)  # six states each, every one built anew to compare with
@given(st.lists(st.lists(changes, max_size=3), max_size=6))
def test_it_equals_a_new_build_after_every_change(batches: list[list[tuple[Any, ...]]]) -> None:
    world = World.reused().nodes(*DATASETS, *JOBS, *(f"{d}.{c}" for d in DATASETS for c in "xy"))
    world.edge("a", "b", job="load()").column_edge("a.x", "b.x", subtype="IDENTITY").load()
    live = Live(world.store, "numpy")
    live.now()
    for second, batch in enumerate(batches, 1):
        for change in batch:
            apply(world, change, second)
        world.load()
        assert content(live.now()) == content(load(world.store, kernels="numpy"))


@pytest.fixture
def world() -> World:
    """Two datasets, their columns and a job, none of them at an edge."""
    return World().nodes("a", "b", "c", "load()", "a.x", "b.x")


def test_what_changes_no_edge_builds_nothing(world: World) -> None:
    world.edge("a", "b").load()
    live = Live(world.store)
    first = live.now()
    world.store.rows("INSERT INTO run (run, known_from, known_to) VALUES (1, '2024-01-02', '9999-12-31')")
    second = live.now()
    assert (live.builds, live.patches) == (1, 0)
    assert second.parts()["levels"] is first.parts()["levels"]
    assert second.as_of > first.as_of


def test_edges_between_known_nodes_are_patched_in_and_a_reader_keeps_what_he_has(world: World) -> None:
    world.edge("a", "b").load()
    live = Live(world.store)
    before = live.now()
    world.edge("b", "c", known_from=T0 + SECOND).load()
    close(world, "edge", 0, 1)
    after = live.now()
    assert (live.builds, live.patches) == (1, 1)
    a, b, c = (before.index(World.key(name).id) for name in "abc")
    assert before.walk([a], "downstream").nodes.tolist() == [b]
    assert after.walk([a], "downstream").nodes.tolist() == []
    assert after.walk([b], "downstream").nodes.tolist() == [c]


@pytest.mark.parametrize("what", ["node", "alias"])
def test_new_nodes_and_new_evidence_are_built_anew(world: World, what: str) -> None:
    world.edge("a", "b").load()
    live = Live(world.store)
    live.now()
    if what == "node":
        world.edge("a", "new", known_from=T0 + SECOND)
    else:
        world.alias("a", "c", known_from=T0 + SECOND)
    world.load()
    assert content(live.now()) == content(load(world.store))
    assert (live.builds, live.patches) == (2, 0)


def test_a_change_that_the_clocks_do_not_show_is_not_missed(world: World) -> None:
    world.edge("a", "b", known_from=T0 + 9 * SECOND).load()
    live = Live(world.store)
    live.now()
    world.edge("b", "c", known_from=T0).load()  # learned earlier than what is there already
    assert content(live.now()) == content(load(world.store))
    assert live.builds == 2


def test_an_edge_that_begins_or_ends_to_hold_by_itself_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from lineage.graph import build

    world.edge("a", "b", valid_from=T0, valid_to=T0 + 10 * SECOND).edge("b", "c", valid_from=T0 + 10 * SECOND).load()
    live = Live(world.store)
    for second, expected in ((5, 0), (15, 1)):
        monkeypatch.setattr(build, "utcnow", lambda second=second: T0 + second * SECOND)
        rows = live.now().parts()["relations"].lineage
        assert rows.src.tolist() == [live.now().index(World.key("ab"[expected]).id)]
    assert (live.builds, live.patches) == (1, 1)
    assert np.array_equal(live.now().ids, load(world.store).ids)
