"""Other fields put columns beside the rows of impact and provenance without a change there."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

import pytest

from lineage import annotators
from lineage.actor import Actor
from lineage.annotators import Annotator
from lineage.answers import to_json
from lineage.engine import Lineage
from lineage.errors import MeshlineError
from lineage.formats import render
from lineage.view import View
from tests.answers.builder import World

asked: list[list[str]] = []


def quality(view: View, nodes: Sequence[int]) -> dict[str, list[Any]]:
    asked.append([view.label(i) for i in nodes])
    return {"quality": [90.5 if view.kind(i) == "dataset" else None for i in nodes], "grade": ["A"] * len(nodes)}


def short(view: View, nodes: Sequence[int]) -> dict[str, list[Any]]:
    return {"quality": [1], "grade": []}


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> None:
    asked.clear()
    monkeypatch.setattr(annotators, "ANNOTATORS", (Annotator(("quality", "grade"), f"{__name__}:quality"),))


@pytest.mark.usefixtures("joined")
def test_each_row_carries_the_columns_in_every_form(lx: Lineage) -> None:
    answer = lx.impact("raw", links=True)
    facts = {node.id: node.facts for node in answer.nodes}
    assert facts["dataset:pg:orders"] == {"quality": 90.5, "grade": "A"}
    assert facts["job:pg:load"] == {"quality": None, "grade": "A"}
    assert len(asked) == 1  # once for the whole answer
    assert json.loads(json.dumps(to_json(answer)))["nodes"][0]["facts"] == {"quality": 90.5, "grade": "A"}
    assert render(answer, "csv").splitlines()[0].endswith("partial,nodes_behind,quality,grade")
    assert answer.to_arrow().column("quality").to_pylist() == [90.5, None, 90.5, None]
    graph = ET.fromstring(render(answer, "graphml"))
    keys = {
        key.get("attr.name"): key.get("attr.type") for key in graph.iter("{http://graphml.graphdrawing.org/xmlns}key")
    }
    assert (keys["fact_quality"], keys["fact_grade"]) == ("double", "string")


@pytest.mark.usefixtures("joined")
def test_nothing_is_asked_or_said_about_hidden_nodes(chain: World) -> None:
    answer = Lineage(chain.store).impact("raw", actor=Actor("nosy", hidden_domains={"sales"}))
    assert [node.facts for node in answer.nodes if node.id.startswith("hidden")] == [
        {"quality": None, "grade": None}
    ] * 2
    assert asked == [["dataset:pg:report", "job:pg:build"]]


def test_without_fields_there_is_nothing_beside_the_rows(lx: Lineage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotators, "ANNOTATORS", ())
    assert lx.impact("raw").nodes[0].facts is None
    assert lx.impact("raw").heads()[-1] == "nodes_behind"


def test_a_field_that_breaks_its_promise_is_named(lx: Lineage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotators, "ANNOTATORS", (Annotator(("quality", "grade"), f"{__name__}:short"),))
    with pytest.raises(MeshlineError, match="quality has 1 values for 4 nodes"):
        lx.impact("raw")
