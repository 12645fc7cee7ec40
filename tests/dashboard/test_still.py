"""What only stands there on a page travels as one component, and draws the same document."""

from __future__ import annotations

import re
from pathlib import Path

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html

import dashboard
from dashboard.still import WRITTEN, Still, quiet, spoken, stilled

KEEP = frozenset({"spoken"})


def test_neighbours_that_only_stand_there_share_one_component():
    found = stilled([html.P("a"), "text", html.B(["b", html.I(7)]), dmc.Badge("c"), None, html.P("d")], KEEP)
    assert [type(one).__name__ for one in found] == ["Still", "Badge", "Still"]
    assert found[0].parts == [["p", 0, "a"], "text", ["b", 0, "b", ["i", 0, 7]]]
    assert found[2].parts == [None, ["p", 0, "d"]]


def test_a_part_that_a_callback_speaks_to_stays_and_so_do_those_around_it():
    given = html.Section([html.Div(html.P("in it"), id="spoken"), html.P([html.B("x")], id="silent")], className="c")
    found = stilled(given, KEEP)
    assert type(found) is html.Section
    assert type(found.children[0]) is html.Div
    assert isinstance(found.children[0].children, Still)
    assert found.children[1].parts == [["p", {"id": "silent"}, ["b", 0, "x"]]]
    assert type(given.children[1]) is html.P, "what was given is changed"


def test_links_within_the_dashboard_are_packed_and_those_with_a_pattern_are_not():
    assert stilled(dcc.Link("a", href="/b", className="c"), KEEP).parts == [
        ["link", {"href": "/b", "className": "c"}, "a"]
    ]
    assert isinstance(stilled(dcc.Link("a", href="/b", refresh=True), KEEP), dcc.Link)
    assert isinstance(stilled(html.Button("a", id={"act": "x", "n": 1}), KEEP), html.Button)


def test_rows_of_a_table_and_plain_values_are_left_alone():
    rows = [{"a": 1}]
    assert stilled(rows, KEEP) is rows
    assert stilled("text", KEEP) == "text"
    assert isinstance(stilled(html.Iframe(src="/x"), KEEP), html.Iframe)


def test_ids_of_callbacks_are_known_with_several_outputs_and_patterns():
    app = Dash("x", use_pages=False, enable_mcp=False)
    app.callback(Output("a", "children"), Output("b.c".replace(".", "-"), "style"), Input("d", "n_clicks"))(lambda n: n)
    assert {"a", "b-c", "d"} <= spoken(app)


def test_each_of_several_answers_is_packed_by_itself():
    app = Dash("x", use_pages=False, enable_mcp=False)
    two = quiet(app, (Output("a", "children"), Output("b", "children")), lambda: (html.P("x"), [html.B("y"), "z"]))
    assert [type(one).__name__ for one in two()] == ["Still", "list"]
    one = quiet(app, (Output("a", "children"),), lambda: [html.P("x"), html.B("y")])
    assert len(one()) == 1


def test_whatever_a_script_writes_to_is_named():
    folder = Path(dashboard.__file__).parent
    text = "".join(p.read_text(encoding="utf-8") for kind in ("js", "py") for p in folder.rglob(f"*.{kind}"))
    written = set(re.findall(r"set_props\(\"([a-z-]+)\", \{ ?\"?children", text))
    assert written
    assert written <= WRITTEN
