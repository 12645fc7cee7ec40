"""Direct value flow and indirect use are told apart on every level: jobs, datasets, columns, runs, groups."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from lineage.answers import Answer
from lineage.engine import Lineage
from lineage.formats import render
from lineage.graph import Snapshot
from lineage.graph.job_use import indirect_readers
from tests.answers.builder import World, at
from tests.answers.test_api import client_of, get
from tests.answers.test_levels import declare_products
from tests.ingest.build import NS, column_lineage, loaded, run_event

JOIN = {"type": "INDIRECT", "subtype": "JOIN"}
JOINED, TAKEN = ("indirect", ("JOIN",)), ("direct", ())
Said = dict[str, tuple[str, tuple[str, ...]]]


def use(answer: Answer) -> Said:
    return {n.id.removeprefix("dataset:").replace("pg:", ""): (n.use, n.subtypes) for n in answer.nodes}


@pytest.fixture
def joined(world: World) -> World:
    """mk takes the value of b and joins lk to make c, which next reads without telling columns to make d."""
    world.flow(["b", "lk"], "mk", ["c"], provenance="column")
    world.column_edge(("b", "v"), ("c", "v"), "mk")
    world.column_edge(("lk", "k"), ("c", ""), "mk", **JOIN)
    world.flow(["c"], "next", ["d"])
    return world


def test_a_job_that_only_joins_a_dataset_uses_it_indirectly_and_so_do_those_behind_it(joined: World) -> None:
    lx = Lineage(joined.store)
    assert use(lx.impact("lk")) == {"c": JOINED, "job:mk": JOINED, "d": JOINED, "job:next": JOINED}
    assert use(lx.impact("lk", depth=1)) == {"c": JOINED, "job:mk": JOINED}
    assert use(lx.impact("b")) == {"c": TAKEN, "job:mk": TAKEN, "d": TAKEN, "job:next": TAKEN}
    assert use(lx.impact("lk", as_of="2026-06-01", kinds="job")) == {"job:mk": JOINED, "job:next": JOINED}


def test_upstream_a_job_is_as_direct_as_what_it_wrote(joined: World) -> None:
    joined.flow(["z"], "fill", ["lk"])
    lx = Lineage(joined.store)
    found = use(lx.provenance("d"))
    assert found["job:next"] == found["job:mk"] == found["b"] == TAKEN
    assert found["lk"] == found["job:fill"] == found["z"] == JOINED


def test_what_an_asked_job_only_joins_it_uses_indirectly_with_all_behind(joined: World) -> None:
    joined.flow(["z"], "fill", ["lk"], provenance="column")
    joined.column_edge(("z", "k"), ("lk", "k"), "fill")
    lx = Lineage(joined.store)
    assert use(lx.provenance("job:pg:mk")) == {"b": TAKEN, "lk": JOINED, "z": JOINED, "job:fill": JOINED}
    columns = lx.provenance("job:pg:mk", kinds="column")
    assert use(columns) == {"column:b:v": TAKEN, "column:lk:k": JOINED, "column:z:k": JOINED}


def test_what_filters_the_rows_that_an_asked_job_reads_names_its_subtype_and_the_way(joined: World) -> None:
    joined.flow(["a"], "make", ["b"], provenance="column")
    joined.column_edge(("a", "country"), ("b", ""), "make", type="INDIRECT", subtype="FILTER")
    row = next(n for n in Lineage(joined.store).provenance("job:pg:mk", kinds="column").nodes if n.hops == 2)
    assert (row.id, row.use, row.subtypes) == ("column:pg:a:country", "indirect", ("FILTER",))
    assert row.path == ("job:pg:mk", "dataset:pg:b", "column:pg:a:country")


def test_where_column_lineage_does_not_say_how_a_job_uses_its_input_it_counts_as_direct(world: World) -> None:
    """One output is told by a join, the other is a product nobody told columns of; a reader that writes nothing."""
    world.flow(["lk"], "mk", ["c"], provenance="column")
    world.column_edge(("lk", "k"), ("c", ""), "mk", **JOIN)
    world.flow(["lk"], "mk", ["e"])
    world.flow(["lk"], "named", ["f"], provenance="column")
    world.flow(["lk"], "reads", [])
    found = use(Lineage(world.store).impact("lk", kinds="job"))
    assert found == {"job:mk": TAKEN, "job:named": TAKEN, "job:reads": TAKEN}


def test_of_two_jobs_between_the_same_datasets_each_is_told_by_what_it_does_itself(world: World) -> None:
    for job in ("copy", "trim"):
        world.flow(["a"], job, ["b"], provenance="column")
    world.column_edge(("a", "v"), ("b", "v"), "copy")
    world.column_edge(("a", "v"), ("b", "v"), "trim", type="INDIRECT", subtype="FILTER")
    lx = Lineage(world.store)
    trim = ("indirect", ("FILTER",))
    assert use(lx.impact("a")) == {"b": TAKEN, "job:copy": TAKEN, "job:trim": trim}
    assert use(lx.impact("a", column="v", kinds="job")) == {"job:copy": TAKEN, "job:trim": trim}
    up = use(lx.provenance("b", column="v", kinds="job"))
    assert up == {"job:copy": TAKEN, "job:trim": trim}


def test_edges_that_the_question_does_not_admit_do_not_tell_the_use(world: World) -> None:
    world.flow(["lk"], "mk", ["c"], provenance="column")
    world.column_edge(("lk", "k"), ("c", ""), "mk", **JOIN)
    world.edge(world.dataset("lk"), world.dataset("e"), job=world.job("mk"), state="stale")
    lx = Lineage(world.store)
    assert use(lx.impact("lk", kinds="job")) == {"job:mk": TAKEN}
    assert use(lx.impact("lk", kinds="job", certainty="certain")) == {"job:mk": JOINED}


def test_domains_are_told_apart_and_a_job_of_theirs_counts(joined: World) -> None:
    joined.domain("mine", "c", "mk")
    joined.domain("yours", "d", "peek")
    found = use(Lineage(joined.store).impact("lk", kinds="domain"))
    assert found == {"domain:mine": JOINED, "domain:yours": JOINED}
    joined.flow(["lk"], "peek", [])
    now = use(Lineage(joined.store).impact("lk", kinds="domain"))
    assert now == {"domain:mine": JOINED, "domain:yours": TAKEN}, "a job of yours reads it, and how was not told"


def test_products_are_told_apart(joined: World, tmp_path: Path) -> None:
    declare_products(joined.store, tmp_path, "c", "d")
    assert use(Lineage(joined.store).impact("lk", kinds="product")) == {"product:c": JOINED, "product:d": JOINED}


def test_what_openlineage_cannot_say_of_an_answer_is_said(joined: World, tmp_path: Path) -> None:
    declare_products(joined.store, tmp_path, "c", "d")
    lx = Lineage(joined.store)
    answer = lx.impact("lk", kinds="product", links=True)
    note = "OpenLineage has no event for a product: 2 rows stand in the facet meshline_answer of the first event only"
    facet = json.loads(render(answer, "openlineage").splitlines()[0])["dataset"]["facets"]["meshline_answer"]
    assert {row["id"] for row in facet["rows"]} == {"product:c", "product:d"} and note in facet["notes"]
    told = client_of(lx).get("/api/v2/impact", params={"node": "lk", "kind": "product", "format": "openlineage"})
    assert told.headers["Meshline-Notes"] == note
    rest = client_of(lx).get("/api/v2/impact", params={"node": "lk", "format": "openlineage"})
    assert "Meshline-Notes" not in rest.headers
    for name in ("graphml", "mermaid", "md", "csv"):
        assert all(one in render(answer, name) for one in ("product:c", "product:d")), name


def test_groups_are_asked_by_the_same_rule(joined: World) -> None:
    joined.domain("lookups", "lk")
    lx = Lineage(joined.store)
    assert use(lx.impact("domain:lookups")) == {"c": JOINED, "job:mk": JOINED, "d": JOINED, "job:next": JOINED}


def test_every_format_and_the_rest_api_say_the_same(joined: World) -> None:
    lx = Lineage(joined.store)
    answer = lx.impact("lk", links=True)
    rows = list(csv.DictReader(io.StringIO(render(answer, "csv"))))
    assert {row["id"]: (row["use"], row["subtypes"]) for row in rows}["job:pg:mk"] == ("indirect", "JOIN")
    assert "| job:pg:mk | job | certain | indirect (JOIN) |" in render(answer, "md")
    assert render(answer, "graphml").count(">indirect</data>") == 4
    body = get(client_of(lx), "/api/v2/impact", node="lk")
    assert {n["id"]: n["use"] for n in body["nodes"]}["job:pg:mk"] == "indirect"


def test_a_dropped_dataset_that_a_job_only_joins_hurts_it_indirectly(joined: World) -> None:
    found = {e.id: e.use for e in Lineage(joined.store).rehearse(drop=["lk"]).effects}
    assert found["job:pg:mk"] == found["job:pg:next"] == found["dataset:pg:c"] == "indirect"


def test_a_job_that_filters_by_a_dropped_column_is_told_apart_from_one_that_copies_it(world: World) -> None:
    for job in ("copy", "trim"):
        world.flow(["a"], job, ["b"], provenance="column")
    world.column_edge(("a", "v"), ("b", "v"), "copy")
    world.column_edge(("a", "v"), ("b", "v"), "trim", type="INDIRECT", subtype="FILTER")
    found = {e.id: e.use for e in Lineage(world.store).rehearse(drop=["column:pg:a:v"]).effects}
    assert (found["job:pg:copy"], found["job:pg:trim"]) == ("direct", "indirect")


def test_in_a_circle_the_subtypes_are_those_of_the_asked_direction(world: World) -> None:
    """a is copied to b, b filters a: upstream of b, a is its value; upstream of a, b is only a filter."""
    world.flow(["a"], "on", ["b"], provenance="column")
    world.flow(["b"], "back", ["a"], provenance="column")
    world.column_edge(("a", "v"), ("b", ""), "on", **JOIN)
    world.column_edge(("b", "v"), ("a", ""), "back", type="INDIRECT", subtype="FILTER")
    lx = Lineage(world.store)
    assert use(lx.provenance("b", kinds="dataset")) == {"a": JOINED}
    assert use(lx.impact("b", kinds="dataset")) == {"a": ("indirect", ("FILTER",))}


def test_runs_that_only_filtered_are_told_apart_with_the_runs_behind_them() -> None:
    def ran(run: str, hour: int, inputs: list[str], output: Any) -> tuple[bytes, bytes]:
        common: dict[str, Any] = {"job": f"j-{run}", "inputs": inputs, "outputs": [output]}
        begin, end = (f"2026-01-01T{hour + more:02d}:00:00Z" for more in (0, 1))
        return run_event(run, at=begin, kind="START", **common), run_event(run, at=end, kind="COMPLETE", **common)

    key = {"namespace": NS, "name": "lk", "field": "k", "transformations": [JOIN]}
    told = ("c", {"columnLineage": column_lineage({"v": [("b", "v")]}, dataset=[key])})
    events = [*ran("z", 0, [], "z"), *ran("l", 1, ["z"], "lk"), *ran("b", 1, [], "b"), *ran("m", 3, ["b", "lk"], told)]
    lx = Lineage(loaded(*events))
    trail = lx.run_provenance("c")
    assert {s.run_id: s.use for s in trail.steps} == {"m": "direct", "b": "direct", "l": "indirect", "z": "indirect"}
    inputs = {i.dataset.rpartition(":")[2]: (i.use, i.subtypes) for i in trail.steps[0].inputs}
    assert inputs == {"b": TAKEN, "lk": JOINED}
    assert {s.run_id: s.use for s in lx.run_provenance("c", column="v").steps}["l"] == "indirect"
    assert [row[-1] for row in trail.rows()].count("indirect") == 2


def _plain(snapshot: Snapshot) -> dict[int, frozenset[int]]:
    """The rule, word by word, over every edge."""
    lineage, columns = snapshot._relations.lineage, snapshot._relations.columns
    assert columns.use is not None
    home = [snapshot.dataset_of(i) if kind == 2 else i for i, kind in enumerate(snapshot.kind.tolist())]
    told: dict[tuple[int, int, int], bool] = {}
    parts = (columns.src.tolist(), columns.dst.tolist(), columns.job.tolist(), columns.use.indirect.tolist())
    for src, dst, job, indirect in zip(*parts, strict=True):
        key = (home[src], home[dst], job)
        told[key] = told.get(key, True) and bool(indirect)
    only: dict[tuple[int, int], bool] = {}
    rows = (lineage.src.tolist(), lineage.dst.tolist(), lineage.job.tolist(), lineage.provenance.tolist())
    for src, dst, job, provenance in zip(*rows, strict=True):
        filters = provenance == 1 and told.get((src, dst, job), False)
        only[src, job] = only.get((src, job), True) and filters
    found: dict[int, set[int]] = {}
    for (dataset, job), indirect in only.items():
        if indirect:
            found.setdefault(dataset, set()).add(job)
    return {dataset: frozenset(jobs) for dataset, jobs in found.items()}


@pytest.mark.parametrize("seed", range(12))
def test_the_rule_holds_on_random_graphs_now_and_in_the_past(seed: int) -> None:
    dice, world = random.Random(seed), World()
    for _ in range(30):
        job, provenance = f"j{dice.randrange(6)}", dice.choice(("column", "column", "product"))
        src, dst = (f"d{dice.randrange(7)}" for _ in range(2))
        since = at(f"2026-01-{dice.randrange(1, 20):02d}")
        world.flow([src], job, [dst], provenance=provenance, valid_from=since)
        for _ in range(dice.randrange(3)):
            kind = {} if dice.random() < 0.3 else JOIN
            to = dice.choice(("", "x", "y"))
            world.column_edge((src, dice.choice("xyz")), (dst, to), job, valid_from=since, **kind)
    world.column_edge(("d0", "x"), ("d1", "y"), "j0", **JOIN)
    lx = Lineage(world.store)
    for when in (None, "2026-01-05", "2026-01-12"):
        snapshot = lx.view(when).snapshot
        datasets = [i for i, kind in enumerate(snapshot.kind.tolist()) if kind == 0]
        dice.shuffle(datasets)
        first = indirect_readers(snapshot, datasets[:2])
        assert {**first, **indirect_readers(snapshot, datasets)} == _plain(snapshot)
