"""Filters: which the path has to respect, which only report, and what lies on another level."""

from __future__ import annotations

import pytest

from lineage.actor import Actor
from lineage.answers import Answer
from lineage.engine import Lineage
from lineage.errors import UnknownNodeError, UsageError
from tests.answers.builder import World
from tests.answers.test_api import client_of


def ids(answer: Answer) -> list[str]:
    return [node.id.replace("dataset:pg:", "").replace("column:pg:", "") for node in answer.nodes]


@pytest.fixture
def columns(world: World) -> World:
    """a → b → c with columns: a.k filters b, a.v becomes b.v and then c.v."""
    world.flow(["a"], "j", ["b"], provenance="column")
    world.flow(["b"], "k", ["c"], provenance="column")
    world.column_edge(("a", "v"), ("b", "v"), "j")
    world.column_edge(("a", "k"), ("b", ""), "j", type="INDIRECT", subtype="FILTER")
    world.column_edge(("a", "k"), ("b", ""), "j", type="INDIRECT", subtype="JOIN")
    world.column_edge(("b", "v"), ("c", "v"), "k")
    world.dataset("b", "w")
    return world


def test_a_domain_only_reports_and_the_walk_passes_through_other_domains(asked: Lineage) -> None:
    answer = asked.impact("raw", domains="bi")
    assert ids(answer) == ["report", "job:pg:build"]
    assert answer.nodes[0].path == ("dataset:pg:raw", "dataset:pg:orders", "dataset:pg:report")
    assert (answer.unfiltered, answer.totals.nodes, answer.totals.by_domain) == (4, 2, {"bi": 2})


def test_a_kind_only_reports_too(asked: Lineage) -> None:
    assert ids(asked.impact("raw", kinds=["dataset"])) == ["orders", "report"]
    assert ids(asked.impact("raw", kinds="job")) == ["job:pg:load", "job:pg:build"]


def test_certainty_stops_the_walk(world: World) -> None:
    world.flow(["a"], "guess", ["b"])
    world.flow(["b"], "sure", ["c"], provenance="explicit")
    world.flow(["a"], "way", ["x"], provenance="explicit")
    world.flow(["x"], "round", ["c"], provenance="explicit")
    lx = Lineage(world.store)
    found = {node.id: node.hops for node in lx.impact("a", certainty="certain", kinds="dataset").nodes}
    assert found == {"dataset:pg:x": 1, "dataset:pg:c": 2}
    only_guesses = lx.impact("a", certainty="probable", kinds="dataset")
    assert ids(only_guesses) == ["b"] and only_guesses.unfiltered == 7


def test_certainty_holds_for_the_arrows_to_jobs(world: World) -> None:
    world.flow(["a"], "gone", ["b"], provenance="explicit", state="stale")
    assert ids(Lineage(world.store).impact("a", certainty="certain,probable")) == []
    assert ids(Lineage(world.store).impact("a", certainty="stale")) == ["b", "job:pg:gone"]


def test_an_answer_that_filters_left_empty_is_not_no_impact(asked: Lineage) -> None:
    answer = asked.impact("orders", certainty="certain", kinds="dataset")
    assert (answer.nodes, answer.verdict, answer.unfiltered) == ((), "found", 2)


def test_a_product_is_said_not_to_be_declared(asked: Lineage) -> None:
    answer = asked.impact("raw", kinds="product")
    assert answer.nodes == () and answer.notes == (
        "No data product is declared in this database, so none can be listed.",
    )


def test_a_column_of_a_dataset(columns: World) -> None:
    lx = Lineage(columns.store)
    assert ids(lx.impact("a", column="v")) == ["b:v", "c:v"]
    assert lx.impact("a", column="v").nodes == lx.impact("column:pg:a:v").nodes
    assert sorted(ids(lx.provenance("c", column="v"))) == ["a:k", "a:v", "b:v"]


def test_indirect_use_names_its_subtypes(columns: World) -> None:
    rows = {n.id: (n.use, n.subtypes) for n in Lineage(columns.store).impact("a", column="k").nodes}
    assert rows["dataset:pg:b"] == ("indirect", ("FILTER", "JOIN"))
    assert rows["column:pg:b:v"] == ("indirect", ("FILTER", "JOIN"))
    assert rows["column:pg:c:v"] == ("indirect", ("FILTER", "JOIN"))


def test_direct_use_has_no_indirect_subtypes(columns: World) -> None:
    assert {(n.use, n.subtypes) for n in Lineage(columns.store).impact("a", column="v").nodes} == {("direct", ())}


def test_a_dataset_that_is_only_filtered_by_another_says_so_on_its_level(world: World) -> None:
    world.flow(["a"], "j", ["b"], provenance="column")
    world.column_edge(("a", "k"), ("b", ""), "j", type="INDIRECT", subtype="FILTER")
    node = Lineage(world.store).impact("a", kinds="dataset").nodes[0]
    assert (node.use, node.subtypes) == ("indirect", ("FILTER",))


def test_the_datasets_and_jobs_of_a_column(columns: World) -> None:
    columns.flow(["a"], "other", ["d"], provenance="column")
    columns.column_edge(("a", "k"), ("d", "k"), "other")
    lx = Lineage(columns.store)
    answer = lx.impact("a", column="v", kinds="dataset,job")
    assert [(n.id, n.hops) for n in answer.nodes] == [
        ("dataset:pg:b", 1), ("job:pg:j", 1), ("dataset:pg:c", 2), ("job:pg:k", 2),
    ]  # fmt: skip
    assert answer.nodes[0].path == ("column:pg:a:v", "column:pg:b:v", "dataset:pg:b")
    up = lx.provenance("c", column="v", kinds="dataset,job")
    assert [(n.id, n.hops) for n in up.nodes] == [
        ("job:pg:k", 0), ("dataset:pg:b", 1), ("job:pg:j", 1), ("dataset:pg:a", 2),
    ]  # fmt: skip


def test_the_columns_behind_a_dataset(columns: World) -> None:
    lx = Lineage(columns.store)
    assert ids(lx.impact("a", kinds="column")) == ["b:v", "b:w", "c:v"]
    assert ids(lx.impact("a", kinds="column,dataset")) == ["b:v", "b:w", "b", "c:v", "c"]


def test_names_that_do_not_exist_are_refused_with_those_that_do(chain: World) -> None:
    chain.dataset("raw", "amount")
    lx = Lineage(chain.store)
    with pytest.raises(UsageError, match="none of dataset, job, column, product"):
        lx.impact("raw", kinds="table")
    with pytest.raises(UsageError, match="There are: bi, sales, unassigned"):
        lx.impact("raw", domains="slaes")
    with pytest.raises(UsageError, match="none of certain, probable, stale"):
        lx.impact("raw", certainty="sure")
    with pytest.raises(UsageError, match="only a dataset has columns"):
        lx.impact("job:pg:load", column="amount")
    with pytest.raises(UnknownNodeError) as error:
        lx.impact("raw", column="amuont")
    assert error.value.candidates == ["column:pg:raw:amount"]


@pytest.mark.parametrize("name", ["kinds", "domains", "certainty"])
@pytest.mark.parametrize("text", ["", " ", ",", [""], ["", "x"]])
def test_an_empty_text_is_refused_and_not_taken_for_no_filter(asked: Lineage, name: str, text: str | list[str]) -> None:
    with pytest.raises(UsageError, match="an empty text names none; leave it out for no limit"):
        asked.impact("raw", **{name: text})  # type: ignore[arg-type]
    assert len(asked.provenance("report", **{name: []}).nodes) == 4  # type: ignore[arg-type]


def test_an_empty_filter_is_refused_by_the_other_doors(asked: Lineage) -> None:
    for query in ("kind", "domain", "certainty"):
        assert client_of(asked).get("/api/v2/impact", params={"node": "raw", query: ""}).status_code == 400


def test_a_hidden_domain_is_not_named_as_one_that_exists(chain: World) -> None:
    with pytest.raises(UsageError) as error:
        Lineage(chain.store).impact("raw", domains="slaes", actor=Actor("x", hidden_domains=frozenset({"bi"})))
    assert "bi" not in str(error.value)


def test_cycles_and_self_loops_end_on_every_level(world: World) -> None:
    world.flow(["a"], "j", ["b"], provenance="column")
    world.flow(["b"], "k", ["a"], provenance="column")
    world.flow(["a"], "own", ["a"], provenance="column")
    world.column_edge(("a", "v"), ("b", "v"), "j")
    world.column_edge(("b", "v"), ("a", "v"), "k")
    world.column_edge(("a", "v"), ("a", "v"), "own")
    lx = Lineage(world.store)
    assert ids(lx.impact("a", kinds="dataset")) == ["b"]
    assert ids(lx.impact("a", column="v", kinds="column,dataset")) == ["b:v", "b"]
    assert lx.impact("a", links=True).links is not None


def test_an_empty_graph_has_no_node_and_says_so() -> None:
    with pytest.raises(UnknownNodeError, match="There is no node “a”"):
        Lineage(World().store).impact("a", kinds="column")
