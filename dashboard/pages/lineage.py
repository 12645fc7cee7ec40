"""The lineage page: the picture, its twin as tables, and the panel about the chosen node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, no_update

from dashboard.lineage_graph.drawing import Options, drawing
from dashboard.links import Links
from dashboard.live import current, is_news
from dashboard.memo import Memo, shared
from dashboard.page import Page, Part, callback
from dashboard.pages import lineage_states as states
from dashboard.pages import lineage_time
from dashboard.pages.lineage_compare import compare, mark, with_change
from dashboard.pages.lineage_details import panel
from dashboard.pages.lineage_export import to_openlineage
from dashboard.pages.lineage_facts import facts
from dashboard.pages.lineage_frame import layout
from dashboard.pages.lineage_overlay import marks_of, overlay_of, scale
from dashboard.pages.lineage_state import LineageState
from dashboard.pages.lineage_tables import edge_rows, node_rows, only_domains, to_csv, with_overlay
from dashboard.tables import grid
from dashboard.theme import UNASSIGNED_COLOUR, domain_colours
from lineage.domains import DomainInfo
from lineage.errors import MeshlineError, UnknownNodeError
from lineage.pictured import Picture, PictureEdge

if TYPE_CHECKING:
    from lineage.counting import ImpactCounts
    from lineage.engine import Lineage

NODE_BUDGET = 300
MAP_BUDGET = 5000


def look(lx: Lineage, state: LineageState) -> Picture:
    """The picture an address asks for, before domains are left out.

    Raises
    ------
    MeshlineError
        when the node, the column or an instant makes no sense; the message is meant for the reader.
    """
    return compare(lx, state, _look).picture if state.versus else _look(lx, state)


def _look(lx: Lineage, state: LineageState) -> Picture:
    """The picture of one instant."""
    when: dict[str, Any] = {"as_of": state.as_of, "known_at": state.known_at}
    if state.trace:
        return lx.column_trace(state.trace, **when)
    return lx.picture(
        state.focus,
        upstream=state.upstream,
        downstream=state.downstream,
        jobs=state.jobs,
        columns=frozenset(state.open) if state.open else False,
        also_upstream=state.more_up,
        also_downstream=state.more_down,
        max_nodes=MAP_BUDGET if state.whole else NODE_BUDGET,
        **when,
    )


def flows(lx: Lineage, state: LineageState) -> Sequence[PictureEdge]:
    """Edges between the datasets of a picture that has jobs as nodes.

    The arrows of a job do not say which input feeds which output; these edges do, so that a lit path is a true one.
    """
    return look(lx, replace(state, jobs=False)).edges if state.jobs and not state.trace else ()


def draw(
    picture: Picture, state: LineageState, domains: Sequence[DomainInfo], through: Sequence[PictureEdge] = ()
) -> dict[str, Any]:
    """Graph of the canvas component for a picture; ``through`` are its :func:`flows`."""
    colours = domain_colours(domains)
    options = Options(
        colours=colours,
        titles={d.name: d.title or d.name for d in domains},
        rows=state.rows(),
        lanes=state.lanes,
        traced=bool(state.trace),
    )
    return drawing(picture, options, key=state.key, flows=through)


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    memo = shared(lx)
    _register_browser(app)
    lineage_time.register(app, lx)
    _register_picture(app, lx, memo, base)
    _register_marks(app, lx, memo)
    _register_details(app, lx, memo, base)
    _register_export(app, lx, memo)


def _register_marks(app: Dash, lx: Lineage, memo: Memo) -> None:
    @callback(
        app,
        Output("lineage-graph", "marks"),
        Output("lineage-scale", "children"),
        Input("lineage-by", "value"),
        Input("url", "search"),
        Input("fresh", "data"),
        State("url", "pathname"),
    )
    def paint(by: str | None, search: str | None, fresh: Any, pathname: str | None) -> tuple[Any, Any]:
        state = LineageState.parse(current(search, fresh))
        if not _here(pathname) or not (state.focus or state.trace):
            return no_update, no_update
        try:
            found = overlay_of(lx, memo, state, by or "domain")
            nodes = {node.id for node in look(lx, state).nodes} if found else None
        except MeshlineError:
            return None, None  # the page says it
        return marks_of(found, nodes), scale(by or "domain", found, nodes)


_STAGE = (
    ("lineage-hero", "children"),
    ("lineage-work", "style"),
    ("lineage-side", "style"),
    ("lineage-canvas", "style"),
    ("lineage-table", "children"),
    ("lineage-initial", "data"),
    ("lineage-trace", "data"),
    ("lineage-up", "value"),
    ("lineage-down", "value"),
    ("lineage-by", "value"),
    ("lineage-flags", "value"),
    ("lineage-view", "value"),
    ("lineage-domains", "data"),
    ("lineage-domains", "value"),
    ("lineage-up", "disabled"),
    ("lineage-down", "disabled"),
    ("lineage-delta", "children"),
)
"""Outputs after graph, title and notices, in the order of :func:`_page`."""
_INSTEAD = {"lineage-hero": "lineage-work", "lineage-table": "lineage-canvas"}
"""What is too much to be sent for comparing: it is there while the other one is hidden."""


def _register_picture(app: Dash, lx: Lineage, memo: Memo, base: str) -> None:
    shown = [one for one in _STAGE if one[0] not in _INSTEAD]

    @callback(
        app,
        Output("lineage-graph", "graph"),
        Output("lineage-title", "children"),
        Output("lineage-notices", "children"),
        *(Output(*one) for one in _STAGE),
        Input("url", "search"),
        Input("fresh", "data"),
        State("url", "pathname"),
        *(State(*one) for one in shown),
    )
    def show(search: str | None, fresh: Any, pathname: str | None, *before: Any) -> tuple[Any, ...]:
        if not _here(pathname):
            return (no_update,) * (3 + len(_STAGE))
        state, links = LineageState.parse(current(search, fresh)), Links.at(base, search)
        outputs = memo.at_once(("lineage", repr(state), links), lambda: _page(lx, memo, state, links))
        if is_news(fresh):  # what is chosen stays chosen
            outputs = (*outputs[:8], no_update, *outputs[9:])
        return (*outputs[:3], *_changed(outputs[3:], dict(zip(shown, before, strict=True))))


def _changed(outputs: Sequence[Any], before: Mapping[tuple[str, str], Any]) -> Iterator[Any]:
    """What the page does not show yet: each property that is answered wakes the whole page in the browser.

    What is chosen first is said again all the same: an address without a choice takes back the one made since.
    """
    for one, value in zip(_STAGE, outputs, strict=True):
        name = one[0]
        if name in _INSTEAD:
            same = value is None and not before[_INSTEAD[name], "style"]
        else:
            same = name != "lineage-initial" and (value or None) == (before[one] or None)
        yield no_update if same else value


def _register_details(app: Dash, lx: Lineage, memo: Memo, base: str) -> None:
    @callback(app, Output("lineage-panel", "children"), Input("lineage-selection", "data"), State("url", "search"))
    def details(selection: dict[str, Any] | None, search: str | None) -> Part:
        state = LineageState.parse(search)
        node, links = (selection or {}).get("id"), Links.at(base, search)
        if not node:
            return states.nothing_chosen()
        return memo.at_once(("details", node, repr(state), links), lambda: _details(lx, node, state, links))

    @callback(app, Output("lineage-facts", "children"), Input("lineage-facts-of", "data"), State("url", "search"))
    def tell(node: str | None, search: str | None) -> Part:
        if not node:
            return no_update
        try:
            return facts(lx, memo, node, LineageState.parse(search), Links.at(base, search))
        except MeshlineError as error:
            return states.no_details(str(error))


def _register_export(app: Dash, lx: Lineage, memo: Memo) -> None:
    @callback(
        app,
        Output("lineage-download", "data"),
        Input("lineage-do-nodes", "n_clicks"),
        Input("lineage-do-edges", "n_clicks"),
        Input("lineage-do-events", "n_clicks"),
        State("url", "search"),
        State("lineage-by", "value"),
        prevent_initial_call=True,
    )
    def save(nodes: int, edges: int, events: int, search: str | None, by: str | None) -> Any:
        from dash import ctx

        if not (nodes or edges or events):
            return no_update
        state = LineageState.parse(search)
        found = compare(lx, state, _look) if state.versus else None
        picture = only_domains(found.picture if found else look(lx, state), state.domains)
        if ctx.triggered_id == "lineage-do-events":
            return dcc.send_string(to_openlineage(picture), "lineage.ndjson")
        if ctx.triggered_id == "lineage-do-nodes":
            rows, columns = with_overlay(node_rows(picture), overlay_of(lx, memo, state, by or "domain"))
            return dcc.send_string(to_csv(rows, columns), "lineage-nodes.csv")
        return dcc.send_string(to_csv(*with_change(edge_rows(picture), found)), "lineage-edges.csv")


def _here(pathname: str | None) -> bool:
    return (pathname or "").rstrip("/").endswith("/lineage")


def _page(lx: Lineage, memo: Memo, state: LineageState, links: Links) -> tuple[Any, ...]:
    """Every output of the page for one address."""
    domains = list(lx.domains())
    controls = (
        state.up,
        state.down,
        state.overlay,
        [name for name, on in (("lanes", state.lanes), ("jobs", state.jobs)) if on],
        state.view,
        [{"value": d.name, "label": d.title or d.name} for d in domains],
        list(state.domains),
        bool(state.trace),
        bool(state.trace),
    )

    def instead(title: str, hero: Part) -> tuple[Any, ...]:
        hidden = {"display": "none"}
        return (None, title, None, hero, hidden, hidden, {}, None, None, None, *controls, None)

    if not (state.focus or state.trace):
        if not lx.summary().datasets:
            return instead("No lineage yet", states.empty_store())
        return instead("Choose where to start", states.choose(lx, links))
    try:
        found = compare(lx, state, _look) if state.versus else None
        whole = found.picture if found else look(lx, state)
    except UnknownNodeError as error:
        return instead("Which one?" if error.ambiguous else "Unknown node", states.unknown(error, links))
    except MeshlineError as error:
        return instead("This cannot be shown", states.refused(str(error), links))
    picture = only_domains(whole, state.domains)
    graph = draw(picture, state, domains, flows(lx, state))
    if found:
        mark(graph, found)
    if not picture.nodes:
        return instead(states.title(whole, picture, state), states.filtered(len(whole.nodes), state, links))
    table = None
    if state.view == "nodes":
        rows, columns = with_overlay(node_rows(picture), overlay_of(lx, memo, state, state.overlay))
        table = grid("lineage-grid", rows, columns)
    elif state.view == "edges":
        table = grid("lineage-grid", *with_change(edge_rows(picture), found))
    chosen = state.selected or (whole.focus if graph["kind"] == "layers" else "")
    return (
        graph,
        states.title(whole, picture, state),
        states.notices(whole, picture, graph, state, links),
        None,
        {},
        {},
        {"display": "none"} if table is not None else {},
        table,
        {"id": chosen},
        states.traced_column(whole, state) if state.trace else None,
        *controls,
        lineage_time.delta(found),
    )


def _details(lx: Lineage, node: str, state: LineageState, links: Links) -> Part:
    when: dict[str, Any] = {"as_of": state.as_of, "known_at": state.known_at}
    try:
        detail = lx.show(node, **when)
        counts = None if detail.hidden else lx.impact_counts(detail.id, **when)
        verdicts = _verdicts(lx, counts, when) if counts else ("", "")
    except MeshlineError as error:
        return states.no_details(str(error))
    domains = {d.name: d for d in lx.domains()}
    known = domains.get(detail.domain)
    colour = domain_colours(list(domains.values())).get(detail.domain, UNASSIGNED_COLOUR)
    title = (known.title if known else None) or detail.domain
    if counts is None:
        return states.no_details(detail.name or detail.id)
    return panel(detail, counts, verdicts, links, colour, title)


def _verdicts(lx: Lineage, counts: ImpactCounts, when: dict[str, Any]) -> tuple[str, str]:
    """Whether "nothing" means nothing, asked only where nothing was found."""
    up = "found" if counts.upstream.nodes else lx.provenance(counts.node, **when).verdict
    if counts.downstream.nodes:
        return up, "found"
    impact = lx.impact(counts.node, **when)
    return up, "itself" if impact.verdict == "none" and impact.itself else impact.verdict


def _register_browser(app: Dash) -> None:
    """Callbacks that run in the browser: address, selection, colours, zoom."""

    def clientside(name: str, *spec: object, initial: bool = False) -> None:
        function = ClientsideFunction("meshline", name)
        app.clientside_callback(function, *spec, prevent_initial_call=not initial)

    clientside(
        "lineage_go",
        Output("url", "search", allow_duplicate=True),
        Input("lineage-up", "value"),
        Input("lineage-down", "value"),
        Input("lineage-flags", "value"),
        Input("lineage-domains", "value"),
        Input("lineage-view", "value"),
        Input("lineage-graph", "action"),
        Input("lineage-graph", "selected"),
    )
    clientside(
        "lineage_select",
        Output("lineage-selection", "data", allow_duplicate=True),
        Input("lineage-graph", "selected"),
    )
    clientside("lineage_first", Output("lineage-selection", "data"), Input("lineage-initial", "data"))
    clientside(
        "lineage_chosen",
        Output("lineage-graph", "selection"),
        Input("lineage-selection", "data"),
        Input("lineage-trace", "data"),
    )
    clientside(
        "lineage_overlay",
        Output("lineage-graph", "overlay"),
        Output("url", "search", allow_duplicate=True),
        Input("lineage-by", "value"),
    )
    clientside("lineage_find", Output("lineage-graph", "find"), Input("lineage-find", "value"))
    clientside(
        "lineage_command",
        Output("lineage-graph", "command"),
        *(Input(f"lineage-do-{name}", "n_clicks") for name in ("in", "out", "fit", "png", "svg")),
        Input("lineage-find", "n_submit"),
    )
    clientside("graph_help", Output("help", "opened", allow_duplicate=True), Input("lineage-graph", "action"))
    clientside(
        "copy_link",
        Output("lineage-copied", "children"),
        Input("lineage-copy", "n_clicks"),
    )
    clientside("grid_csv", Output("lineage-grid", "exportDataAsCsv"), Input("lineage-grid-csv", "n_clicks"))


PAGE = Page("/lineage", "Lineage", "what feeds what, down to columns", "Explore", "sitemap", layout, register)
