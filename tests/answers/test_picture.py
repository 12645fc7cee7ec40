"""Pictures: the right cards, the right arrows, and honest counts where they end."""

from __future__ import annotations

import pytest

from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.graph.rows import EdgeRows
from lineage.pictured import Picture
from tests.answers.builder import World, at


def cards(picture: Picture) -> dict[str, tuple[str, int]]:
    return {node.id.split(":", 2)[2]: (node.side, node.hops) for node in picture.nodes}


def arrows(picture: Picture) -> set[tuple[str, str]]:
    return {(edge.src.split(":", 2)[2], edge.dst.split(":", 2)[2]) for edge in picture.edges}


def test_one_hop_on_both_sides_with_counts_on_what_is_cut(chain: World) -> None:
    chain.flow(["report"], "send", ["mail", "post"])
    picture = Lineage(chain.store).picture("orders")
    assert cards(picture) == {"orders": ("focus", 0), "raw": ("upstream", 1), "report": ("downstream", 1)}
    assert arrows(picture) == {("raw", "orders"), ("orders", "report")}
    cut = {node.name: (node.cut_upstream, node.cut_downstream) for node in picture.nodes}
    assert cut == {"orders": (0, 0), "raw": (0, 0), "report": (0, 2)}
    assert picture.partial and picture.frontier is not None and picture.frontier.nodes == 2
    edge = next(edge for edge in picture.edges if edge.dst == "dataset:pg:report")
    assert (edge.crosses_domain, edge.certainty, edge.jobs) == (True, "probable", ("job:pg:build",))


def test_jobs_stand_between_their_datasets(lx: Lineage) -> None:
    picture = lx.picture("orders", jobs=True)
    assert arrows(picture) == {("raw", "load"), ("load", "orders"), ("orders", "build"), ("build", "report")}


def test_a_reader_without_outputs_has_a_card_when_jobs_are_shown(world: World) -> None:
    world.flow(["a"], "dashboard", [])
    assert "dashboard" in cards(Lineage(world.store).picture("a", jobs=True))


def test_a_job_in_focus_stands_between_its_inputs_and_outputs(lx: Lineage) -> None:
    picture = lx.picture("job:pg:build")
    assert cards(picture) == {"build": ("focus", 0), "orders": ("upstream", 1), "report": ("downstream", 1)}
    assert arrows(picture) == {("orders", "build"), ("build", "report")}


def test_the_nearest_cards_are_kept_when_there_are_too_many(world: World) -> None:
    world.flow(["hub"], "j", [f"d{i}" for i in range(9)])
    picture = Lineage(world.store).picture("hub", max_nodes=4)
    assert len(picture.nodes) == 4
    assert picture.partial and picture.frontier is not None and picture.frontier.nodes == 6
    assert next(node for node in picture.nodes if node.name == "hub").cut_downstream == 6


def test_a_cycle_puts_a_card_on_both_sides(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    world.flow(["b"], "k", ["a"])
    assert cards(Lineage(world.store).picture("a")) == {"a": ("focus", 0), "b": ("both", 1)}


def test_a_self_loop_is_marked_and_not_drawn(world: World) -> None:
    world.flow(["a"], "j", ["a"])
    picture = Lineage(world.store).picture("a")
    assert picture.edges == () and picture.nodes[0].self_loop


def test_columns_come_in_schema_order_with_their_facts(world: World) -> None:
    world.dataset("a", "gone", "b", "c")  # "gone" belongs to another schema
    fields = [{"name": "c", "type": "INT"}, {"name": "b", "type": "STRUCT", "fields": [{"name": "x", "type": "TEXT"}]}]
    world.node("column", "a", "b.x")
    world.facet(world.dataset("a"), "schema", {"fields": fields})
    world.facet(world.dataset("a"), "tags", {"tags": [{"key": "pii", "value": "true", "field": "c"}]})
    world.column_edge(("a", "c"), ("d", "y"))
    node = next(n for n in Lineage(world.store).picture("a", columns=True).nodes if n.name == "a")
    assert [(c.name, c.type, c.tags, c.downstream) for c in node.columns] == [
        ("c", "INT", ("pii",), 1),
        ("b", "STRUCT", (), 0),
        ("b.x", "TEXT", (), 0),
    ]


def test_columns_of_chosen_datasets_only(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    world.dataset("a", "x")
    world.column_edge(("a", "x"), ("b", "y"), "j")
    picture = Lineage(world.store).picture("a", columns={"dataset:pg:b"})
    shown = {node.name: len(node.columns) for node in picture.nodes}
    assert shown == {"a": 0, "b": 1} and picture.column_edges == ()


def test_a_column_trace_shows_the_whole_way_and_traced_columns_only(world: World) -> None:
    for source, target in (("a", "b"), ("b", "c"), ("c", "d")):
        world.flow([source], f"to_{target}", [target], provenance="column")
        world.column_edge((source, "x"), (target, "x"), f"to_{target}")
        world.column_edge((source, "other"), (target, "other"), f"to_{target}")
    picture = Lineage(world.store).column_trace("column:pg:b:x")
    assert cards(picture) == {
        "b": ("focus", 0), "a": ("upstream", 1), "c": ("downstream", 1), "d": ("downstream", 2),
    }  # fmt: skip
    assert {column.name for node in picture.nodes for column in node.columns} == {"x"}
    steps = sorted((edge.src[-1], edge.dst[-1]) for edge in picture.column_edges)
    assert steps == [("a", "b"), ("b", "c"), ("c", "d")]
    assert arrows(picture) == {("a", "b"), ("b", "c"), ("c", "d")}


def test_the_state_of_the_last_run_stands_on_the_card(world: World) -> None:
    world.flow(["a"], "j", ["b"])
    for number, (day, state) in enumerate((("2026-01-01", "COMPLETE"), ("2026-01-02", "FAIL"))):
        run = world.run("j", str(number), state=state, started_at=at(day), ended_at=at(day))
        world.run_io(run, "j", "b", "out")
    status = {node.name: node.status for node in Lineage(world.store).picture("b", jobs=True).nodes}
    assert status == {"a": None, "j": "FAIL", "b": "FAIL"}


@pytest.mark.parametrize("wrong", [{"upstream": -1}, {"downstream": -2}, {"max_nodes": 0}, {"max_nodes": 10**6}])
def test_a_scope_that_makes_no_sense_is_refused(lx: Lineage, wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        lx.picture("orders", **wrong)  # type: ignore[arg-type]


def test_a_trace_of_something_else_than_a_column_is_refused(lx: Lineage) -> None:
    with pytest.raises(UsageError, match="is no column"):
        lx.column_trace("orders")


def test_the_edges_of_a_hub_that_are_not_drawn_are_not_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    leaves = [f"t{k}" for k in range(500)]
    world.flow(["hub"], "fan", leaves)
    world.flow(leaves, "collect", ["sink"])
    lx = Lineage(world.store)
    looked: list[int] = []
    view = EdgeRows._view
    monkeypatch.setattr(EdgeRows, "_view", lambda rows, a, b: looked.append(a) or view(rows, a, b))
    drawn = lx.picture("dataset:pg:t7", upstream=1, downstream=1)
    assert {(edge.src, edge.dst) for edge in drawn.edges} == {
        ("dataset:pg:hub", "dataset:pg:t7"), ("dataset:pg:t7", "dataset:pg:sink")
    }  # fmt: skip
    cut = {node.name: (node.cut_upstream, node.cut_downstream) for node in drawn.nodes}
    assert cut == {"hub": (0, 499), "t7": (0, 0), "sink": (499, 0)}
    assert len(looked) < 10
    assert len(lx.show("dataset:pg:hub").downstream) == 500
    assert len(looked) < 10
