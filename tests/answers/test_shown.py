"""Answers in Python: Arrow, data frames, notebooks, small pictures."""

from __future__ import annotations

import re
from html import unescape

import pytest

from lineage.engine import Lineage
from lineage.errors import MeshlineError
from lineage.svg import MOST, Arrow, Box, draw
from tests.answers.builder import World


def test_every_answer_is_an_arrow_table_with_its_rows(lx: Lineage) -> None:
    answers = [
        lx.impact("raw"), lx.provenance("report"), lx.path("raw", "report"), lx.diff("2025-01-01"), lx.search("o"),
        lx.show("orders"), lx.picture("orders"), lx.run_provenance("orders"),
    ]  # fmt: skip
    for answer in answers:
        table = answer.to_arrow()
        assert table.column_names == list(answer.all_heads())
        assert [name for name in table.column_names if name in answer.heads()] == list(answer.heads())
        assert table.num_rows == len(answer.rows())
    assert answers[0].to_arrow().column("path").to_pylist()[0] == ["dataset:pg:raw", "dataset:pg:orders"]


def test_an_empty_answer_is_a_table_without_rows(lx: Lineage) -> None:
    table = lx.impact("report").to_arrow()
    assert table.num_rows == 0 and table.schema == lx.impact("raw").to_arrow().schema


def test_a_data_frame_needs_pandas_and_says_so(lx: Lineage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.shown.find_spec", lambda _: None)
    with pytest.raises(MeshlineError, match="pip install pandas"):
        lx.impact("raw").to_pandas()


def test_a_notebook_shows_picture_table_and_remarks_and_runs_nothing(world: World) -> None:
    world.flow(["<script>alert(1)</script>"], "j", ["b&<i>"])
    html = Lineage(world.store).impact("dataset:pg:<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in html and "<i>" not in html
    assert html.count("<svg") == 1 and "<table>" in html
    assert "dataset:pg:b&<i>" in unescape(html)
    assert "verdict: found" in html


def test_a_long_table_is_cut_in_a_notebook_and_says_so(world: World) -> None:
    for n in range(60):
        world.flow(["a"], "j", [f"t{n:02d}"])
    html = Lineage(world.store).impact("a", kinds="dataset")._repr_html_()
    assert html.count("<tr>") == 51 and "10 more rows" in html


def test_the_picture_has_a_box_for_each_node_and_an_arrow_for_each_step(lx: Lineage) -> None:
    svg = lx.impact("raw", kinds="dataset").svg()
    assert svg.count("<rect") == 3 and svg.count("<path") == 4  # each arrow is a line and a head
    assert svg.count("stroke-dasharray") == 1  # the probable one
    assert lx.impact("raw", kinds="dataset", links=True).svg().count("<path") == 4


def test_boxes_stand_in_columns_by_hops(lx: Lineage) -> None:
    left = [int(x) for x in re.findall(r'<rect x="(\d+)"', lx.impact("raw", kinds="dataset").svg())]
    assert left == sorted(left) and len(set(left)) == 3
    back = [int(x) for x in re.findall(r'<rect x="(\d+)"', lx.provenance("report", kinds="dataset").svg())]
    assert back == sorted(back, reverse=True)


def test_a_large_picture_counts_what_it_leaves_out() -> None:
    boxes = [Box(str(n), str(n), n % 3) for n in range(MOST + 2)]
    svg = draw(boxes, [Arrow("0", "1"), Arrow("0", str(MOST + 1))])
    assert svg.count("<rect") == MOST and svg.count("<path") == 2
    assert "2 more" in svg
