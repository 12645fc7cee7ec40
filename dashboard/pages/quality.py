"""Quality and incidents: scores, what they rest on, tests, control charts, freshness, incidents, promises, drills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html

from dashboard.amounts import ago
from dashboard.desk import Asked, Desk, domain_choice, head, listing, slot, tabs
from dashboard.page import Page, Part
from dashboard.pages import quality_cards as cards
from dashboard.pages.quality_facts import BY, FAILURES, VIEWS, QualityFacts
from dashboard.pages.quality_sheets import sheet_of
from dashboard.theme import icon

if TYPE_CHECKING:
    from lineage.engine import Lineage


def layout() -> Part:
    """Frame of the page, with skeletons where numbers will stand."""
    return html.Div(
        [
            head(
                "quality", "Quality and incidents",
                html.Div(dmc.Skeleton(height=36, width=180, radius=8), id="quality-domain-room"),
                html.Button([icon("download", size=16), "Print"], id="quality-print", className="btn"),
            ),
            slot("quality-tiles", 112, "tiles-room"),
            html.Div([slot("quality-scores", 330), slot("quality-timeline", 330)], className="cols halves"),
            html.Div([slot("quality-control", 340), slot("quality-fresh", 340)], className="cols wide-left"),
            slot("quality-matrix", 260, "room"),
            listing("quality", VIEWS, options=True),
        ],
        className="page desk-page",
    )  # fmt: skip


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "quality")

    def facts(asked: Asked) -> QualityFacts:
        return QualityFacts(desk, asked)

    desk.controls("domain", "by", "series", "node", "failure")
    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("domain-room", lambda asked: domain_choice(
        "quality-domain", facts(asked).domains(), asked.get("domain")))  # fmt: skip
    desk.card("tiles", lambda asked: html.Div(cards.tiles(facts(asked)), className="tiles"), of=_of, says=True)
    desk.card("scores", lambda asked: cards.scores(facts(asked)), of=_of)
    desk.card("timeline", lambda asked: cards.incidents_over_time(facts(asked)), of=_of)
    desk.card("control", lambda asked: cards.control(facts(asked)), of=_of)
    desk.card("fresh", lambda asked: cards.freshness(facts(asked)), of=_of)
    desk.card("matrix", lambda asked: cards.matrix(facts(asked)), of=_of)
    desk.listing(lambda asked: _about(facts(asked)), lambda asked: sheet_of(facts(asked)))
    desk.card("options", lambda asked: _options(facts(asked)))
    app.clientside_callback(
        ClientsideFunction("sheets", "print"), Output("quality-print", "title"), Input("quality-print", "n_clicks"),
        prevent_initial_call=True,
    )  # fmt: skip


def _sub(facts: QualityFacts) -> Part:
    summary = facts.summary()
    if summary.datasets is None:
        return [f"{note[0].upper()}{note[1:]}" for note in summary.notes]
    where = f" of domain {facts.domain}" if facts.domain else ""
    return [f"{len(facts.scores('dataset')):,} datasets{where} · {len(facts.tests()):,} tests · newest event ",
            ago(summary.newest_event, summary.as_of)]  # fmt: skip


_ABOUT = {
    "scores": "What each is worth, and on how many of the expected checks that rests; the worst first.",
    "incidents": "Streaks of failures under their most upstream cause; resolved ones too.",
    "tests": "The newest result of every test. One that is too old is unknown, not passed.",
    "fresh": "By the promise of a contract, else by what the past of the dataset lets expect.",
    "series": "Row counts and metrics; a click draws the series above.",
    "promises": "Promises of freshness beside what history says could be kept 95 times of 100.",
    "drill": "A failure is played: who would notice, when, and who is told. Nothing is written.",
}


def _of(asked: Asked) -> str:
    """A failure that is played has a field for its dataset, which says itself what is wrong with it."""
    return "" if asked.get("view") == "drill" else "node"


def _about(facts: QualityFacts) -> Part:
    unknown = _of(facts.asked) and facts.desk.unknown(facts.asked, "node") is not None
    return f"{_ABOUT[facts.view]} Of every node: the one in the address is unknown." if unknown else _ABOUT[facts.view]


def _options(facts: QualityFacts) -> Part:
    if facts.view == "scores":
        return tabs("quality-by", BY, facts.by, "Scores of")
    if facts.view == "drill":
        return [
            dmc.TextInput(
                id="quality-node", value=facts.asked.get("node"), debounce=400, w=360, label="Dataset",
                placeholder="dataset:NAMESPACE:NAME or the unique end of a name",
            ),
            html.Div(
                [html.Div("What happens", className="option-label"),
                 tabs("quality-failure", FAILURES, facts.failure, "What happens")]
            ),
            html.Div(cards.messages(facts), className="option-wide"),
        ]  # fmt: skip
    return facts.desk.unknown(facts.asked, "node")


PAGE: Any = Page(
    "/quality", "Quality & incidents", "scores, tests, control charts, incidents", "Monitor", "alert-triangle", layout,
    register,
)  # fmt: skip
