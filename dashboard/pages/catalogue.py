"""The catalogue: data products to choose from, and the rows behind every number: datasets, columns, jobs, edges, runs,
events, quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard import rows as sheets
from dashboard.desk import Asked, Desk
from dashboard.links import Links
from dashboard.names import short_id, short_name
from dashboard.page import Page, Part, callback
from dashboard.pages.lineage_states import refused
from dashboard.rows import Sheet
from dashboard.tables import Column, cell
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.listing import Listing, ListName

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
    "products": (
        "Products",
        (
            Column("name", "Product", 1.4, link=True),
            Column("domain", "Domain"),
            Column("owner", "Owner", 1.2),
            Column("status", "Status", 0.8),
            Column("quality", "Score", 0.7, number=True),
            Column("coverage", "Checks known %", 0.9, number=True),
            Column("kept", "Promises kept %", 0.9, number=True),
            Column("promises", "Promises", 0.7, number=True),
            Column("rating", "Rating of 5", 0.7, number=True),
            Column("consumers", "Consumers", 0.8, number=True),
            Column("datasets", "Datasets", 0.7, number=True),
            Column("drift", "Drift", 0.6, number=True),
            Column("version", "Version", 0.7),
        ),
    ),
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
MOST = 100_000
LASTS = 3600.0
"""Seconds for which a list is good while the store stays as it is: nothing in it depends on the time of day."""
_NODES = ("dataset", "job", "column")
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
    desk = Desk.at(app, lx, base, "catalogue")
    sheets.register(
        app, "catalogue-grid", desk.memo, desk.here, lambda search: _sheet(desk, Asked.of(base, "catalogue", search))
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
        if not desk.here(pathname):
            return (no_update,) * 4
        asked = Asked.of(base, "catalogue", search)
        of = _of(asked)
        try:
            return _page(desk, asked, of)
        except MeshlineError as error:
            return "This cannot be shown", of, None, refused(str(error), asked.links)


def _of(asked: Asked) -> str:
    return asked.get("of", ("datasets", *LISTS))


def _asked(asked: Asked) -> tuple[str, str | None, tuple[str, ...] | None]:
    """List, domain and states that an address asks for."""
    of = _of(asked)
    domain = asked.get("domain") if of not in ("events", "quarantine") else ""
    failed = asked.get("state") == "failed" and of == "runs"
    return of, domain or None, ("FAIL", "ABORT") if failed else None


def _found(desk: Desk, asked: Asked) -> Listing:
    of, domain, states = _asked(asked)
    name = cast("ListName", of)
    return desk.ask(
        asked, ("list", of, domain, states),
        lambda: desk.lx.listing(name, domain=domain, states=states, limit=MOST, **asked.when), old=LASTS,
    )  # fmt: skip


def _sheet(desk: Desk, asked: Asked) -> Sheet:
    of, domain, states = _asked(asked)
    columns = LISTS[of][1]
    key = (of, domain, states, asked.links.asof, asked.links.known, asked.links.base)
    if of == "products":
        rows = desk.memo.get(("sheet", key), lambda: _products(desk, asked, domain))
        empty = "No data product is declared here. Declare one with: meshline apply products/"
        return Sheet(key, columns, rows, "products", empty)
    found = _found(desk, asked).rows
    rows = desk.memo.get(("sheet", key), lambda: _rows(found, columns, _LINKED.get(of), asked.links), old=LASTS)
    return Sheet(key, columns, rows, of, f"There are no {of} here.", old=LASTS)


def _products(desk: Desk, asked: Asked, domain: str | None) -> list[dict[str, Any]]:
    """Products with what one judges them by; what nobody knows is ``None``."""
    when = asked.when
    scores = {row.id: row for row in desk.lx.quality.report("product", **when).nodes}
    promises = desk.lx.contracts.check(**when).promises
    ratings = {one.product: one for one in desk.lx.feedback.list(**when).ratings}
    rows: list[dict[str, Any]] = []
    for one in desk.lx.products.list(**when).products:
        if domain and one.domain != domain:
            continue
        mine = [p.verdict for p in promises if p.dataset in one.datasets]
        known = [verdict for verdict in mine if verdict != "unknown"]
        score, rating = scores.get(one.id), ratings.get(one.id)
        rows.append(
            {
                "name": one.name or one.id, "domain": one.domain, "owner": one.owner, "status": one.status,
                "quality": None if score is None or score.quality is None else round(score.quality, 1),
                "coverage": None if score is None or score.coverage is None else round(100 * score.coverage),
                "kept": round(100 * known.count("kept") / len(known), 1) if known else None, "promises": len(mine),
                "rating": None if rating is None or rating.mean is None else round(rating.mean, 1),
                "consumers": len(one.consumers), "datasets": len(one.datasets), "drift": len(one.drift),
                "version": one.version, "href": asked.links.to("product", id=one.id),
            }
        )  # fmt: skip
    return rows


def _page(desk: Desk, asked: Asked, of: str) -> tuple[Any, ...]:
    _, domain, states = _asked(asked)
    title = LISTS[of][0]
    sheet = _sheet(desk, asked)
    total = len(sheet.rows) if of == "products" else _found(desk, asked).total
    if total is None:
        why = " ".join(f"{note[0].upper()}{note[1:]}." for note in _found(desk, asked).notes)
        return f"{title}: unknown", of, [], html.Div(html.P(why), className="hero")
    filters = [
        text
        for text in (f"of domain {domain}" if domain else "", "that failed or were aborted" if states else "")
        if text
    ]
    notices: list[Part] = []
    if filters:
        clear = dcc.Link("Show all", href=asked.links.to("catalogue", of=of))
        notices.append(
            html.Div([html.Span(f"Only {title.lower()} {' '.join(filters)}."), clear], className="notice info")
        )
    if len(sheet.rows) < total:
        text = f"The first {len(sheet.rows):,} of {total:,} are listed. Narrow it down by domain, or search."
        notices.append(html.Div(text, className="notice warn"))
    sub = f"{total:,} {title.lower() if total != 1 else _ONE[of]}"
    if not sheet.rows:
        return sub, of, notices, html.Div(html.P(sheet.empty), className="hero")
    return sub, of, notices, sheets.frame("catalogue-grid", sheet, asked.search, height="100%")


def _rows(found: Sequence[Any], columns: Sequence[Column], linked: str | None, links: Links) -> list[dict[str, Any]]:
    """Rows of the grid; ``href`` is where the linked column leads."""
    rows = []
    for item in found:
        row = {column.key: cell(getattr(item, column.key)) for column in columns}
        row["short"] = {column.key: _short(column.key, getattr(item, column.key)) for column in columns if column.short}
        target = getattr(item, linked) if linked else None
        row["href"] = _target(target, linked, links) if target and target.partition(":")[0] in _NODES else None
        rows.append(row)
    return rows


def _target(node: str, linked: str | None, links: Links) -> str:
    """A dataset's own page from the list of datasets; from the others the picture around the node."""
    if linked == "id" and node.startswith("dataset:"):
        return links.to("dataset", id=node)
    return links.lineage(node)


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
