from __future__ import annotations

import itertools
from datetime import timedelta

from tests.graph.world import T0, World


def test_members_of_a_group_are_one_node_named_after_the_table(kernels: str) -> None:
    seen = (
        World()
        .alias("s3/path", "db-orders", type="TABLE")
        .edge("raw", "s3/path")
        .edge("db-orders", "report")
        .load(kernels=kernels)
    )
    i = seen.index("s3/path")
    assert i == seen.index("db-orders")
    assert seen.snapshot.text(i) == "dataset:ns:db-orders"
    assert seen.snapshot.member_texts(i) == ["dataset:ns:db-orders", "dataset:ns:s3/path"]
    assert seen.snapshot.members(i)[0] == World.key("db-orders").id
    assert seen.walk("raw").hops == {"db-orders": 1, "report": 2}


def test_a_mere_location_comes_last_and_else_the_smallest_text(kernels: str) -> None:
    """The Hive hook sends a table that carries its path: the table is preferred, though its text is greater."""
    seen = World().alias("table", "path", type="LOCATION").alias("c", "b", type="other").load(kernels=kernels)
    assert seen.name(seen.index("path")) == "table"
    assert seen.name(seen.index("c")) == "b"


def test_an_edge_inside_a_group_is_a_self_loop(kernels: str) -> None:
    seen = World().alias("a", "b").edge("a", "b").edge("b", "c").load(kernels=kernels)
    assert seen.snapshot.self_loop(seen.index("a"))
    assert seen.walk("a").hops == {"c": 1}


def test_columns_of_one_field_in_one_group_are_one_node(kernels: str) -> None:
    seen = (
        World()
        .alias("p", "t", type="TABLE")
        .nodes("t.x")
        .column_edge("s.x", "p.x")
        .column_edge("t.x", "u.x")
        .nodes("p.only")
        .load(kernels=kernels)
    )
    assert seen.index("p.x") == seen.index("t.x")
    assert seen.name(seen.index("p.x")) == "t.x"
    assert seen.walk("s.x", level="column").hops == {"t.x": 1, "u.x": 2}
    assert {seen.name(c) for c in seen.snapshot.columns_of(seen.index("t"))} == {"t.x", "t.only"}
    assert seen.snapshot.dataset_of(seen.index("p.only")) == seen.index("t")


def test_edges_at_a_member_that_a_rule_joined_are_at_most_probable(kernels: str) -> None:
    seen = World().alias("A", "a", basis="rule").edge("x", "A").edge("y", "a").edge("y", "b").load(kernels=kernels)
    assert seen.name(seen.index("a")) == "A"
    assert seen.walk("x").certainty == {"A": "certain"}
    assert seen.walk("y").certainty == {"A": "probable", "b": "certain"}


def test_a_rule_is_no_doubt_where_other_evidence_says_the_same(kernels: str) -> None:
    seen = World().alias("A", "a", basis="rule").alias("A", "a").edge("y", "a").load(kernels=kernels)
    assert seen.walk("y").certainty == {"A": "certain"}


def test_a_veto_keeps_two_names_apart_whatever_joins_them(kernels: str) -> None:
    rows = [("a", "b", "symlink"), ("b", "a", "veto"), ("a", "c", "rule"), ("c", "b", "symlink")]
    for order in itertools.permutations(rows):
        world = World()
        for a, b, basis in order:
            world.alias(a, b, basis=basis)
        seen = world.load(kernels=kernels)
        assert seen.index("a") != seen.index("b")
        assert seen.index("c") == seen.index("b"), "the rule gives way to the symlink"


def test_evidence_counts_only_while_it_is_valid(kernels: str) -> None:
    day = timedelta(days=1)
    world = World().alias("old", "new", basis="rename", valid_from=T0 + day)
    before, after = world.load(T0, kernels=kernels), world.load(T0 + day, kernels=kernels)
    assert before.index("old") != before.index("new")
    assert after.index("old") == after.index("new")


def test_a_group_of_many_in_a_row(kernels: str) -> None:
    world = World()
    for k in range(200):
        world.alias(f"d{k:03}", f"d{k + 1:03}")
    seen = world.load(kernels=kernels)
    assert seen.snapshot.n == 1
    assert len(seen.snapshot.members(0)) == 201
    assert seen.snapshot.text(0) == "dataset:ns:d000"
