"""Access: who may read what, who asked for it, who reads without being allowed, what is granted for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import Dash, html

from dashboard.desk import Asked, Desk, domain_choice, head, listing, slot
from dashboard.page import Page, Part
from dashboard.pages import access_cards as cards
from dashboard.pages.access_facts import VIEWS, AccessFacts, sheet_of

if TYPE_CHECKING:
    from lineage.engine import Lineage

_ABOUT = {
    "grants": "What waits for a decision first; a click opens one, to approve, deny or revoke it.",
    "shadow": "Data of a product that another domain reads, and no grant allows it.",
}


def layout() -> Part:
    """Frame of the page, with skeletons where numbers will stand."""
    return html.Div(
        [
            head("access", "Access", html.Div(dmc.Skeleton(height=36, width=180, radius=8), id="access-domain-room")),
            slot("access-tiles", 112, "tiles-room"),
            slot("access-act", 40, "room"),
            html.Div(
                [html.Div([slot("access-shadows", 220), slot("access-zombies", 180)], className="stack"),
                 slot("access-ask", 420)],
                className="cols halves",
            ),
            listing("access", VIEWS),
        ],
        className="page desk-page",
    )  # fmt: skip


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "access")

    def facts(asked: Asked) -> AccessFacts:
        return AccessFacts(desk, asked)

    desk.controls("domain")
    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("domain-room", lambda asked: domain_choice(
        "access-domain", facts(asked).domains(), asked.get("domain")))  # fmt: skip
    desk.card("tiles", lambda asked: html.Div(cards.tiles(facts(asked)), className="tiles"))
    desk.card("act", lambda asked: cards.act(facts(asked)))
    desk.card("shadows", lambda asked: cards.shadows(facts(asked)))
    desk.card("zombies", lambda asked: cards.zombies(facts(asked)))
    desk.card("ask", lambda asked: cards.ask(facts(asked)), live=False)
    desk.listing(lambda asked: _ABOUT[facts(asked).view], lambda asked: sheet_of(facts(asked)))
    cards.register(app, lx)


def _sub(facts: AccessFacts) -> Part:
    where = f" with domain {facts.domain}" if facts.domain else ""
    return f"{len(facts.grants()):,} grants and requests{where} · {len(facts.products()):,} products"


PAGE: Any = Page(
    "/access", "Access", "requests, grants, shadow edges, zombie grants", "Govern", "user", layout, register
)
