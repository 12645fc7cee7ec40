"""Temporary datasets can be taken out of an answer; what leads through them is a bridge."""

from __future__ import annotations

import csv
import io
import random

import pytest

from lineage.cli import run
from lineage.engine import Lineage
from lineage.formats import render
from lineage.temporary import temporary
from tests.answers.builder import World
from tests.answers.test_api import client_of, get


@pytest.fixture
def staged(world: World) -> World:
    """a → orders_tmp → tmp_2 → b → c, and a → x → c; d is written and read by one job alone."""
    for flow in ("a j1 orders_tmp", "orders_tmp j2 tmp_2", "tmp_2 j3 b", "b j4 c", "a j5 x", "x j6 c"):
        source, job, output = flow.split()
        world.flow([source], job, [output])
    world.flow(["d"], "self", ["d", "e"])
    return world


def found(lx: Lineage, node: str, side: str = "impact", **options: object) -> dict[str, int]:
    rows = getattr(lx, side)(f"dataset:pg:{node}", kinds="dataset", bridge=True, **options).nodes
    return {row.id.removeprefix("dataset:pg:"): row.hops for row in rows}


def test_names_tags_and_jobs_tell_what_is_temporary(staged: World) -> None:
    staged.facet(staged.dataset("x"), "tags", {"tags": [{"key": "temporary", "value": "true"}]})
    view = Lineage(staged.store).view()
    names = {view.snapshot.name(i) for i in temporary(view.instant)}
    assert names == {"orders_tmp", "tmp_2", "x", "d"}


def test_the_way_through_temporary_datasets_is_one_hop_and_names_the_bridge(staged: World) -> None:
    lx = Lineage(staged.store)
    assert found(lx, "a") == {"b": 1, "x": 1, "c": 2}
    assert found(lx, "c", "provenance") == {"b": 1, "x": 1, "a": 2}
    row = next(n for n in lx.impact("dataset:pg:a", bridge=True).nodes if n.id == "dataset:pg:b")
    assert row.path == ("dataset:pg:a", "dataset:pg:b")
    assert row.bridge == ("dataset:pg:orders_tmp", "dataset:pg:tmp_2")
    jobs = {n.id: n.hops for n in lx.impact("dataset:pg:a", bridge=True).nodes if n.kind == "job"}
    assert jobs == {"job:pg:j1": 1, "job:pg:j2": 1, "job:pg:j3": 1, "job:pg:j4": 2, "job:pg:j5": 1, "job:pg:j6": 2}


def test_depth_counts_bridged_hops_and_what_lies_behind_is_the_frontier(staged: World) -> None:
    lx = Lineage(staged.store)
    answer = lx.impact("dataset:pg:a", depth=1, bridge=True)
    assert found(lx, "a", depth=1) == {"b": 1, "x": 1}
    assert answer.partial and answer.frontier is not None and answer.frontier.nodes == 3  # c and the jobs that make it


def test_links_lead_over_the_bridge(staged: World) -> None:
    links = Lineage(staged.store).impact("dataset:pg:a", kinds="dataset", bridge=True, links=True).links or ()
    pairs = {(link.src[-1], link.dst[-1], link.provenance) for link in links if link.kind == "lineage"}
    assert pairs == {("a", "b", "bridge"), ("a", "x", "product"), ("b", "c", "product"), ("x", "c", "product")}


def test_steps_through_what_was_left_out_are_named_too(world: World) -> None:
    world.flow(["a"], "j1", ["t_tmp"])
    world.flow(["t_tmp"], "j2", ["b"])
    world.column_edge(("a", "x"), ("t_tmp", "x"), "j1", type="INDIRECT", subtype="JOIN")
    world.column_edge(("t_tmp", "x"), ("b", "x"), "j2", type="INDIRECT", subtype="FILTER")
    lx = Lineage(world.store)
    plain = {row.id: row.subtypes for row in lx.impact("column:pg:a:x").nodes}
    assert plain == {"column:pg:t_tmp:x": ("JOIN",), "column:pg:b:x": ("JOIN", "FILTER")}
    (row,) = lx.impact("column:pg:a:x", bridge=True).nodes
    assert (row.bridge, row.subtypes) == (("column:pg:t_tmp:x",), plain[row.id])


def test_a_temporary_dataset_that_is_asked_about_stays(staged: World) -> None:
    assert found(Lineage(staged.store), "tmp_2") == {"b": 1, "c": 2}


def test_columns_are_bridged_too(world: World) -> None:
    world.column_edge(("a", "x"), ("t_tmp", "x"))
    world.column_edge(("t_tmp", "x"), ("b", "x"))
    (row,) = Lineage(world.store).impact("column:pg:a:x", bridge=True).nodes
    assert (row.id, row.hops, row.bridge) == ("column:pg:b:x", 1, ("column:pg:t_tmp:x",))


@pytest.mark.parametrize("seed", range(3))
def test_without_temporary_datasets_nothing_changes(world: World, seed: int) -> None:
    rng = random.Random(seed)
    for number in range(12):
        source, target = rng.sample(range(9), 2)
        world.flow([f"t{source}"], f"j{number}", [f"u{target}", f"t{target}"])
    assert not temporary(Lineage(world.store).view().instant)
    for i in range(9):
        world.dataset(f"t{i}")
        plain = Lineage(world.store).impact(f"dataset:pg:t{i}", depth=2)
        assert Lineage(world.store).impact(f"dataset:pg:t{i}", depth=2, bridge=True).nodes == plain.nodes


def test_the_option_is_at_every_door(
    staged: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = client_of(Lineage(staged.store))
    monkeypatch.setattr("lineage.engine.open", lambda path: Lineage(staged.store))
    rows = get(api, "/api/v2/impact", node="dataset:pg:a", bridge="true")["nodes"]
    assert "dataset:pg:tmp_2" not in [row["id"] for row in rows]
    assert get(api, "/api/v2/provenance", node="dataset:pg:c", bridge="true")["totals"]["by_kind"]["dataset"] == 3
    assert run(["impact", "dataset:pg:a", "--bridge", "--format", "mermaid"]) == 0
    assert "tmp" not in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["impact", "dataset:pg:a", "--bridge"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "dataset:pg:b via dataset:pg:orders_tmp, dataset:pg:tmp_2" in told


def test_flat_forms_name_the_bridge_where_there_is_one(staged: World) -> None:
    lx = Lineage(staged.store)
    answer = lx.impact("dataset:pg:a", kinds="dataset", bridge=True, links=True)
    by_id = {row["id"]: row for row in csv.DictReader(io.StringIO(render(answer, "csv")))}
    assert by_id["dataset:pg:b"]["bridge"] == "dataset:pg:orders_tmp; dataset:pg:tmp_2"
    assert by_id["dataset:pg:x"]["bridge"] == ""
    for form in ("md", "graphml"):
        assert "dataset:pg:orders\\_tmp; dataset:pg:tmp".replace("\\", "") in render(answer, form)
    assert answer.to_arrow().column("bridge").to_pylist().count([]) == 2
    assert "bridge" not in lx.impact("dataset:pg:a").heads()


def test_what_its_producer_calls_temporary_is_temporary(world: World) -> None:
    world.flow(["a"], "first", ["handed"])
    world.flow(["handed"], "second", ["c"])
    world.facet(world.dataset("handed"), "datasetType", {"datasetType": "JOB_OUTPUT", "subType": "TEMPORARY"})
    world.facet(world.dataset("c"), "datasetType", {"datasetType": "JOB_OUTPUT"})
    frame = world.dataset("7f", namespace="inmemory://")
    world.edge(world.dataset("c"), frame, job=world.job("third"))
    lx = Lineage(world.store)
    assert {lx.view().snapshot.name(i) for i in temporary(lx.view().instant)} == {"handed", "7f"}
    (reached,) = (node for node in lx.impact("a", bridge=True).nodes if node.kind == "dataset")
    assert (reached.id, reached.hops, reached.bridge) == ("dataset:pg:c", 1, ("dataset:pg:handed",))
