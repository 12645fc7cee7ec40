"""The mesh map: every dataset of the mesh in one picture, a block for each domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard.lineage_graph.component import LineageGraph
from dashboard.lineage_graph.drawing import Options, drawing
from dashboard.links import Links
from dashboard.live import current
from dashboard.memo import shared
from dashboard.page import Page, Part, callback
from dashboard.pages.lineage_overlay import colour_choice, marks_of, overlay_of, scale
from dashboard.pages.lineage_state import LineageState
from dashboard.pages.lineage_states import empty_store, refused
from dashboard.theme import domain_colours, icon
from lineage.errors import MeshlineError
from lineage.pictured import Picture, PictureEdge, PictureNode

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.listing import EdgeRow, NodeRow

NODES = 5_000  # the most connected ones; the page says how many there are
EDGES = 20_000


def layout() -> Part:
    """Frame of the page."""

    def tool(name: str, mark: str, label: str) -> Part:
        return html.Button(icon(mark), id=f"map-do-{name}", className="round", title=label, **{"aria-label": label})

    side = html.Div(
        [
            colour_choice("map-by", 160, "sm"),
            dmc.TextInput(
                id="map-find",
                placeholder="Find on the map",
                leftSection=icon("search", size=15),
                debounce=150,
                value="",
                attributes={"input": {"aria-label": "Find on the map"}},
            ),
        ],
        className="side",
    )
    return html.Div(
        [
            html.Div(
                [html.Div([html.H1("Mesh map"), html.Div("…", id="map-sub", className="sub")]), side],
                className="page-head",
            ),
            html.Div(id="map-hero"),
            dcc.Store(id="map-lineage"),
            html.Div(
                html.Div(
                    [
                        html.Div(
                            [
                                LineageGraph("map-graph", label="Map of the mesh"),
                                html.Div(id="map-scale", className="scale"),
                            ],
                            className="canvas-room",
                        ),
                        html.Div(
                            [
                                html.Span(
                                    "Hover shows a dataset's way up and down. A double click opens its lineage.",
                                    className="legend",
                                ),
                                tool("in", "plus", "Zoom in"),
                                tool("out", "minus", "Zoom out"),
                                tool("fit", "maximize", "Fit everything"),
                            ],
                            className="canvas-foot",
                        ),
                    ],
                    className="canvas",
                ),
                id="map-work",
                className="card stage tall",
            ),
        ],
        className="page catalogue-page",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    memo = shared(lx)

    def clientside(name: str, *spec: object) -> None:
        app.clientside_callback(ClientsideFunction("meshline", name), *spec, prevent_initial_call=True)

    clientside("lineage_find", Output("map-graph", "find"), Input("map-find", "value"))
    clientside("map_overlay", Output("map-graph", "overlay"), Input("map-by", "value"))
    app.clientside_callback(
        ClientsideFunction("meshline", "map_by"), Output("map-by", "value"), Input("url", "search"),
        State("map-by", "data"),
    )  # fmt: skip
    clientside("map_open", Output("url", "href"), Input("map-graph", "action"), State("map-lineage", "data"))
    clientside(
        "map_command",
        Output("map-graph", "command"),
        *(Input(f"map-do-{name}", "n_clicks") for name in ("in", "out", "fit")),
        Input("map-find", "n_submit"),
    )

    @callback(
        app,
        Output("map-graph", "graph"),
        Output("map-sub", "children"),
        Output("map-hero", "children"),
        Output("map-work", "style"),
        Output("map-lineage", "data"),
        Input("url", "search"),
        Input("fresh", "data"),
        State("url", "pathname"),
    )
    def show(search: str | None, fresh: Any, pathname: str | None) -> tuple[Any, ...]:
        if not (pathname or "").rstrip("/").endswith("/map"):
            return (no_update,) * 5
        search = current(search, fresh)
        links = Links.at(base, search)
        try:
            page = memo.at_once(("map", links), lambda: _page(lx, links))
            return (*page, links.to("lineage"))
        except MeshlineError as error:
            return None, "This cannot be shown", refused(str(error), links), {"display": "none"}, None

    @callback(
        app,
        Output("map-graph", "marks"),
        Output("map-scale", "children"),
        Input("map-by", "value"),
        Input("url", "search"),
        Input("fresh", "data"),
        State("url", "pathname"),
    )
    def paint(by: str | None, search: str | None, fresh: Any, pathname: str | None) -> tuple[Any, Any]:
        if not (pathname or "").rstrip("/").endswith("/map"):
            return no_update, no_update
        try:
            found = overlay_of(lx, memo, LineageState.parse(current(search, fresh)), by or "domain")
        except MeshlineError:
            return None, None  # the page says it
        return marks_of(found, None), scale(by or "domain", found, None)


def _page(lx: Lineage, links: Links) -> tuple[Any, ...]:
    when: dict[str, Any] = {"as_of": links.asof, "known_at": links.known}
    datasets = lx.listing("datasets", limit=NODES, **when)
    summary = lx.summary(**when)
    if summary.datasets is None:
        why = " ".join(f"{note[0].upper()}{note[1:]}." for note in summary.notes)
        return None, "Nothing was known then", refused(why, links), {"display": "none"}
    if not datasets.total:
        return None, "Nothing has arrived yet", empty_store(), {"display": "none"}
    edges = lx.listing("edges", limit=EDGES, **when)
    domains = lx.domains(**when)
    picture = mesh(datasets.rows, edges.rows, summary)
    options = Options(domain_colours(domains), {d.name: d.title or d.name for d in domains}, {}, map_above=0)
    shown = "" if len(datasets.rows) == datasets.total else f", the {len(datasets.rows):,} most connected are drawn"
    sub = f"{datasets.total:,} datasets{shown} · {edges.total:,} edges"
    return drawing(picture, options, key=f"map|{links.asof}|{links.known}"), sub, None, {}


def mesh(datasets: tuple[NodeRow, ...], edges: tuple[EdgeRow, ...], summary: Any) -> Picture:
    """A picture of listed datasets and of the listed edges between them."""
    nodes = tuple(
        PictureNode(
            id=row.id,
            kind="dataset",
            namespace=row.namespace,
            name=row.name,
            domain=row.domain,
            owner=row.owner,
            hops=0,
            side="both",
            column_count=row.columns,
            status=row.status,
            last_run_at=row.last_run_at,
        )
        for row in datasets
    )
    inside = {node.id for node in nodes}
    lines = tuple(
        PictureEdge(edge.src, edge.dst, edge.provenance, edge.certainty, edge.jobs)
        for edge in edges
        if edge.src in inside and edge.dst in inside
    )
    return Picture("", nodes, lines, (), summary.as_of, summary.as_of, False)


PAGE = Page("/map", "Mesh map", "every dataset in one picture, by domain", "Explore", "map", layout, register)
