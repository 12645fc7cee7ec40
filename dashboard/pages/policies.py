"""Policies: results by domain, violations with deadline and escalation, waivers, the SQL in plain sight, acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import Dash, html

from dashboard.desk import Asked, Desk, clock, domain_choice, head, listing, slot
from dashboard.page import Page, Part
from dashboard.pages import policies_acts as acts
from dashboard.pages import policies_backtest as backtest
from dashboard.pages import policies_cards as cards
from dashboard.pages.policies_facts import VIEWS, PolicyFacts
from dashboard.pages.policies_sheets import sheet_of

if TYPE_CHECKING:
    from lineage.engine import Lineage

_ABOUT = {
    "violations": "What the runs kept; a click opens one, to acknowledge, assign or waive it.",
    "results": "Every policy in every domain; what is in error is unknown, not passed.",
    "findings": "Every asset that violates or is waived in the state that is shown.",
    "waivers": "Exceptions with their end and approver; a click opens one, to approve, refuse or revoke it.",
    "policies": "What holds; a click shows the SQL.",
}


def layout() -> Part:
    """Frame of the page, with skeletons where numbers will stand."""
    return html.Div(
        [
            head("policies", "Policies",
                 html.Div(dmc.Skeleton(height=36, width=180, radius=8), id="policies-domain-room")),
            slot("policies-tiles", 112, "tiles-room"),
            html.Div([slot("policies-board", 420), slot("policies-causes", 420)], className="cols wide-left"),
            slot("policies-detail", 40, "room"),
            slot("policies-policy", 320, "room"),
            slot("policies-backtest", 60, "room"),
            listing("policies", VIEWS),
        ],
        className="page desk-page",
    )  # fmt: skip


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "policies")

    def facts(asked: Asked) -> PolicyFacts:
        return PolicyFacts(desk, asked)

    desk.controls("domain")
    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("domain-room", lambda asked: domain_choice(
        "policies-domain", facts(asked).domains(), asked.get("domain")))  # fmt: skip
    desk.card("tiles", lambda asked: html.Div(cards.tiles(facts(asked)), className="tiles"))
    desk.card("board", lambda asked: cards.board(facts(asked)))
    desk.card("causes", lambda asked: cards.causes(facts(asked)))
    desk.card("policy", lambda asked: cards.policy(facts(asked)))
    desk.card("detail", lambda asked: acts.detail(facts(asked)))
    desk.card("backtest", lambda asked: backtest.form(facts(asked)), live=False)
    desk.listing(lambda asked: _ABOUT[facts(asked).view], lambda asked: sheet_of(facts(asked)))
    acts.register(app, lx)
    backtest.register(app, lx)


def _sub(facts: PolicyFacts) -> Part:
    found = facts.results()
    where = f" in domain {facts.domain}" if facts.domain else ""
    return f"{len(found.policies):,} policies{where} · run over the state of {clock(found.as_of)} UTC"


PAGE: Any = Page(
    "/policies", "Policies", "results, violations, waivers, the SQL that decides", "Govern", "shield-check", layout,
    register,
)  # fmt: skip
