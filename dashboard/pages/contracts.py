"""Contracts: which are kept, by what this is known, what changed between versions, who still reads what ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from dashboard.desk import Asked, Desk, domain_choice, head, listing, slot
from dashboard.page import Page, Part
from dashboard.pages import contracts_cards as cards
from dashboard.pages.contracts_facts import VIEWS, ContractFacts
from dashboard.pages.contracts_sheets import sheet_of

if TYPE_CHECKING:
    from lineage.engine import Lineage


def layout() -> Part:
    """Frame of the page."""
    return html.Div(
        [
            head("contracts", "Contracts", html.Div(dmc.Skeleton(height=36, width=180, radius=8),
                                                    id="contracts-domain-room")),
            slot("contracts-tiles", 112, "tiles-room"),
            html.Div([slot("contracts-kept", 330), slot("contracts-ends", 330)], className="cols wide-left"),
            slot("contracts-human", 120, "room"),
            listing("contracts", VIEWS),
        ],
        className="page desk-page",
    )  # fmt: skip


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "contracts")

    def facts(asked: Asked) -> ContractFacts:
        return ContractFacts(desk, asked)

    desk.controls("domain")
    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("domain-room", lambda asked: domain_choice(
        "contracts-domain", facts(asked).domains(), asked.get("domain")))  # fmt: skip
    desk.card("tiles", lambda asked: html.Div(cards.tiles(facts(asked)), className="tiles"))
    desk.card("kept", lambda asked: cards.kept(facts(asked)))
    desk.card("ends", lambda asked: cards.ends(facts(asked)))
    desk.card("human", lambda asked: cards.one_contract(facts(asked)))
    desk.listing(lambda asked: _about(facts(asked)), lambda asked: sheet_of(facts(asked)))


def _sub(facts: ContractFacts) -> Part:
    if facts.id:
        return ["Contract ", html.Span(facts.id, className="mono strong"), " · ",
                dcc.Link("All contracts", href=facts.asked.to(id=None))]  # fmt: skip
    return f"{len(facts.contracts()):,} contracts with {len(facts.promises()):,} promises"


def _about(facts: ContractFacts) -> str:
    return {
        "promises": "Every promise with what was expected, what was seen, and by what this is known.",
        "contracts": "Every contract with what it binds and who reads it; a click opens it.",
        "changes": "What each version changed, as consumers and as the real readers feel it.",
    }[facts.view]


PAGE = Page("/contracts", "Contracts", "promises, versions, what ends", "Govern", "clipboard-check", layout, register)
