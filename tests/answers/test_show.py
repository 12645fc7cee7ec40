"""The page of a node: everything about it, as of any instant."""

from __future__ import annotations

import pytest

from lineage.cli import run
from lineage.engine import Lineage
from tests.answers.builder import World, at


def test_a_dataset_shows_neighbours_jobs_runs_and_numbers(chain: World) -> None:
    orders = chain.dataset("orders", "id")
    for number in range(3):
        start = at(f"2026-01-0{number + 1}")
        run = chain.run("load", f"r{number}", started_at=start, ended_at=start)
        chain.run_io(run, "load", "orders", "out", seen_at=start, last_at=start)
    chain.metric(orders, "row_count", 5, at("2026-01-01"))
    chain.metric(orders, "row_count", 7, at("2026-01-02"))
    chain.assertion(orders, "not_null", "fail", column="id", tested_at=at("2026-01-01"))
    chain.assertion(orders, "not_null", "pass", column="id", tested_at=at("2026-01-02"))
    chain.facet(orders, "documentation", {"description": "Every order"})
    chain.facet(orders, "tags", {"tags": [{"key": "gold", "value": ""}, {"key": "pii", "value": "1", "field": "id"}]})
    detail = Lineage(chain.store).show("orders")
    assert (detail.description, detail.tags, detail.domain) == ("Every order", ("gold",), "sales")
    assert [ref.id for ref in (*detail.upstream, *detail.downstream)] == ["dataset:pg:raw", "dataset:pg:report"]
    assert [ref.id for ref in (*detail.writers, *detail.readers)] == ["job:pg:load", "job:pg:build"]
    assert [run.run_id for run in detail.runs] == ["r2", "r1", "r0"]
    assert detail.metrics == {"row_count": 7}
    assert [(test["name"], test["column"], test["status"]) for test in detail.assertions] == [
        ("not_null", "id", "pass")
    ]
    assert (detail.first_seen, detail.last_seen) == (at("2026-01-01"), at("2026-01-03"))


def test_the_past_shows_what_was_true_then(chain: World) -> None:
    orders = chain.dataset("orders")
    new = at("2026-03-01")
    chain.facet(orders, "documentation", {"description": "old"}, valid_to=new)
    chain.facet(orders, "documentation", {"description": "new"}, valid_from=new)
    lx = Lineage(chain.store)
    assert lx.show("orders").description == "new"
    assert lx.show("orders", as_of="2026-02-01").description == "old"


def test_a_job_shows_its_inputs_outputs_runs_and_family(chain: World) -> None:
    chain.edge(chain.job("dag"), chain.job("load"), kind="contains")
    chain.run("load", "r1", state="FAIL", error="disk full")
    detail = Lineage(chain.store).show("job:pg:load")
    assert [ref.id for ref in (*detail.upstream, *detail.downstream)] == ["dataset:pg:raw", "dataset:pg:orders"]
    assert [ref.id for ref in detail.parents] == ["job:pg:dag"]
    assert [(run.state, run.error) for run in detail.runs] == [("FAIL", "disk full")]
    assert [ref.id for ref in Lineage(chain.store).show("dag").children] == ["job:pg:load"]


def test_a_column_shows_its_type_tags_and_neighbours(world: World) -> None:
    world.facet(world.dataset("a"), "schema", {"fields": [{"name": "x", "type": "INT", "description": "the x"}]})
    world.facet(world.dataset("a"), "tags", {"tags": [{"key": "pii", "value": "true", "field": "x"}]})
    world.column_edge(("a", "x"), ("b", "y"))
    detail = Lineage(world.store).show("column:pg:a:x")
    assert (detail.kind, detail.field, detail.description, detail.tags) == ("column", "x", "the x", ("pii",))
    assert [column.type for column in detail.columns] == ["INT"]
    assert [ref.id for ref in detail.downstream] == ["column:pg:b:y"]


def test_a_facet_that_stands_in_two_places_is_shown_twice(world: World) -> None:
    a = world.dataset("a")
    world.facet(a, "dataQualityMetrics", {"rowCount": 1})
    world.facet(a, "dataQualityMetrics", {"rowCount": 2}, place="inputFacets")
    facets = Lineage(world.store).show("a").facets
    assert facets == {"dataQualityMetrics": {"rowCount": 1}, "inputFacets.dataQualityMetrics": {"rowCount": 2}}


def test_a_self_loop_is_told_on_the_node(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.flow(["a"], "compact", ["a"])
    world.flow(["a"], "copy", ["b"])
    lx = Lineage(world.store)
    assert lx.show("a").self_loop and not lx.show("b").self_loop
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(world.store))
    assert run(["show", "a"]) == 0
    assert "self-loop" in capsys.readouterr().out
