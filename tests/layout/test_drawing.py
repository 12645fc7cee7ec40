"""From answers to what is drawn and to files: pure functions, tested without a browser."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import dashboard
from dashboard.lineage_graph.drawing import Options, distinct_names, drawing
from dashboard.pages.lineage_state import LineageState
from dashboard.pages.lineage_tables import EDGES, edge_rows, only_domains, to_csv
from lineage.details import ColumnInfo
from lineage.pictured import Picture, PictureColumnEdge, PictureEdge
from tests.layout.test_layout import make_picture

PLAIN = Options({}, {}, {})


def with_columns(picture: Picture, shown: int) -> Picture:
    columns = tuple(ColumnInfo(f"column:db:x:c{n}", f"c{n}") for n in range(shown))
    return replace(picture, nodes=tuple(replace(n, columns=columns, column_count=shown) for n in picture.nodes))


def test_of_several_edges_between_two_nodes_the_most_certain_is_drawn() -> None:
    picture = make_picture([0, 0], [(0, 1)])
    stale = PictureEdge(picture.nodes[0].id, picture.nodes[1].id, "product", "stale")
    graph = drawing(replace(picture, edges=(stale, *picture.edges)), PLAIN, key="k")
    assert [edge["certainty"] for edge in graph["edges"]] == ["certain"]


def test_a_column_edge_into_a_folded_row_ends_in_the_row_that_says_more() -> None:
    picture = with_columns(make_picture([0, 0], [(0, 1)]), 12)
    a, b = (node.id for node in picture.nodes)
    edges = tuple(PictureColumnEdge(a, "c0", b, f"c{n}", "DIRECT", None, False, "certain") for n in (1, 10, 11))
    options = replace(PLAIN, rows={a: 10, b: 10})
    graph = drawing(replace(picture, column_edges=edges), options, key="k")
    assert [(edge["ar"], edge["br"]) for edge in graph["cedges"]] == [(0, 1), (0, 10)]
    assert [node["more"] for node in graph["nodes"]] == [2, 2]


def test_a_column_that_affects_every_row_is_drawn_to_the_card_as_indirect() -> None:
    picture = with_columns(make_picture([0, 0], [(0, 1)]), 1)
    a, b = (node.id for node in picture.nodes)
    edge = PictureColumnEdge(a, "c0", b, "", None, None, False, "certain")
    graph = drawing(replace(picture, column_edges=(edge,)), replace(PLAIN, rows={a: 1, b: 1}), key="k")
    assert [(edge["br"], edge["indirect"]) for edge in graph["cedges"]] == [(-1, True)]


def test_nodes_that_share_a_short_name_get_the_part_before_it() -> None:
    nodes = make_picture([0, 0, 0], []).nodes
    named = [replace(node, name=name) for node, name in zip(nodes, ("raw.orders", "core.orders", "rates"), strict=True)]
    assert list(distinct_names(named).values()) == ["raw.orders", "core.orders", "rates"]


def test_rows_of_a_file_are_the_edges_of_the_picture_without_loops() -> None:
    picture = make_picture([0, 1, 1], [(0, 1), (1, 2), (2, 2)])
    rows = list(csv.DictReader(io.StringIO(to_csv(edge_rows(picture), EDGES))))
    graph = drawing(picture, PLAIN, key="k")
    assert len(rows) == len(graph["edges"]) == 2
    left = only_domains(picture, ("domain 1",))
    assert len(edge_rows(left)) == len(drawing(left, PLAIN, key="k")["edges"]) == 1


@pytest.mark.parametrize("search", ["", "?", "?up=&down=x&by=%00&view=no&lanes=&asof=", "?&&&==", None])
def test_any_address_has_a_meaning(search: str | None) -> None:
    state = LineageState.parse(search)
    assert (state.upstream, state.downstream, state.view, state.as_of) == (1, 1, "picture", None)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node; the browser tests find it too")
def test_scripts_are_valid() -> None:
    for script in sorted(Path(dashboard.__file__).parent.rglob("*.js")):
        subprocess.run(["node", "--check", script], check=True)
