from __future__ import annotations

import pytest

from tests.graph.world import World


def test_columns_of_a_dataset_are_next_to_each_other(kernels: str) -> None:
    seen = World().nodes("a.x", "a.y", "b.z", "a.w").load(kernels=kernels)
    columns = seen.snapshot.columns_of(seen.index("a")).tolist()
    assert {seen.name(i) for i in columns} == {"a.x", "a.y", "a.w"}
    assert {seen.snapshot.dataset_of(i) for i in columns} == {seen.index("a")}
    assert seen.snapshot.columns_of(seen.index("a.x")).tolist() == []
    assert seen.snapshot.text(seen.index("a.x")) == "column:ns:a:x"
    i = seen.index("a.x")
    assert (seen.snapshot.namespace(i), seen.snapshot.name(i), seen.snapshot.field(i)) == ("ns", "a", "x")
    assert seen.snapshot.texts([i, seen.index("b")]) == ["column:ns:a:x", "dataset:ns:b"]


def test_column_steps_and_direct_use(kernels: str) -> None:
    seen = (
        World()
        .column_edge("a.x", "b.x")
        .column_edge("b.x", "c.x")
        .column_edge("a.k", "c.x", type="INDIRECT", subtype="JOIN")
        .load(kernels=kernels)
    )
    assert seen.walk("a.x", level="column").hops == {"b.x": 1, "c.x": 2}
    assert seen.walk("a.k", level="column").indirect == {"c.x"}
    up = seen.walk("c.x", "upstream", level="column")
    assert up.hops == {"b.x": 1, "a.k": 1, "a.x": 2}
    assert up.indirect == {"a.k"}
    assert seen.walk("c.x", "upstream", level="column", indirect=False).hops == {"b.x": 1, "a.x": 2}


def test_a_node_with_a_direct_way_is_used_directly(kernels: str) -> None:
    seen = (
        World()
        .column_edge("a.x", "c.x", type="INDIRECT")
        .column_edge("a.x", "b.x")
        .column_edge("b.x", "c.x")
        .load(kernels=kernels)
    )
    walk = seen.walk("a.x", level="column")
    assert walk.hops == {"b.x": 1, "c.x": 1}
    assert walk.indirect == set()


def test_a_pair_used_directly_and_indirectly_keeps_the_better_of_each(kernels: str) -> None:
    seen = (
        World()
        .column_edge("a.x", "b.x", provenance="sql")
        .column_edge("a.x", "b.x", type="INDIRECT", subtype="FILTER")
        .load(kernels=kernels)
    )
    walk = seen.walk("a.x", level="column")
    assert walk.certainty == {"b.x": "certain"}
    assert walk.indirect == set()
    assert seen.walk("a.x", level="column", indirect=False).certainty == {"b.x": "probable"}


def test_a_column_that_filters_rows_reaches_all_columns_in_one_hop(kernels: str) -> None:
    seen = (
        World()
        .nodes("b.p", "b.q")
        .column_edge("a.f", "b")
        .column_edge("b.q", "c.q")
        .column_edge("e.g", "a.f")
        .load(kernels=kernels)
    )
    walk = seen.walk("a.f", level="column")
    assert walk.hops == {"b": 1, "b.p": 1, "b.q": 1, "c.q": 2}
    assert walk.indirect == {"b", "b.p", "b.q", "c.q"}
    assert walk.path("c.q") == ["a.f", "b.q", "c.q"]
    assert walk.path("b") == ["a.f", "b"]
    up = seen.walk("c.q", "upstream", level="column")
    assert up.hops == {"b.q": 1, "a.f": 2, "e.g": 3}
    assert up.indirect == {"a.f", "e.g"}
    assert up.path("e.g") == ["c.q", "b.q", "a.f", "e.g"]
    assert seen.walk("b.p", "upstream", level="column", depth=1).cut == {"e.g"}
    assert seen.walk("a.f", level="column", indirect=False).hops == {}


def test_a_dataset_stands_for_its_columns_on_the_column_level(kernels: str) -> None:
    seen = World().column_edge("a.x", "b.x").column_edge("a.y", "b.y").column_edge("z.f", "a").load(kernels=kernels)
    walk = seen.walk("a", level="column")
    assert walk.hops == {"b.x": 1, "b.y": 1}
    assert walk.path("b.y") == ["a", "a.y", "b.y"]
    up = seen.walk("a", "upstream", level="column")
    assert up.hops == {"z.f": 1}
    assert up.path("z.f")[0] == "a"


def test_rows_of_a_dataset_without_known_columns_have_causes_too(kernels: str) -> None:
    seen = World().nodes("b").column_edge("a.f", "b", type="INDIRECT").load(kernels=kernels)
    assert seen.walk("b", "upstream", level="column").hops == {"a.f": 1}
    assert seen.walk("a.f", level="column").hops == {"b": 1}


def test_a_job_stands_for_the_columns_of_what_it_writes_or_reads(kernels: str) -> None:
    seen = World().run("j()", ["a"], ["b"]).column_edge("a.x", "b.x").column_edge("b.x", "c.x").load(kernels=kernels)
    assert seen.walk("j()", level="column").hops == {"b.x": 0, "c.x": 1}
    assert seen.walk("j()", "upstream", level="column").hops == {"a.x": 1}


def test_a_column_stands_for_its_dataset_on_the_dataset_level(kernels: str) -> None:
    seen = World().nodes("a.x").edge("a", "b").load(kernels=kernels)
    assert seen.walk("a.x").hops == {"b": 1}


def test_column_edges_say_how_a_column_is_used(kernels: str) -> None:
    seen = (
        World()
        .column_edge("a.x", "b.x", subtype="TRANSFORMATION", masking=True, job="j()")
        .column_edge("a.k", "b", type="INDIRECT", subtype="JOIN")
        .column_edge("b.x", "c.x", type=None)
        .load(kernels=kernels)
    )
    up = seen.snapshot.neighbours(seen.index("b.x"), "upstream")
    found = {(seen.name(e.src), seen.name(e.dst)): e for e in up}
    direct, join = found["a.x", "b.x"], found["a.k", "b"]
    assert (direct.type, direct.subtype, direct.masking, direct.indirect) == ("DIRECT", "TRANSFORMATION", True, False)
    assert direct.jobs == (seen.index("j()"),)
    assert (join.type, join.subtype, join.indirect) == ("INDIRECT", "JOIN", True)
    (down,) = seen.snapshot.neighbours(seen.index("b.x"), "downstream")
    assert (down.type, down.indirect, seen.name(down.dst)) == (None, False, "c.x")
    inside = seen.snapshot.column_edges([seen.index("a"), seen.index("b")])
    assert {(seen.name(e.src), seen.name(e.dst)) for e in inside} == {("a.x", "b.x"), ("a.k", "b")}


def test_datasets_joined_only_by_filter_columns_are_used_indirectly(kernels: str) -> None:
    seen = (
        World()
        .edge("a", "b", provenance="column")
        .column_edge("a.k", "b.x", type="INDIRECT")
        .edge("b", "c", provenance="column")
        .column_edge("b.x", "c.x")
        .edge("d", "c", provenance="product")
        .load(kernels=kernels)
    )
    assert seen.walk("a").indirect == {"b", "c"}
    assert seen.walk("b").indirect == set()
    assert seen.walk("c", "upstream").indirect == {"a"}


def test_a_column_that_filters_its_own_dataset_reaches_the_other_columns(kernels: str) -> None:
    seen = World().nodes("a.y").column_edge("a.x", "a", type="INDIRECT").load(kernels=kernels)
    assert seen.walk("a.x", level="column").hops == {"a": 1, "a.y": 1}
    assert seen.walk("a", level="column").hops == {}


USES = {
    "b.w": ("DIRECT", "IDENTITY", False),
    "b.x": ("INDIRECT", "CONDITIONAL", True),
    "b.y": ("DIRECT", None, False),
    "b.z": (None, None, False),
}


@pytest.mark.parametrize("odd", [{}, {"c.x": ("indirect", "BY_HAND", True), "c.y": ("DIRECT", "", False)}])
def test_types_and_subtypes_are_shown_as_they_were_told(
    odd: dict[str, tuple[str | None, str | None, bool]], kernels: str
) -> None:
    world, told = World(), USES | odd
    for name, (type_, subtype, _) in told.items():
        world.column_edge("a.x", name, type=type_, subtype=subtype)
    seen = world.load(kernels=kernels)
    edges = seen.snapshot.neighbours(seen.index("a.x"), "downstream")
    assert {seen.name(edge.dst): (edge.type, edge.subtype, edge.indirect) for edge in edges} == told
