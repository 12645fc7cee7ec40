"""Runs and ingestion: what failed, when jobs ran and for how long, who sends events, what cannot be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, html

from dashboard.desk import Asked, Desk, head, slot, tabs, waiting
from dashboard.page import Page, Part
from dashboard.pages import runs_cards as cards
from dashboard.pages.runs_sheets import MOST, VIEWS, RunFacts, sheet_of

if TYPE_CHECKING:
    from lineage.engine import Lineage

_ABOUT = {
    "runs": "Runs of the 7 days before, failures first; a name opens the run.",
    "jobs": "The 90 days before; a last run is odd when it left the band that its own history gives.",
    "sources": "Who sends events, now. The lag is from the time of the newest event to its receipt.",
    "blind": "Where what was sent cannot be the whole truth, now.",
}


def layout() -> Part:
    """Frame of the page, with skeletons where numbers will stand."""
    return html.Div(
        [
            head("runs", "Runs & ingestion"),
            slot("runs-tiles", 112, "tiles-room"),
            slot("runs-run", 40, "room"),
            slot("runs-gantt", 320, "room"),
            html.Section(
                [
                    html.Div(
                        [
                            html.Div([html.H2("The rows"), html.Div("", id="runs-list-sub", className="card-sub")]),
                            tabs("runs-view", VIEWS, VIEWS[0][0], "What is listed"),
                        ],
                        className="card-head wraps",
                    ),
                    html.Div(waiting(420), id="runs-list"),
                ],
                className="card block",
                id="list",
            ),
        ],
        className="page desk-page",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "runs")

    def facts(asked: Asked) -> RunFacts:
        return RunFacts(desk, asked)

    desk.controls("view")
    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("tiles", lambda asked: html.Div(cards.tiles(facts(asked)), className="tiles"))
    desk.card("run", lambda asked: cards.one(facts(asked)))
    desk.card("gantt", lambda asked: cards.gantt(facts(asked)))
    desk.card("list-sub", lambda asked: _ABOUT[facts(asked).view])
    desk.sheet(lambda asked: sheet_of(facts(asked)))
    app.clientside_callback(ClientsideFunction("sheets", "pick"), Output("runs-view", "value"), Input("url", "search"))


def _sub(facts: RunFacts) -> Part:
    found = facts.runs()
    cut = f" · {MOST:,} of them are listed" if found.partial else ""
    return f"{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC{cut}"


PAGE: Any = Page(
    "/runs", "Runs & ingestion", "what failed, how long jobs took, who sends events, blind spots", "Monitor",
    "player-play", layout, register,
)  # fmt: skip
