"""Saved views: pages with their choices under a name, for everybody; rename them, take them away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Dash, dcc, html

from dashboard import forms
from dashboard.desk import Asked, Desk, clock, head, listing, slot
from dashboard.forms import Field, Values
from dashboard.page import Page, Part
from dashboard.pages.govern import acts_card
from dashboard.pages.govern import facts as facts_list
from dashboard.pages.overview_parts import card
from dashboard.rows import Row, Sheet
from dashboard.tables import Column, cell
from lineage.actor import Actor
from lineage.saved.questions import SavedView

if TYPE_CHECKING:
    from lineage.engine import Lineage

VIEWS = (("all", "All"),)
TITLE = (Field("title", "Title"),)
_COLUMNS = (
    Column("title", "View", 2, link=True), Column("page", "Page", 0.8), Column("reason", "Reason", 2),
    Column("saved_by", "Saved by", 1), Column("saved_at", "Saved", 1.3), Column("actor", "Changed by", 1),
    Column("changed_at", "Changed", 1.3), Column("address", "Address", 2.4),
)  # fmt: skip
_ABOUT = "A click opens one. The button at the top of every page saves what is shown."


def layout() -> Part:
    """Frame of the page."""
    return html.Div(
        [head("views", "Saved views"), slot("views-one", 40, "room"), listing("views", VIEWS)],
        className="page desk-page",
    )


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "views")

    def found(asked: Asked) -> tuple[SavedView, ...]:
        return desk.ask(asked, "views", lx.saved.list).views

    desk.card("sub", lambda asked: f"{len(found(asked)):,} views, what changed last first")
    desk.card("one", lambda asked: _one(lx, asked))
    desk.listing(lambda asked: _ABOUT, lambda asked: _sheet(asked, found(asked)))

    def rename(said: Values, actor: Actor) -> str:
        made = lx.saved.change(said["subject"], title=said["title"], reason=said["reason"], actor=actor)
        return f"It is called {made.title} now."

    def remove(said: Values, actor: Actor) -> str:
        lx.saved.remove(said["subject"], reason=said["reason"], actor=actor)
        return "It is gone; what was done with it stays in the log."

    forms.register(app, "view-rename", TITLE, rename, lx)
    forms.register(app, "view-remove", (), remove, lx)


def _sheet(asked: Asked, views: tuple[SavedView, ...]) -> Sheet:
    rows: list[Row] = [
        {
            "title": v.title, "page": v.page or "overview", "reason": v.reason, "saved_by": v.saved_by,
            "saved_at": cell(v.saved_at), "actor": v.actor, "changed_at": cell(v.changed_at), "address": v.address,
            "href": asked.to(view=None, id=v.id),
        }
        for v in views
    ]  # fmt: skip
    key = (tuple((v.id, v.changed_at) for v in views), asked.links.base)
    return Sheet(key, _COLUMNS, rows, "saved-views", "Nothing was saved yet. The button at the top of every page does.")


def _one(lx: Lineage, asked: Asked) -> Part:
    id = asked.get("id")
    if not id:
        return None
    one = lx.saved.get(id)
    pairs: list[tuple[str, Part]] = [
        ("Address", html.Span(one.address or "the first page", className="mono small")), ("Reason", one.reason),
        ("Saved by", f"{one.saved_by}, {clock(one.saved_at)} UTC"),
        ("Changed by", f"{one.actor}, {clock(one.changed_at)} UTC"),
    ]  # fmt: skip
    go = dcc.Link("Open it", href=f"{asked.links.base}{one.address}", className="btn primary", id="view-open")
    shown = card(one.title, "", facts_list(pairs), html.P(go), more=dcc.Link("Close", href=asked.to(id=None)),
                 name="view-card")  # fmt: skip
    named = (Field("title", "Title", value=one.title),)
    panels = {
        "Rename": forms.form("view-rename", "Rename", "For everybody.", named, "Rename", subject=one.id),
        "Remove": forms.form("view-remove", "Remove", "For everybody.", (), "Remove", subject=one.id),
    }
    return html.Div([shown, acts_card(asked, "views-tabs", panels, "")], className="cols halves")


PAGE: Any = Page(
    "/views", "Saved views", "what people keep under a name", "Explore", "list", layout, register
)  # fmt: skip
