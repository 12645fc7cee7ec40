"""Cost: where the money goes, who carries it, what is of no use, and how budgets stand; one currency at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dash_mantine_components as dmc
from dash import Dash, html

from dashboard.amounts import money
from dashboard.desk import Asked, Desk, domain_choice, head, listing, slot, tabs
from dashboard.page import Page, Part
from dashboard.pages import cost_cards as cards
from dashboard.pages.cost_facts import BY, VIEWS, CostFacts
from dashboard.pages.cost_sheets import sheet_of

if TYPE_CHECKING:
    from lineage.engine import Lineage

_ABOUT = {
    "rows": "Own cost, what is charged back for others, and full cost of all that is upstream; a click explains it.",
    "waste": "Nobody read it for 60 days: what it costs, and what can go with it, consumers first.",
    "repeated": "Jobs whose runs write what they wrote before.",
    "showback": "Own + received − passed on = charged back, exactly.",
    "subsidies": "What one domain pays and another uses.",
    "budgets": "Spent and forecast; the band holds 80 of 100.",
    "odd": "Days on which something cost more, or less, than its past lets expect.",
    "explain": "The bills, pools and rates that make up the own cost of one dataset or job.",
}


def layout() -> Part:
    """Frame of the page, with skeletons where numbers will stand."""
    return html.Div(
        [
            head("cost", "Cost", html.Div(dmc.Skeleton(height=36, width=300, radius=8), id="cost-choices",
                                          className="side")),
            slot("cost-tiles", 112, "tiles-room"),
            html.Div([slot("cost-tree", 440), slot("cost-months", 440)], className="cols wide-left"),
            html.Div([slot("cost-budgets", 380), slot("cost-flow", 380)], className="cols halves"),
            slot("cost-unused", 260, "room"),
            listing("cost", VIEWS, options=True),
        ],
        className="page desk-page",
    )  # fmt: skip


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "cost")

    def facts(asked: Asked) -> CostFacts:
        return CostFacts(desk, asked)

    desk.controls("domain", "by", "period", "currency", "node")
    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("choices", lambda asked: _choices(facts(asked)))
    desk.card("tiles", lambda asked: html.Div(cards.tiles(facts(asked)), className="tiles"))
    desk.card("tree", lambda asked: cards.tree(facts(asked)))
    desk.card("months", lambda asked: cards.months(facts(asked)))
    desk.card("budgets", lambda asked: cards.budgets(facts(asked)))
    desk.card("flow", lambda asked: cards.flow(facts(asked)))
    desk.card("unused", lambda asked: cards.unused(facts(asked)))
    desk.listing(lambda asked: _ABOUT[facts(asked).view], lambda asked: sheet_of(facts(asked)))
    desk.card("options", lambda asked: _options(facts(asked)))


def _sub(facts: CostFacts) -> Part:
    found = [money(one.billed, one.currency) for one in facts.report("domain").currencies]
    if not found:
        return f"{facts.unbilled.capitalize()}, so no cost is known"
    metric = facts.report("domain").metric
    return f"{facts.month} · {' and '.join(found)} {metric} · each currency stands for itself"


def _choices(facts: CostFacts) -> Part:
    months, known = facts.months(), facts.currencies()
    period = facts.month
    return [
        domain_choice("cost-domain", facts.domains(), facts.domain),
        dmc.Select(id="cost-period", data=months[::-1], value=period, allowDeselect=False, w=120,
                   attributes={"input": {"aria-label": "Month"}}) if facts.period
        else html.Div(dmc.Select(id="cost-period", data=months[::-1], value=period, allowDeselect=False, w=120,
                                 attributes={"input": {"aria-label": "Month"}}), **{"data-standard": period}),
        html.Div(dmc.SegmentedControl(id="cost-currency", data=known, value=facts.currency,
                                      attributes={"root": {"aria-label": "Currency"}}),
                 **{"data-standard": known[0]}) if len(known) > 1 else None,
    ]  # fmt: skip


def _options(facts: CostFacts) -> Part:
    if facts.view == "rows":
        return tabs("cost-by", BY, facts.by, "Cost of")
    if facts.view == "explain":
        return [dmc.TextInput(id="cost-node", value=facts.asked.get("node"), debounce=400, w=380,
                              label="Dataset or job", placeholder="dataset:NAMESPACE:NAME or a unique end of a name"),
                html.Div(cards.explained(facts), className="options")]  # fmt: skip
    return None


PAGE = Page("/cost", "Cost", "where the money goes, and for whom", "Monitor", "coin", layout, register)
