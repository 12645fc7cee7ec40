"""Runs and ingestion: what failed, when jobs ran and for how long, who sends events, what cannot be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Dash, html

from dashboard.desk import Asked, Desk, head, listing, slot
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
            slot("runs-spells", 320, "room"),
            listing("runs", VIEWS),
        ],
        className="page desk-page",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "runs")

    def facts(asked: Asked) -> RunFacts:
        return RunFacts(desk, asked)

    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("tiles", lambda asked: html.Div(cards.tiles(facts(asked)), className="tiles"), of=_of, says=True)
    desk.card("run", lambda asked: cards.one(facts(asked)))
    desk.card("gantt", lambda asked: cards.gantt(facts(asked)), of=_of)
    desk.card("spells", lambda asked: cards.spells(facts(asked)), of=_of)
    desk.listing(lambda asked: _about(facts(asked)), lambda asked: sheet_of(facts(asked)))


def _of(asked: Asked) -> str:
    """A job beside a run only says which of the runs of this id is meant."""
    return "" if asked.get("run") else "job"


def _about(facts: RunFacts) -> str:
    unknown = _of(facts.asked) and facts.desk.unknown(facts.asked, "job") is not None
    return f"{_ABOUT[facts.view]} Of every job: the one in the address is unknown." if unknown else _ABOUT[facts.view]


def _sub(facts: RunFacts) -> Part:
    found = facts.runs()
    cut = f" · {MOST:,} of them are listed" if found.partial else ""
    return f"{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC{cut}"


PAGE: Any = Page(
    "/runs", "Runs & ingestion", "what failed, how long jobs took, who sends events, blind spots", "Monitor",
    "player-play", layout, register,
)  # fmt: skip
