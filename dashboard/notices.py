"""Notifications: what is open now, in the header of every page. What is new is decided by the browser that looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, set_props

from dashboard.amounts import ago
from dashboard.links import Links
from dashboard.memo import noticing, shared
from dashboard.names import short_id
from dashboard.page import Part, callback
from dashboard.pages.overview_attention import WORDS, reach_text, where
from dashboard.pages.overview_parts import severity
from dashboard.theme import icon
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.attention import Matter
    from lineage.engine import Lineage

MOST = 60
TOLD = ("job", "incident", "contract", "violation", "budget")


def bell() -> Part:
    """The button, and the list that it opens."""
    return dmc.Popover(
        [
            dmc.PopoverTarget(
                html.Button(
                    [icon("bell", size=20), html.Span(id="bell-count", className="bell-count is-empty")],
                    id="bell-open",
                    className="round bell",
                    **{"aria-label": "Notifications"},
                )
            ),
            dmc.PopoverDropdown(
                [
                    html.Div([html.B("Notifications"), html.Span("what is open now", className="nothing")],
                             className="bell-head"),
                    html.Div(html.Div("Asking…", className="bell-none"), id="bell-list", className="bell-list"),
                ],
                p=0,
            ),
            dcc.Store(id="bell-ids"),
            dcc.Store(id="bell-asked"),
            dcc.Store(id="bell-held"),  # changes when the answer was from before the store changed
        ],
        id="bell",
        width=400,
        position="bottom-end",
        shadow="lg",
        keepMounted=True,
    )  # fmt: skip


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the bell."""
    memo = shared(lx)
    app.clientside_callback(
        ClientsideFunction("live", "bell_ask"),
        Output("bell-asked", "data"),
        Input("url", "pathname"),
        Input("fresh", "data"),
        Input("bell-held", "data"),
        State("bell-asked", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("live", "bell_count"),
        Output("bell-count", "children"),
        Output("bell-count", "className"),
        Output("bell-open", "aria-label"),
        Input("bell-ids", "data"),
        Input("bell", "opened"),
    )

    @callback(
        app,
        Output("bell-list", "children"),
        Output("bell-ids", "data"),
        Input("bell-asked", "data"),
        prevent_initial_call=True,
    )
    def tell(asked: Any) -> tuple[Part, list[str]]:
        links = Links(base)
        try:
            with noticing() as held:  # no figure of the page: asked again, without a word beside the instant
                found = memo.get(("attention None", None, None), lx.attention)
            if held:
                set_props("bell-held", {"data": asked})
        except MeshlineError as error:
            return html.Div(str(error), className="bell-none"), []
        told = [one for one in found.matters if one.kind in TOLD]
        told.sort(key=lambda one: one.since is None)
        if not told:
            return html.Div([icon("circle-check", size=20), "Nothing is open."], className="bell-none"), []
        rows = [notice(one, links, found.as_of) for one in told[:MOST]]
        more = dcc.Link(f"All {found.total:,}", href=links.to("", rows="attention"), className="bell-more")
        return html.Div([*rows, more]), [name_of(one) for one in told[:MOST]]


def name_of(matter: Matter) -> str:
    """What makes a matter the same one when it is seen again."""
    return f"{matter.kind}|{matter.ref}|{matter.node or ''}|{matter.since or ''}"


def notice(matter: Matter, links: Links, now: datetime) -> Part:
    """One notification as a link."""
    name = short_id(matter.node)[0] if matter.node else matter.detail
    below: list[Part] = [f"{matter.severity} {WORDS[matter.kind]} · ", name, f" · {reach_text(matter)}"]
    if matter.since:
        below += [" · ", ago(matter.since, now)]
    body = [
        severity(matter.severity),
        html.Span([html.Span(matter.what, className="row-title"), html.Span(below, className="row-below")]),
    ]
    inside = dcc.Link(body, href=where(matter, links), className="row matter")
    return html.Div(inside, **{"data-notice": name_of(matter)})
