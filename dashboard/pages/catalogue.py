"""The rows behind every number: datasets, columns, jobs, edges, runs, events, quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard.links import Links
from dashboard.names import short_id, short_name
from dashboard.page import Page, Part, callback
from dashboard.pages.lineage_states import refused
from dashboard.tables import Column, cell, grid
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.engine import Lineage

_NODE = (
    Column("name", "Name", 2.4, link=True, short=True),
    Column("domain", "Domain"),
    Column("owner", "Owner", 1.8),
    Column("upstream", "In", 0.6, number=True),
    Column("downstream", "Out", 0.6, number=True),
    Column("status", "Last run", 0.8),
    Column("last_run_at", "At", 1.6),
    Column("namespace", "Namespace", 1.4),
    Column("id", "Id", 2),
)
LISTS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "datasets": ("Datasets", (*_NODE[:3], Column("columns", "Columns", 0.7, number=True), *_NODE[3:])),
    "columns": (
        "Columns",
        (
            Column("field", "Column", 1.4, link=True),
            Column("name", "Dataset", 1.8, short=True),
            *_NODE[1:5],
            Column("id", "Id", 2),
        ),
    ),
    "jobs": ("Jobs", _NODE),
    "edges": (
        "Edges",
        (
            Column("src", "From", 2, link=True, short=True),
            Column("dst", "To", 2, short=True),
            Column("src_domain", "From domain"),
            Column("dst_domain", "To domain"),
            Column("certainty", "Certainty", 0.8),
            Column("provenance", "Why", 0.9),
            Column("jobs", "Jobs", 1.6, short=True),
            Column("valid_from", "Since", 1.6),
        ),
    ),
    "runs": (
        "Runs",
        (
            Column("job", "Job", 2, link=True, short=True),
            Column("domain", "Domain"),
            Column("state", "State", 0.8),
            Column("started_at", "Started", 1.6),
            Column("ended_at", "Ended", 1.6),
            Column("error", "Error", 1.8),
            Column("run_id", "Run", 1.8),
            Column("producer", "Producer", 1.6),
        ),
    ),
    "events": (
        "Events",
        (
            Column("event_time", "Time", 1.6),
            Column("received_at", "Received", 1.6),
            Column("kind", "Kind", 0.6),
            Column("type", "Type", 0.8),
            Column("about", "About", 2.4, link=True, short=True),
            Column("notes", "What was odd", 1.4),
            Column("producer", "Producer", 1.8),
        ),
    ),
    "quarantine": (
        "Quarantine",
        (
            Column("received_at", "Received", 1.6),
            Column("reason", "Reason", 1.1),
            Column("detail", "What was wrong, and what to do", 3),
            Column("source", "Source", 1.4),
            Column("line", "Line", 0.6, number=True),
        ),
    ),
}
_ONE = {of: title.lower().removesuffix("s") for of, (title, _) in LISTS.items()}
_LINKED = {"datasets": "id", "columns": "id", "jobs": "id", "edges": "src", "runs": "job", "events": "about"}


def layout() -> Part:
    """Frame of the page."""
    data = [{"value": name, "label": title} for name, (title, _) in LISTS.items()]
    return html.Div(
        [
            html.Div(
                [
                    html.Div([html.H1("Catalogue"), html.Div("…", id="catalogue-sub", className="sub")]),
                    html.Div(dmc.SegmentedControl(id="catalogue-of", data=data, value="datasets"), className="side"),
                ],
                className="page-head",
            ),
            html.Div(id="catalogue-notices"),
            html.Div(dmc.Skeleton(height=420, radius=12), id="catalogue-table", className="card stage tall"),
        ],
        className="page catalogue-page",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    app.clientside_callback(
        ClientsideFunction("meshline", "catalogue_go"),
        Output("url", "search", allow_duplicate=True),
        Input("catalogue-of", "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("meshline", "grid_csv"),
        Output("catalogue-grid", "exportDataAsCsv"),
        Input("catalogue-grid-csv", "n_clicks"),
        prevent_initial_call=True,
    )

    @callback(
        app,
        Output("catalogue-sub", "children"),
        Output("catalogue-of", "value"),
        Output("catalogue-notices", "children"),
        Output("catalogue-table", "children"),
        Input("url", "search"),
        State("url", "pathname"),
    )
    def show(search: str | None, pathname: str | None) -> tuple[Any, ...]:
        if not (pathname or "").rstrip("/").endswith("/catalogue"):
            return (no_update,) * 4
        links = Links.at(base, search)
        query = parse_qs((search or "").lstrip("?"))
        of = query.get("of", ["datasets"])[-1]
        of = of if of in LISTS else "datasets"
        try:
            return _page(lx, of, query, links)
        except MeshlineError as error:
            return "This cannot be shown", of, None, refused(str(error), links)


def _page(lx: Lineage, of: Any, query: dict[str, list[str]], links: Links) -> tuple[Any, ...]:
    domain = query.get("domain", [None])[-1] if of not in ("events", "quarantine") else None
    failed = query.get("state", [""])[-1] == "failed" and of == "runs"
    states = ("FAIL", "ABORT") if failed else None
    found = lx.listing(of, domain=domain, states=states, as_of=links.asof, known_at=links.known)
    title, columns = LISTS[of]
    filters = [
        text
        for text in (f"of domain {domain}" if domain else "", "that failed or were aborted" if failed else "")
        if text
    ]
    notices: list[Part] = []
    if filters:
        clear = dcc.Link("Show all", href=links.to("catalogue", of=of))
        notices.append(
            html.Div([html.Span(f"Only {title.lower()} {' '.join(filters)}."), clear], className="notice info")
        )
    if len(found.rows) < found.total:
        text = f"The first {len(found.rows):,} of {found.total:,} are listed. Narrow it down by domain, or search."
        notices.append(html.Div(text, className="notice warn"))
    sub = f"{found.total:,} {title.lower() if found.total != 1 else _ONE[of]}"
    if not found.rows:
        empty = html.Div(html.P(f"There are no {title.lower()} here."), className="hero")
        return sub, of, notices, empty
    return sub, of, notices, grid("catalogue-grid", _rows(found.rows, columns, _LINKED.get(of), links), columns)


def _rows(found: Sequence[Any], columns: Sequence[Column], linked: str | None, links: Links) -> list[dict[str, Any]]:
    """Rows of the grid; ``href`` is where the linked column leads."""
    rows = []
    for item in found:
        row = {column.key: cell(getattr(item, column.key)) for column in columns}
        row["short"] = {column.key: _short(column.key, getattr(item, column.key)) for column in columns if column.short}
        target = getattr(item, linked) if linked else None
        row["href"] = (
            links.lineage(target) if target and target.partition(":")[0] in ("dataset", "job", "column") else None
        )
        rows.append(row)
    return rows


def _short(key: str, value: Any) -> tuple[str, str]:
    """What tells a row apart, and what stands before it; of several nodes the short names."""
    if isinstance(value, tuple):
        return (", ".join(short_id(one)[0] for one in value), "") if len(value) != 1 else short_id(value[0])
    if not value:
        return "", ""
    return short_name(value) if key == "name" else short_id(value)


PAGE = Page(
    "/catalogue", "Catalogue", "every dataset, column, job, run and event", "Explore", "database", layout, register
)
