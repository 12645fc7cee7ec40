"""The first page: what the mesh holds, what failed, where to begin. Every number leads to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from dashboard import figures
from dashboard.lineage_graph.drawing import status_pill
from dashboard.links import Links
from dashboard.names import short_id, short_name
from dashboard.page import Page, Part, callback
from dashboard.pages.lineage_states import empty_store, refused, starts
from dashboard.theme import UNASSIGNED_COLOUR, domain_colours, domain_dot, icon
from lineage.domains import DomainInfo
from lineage.errors import MeshlineError
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.blindspots import Finding, Spot
    from lineage.engine import Lineage
    from lineage.listing import DayRuns, NodeRow
    from lineage.overview import Summary

FAILED = ("FAIL", "ABORT")
ATTENTION = 6  # jobs listed; the rest is one click away


def layout() -> Part:
    """Frame of the page, with skeletons where numbers will stand."""
    tiles = [dmc.Skeleton(height=98, radius=12) for _ in range(7)]
    body = [html.Div(tiles, className="tiles"), dmc.Skeleton(height=270, radius=12, mt=12)]
    return html.Div(
        [
            html.Div(
                html.Div([html.H1("Overview"), html.Div("…", id="overview-sub", className="sub")]),
                className="page-head",
            ),
            html.Div(body, id="overview-body"),
        ],
        className="page",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""

    @callback(
        app,
        Output("overview-sub", "children"),
        Output("overview-body", "children"),
        Input("url", "search"),
        State("url", "pathname"),
    )
    def show(search: str | None, pathname: str | None) -> tuple[Any, Any]:
        if (pathname or "/").rstrip("/") != base.rstrip("/"):
            return no_update, no_update
        links = Links.at(base, search)
        try:
            return _page(lx, links)
        except MeshlineError as error:
            return "This cannot be shown", refused(str(error), links)


def _page(lx: Lineage, links: Links) -> tuple[Part, Part]:
    when: dict[str, Any] = {"as_of": links.asof, "known_at": links.known}
    summary = lx.summary(**when)
    if not summary.datasets and not summary.events and not summary.quarantined:
        return "Nothing has arrived yet", empty_store()
    domains = lx.domains(**when)
    datasets = lx.listing("datasets", **when).rows
    failing = [row for row in lx.listing("jobs", **when).rows if row.status in FAILED]
    reach = {row.id: _reach(lx, row, when) for row in failing[:40]}
    body = [
        html.Div(_tiles(summary, links), className="tiles"),
        html.Div(
            [
                _runs_card(lx.runs_per_day(**when), links),
                _attention_card(sorted(failing, key=lambda row: (-reach.get(row.id, 0), row.id)), reach, links)
                if failing
                else attention(_findings(lx, links), links),
            ],
            className="cols wide-left",
        ),
        html.Div([_domains_card(domains, links), _tasks_card(datasets, failing, links)], className="cols wide-left"),
    ]
    named = sum(1 for domain in domains if domain.colour >= 0)
    sub = [
        f"{named:,} domain{'s' if named != 1 else ''} · newest event ",
        _ago(summary.newest_event, summary.as_of),
    ]
    return sub, body


def _reach(lx: Lineage, row: NodeRow, when: dict[str, Any]) -> int:
    return sum(1 for node in lx.impact(row.id, **when).nodes if node.kind != "job")


def _ago(at: datetime | None, now: datetime) -> Part:
    if at is None:
        return "never"
    age = max(now - at, timedelta(0))
    hours = int(age.total_seconds() // 3600)
    text = "less than an hour ago" if hours < 1 else f"{hours} h ago" if hours < 48 else f"{hours // 24} days ago"
    return html.Span(text, title=iso(at))


def _tiles(summary: Summary, links: Links) -> list[Part]:
    def tile(of: str, mark: str, label: str, value: int, note: Part = "", tone: str = "") -> Part:
        return dcc.Link(
            [
                html.Span([icon(mark, size=16), label], className="tile-label"),
                html.Span(f"{value:,}", className=f"tile-value num {tone}", id=f"count-{of}"),
                html.Span(note, className="tile-note"),
            ],
            href=links.to("catalogue", of=of),
            className="card tile",
        )

    crossing = f"{summary.cross_domain_edges:,} between domains"
    unassigned = f"{summary.unassigned:,} nodes without domain" if summary.unassigned else "all have a domain"
    if summary.named_datasets:
        unassigned = f"{summary.named_datasets:,} only named · {unassigned}"
    named = f"{summary.named_columns:,} only named by lineage" if summary.named_columns else "all in a schema"
    return [
        tile("datasets", "table", "Datasets", summary.datasets, unassigned),
        tile("columns", "columns-3", "Columns", summary.columns, named),
        tile("jobs", "player-play", "Jobs", summary.jobs),
        tile("edges", "route", "Edges", summary.edges, crossing),
        tile("runs", "refresh", "Runs", summary.runs),
        tile("events", "stack", "Events", summary.events, "accepted"),
        tile(
            "quarantine",
            "alert-triangle",
            "Quarantine",
            summary.quarantined,
            "refused, with the reason" if summary.quarantined else "nothing refused",
            "bad" if summary.quarantined else "",
        ),
    ]


def _card(title: str, sub: str, *body: Part, more: Part = None) -> Part:
    head = html.Div([html.Div([html.H2(title), html.Div(sub, className="card-sub")]), more], className="card-head")
    return html.Section([head, *body], className="card block")


def _runs_card(days: Sequence[DayRuns], links: Links) -> Part:
    every = dcc.Link("All runs", href=links.to("catalogue", of="runs"))
    if not days:
        return _card("Runs per day", "No run has been seen yet.", more=every)
    total = sum(entry.runs for entry in days)
    bad = sum(entry.runs for entry in days if entry.state in FAILED)
    keys = [
        html.Span([html.Span(className="swatch", style={"background": colour}), words])
        for state, words, colour in figures.STATES
        if any(entry.state == state for entry in days)
    ]
    span = (max(entry.day for entry in days) - min(entry.day for entry in days)).days + 1
    sub = f"{total:,} runs on the last {span} days, {bad:,} of them failed or aborted"
    return _card("Runs per day", sub, figures.runs_per_day(days), html.Div(keys, className="keys"), more=every)


def _findings(lx: Lineage, links: Links) -> tuple[Finding, ...] | None:
    """What looks broken at present; ``None`` in the past, of which the ledger does not tell."""
    if links.asof or links.known:
        return None
    return lx.ledger(examples=ATTENTION).findings


def attention(findings: Sequence[Finding] | None, links: Links) -> Part:
    """The card when no job's last run failed: what cannot be the whole truth, each finding over its nodes."""
    every = dcc.Link("All failed runs", href=links.to("catalogue", of="runs", state="failed"))
    if not findings:
        seen = (
            "No job's last run failed."
            if findings is None
            else "No job's last run failed, and no blind spot was found."
        )
        return _card("Needs attention", seen, more=every)
    body = [
        html.Details(
            [
                html.Summary([html.B(f"{finding.nodes:,}", className="num"), f" {finding.what}"]),
                *(_spot(spot, links) for spot in finding.spots),
                html.Div(f"and {finding.nodes - len(finding.spots):,} more", className="nothing")
                if finding.nodes > len(finding.spots)
                else None,
            ],
            className="finding",
        )
        for finding in findings
    ]
    return _card(
        "Needs attention", "No job's last run failed, but here the mesh cannot be seen in full", *body, more=every
    )


def _spot(spot: Spot, links: Links) -> Part:
    name, before = short_id(spot.node)
    mark = "player-play" if spot.node.startswith("job:") else "table"
    body = [icon(mark, size=14), html.Span(name, title=spot.node), html.Small(before)]
    return dcc.Link(body, href=links.lineage(spot.node), className="ref")


def _attention_card(failing: Sequence[NodeRow], reach: dict[str, int], links: Links) -> Part:
    every = dcc.Link("All failed runs", href=links.to("catalogue", of="runs", state="failed"))
    rows = [
        dcc.Link(
            [
                html.Span(className="mark-bad"),
                html.Span(
                    [
                        html.Span(short_name(row.name)[0], className="row-title"),
                        html.Span(f"{row.domain} · last run {status_pill(row.status)[0]}", className="row-below"),
                    ]
                ),
                html.Span(f"{reach.get(row.id, 0):,} datasets behind it", className="row-right num"),
            ],
            href=links.lineage(row.id, down="all"),
            className="row",
        )
        for row in failing[:ATTENTION]
        if row.status
    ]
    sub = (
        f"{len(failing):,} job{'s' if len(failing) != 1 else ''} whose last run failed, most datasets behind them first"
    )
    return _card("Needs attention", sub, *rows, more=every)


def _domains_card(domains: Sequence[DomainInfo], links: Links) -> Part:
    colours = domain_colours(list(domains))
    most = max((domain.datasets or 0 for domain in domains), default=0) or 1
    rows = []
    for domain in domains:
        if domain.hidden:
            continue
        colour = colours.get(domain.name, UNASSIGNED_COLOUR)
        width = f"{100 * (domain.datasets or 0) / most:.1f}%"
        name = html.Td([domain_dot(colour), domain.title or domain.name])
        bar = html.Span(html.Span(style={"width": width, "background": f"var(--domain-{colour})"}), className="bar")
        rows.append(
            html.Tr(
                [
                    name,
                    html.Td(domain.owner or html.Span("no owner told", className="nothing")),
                    html.Td([_count(links, "datasets", domain), bar], className="with-bar"),
                    html.Td(_count(links, "jobs", domain), className="right"),
                ]
            )
        )
    head = html.Thead(
        html.Tr([html.Th("Domain"), html.Th("Owner"), html.Th("Datasets"), html.Th("Jobs", className="right")])
    )
    table = html.Table([head, html.Tbody(rows)], className="plain")
    return _card("Domains", "Who answers for which part of the mesh", table)


def _count(links: Links, of: str, domain: DomainInfo) -> Part:
    value = domain.datasets if of == "datasets" else domain.jobs
    return dcc.Link(f"{value or 0:,}", href=links.to("catalogue", of=of, domain=domain.name), className="num")


def _tasks_card(datasets: Sequence[NodeRow], failing: Sequence[NodeRow], links: Links) -> Part:
    """One task for each of the three people, on nodes this mesh really has."""
    tasks: list[Part] = []
    feeding = max(datasets, key=lambda row: (row.downstream, row.id), default=None)
    ends = [row for row in datasets if row.upstream and not row.downstream]
    report = max(ends, key=lambda row: (row.upstream, row.id), default=None)

    def task(person: str, text: str, name: str, href: str) -> Part:
        body = html.Span([html.Span(person, className="row-below"), html.Span([text, html.B(name)])])
        return dcc.Link([icon("arrow-right", size=16), body], href=href, className="row task")

    if feeding and feeding.downstream:
        name = short_name(feeding.name)[0]
        tasks.append(task("Engineer", "See what breaks when you change ", name, links.lineage(feeding.id, down="all")))
    if report:
        name = short_name(report.name)[0]
        tasks.append(task("Auditor", "See where the data comes from in ", name, links.lineage(report.id, up="all")))
    if failing:
        href = links.to("catalogue", of="runs", state="failed")
        tasks.append(task("Platform lead", "Look through ", "the runs that failed", href))
    begin = [
        dcc.Link(
            [icon("table", size=14), html.Span(short_name(row.name)[0], title=row.name), html.Small(row.domain)],
            href=links.lineage(row.id),
            className="ref",
        )
        for row in starts(datasets)
    ]
    return _card(
        "Try this", "One task for each of you, on this mesh", *tasks, html.H3("Or begin in the middle"), *begin
    )


PAGE = Page("/", "Overview", "what the mesh holds", "Monitor", "layout-dashboard", layout, register)
