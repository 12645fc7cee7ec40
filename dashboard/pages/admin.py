"""Administration: who sends events, names of datasets, edges and owners by hand, retention, jobs, the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Dash, dcc, html

from dashboard.desk import Asked, Desk, head, listing, slot
from dashboard.page import Page, Part
from dashboard.pages import admin_cards as cards
from dashboard.pages import admin_keeping as keeping
from dashboard.pages import corrections
from dashboard.pages.admin_sheets import VIEWS, AdminFacts, sheet_of

if TYPE_CHECKING:
    from lineage.engine import Lineage

_ABOUT = {
    "sources": "Who sends events, now. The lag is from the time of the newest event to its receipt.",
    "suggestions": "Names that a rule takes for one dataset. A click shows what joining them would do.",
    "names": "What makes several names one dataset. A click shows it, and how to undo it.",
    "edges": "What people added or called wrong. A click takes it into the form, to take it back.",
    "owners": "Whom people named. A click opens the dataset, where it can be changed or taken back.",
}


def layout() -> Part:
    """Frame of the page, with skeletons where numbers will stand."""
    return html.Div(
        [
            head("admin", "Administration"),
            slot("admin-tiles", 112, "tiles-room"),
            slot("admin-act", 40, "room"),
            listing("admin", VIEWS),
            html.Div([slot("admin-health", 260), slot("admin-jobs", 260)], className="cols halves after-list"),
            dcc.Store(id="admin-look"),  # grows with every look at the jobs
            dcc.Store(id="admin-pressed"),  # the last press on a button of them
            html.Div([slot("admin-retention", 260), slot("admin-masking", 260)], className="cols halves"),
        ],
        className="page desk-page",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk, done = Desk.at(app, lx, base, "admin"), keeping.Examined()

    def facts(asked: Asked) -> AdminFacts:
        return AdminFacts(desk, asked)

    desk.card("sub", lambda asked: "Sources, names, corrections by hand, retention, jobs, the database")
    desk.card("tiles", lambda asked: html.Div(cards.tiles(facts(asked)), className="tiles"))
    desk.card("act", lambda asked: cards.act(facts(asked)))
    desk.listing(lambda asked: _ABOUT[facts(asked).view], lambda asked: sheet_of(facts(asked)))
    desk.card("health", lambda asked: keeping.health(lx, done))
    desk.card("retention", keeping.retention, live=False)
    desk.card("masking", lambda asked: keeping.masking(lx, asked))
    corrections.register(app, lx)
    keeping.register(app, lx, done)


PAGE: Any = Page(
    "/admin", "Administration", "sources, names, corrections, retention, jobs, the database", "Govern",
    "adjustments-horizontal", layout, register,
)  # fmt: skip
