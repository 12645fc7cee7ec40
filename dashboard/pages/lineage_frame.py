"""The frame of the lineage page: toolbar, stage, panel, menus; no data."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from dashboard.lineage_graph.component import LineageGraph
from dashboard.page import Part
from dashboard.pages import lineage_states as states
from dashboard.pages import lineage_time
from dashboard.pages.lineage_overlay import colour_choice
from dashboard.theme import icon

_STEPS = [{"value": value, "label": value.title()} for value in ("1", "2", "3", "all")]


def layout() -> Part:
    """Frame of the page."""
    return html.Div(
        [
            html.Div(
                [
                    html.Div([html.H1("Lineage"), html.Div("…", id="lineage-title", className="sub")]),
                    html.Div(
                        [
                            dmc.SegmentedControl(
                                id="lineage-view",
                                value="picture",
                                data=[
                                    {"value": "picture", "label": "Picture"},
                                    {"value": "nodes", "label": "Nodes"},
                                    {"value": "edges", "label": "Edges"},
                                ],
                            ),
                            _export(),
                        ],
                        id="lineage-side",
                        className="side",
                    ),
                ],
                className="page-head",
            ),
            html.Div(id="lineage-notices"),
            html.Div(id="lineage-hero"),
            html.Div(
                [
                    _toolbar(),
                    lineage_time.bar(),
                    html.Div(
                        [
                            html.Div([_canvas(), html.Div(id="lineage-table")], className="card stage"),
                            html.Aside(
                                _skeleton(),
                                id="lineage-panel",
                                className="card panel",
                                **{"aria-label": "Details of the chosen node"},
                            ),
                        ],
                        className="work",
                    ),
                ],
                id="lineage-work",
            ),
            dcc.Store(id="lineage-initial"),
            dcc.Store(id="lineage-selection"),
            dcc.Store(id="lineage-trace"),
            dcc.Store(id="lineage-time-of"),  # what of the address the line of time shows
            dcc.Download(id="lineage-download"),
        ],
        className="page lineage-page",
    )


def _export() -> Part:
    def item(name: str, mark: str, label: str) -> Part:
        return dmc.MenuItem(label, id=f"lineage-do-{name}", leftSection=icon(mark, size=16), n_clicks=0)

    return dmc.Menu(
        [
            dmc.MenuTarget(html.Button([icon("download", size=16), "Export"], className="btn", id="lineage-export")),
            dmc.MenuDropdown(
                [
                    item("png", "photo", "Picture as PNG"),
                    item("svg", "file-type-svg", "Picture as SVG"),
                    item("nodes", "file-type-csv", "Nodes as CSV"),
                    item("edges", "file-type-csv", "Edges as CSV"),
                    item("events", "download", "OpenLineage events"),
                ]
            ),
        ],
        position="bottom-end",
        shadow="md",
        keepMounted=True,
    )


def _toolbar() -> Part:
    return html.Div(
        [
            _choice("lineage-up", "Upstream", "Steps upstream", _STEPS, "1"),
            _choice("lineage-down", "Downstream", "Steps downstream", _STEPS, "1"),
            html.Div(
                [
                    html.Span("Colour by", className="tool-label", id="lineage-by-label"),
                    colour_choice("lineage-by", 138, "xs"),
                ],
                className="tool",
            ),
            dmc.ChipGroup(
                [
                    dmc.Chip("Lanes", value="lanes", size="xs", radius="md"),
                    dmc.Chip("Jobs", value="jobs", size="xs", radius="md"),
                ],
                id="lineage-flags",
                multiple=True,
                value=["lanes"],
            ),
            _domain_choice(),
            _find(),
        ],
        className="card toolbar",
        role="toolbar",
        **{"aria-label": "What the picture shows"},
    )


def _choice(name: str, label: str, said: str, data: list[dict[str, str]], value: str) -> Part:
    """One of a few, with its label before it; ``said`` is what a screen reader says."""
    return html.Div(
        [
            html.Span(label, className="tool-label", id=f"{name}-label"),
            dmc.SegmentedControl(id=name, data=data, value=value, size="xs", attributes={"root": {"aria-label": said}}),
        ],
        className="tool",
    )


def _domain_choice() -> Part:
    return dmc.MultiSelect(
        id="lineage-domains",
        data=[],
        value=[],
        placeholder="All domains",
        clearable=True,
        size="xs",
        hidePickedOptions=True,
        className="tool-domains",
        attributes={"input": {"aria-label": "Show these domains only"}},
    )


def _find() -> Part:
    return dmc.TextInput(
        id="lineage-find",
        placeholder="Find in picture",
        size="xs",
        leftSection=icon("search", size=14),
        rightSection=html.Kbd("/"),
        debounce=120,
        value="",
        n_submit=0,
        className="tool-find",
        attributes={"input": {"aria-label": "Find in picture"}},
    )


def _canvas() -> Part:
    def tool(name: str, mark: str, label: str) -> Part:
        return html.Button(icon(mark), id=f"lineage-do-{name}", className="round", title=label, **{"aria-label": label})

    return html.Div(
        [
            html.Div(
                [LineageGraph("lineage-graph"), html.Div(id="lineage-scale", className="scale")],
                className="canvas-room",
            ),
            html.Div(
                [
                    states.legend(),
                    tool("in", "plus", "Zoom in"),
                    tool("out", "minus", "Zoom out"),
                    tool("fit", "maximize", "Fit everything"),
                ],
                className="canvas-foot",
            ),
        ],
        className="canvas",
        id="lineage-canvas",
    )


def _skeleton() -> Part:
    bars = [dmc.Skeleton(height=h, width=w, radius="sm", mb=14) for h, w in ((20, "40%"), (26, "75%"), (14, "90%"))]
    return html.Div([*bars, dmc.Skeleton(height=150, radius="sm")], className="panel-pad")
