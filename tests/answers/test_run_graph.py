"""The graph of runs and dataset versions: the same ties as provenance down to runs, and nothing of what is hidden."""

from __future__ import annotations

import networkx as nx
import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.networkx_backend import runs
from tests.answers.test_run_provenance import ran, version
from tests.ingest.build import loaded


@pytest.fixture
def lx() -> Lineage:
    """raw is written twice; clean is made of the first one, report of clean and of the version of raw that it names."""
    return Lineage(
        loaded(
            *ran("r1", "load", 0, 1, [], [version("raw", "7")]),
            *ran("r2", "clean", 2, 3, ["raw"], ["clean"]),
            *ran("r3", "load", 4, 5, [], [version("raw", "8")]),
            *ran("r4", "report", 6, 7, ["clean", version("raw", "7")], ["report", "totals"]),
        )
    )


def test_the_graph_has_the_ties_of_provenance_down_to_runs(lx: Lineage) -> None:
    graph = lx.graph("run")
    datasets = {data["dataset"] for _, data in graph.nodes(data=True) if data["kind"] == "version"}
    told = {
        (one.run_id, step.run_id, step.dataset, one.tie)
        for dataset in datasets
        for step in lx.run_provenance(dataset).steps
        for one in step.inputs
        if one.run_id
    }
    of = graph.nodes
    drawn = {
        (of[a]["run_id"], of[b]["run_id"], of[b]["dataset"], data["tie"])
        for a, b, data in graph.edges(data=True)
        if of[a]["kind"] == "version"
    }
    assert told == drawn
    assert {tie for *_, tie in drawn} == {"version", "time"}


def test_a_run_leads_to_what_it_made_and_nothing_leads_into_a_run(lx: Lineage) -> None:
    graph = lx.graph("run")
    by_run = {data["run_id"]: node for node, data in graph.nodes(data=True) if data["kind"] == "run"}
    assert len(by_run) == 4
    assert not any(graph.in_degree(node) for node in by_run.values())
    made = {graph.nodes[node]["dataset"].rpartition(":")[2] for node in nx.descendants(graph, by_run["r1"])}
    assert made == {"raw", "clean", "report", "totals"}
    assert not nx.descendants(graph, by_run["r3"]) - set(graph.successors(by_run["r3"]))


def test_versions_carry_the_attributes_of_their_dataset_and_edges_their_certainty(lx: Lineage) -> None:
    graph = lx.graph("run")
    assert graph.graph["level"] == "run"
    for _, data in graph.nodes(data=True):
        assert {"domain", "tags", "coverage", "job", "run_id", "state"} <= data.keys()
    sure = {data["tie"]: data["certainty"] for *_, data in graph.edges(data=True)}
    assert sure == {"made": "certain", "version": "certain", "time": "probable"}


def test_too_many_versions_are_refused_with_a_way_out(lx: Lineage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST_VERSIONS", 3)
    with pytest.raises(UsageError, match="provenance --runs"):
        lx.graph("run", actor=Actor("ann", hidden_domains=frozenset({"nowhere"})))


def test_what_is_hidden_is_left_out(lx: Lineage) -> None:
    graph = lx.graph("run", actor=Actor("ann", hidden_domains=frozenset({"unassigned"})))
    assert not len(graph)


def test_edges_say_how_a_run_used_what_it_read() -> None:
    def uses(**kinds: str) -> dict[str, object]:
        fields = [
            {"namespace": "warehouse", "name": name, "field": "id", "transformations": [{"type": kind, "subtype": "X"}]}
            for name, kind in kinds.items()
        ]
        return {"columnLineage": {"fields": {"id": {"inputFields": fields}}}}

    lx = Lineage(
        loaded(
            *ran("r1", "one", 0, 1, [], ["a"]),
            *ran("r2", "two", 0, 1, [], ["b"]),
            *ran("r3", "both", 2, 3, ["a", "b"], [("c", uses(a="DIRECT", b="INDIRECT"))]),
            *ran("r4", "mute", 4, 5, ["b"], ["d"]),
        )
    )
    graph = lx.graph("run")
    of = graph.nodes
    drawn = {
        (of[a]["run_id"], of[b]["run_id"], data["use"])
        for a, b, data in graph.edges(data=True)
        if of[a]["kind"] == "version"
    }
    assert drawn == {("r1", "r3", "direct"), ("r2", "r3", "indirect"), ("r2", "r4", "direct")}
    steps = [step for name in "cd" for step in lx.run_provenance(name).steps]
    told = {(one.run_id, step.run_id, one.use) for step in steps for one in step.inputs}
    assert told == drawn
