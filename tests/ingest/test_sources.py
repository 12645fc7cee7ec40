"""``meshline sources``: per producer what arrives and what is understood, and what looks broken."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import lineage
from ingest.inventory import inventory
from lineage.actor import LOCAL, Actor
from lineage.blindspots import Ledger, ledger
from lineage.declared import apply
from lineage.store import Store
from tests.ingest.build import dataset_event, job_event, loaded, run_event, schema
from tests.ingest.cli import Cli

NOW = datetime(2026, 1, 10)  # noqa: DTZ001


def told(store: Store, actor: Actor = LOCAL, **more: Any) -> Ledger:
    with lineage.open(store) as lx:
        return ledger(lx.view(actor=actor), now=NOW, **more)


def spots(store: Store, kind: str, **more: Any) -> dict[str, int]:
    """Name and number of cases of the nodes of one finding."""
    found = {finding.kind: finding for finding in told(store, **more).findings}
    if kind not in found:
        return {}
    assert found[kind].nodes == len(found[kind].spots)
    return {spot.node.rpartition(":")[2]: spot.cases for spot in found[kind].spots}


def child(run: str, parent: str, **more: Any) -> bytes:
    facet = {"parent": {"run": {"runId": f"{run}-p"}, "job": {"namespace": "warehouse", "name": parent}}}
    return run_event(run, run_facets=facet, **more)


def with_a_test(*names: str) -> list[Any]:
    assertion = {"dataQualityAssertions": {"assertions": [{"assertion": "not_null", "success": True}]}}
    return [(name, {"inputFacets": assertion}) for name in names]


def test_jobs_whose_finished_runs_never_write_are_named_but_not_parents_and_testers() -> None:
    store = loaded(
        run_event("r1", job="silent", inputs=["a"]),
        run_event("r2", job="silent", inputs=["a"], at="2026-01-02T00:00:00Z"),
        run_event("r3", job="failed", inputs=["a"], kind="FAIL"),
        run_event("r4", job="writes", outputs=["b"]),
        run_event("r5", job="wrote once", outputs=["b"]),
        run_event("r6", job="wrote once"),
        run_event("r8-p", job="dag"),
        child("r8", "dag", job="task", outputs=["c"]),
        run_event("r9", job="tester", inputs=with_a_test("b")),
    )
    assert spots(store, "run-without-outputs") == {"silent": 2}


@pytest.mark.parametrize(("hours", "expected"), [(24, {"lost": 1}), (24 * 8, {"lost": 1}), (24 * 9 + 1, {})])
def test_runs_that_were_not_heard_of_again_are_named_after_the_time_out(hours: int, expected: dict[str, int]) -> None:
    streaming = {"jobType": {"processingType": "STREAMING", "integration": "FLINK"}}
    store = loaded(
        run_event("r1", job="lost", kind="START", outputs=["a"]),
        run_event("r2", job="ended", kind="START", outputs=["a"]),
        run_event("r2", job="ended", kind="ABORT"),
        run_event("r3", job="streams", kind="RUNNING", outputs=["a"], job_facets=streaming),
        run_event("r4", job="fresh", kind="START", at="2026-01-09T23:30:00Z"),
    )
    assert spots(store, "run-without-end", stale_after=timedelta(hours=hours)) == expected


def test_datasets_that_nobody_writes_are_named_whatever_their_alias() -> None:
    link = {"symlinks": {"identifiers": [{"namespace": "warehouse", "name": "table", "type": "TABLE"}]}}
    store = loaded(
        run_event("r1", inputs=["source", "table", "declared"], outputs=["b"]),
        run_event("r2", job="other", inputs=["b", "source"], outputs=[("path", link)]),
        job_event("writes it", outputs=["declared"]),
    )
    assert spots(store, "never-written") == {"source": 2}


def test_tests_on_tables_that_nobody_writes_or_describes_are_named() -> None:
    store = loaded(
        run_event("t", job="tester", inputs=with_a_test("misspelt", "written", "described")),
        run_event("r", outputs=["written"]),
        dataset_event("described", schema=schema("x")),
    )
    assert spots(store, "test-on-unknown-table") == {"misspelt": 1}


def test_conflicts_unheard_parents_and_names_that_only_lineage_knows() -> None:
    lineage_facet = {"columnLineage": {"fields": {"x": {"inputFields": [
        {"namespace": "warehouse", "name": "only named", "field": "x"}]}}}}  # fmt: skip
    store = loaded(
        run_event("r1", job="both", kind="COMPLETE", outputs=["a"]),
        run_event("r1", job="both", kind="FAIL", at="2026-01-01T01:00:00Z"),
        child("r2", "ghost", job="task", outputs=[("c", lineage_facet)]),
    )
    assert spots(store, "conflict") == {"both": 1}
    assert spots(store, "parent-never-heard") == {"ghost": 1}
    assert spots(store, "named-only") == {"only named": 1}


def test_a_sound_store_has_no_findings() -> None:
    store = loaded(run_event("r1", outputs=["a"]), run_event("r2", job="reads", inputs=["a"], outputs=["b"]))
    assert told(store).findings == ()


def test_nodes_of_a_hidden_domain_are_neither_named_nor_counted(tmp_path: Path) -> None:
    file = tmp_path / "domains" / "hr.yaml"
    file.parent.mkdir()
    file.write_text("name: hr\ntitle: HR\nowner: hr@example.com\npatterns: ['secret*', 'ghost*']\n")
    store = loaded(
        run_event("r1", inputs=["secret_table", "open_table"], outputs=["b"]),
        run_event("r2", job="secret_job", kind="START"),
        child("r3", "ghost_dag", job="task", outputs=["c"]),
    )
    apply(store, tmp_path)
    found = told(store, Actor("someone", frozenset({"hr"})))
    assert {finding.kind: [spot.node for spot in finding.spots] for finding in found.findings} == {
        "never-written": ["dataset:warehouse:open_table"]
    }
    assert found.findings[0].nodes == 1
    assert len(told(store).findings) == 3


def test_examples_are_cut_and_the_number_is_of_all() -> None:
    store = loaded(*(run_event(f"r{i}", job=f"j{i}") for i in range(5)))
    (finding,) = told(store, examples=2).findings
    assert (finding.nodes, len(finding.spots)) == (5, 2)


# -- producers and facets


def test_facets_are_counted_by_producer_and_told_whether_they_are_understood() -> None:
    store = loaded(
        run_event("r1", producer="p", run_facets={"errorMessage": {"message": "x"}, "custom": {}}),
        run_event("r2", producer="p", inputs=[("a", {"schema": schema("x"), "inputFacets": {"unheardOf": {}}})]),
        run_event("r3", producer="p", outputs=[("a", {"schema": schema("x")})], job_facets={"sql": {"query": "x"}}),
        dataset_event("d", documentation={"description": "x"}),
    )
    found = inventory(store)
    assert found.events == 4
    assert {(use.entity, use.key, use.events, use.understood) for use in found.facets["p"]} == {
        ("run", "errorMessage", 1, True),
        ("run", "custom", 1, False),
        ("dataset", "schema", 2, True),
        ("dataset", "unheardOf", 1, False),
        ("job", "sql", 1, False),
    }
    uses = {use.key: use.use for use in found.facets["p"]}
    assert (uses["custom"], uses["sql"]) == (None, "the query")


def test_only_the_newest_blocks_are_looked_at() -> None:
    store = loaded(*(run_event(f"r{i}", producer=f"p{i}") for i in range(6)), one_by_one=True)
    assert set(inventory(store, limit=2).facets) == {"p4", "p5"}
    assert inventory(loaded()).events == 0


def test_the_command_puts_it_all_together(meshline: Cli) -> None:
    lines = [
        run_event("r1", producer="good", outputs=["a"], run_facets={"custom": {}}),
        run_event("r2", producer="good", job="reads", inputs=["a", "b"], outputs=["c"], kind="complete"),
        json.dumps({"run": {"runId": "1"}, "job": {"name": "x"}, "producer": "bad"}).encode(),
    ]
    meshline("ingest", meshline.write("a.ndjson", b"\n".join(lines)))
    found = meshline.json("sources")
    good, bad = found["sources"]
    assert (good["producer"], good["events"], good["kinds"], good["odd"], good["jobs"]) == ("good", 2, {"run": 2}, 1, 2)
    assert [facet["key"] for facet in good["facets"]] == ["custom"]
    assert (bad["producer"], bad["events"], bad["quarantined"]) == ("bad", 0, {"no-time": 1})
    assert [finding["kind"] for finding in found["findings"]] == ["never-written"]
    code, out, _ = meshline("sources", "--stale-after", "48")
    text = out.decode()
    assert code == 0
    assert "dataset:warehouse:b: 1" in text
    assert "refused: no-time 1" in text
    assert "only kept: run custom" in text
