"""What is exported is what the filters show: the same rows in every format and over REST."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import networkx as nx
import pyarrow as pa
import pytest

from lineage.actor import Actor
from lineage.answers import Answer
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.formats import FORMATS, NEEDS_LINKS, render
from lineage.identity import NodeKey
from lineage.times import OPEN_END
from tests.answers.builder import T0, World, chain, only_asked
from tests.answers.test_api import client_of
from tests.ingest.build import loaded

QUESTIONS: list[dict[str, Any]] = [
    {},
    {"depth": 1},
    {"kinds": "dataset"},
    {"kinds": "column"},
    {"kinds": "dataset,job,column"},
    {"domains": "bi"},
    {"certainty": "certain"},
    {"column": "id", "kinds": "column,dataset,job"},
    {"domains": "sales", "kinds": "column", "certainty": "certain"},
]


@pytest.fixture(scope="module")
def rich() -> Iterator[Lineage]:
    """Two steps with columns, and an owner that no format may take for its own signs."""
    world = chain(World())
    world.column_edge(("raw", "id"), ("orders", "id"), "load")
    world.column_edge(("raw", "day"), ("orders", ""), "load", type="INDIRECT", subtype="FILTER")
    world.column_edge(("orders", "id"), ("report", "id"), "build")
    world.facet(world.dataset("orders"), "ownership", {"owners": [{"name": '=team|<a> & "b"\n#1'}]})
    with only_asked(world) as store:
        yield Lineage(store)


def listed(format: str, text: str) -> list[str]:
    """Ids of the rows in a rendered answer, read back as another program would."""
    if format == "json":
        return [node["id"] for node in json.loads(text)["nodes"]]
    if format == "csv":
        return [row["id"] for row in csv.DictReader(io.StringIO(text))]
    if format == "md":
        return re.findall(r"^\| \d+ \| ([^|]+?) \|", text, re.MULTILINE)
    if format == "mermaid":
        return re.findall(r'^    n\d+(?:\[|\(\[|\()"(.+)"', text, re.MULTILINE)
    if format == "graphml":
        graph = nx.parse_graphml(text)
        return [data["label"] for _, data in graph.nodes(data=True) if data["listed"]]
    found = []
    for line in text.splitlines():
        event = json.loads(line)
        found += [row["id"] for row in (event.get("dataset") or event["job"])["facets"]["meshline_answer"]["rows"]]
    return found


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("ask", ["impact", "provenance"])
def test_every_format_and_rest_list_the_rows_of_the_answer(
    rich: Lineage, format: str, question: dict[str, Any], ask: str
) -> None:
    node = "raw" if ask == "impact" else "report"
    answer: Answer = getattr(rich, ask)(node, links=True, **question)
    wanted = sorted(n.id for n in answer.nodes)
    assert sorted(listed(format, render(answer, format))) == wanted
    query = {**question, "node": node, "format": format}
    query = {{"kinds": "kind", "domains": "domain"}.get(name, name): value for name, value in query.items()}
    response = client_of(rich).get(f"/api/v2/{ask}", params=query)
    assert response.status_code == 200
    assert sorted(listed(format, response.text)) == wanted


def test_totals_by_domain_and_hop_stand_in_every_format(rich: Lineage) -> None:
    answer = rich.impact("raw", links=True)
    assert answer.totals.by_domain == {"bi": 2, "sales": 2}
    assert answer.totals.by_hop == {1: 2, 2: 2}
    text = {format: render(answer, format) for format in FORMATS}
    assert json.loads(text["json"])["totals"]["by_hop"] == {"1": 2, "2": 2}
    row = next(csv.DictReader(io.StringIO(text["csv"])))
    assert (row["nodes_in_domain"], row["nodes_at_hop"]) == ("2", "2")
    assert "| domain | bi | sales | total |" in text["md"] and "| nodes | 2 | 2 | 4 |" in text["md"]
    assert "%% domain bi: 2" in text["mermaid"] and "%% hop 1: 2" in text["mermaid"]
    assert json.loads(nx.parse_graphml(text["graphml"]).graph["totals"])["by_domain"] == {"bi": 2, "sales": 2}
    first = json.loads(text["openlineage"].splitlines()[0])
    assert first["dataset"]["facets"]["meshline_answer"]["totals"]["by_domain"] == {"bi": 2, "sales": 2}


def test_what_a_spreadsheet_would_run_is_text(rich: Lineage) -> None:
    text = render(rich.impact("raw"), "csv")
    row = next(row for row in csv.DictReader(io.StringIO(text)) if row["id"] == "dataset:pg:orders")
    assert row["owner"].startswith("'=team")


def test_edges_in_graphml_are_those_between_the_listed_nodes(rich: Lineage) -> None:
    answer = rich.impact("raw", kinds="dataset", links=True)
    graph = nx.parse_graphml(render(answer, "graphml"))
    name = nx.get_node_attributes(graph, "label")
    assert {(name[a], name[b]) for a, b in graph.edges()} == {
        ("dataset:pg:raw", "dataset:pg:orders"),
        ("dataset:pg:orders", "dataset:pg:report"),
    }


def test_mermaid_leads_through_listed_jobs_and_dashes_what_is_probable(rich: Lineage) -> None:
    through = render(rich.impact("orders", links=True), "mermaid")
    assert "asked -.-> " not in through and through.count("-->") == 2
    assert "asked -.-> n0" in render(rich.impact("orders", kinds="dataset", links=True), "mermaid")


def test_exported_events_make_the_same_graph_again(rich: Lineage) -> None:
    answer = rich.impact("raw", kinds="dataset,job,column", links=True)
    events = render(answer, "openlineage").encode().splitlines()
    again = Lineage(loaded(*events)).impact("raw", kinds="dataset,job,column")
    assert [(n.id, n.hops, n.use) for n in again.nodes] == [(n.id, n.hops, n.use) for n in answer.nodes]


def test_hidden_nodes_are_rows_without_names_or_edges_in_every_format(rich: Lineage) -> None:
    actor = Actor("x", hidden_domains=frozenset({"bi"}))
    answer = rich.impact("raw", links=True, actor=actor)
    for format in FORMATS:
        text = render(answer, format)
        assert "report" not in text and "build" not in text
        assert listed(format, text).count("hidden (domain bi)") == 2
    assert all("hidden" not in link.src + link.dst for link in answer.links or ())


def test_formats_that_draw_edges_want_them(rich: Lineage) -> None:
    answer = rich.impact("raw")
    for format in NEEDS_LINKS:
        with pytest.raises(UsageError, match="links=True"):
            render(answer, format)
    with pytest.raises(UsageError, match="none of json"):
        render(answer, "xml")


def test_an_answer_of_nothing_is_a_document_in_every_format(rich: Lineage) -> None:
    answer = rich.impact("report", links=True)
    assert all(listed(format, render(answer, format)) == [] for format in FORMATS)


def test_a_node_with_very_many_neighbours_is_listed_whole_in_every_format(world: World) -> None:
    many = 5_000
    hub = world.dataset("hub")
    store = world.store
    names = [f"leaf{n}" for n in range(many)]
    ids = pa.array([NodeKey("dataset", "pg", name).id for name in names], pa.uint64())
    life = {"valid_from": [T0] * many, "valid_to": [OPEN_END] * many}
    known = {"known_from": [T0] * many, "known_to": [OPEN_END] * many}
    nodes = {"id": ids, "kind": ["dataset"] * many, "namespace": ["pg"] * many, "name": names, "field": [""] * many}
    edges = {
        "src": pa.array([hub] * many, pa.uint64()), "dst": ids, "job": pa.array([0] * many, pa.uint64()),
        "kind": ["lineage"] * many, "provenance": ["product"] * many, "state": ["current"] * many,
    }  # fmt: skip
    with store.transaction() as cursor:
        store.insert(cursor, "node", pa.table({**nodes, "known_from": [T0] * many}))
        store.insert(cursor, "edge", pa.table({**edges, **life, **known}))
    lx = Lineage(store)
    answer = lx.impact("hub", links=True)
    assert answer.totals.by_hop == {1: many} and len(answer.links or ()) == many
    assert {format: len(listed(format, render(answer, format))) for format in FORMATS if format != "graphml"} == {
        format: many for format in FORMATS if format != "graphml"
    }
    assert lx.path("hub", "leaf777").hops == 1 and lx.path("leaf1", "leaf2").verdict != "found"
    assert lx.impact("hub", depth=0).partial


@pytest.mark.parametrize("format", ["md", "mermaid", "graphml", "openlineage", "json"])
def test_every_format_that_has_room_says_where_an_answer_was_cut_and_where_it_is_blind(
    format: str, world: World
) -> None:
    world.flow(["a"], "j", ["b"])
    world.flow(["b"], "k", ["c"])
    lx = Lineage(world.store)
    cut = render(lx.impact("a", depth=1, links=True), format)
    assert '"partial": true' in cut if format in ("json", "openlineage") else "partial: 2 more nodes behind" in cut
    if format == "graphml":
        told = nx.read_graphml(io.BytesIO(cut.encode())).graph
        assert told["partial"] is True
        whole = render(lx.impact("a", links=True), format)
        assert nx.read_graphml(io.BytesIO(whole.encode())).graph["partial"] is False
    blind = render(lx.provenance("c", links=True), format)
    assert "no job was ever seen writing it" in blind
