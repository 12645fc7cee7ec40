"""Everything the lineage page says in words: title, notices, and what stands there when there is no picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import dcc, html

from dashboard.desk import why_unknown
from dashboard.links import Links
from dashboard.names import short_name
from dashboard.page import Part
from dashboard.pages.lineage_state import LineageState
from dashboard.theme import UNASSIGNED_COLOUR, domain_colours, domain_dot, icon
from lineage.errors import UnknownNodeError
from lineage.pictured import Picture

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.listing import NodeRow


def title(whole: Picture, picture: Picture, state: LineageState) -> Part:
    """Line under the heading: focus and how much is in view."""
    datasets = sum(1 for node in picture.nodes if node.kind == "dataset")
    jobs = len(picture.nodes) - datasets
    edges = sum(1 for edge in picture.edges if edge.src != edge.dst)
    counts = [f"{datasets:,} dataset{'s' if datasets != 1 else ''}"]
    if jobs:
        counts.append(f"{jobs:,} job{'s' if jobs != 1 else ''}")
    counts.append(f"{edges:,} edge{'s' if edges != 1 else ''} in view")
    focus = next((node for node in whole.nodes if node.id == whole.focus), None)
    name = html.Span(focus.name if focus else whole.focus, className="mono strong")
    if not state.trace:
        return ["Around ", name, " · ", " · ".join(counts)]
    column = html.Span(traced_column(whole, state), className="mono strong")
    return ["Trace of column ", column, " of ", name, " · ", " · ".join(counts)]


def traced_column(picture: Picture, state: LineageState) -> str | None:
    """Name of the traced column, found by its text among the columns of the focus."""
    focus = next((node for node in picture.nodes if node.id == picture.focus), None)
    columns = focus.columns if focus else ()
    exact = next((column.name for column in columns if column.id == state.trace), None)
    return exact or next((column.name for column in columns if state.trace.endswith(f":{column.name}")), None)


def legend() -> Part:
    """What edges and marks mean. Shape first, colour second."""

    def key(kind: str, text: str) -> Part:
        return html.Span([html.Span(className=f"key {kind}"), text])

    return html.Div(
        [
            key("up", "upstream"),
            key("down", "downstream"),
            key("certain", "certain"),
            key("probable", "probable"),
            key("stale", "stale"),
            key("indirect", "filter or join"),
            key("failed", "failed"),
        ],
        className="legend",
        **{"aria-hidden": "true"},
    )


def notices(whole: Picture, picture: Picture, graph: dict[str, Any], state: LineageState, links: Links) -> list[Part]:
    """What the reader must know about this picture: a trace, a cut, a cycle, a filter."""
    found: list[Part] = []
    if state.trace:
        back = dcc.Link("Back to all columns", href=links.lineage(whole.focus))
        text = "Only the datasets and columns on the way of this column are shown."
        found.append(_notice("info", "route", text, back))
    if whole.partial and whole.frontier:
        domains = len(whole.frontier.domains)
        text = f"{whole.frontier.nodes:,} more right behind, in {domains} domain{'s' if domains != 1 else ''}."
        if len(whole.nodes) >= 300 and not state.whole:
            more = dcc.Link("Show as mesh map", href=_with(links, state, map="1"))
            found.append(
                _notice("warn", "alert-triangle", f"The picture stops at {len(whole.nodes)} nodes: {text}", more)
            )
    if any(edge["back"] for edge in graph["edges"]):
        loops = sum(1 for edge in graph["edges"] if edge["back"])
        what = (
            "a cycle; the edge that closes it runs" if loops == 1 else f"{loops} cycles; the edges that close them run"
        )
        text = f"This part of the mesh has {what} from right to left."
        found.append(_notice("info", "refresh", text))
    hidden = len(whole.nodes) - len(picture.nodes)
    if hidden:
        clear = dcc.Link("Clear", href=_with(links, state, domain=()))
        found.append(_notice("warn", "filter", f"{hidden:,} hidden by the choice of domains.", clear))
    return found


def _notice(tone: str, mark: str, text: str, *more: Part) -> Part:
    return html.Div([icon(mark, size=16), html.Span(text), *more], className=f"notice {tone}", role="status")


def _with(links: Links, state: LineageState, **changes: Any) -> str:
    query: dict[str, Any] = {
        "focus": state.focus or None,
        "trace": state.trace or None,
        "up": state.up if state.up != "1" else None,
        "down": state.down if state.down != "1" else None,
        "domain": state.domains,
    }
    return links.to("lineage", **{**query, **changes})


def empty_store() -> Part:
    """The store holds nothing yet."""
    return _hero(
        "database",
        "No lineage yet",
        "Meshline draws this page from OpenLineage events. Load a file, a folder or an archive of them:",
        html.Pre("meshline ingest events.ndjson", className="mono"),
        html.P(
            [
                "Or let your producers send them to ",
                html.Span("POST /api/v1/lineage", className="mono"),
                " of this server.",
            ]
        ),
    )


def choose(lx: Lineage, links: Links) -> Part:
    """Nothing was asked for: offer the palette and a dataset of each domain."""
    domains = list(lx.domains())
    colours = domain_colours(domains)
    rows = []
    for start in starts(lx.listing("datasets").rows):
        dot = domain_dot(colours.get(start.domain, UNASSIGNED_COLOUR))
        text = html.Span(short_name(start.name)[0], title=start.name)
        note = html.Small(f"{start.upstream:,} in · {start.downstream:,} out", className="num")
        rows.append(dcc.Link([dot, text, note], href=links.lineage(start.id), className="choice"))
    button = html.Button(
        [icon("search", size=16), "Search the mesh"],
        id={"type": "palette-open", "place": "lineage"},
        className="btn primary",
    )
    return _hero(
        "sitemap",
        "Where do you want to start?",
        "Search for a dataset, a column or a job, or open one of those with the most around them.",
        button,
        html.Div(rows, className="choices"),
    )


def starts(rows: Sequence[NodeRow], most: int = 6) -> list[NodeRow]:
    """Good places to begin: the datasets with the most direct neighbours, of different domains first."""
    ordered = sorted(rows, key=lambda row: (-(row.upstream + row.downstream), row.id))
    seen: dict[str, int] = {}
    turns = []
    for row in ordered:
        turns.append((seen.get(row.domain, 0), row))
        seen[row.domain] = seen.get(row.domain, 0) + 1
    return [row for _, row in sorted(turns, key=lambda turn: turn[0])[:most]]


def unknown(error: UnknownNodeError, links: Links) -> Part:
    """No node has this name, or several have: offer the candidates."""
    text = "Choose the one you mean." if error.candidates else why_unknown(error)
    rows = [
        dcc.Link(
            [
                icon("player-play" if candidate.startswith("job:") else "table", size=16),
                html.Span(candidate, className="mono"),
            ],
            href=links.lineage(candidate),
            className="choice",
        )
        for candidate in error.candidates
    ]
    button = html.Button(
        [icon("search", size=16), "Search the mesh"],
        id={"type": "palette-open", "place": "lineage"},
        className="btn",
    )
    return _hero("help", error.headline, text, html.Div(rows, className="choices"), html.Br(), button)


def filtered(total: int, state: LineageState, links: Links) -> Part:
    """The choice of domains leaves nothing."""
    clear = dcc.Link("Show all domains", href=_with(links, state, domain=()), className="btn primary")
    return _hero(
        "filter-off", "Nothing is left to show", f"{total:,} nodes are hidden by the choice of domains.", clear
    )


def refused(text: str, links: Links) -> Part:
    """The question makes no sense or may not be answered."""
    back = dcc.Link("Start again", href=links.to("lineage"), className="btn")
    return _hero("alert-triangle", "This cannot be shown", text, back)


def no_domain(name: str, links: Links) -> Part:
    """The domain of the address is not there: nothing of it is drawn, zeros least of all."""
    back = dcc.Link("Show all domains", href=links.to(""), className="btn")
    return _hero("alert-triangle", "Unknown domain", f"There is no domain “{name}” at this time.", back)


def nothing_chosen() -> Part:
    """Panel without a node."""
    text = "Choose a node to see what is known about it. Hover shows its way up and down the mesh."
    return html.Div([icon("focus-2", size=26), html.P(text)], className="panel-empty")


def no_details(text: str) -> Part:
    """Panel when the node cannot be shown."""
    return html.Div([icon("eye-off", size=26), html.P(text)], className="panel-empty")


def _hero(mark: str, head: str, text: str, *more: Part) -> Part:
    return html.Div(
        [html.Div(icon(mark, size=30), className="mark"), html.H2(head), html.P(text), *more], className="hero"
    )
