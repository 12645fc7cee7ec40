"""Governance health, the first page: how the mesh is, domain by domain, what needs attention, where to begin.

Every number leads to its rows. The cards are filled by callbacks of their own, so that what is slow to know (policies,
budgets) does not hold up the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard.amounts import ago
from dashboard.links import Links
from dashboard.live import current
from dashboard.memo import Memo, shared
from dashboard.page import Page, Part, callback
from dashboard.pages import overview_rows
from dashboard.pages.lineage_states import empty_store, no_domain, refused
from dashboard.pages.overview_attention import attention_card
from dashboard.pages.overview_charts import charts
from dashboard.pages.overview_facts import Facts
from dashboard.pages.overview_products import products_card, tasks_card
from dashboard.pages.overview_scores import scores_card
from dashboard.pages.overview_state import DAYS, HealthState
from dashboard.pages.overview_tiles import FIGURES, figures, holds, tiles
from dashboard.pages.overview_trend import sparks, trend_card
from dashboard.theme import icon
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.engine import Lineage

Build = Callable[[Facts, Links], Any]


def layout() -> Part:
    """Frame of the page, with skeletons where numbers will stand."""

    def waiting(height: int) -> Part:
        return dmc.Skeleton(height=height, radius=12)

    return html.Div(
        [
            html.Div(
                [
                    html.Div([html.H1("Governance health"), html.Div("…", id="health-sub", className="sub")]),
                    _controls(),
                ],
                className="page-head",
            ),
            html.Div(id="health-hero"),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div([waiting(112) for _ in range(5)], id="health-tiles", className="contents"),
                            html.Div([waiting(112) for _ in range(2)], id="health-figures", className="contents"),
                        ],
                        className="tiles",
                    ),
                    html.Div(
                        [
                            html.Div(
                                [html.Div(waiting(380), id="health-scores"), html.Div(waiting(228), id="health-trend")],
                                className="stacked",
                            ),
                            html.Div(waiting(380), id="health-attention"),
                        ],
                        className="cols wide-left",
                    ),
                    html.Div([waiting(300) for _ in range(3)], id="health-charts", className="cols thirds"),
                    html.Div(
                        [html.Div(waiting(260), id="health-products"), html.Div(waiting(260), id="health-tasks")],
                        className="cols wide-left",
                    ),
                    html.Div(waiting(80), id="health-holds"),
                ],
                id="health-body",
            ),
            dcc.Store(id="health-asked"),
            dmc.Modal(
                html.Div(id="health-rows-table"), id="health-rows", opened=False, size="min(1240px, 94vw)",
                title="", radius="lg", padding="lg",
            ),
        ],
        className="page health-page",
    )  # fmt: skip


def _controls() -> Part:
    return html.Div(
        [
            dmc.Select(
                id="health-domain", data=[], value=None, placeholder="All domains", clearable=True, w=190,
                attributes={"input": {"aria-label": "Show one domain only"}},
            ),
            dmc.SegmentedControl(
                id="health-period", data=[{"value": days, "label": f"{days} d"} for days in DAYS], value="30",
                attributes={"root": {"aria-label": "Period of the trends"}},
            ),
            html.Button([icon("download", size=16), "Print"], id="health-print", className="btn"),
        ],
        className="side",
    )  # fmt: skip


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    memo = shared(lx)
    _register_browser(app)
    _register_frame(app, lx, memo, base)
    _register_sparks(app, lx, memo, base)
    for cards in _GROUPS:
        _register_cards(app, lx, memo, base, cards)


_GROUPS: tuple[dict[str, Build], ...] = (
    {"tiles": tiles, "products": products_card, "tasks": tasks_card, "holds": holds},
    {"charts": charts},
    {"scores": scores_card, "figures": figures},
    {"attention": attention_card},
    {"trend": trend_card},
)
"""Cards filled together. Few groups: while twelve questions run, Dash lets no other callback of the page run."""
_MANY = ("tiles", "figures", "charts")  # builders that give a list


def _here(pathname: str | None, base: str) -> bool:
    return (pathname or "/").rstrip("/") == base.rstrip("/")


def _register_cards(app: Dash, lx: Lineage, memo: Memo, base: str, cards: dict[str, Build]) -> None:
    def fill(search: str | None, pathname: str | None) -> Any:
        if not _here(pathname, base):
            return [no_update for _ in cards] if len(cards) > 1 else no_update
        links = Links.at(base, search)
        facts = Facts(lx, memo, HealthState.parse(search))
        found = [_built(name, build, facts, links) for name, build in cards.items()]
        return found if len(cards) > 1 else found[0]

    outputs = [Output(f"health-{name}", "children") for name in cards]
    if "trend" in cards:  # past instants take their time: after what is known at once

        @callback(app, *outputs, Input("attention", "id"), State("url", "search"), State("url", "pathname"))
        def later(_drawn: str, search: str | None, pathname: str | None) -> Any:
            return fill(search, pathname)

        return

    @callback(app, *outputs, Input("health-asked", "data"), Input("fresh", "data"), State("url", "pathname"))
    def show(asked: str | None, fresh: Any, pathname: str | None) -> Any:
        return fill(current(asked, fresh), pathname)


def _built(name: str, build: Build, facts: Facts, links: Links) -> Any:
    """A card, or why it cannot be shown."""
    try:
        return no_update if _nothing(facts) else build(facts, links)
    except MeshlineError as error:
        text = html.Div([icon("alert-triangle", size=18), str(error)], id=name, className="card block failed")
        return [text] if name in _MANY else text


def _register_sparks(app: Dash, lx: Lineage, memo: Memo, base: str) -> None:
    """Lines behind the figures of the scorecard, once the tiles stand: past instants take their time."""
    names = [name for name, *_ in FIGURES]

    @callback(
        app,
        *(Output(f"spark-{name}", "children") for name in names),
        Input(f"spark-{names[0]}", "id"),
        State("url", "search"),
    )
    def draw(_drawn: str, search: str | None) -> list[Any]:
        facts = Facts(lx, memo, HealthState.parse(search))
        try:
            return sparks(facts, names)
        except MeshlineError:
            return [None for _ in names]  # the tiles say it


def _nothing(facts: Facts) -> bool:
    summary = facts.summary()
    return summary.datasets is not None and not (summary.datasets or summary.events or summary.quarantined)


def _register_frame(app: Dash, lx: Lineage, memo: Memo, base: str) -> None:
    @callback(
        app,
        Output("health-sub", "children"),
        Output("health-hero", "children"),
        Output("health-body", "style"),
        Output("health-domain", "data"),
        Output("health-domain", "value"),
        Output("health-period", "value"),
        Input("health-asked", "data"),
        Input("fresh", "data"),
        State("url", "pathname"),
    )
    def frame(search: str | None, fresh: Any, pathname: str | None) -> tuple[Any, ...]:
        if not _here(pathname, base):
            return (no_update,) * 6
        search = current(search, fresh)
        state, links = HealthState.parse(search), Links.at(base, search)
        facts = Facts(lx, memo, state)
        chosen = (state.domain, str(state.days))
        try:
            if _nothing(facts):
                return "Nothing has arrived yet", empty_store(), {"display": "none"}, [], *chosen
            named = [d for d in facts.domains() if not d.hidden]
            data = [{"value": d.name, "label": d.title or d.name} for d in named]
            if state.domain and state.domain not in {d.name for d in named}:
                data.append({"value": state.domain, "label": f"{state.domain} (unknown)"})
                gone = no_domain(state.domain, links) if state.domain not in {d.name for d in facts.domains()} else None
                return _sub(facts), gone, {"display": "none"} if gone else {}, data, *chosen
            return _sub(facts), None, {}, data, *chosen
        except MeshlineError as error:
            return "This cannot be shown", refused(str(error), links), {"display": "none"}, [], *chosen

    @callback(
        app,
        Output("health-rows", "opened"),
        Output("health-rows", "title"),
        Output("health-rows-table", "children"),
        Input("url", "search"),
        State("url", "pathname"),
    )
    def rows(search: str | None, pathname: str | None) -> tuple[Any, ...]:
        if not _here(pathname, base):
            return (no_update,) * 3
        state, links = HealthState.parse(search), Links.at(base, search)
        if not overview_rows.known(state.rows):
            return False, no_update, no_update
        try:
            return True, *overview_rows.table(Facts(lx, memo, state), links)
        except MeshlineError as error:
            return True, "This cannot be shown", refused(str(error), links)


def _sub(facts: Facts) -> Part:
    summary, mine = facts.summary(), [d for d in facts.domains() if facts.mine(d.name)]
    named = sum(1 for domain in mine if domain.colour >= 0)
    if summary.datasets is None:
        return [note[0].upper() + note[1:] for note in summary.notes]
    where, datasets = f"{named:,} domain{'s' if named != 1 else ''}", summary.datasets
    if facts.state.domain is not None:
        where, datasets = f"domain {facts.state.domain}", sum(d.datasets or 0 for d in mine)
    products = len(facts.products())
    counts = [where, f"{products:,} data product{'s' if products != 1 else ''}", f"{datasets:,} datasets"]
    return [" · ".join(counts), " · newest event ", ago(summary.newest_event, summary.as_of)]


def _register_browser(app: Dash) -> None:
    app.clientside_callback(  # rows that open over the page are no reason to draw the page anew
        ClientsideFunction("meshline", "health_asked"),
        Output("health-asked", "data"),
        Input("url", "search"),
        State("health-asked", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("meshline", "health_go"),
        Output("url", "search", allow_duplicate=True),
        Input("health-domain", "value"),
        Input("health-period", "value"),
        Input("health-rows", "opened"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("meshline", "print_page"),
        Output("health-print", "title"),
        Input("health-print", "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("meshline", "grid_csv"),
        Output("health-grid", "exportDataAsCsv"),
        Input("health-grid-csv", "n_clicks"),
        prevent_initial_call=True,
    )


PAGE = Page(
    "/", "Governance health", "how the mesh is, and what needs attention", "Monitor", "heart-rate-monitor", layout,
    register,
)  # fmt: skip
