"""Who may read a product and what people say of it: on its own page, and on those of its datasets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dash import dcc, html

from dashboard.desk import Asked, clock, node_link, plain
from dashboard.page import Part
from dashboard.pages.govern import pill
from dashboard.pages.overview_parts import card, nothing

if TYPE_CHECKING:
    from lineage.feedback.questions import FeedbackRow
    from lineage.policies.access import AccessRow, ShadowEdge

_MOST = 12


def access_card(
    asked: Asked, grants: Sequence[AccessRow], shadows: Sequence[ShadowEdge], more: Part = None, name: str = ""
) -> Part:
    """Grants and requests, and who reads without one."""
    title, sub = "Who may read it", "Grants and requests, and who reads without one"
    rows = [
        (f"{g.consumer_kind} {g.consumer}", pill(g.state), g.purpose, clock(g.expires),
         {True: "used", False: "not used", None: "use not told"}[g.used],
         dcc.Link("open", href=asked.links.to("access", grant=g.id)))
        for g in grants
    ]  # fmt: skip
    body: list[Part] = []
    if rows:
        heads = (("Consumer", False), ("State", False), ("Purpose", False), ("Until", False), ("Seen", False),
                 ("Grant", False))  # fmt: skip
        body.append(plain(heads, rows, title))
    if shadows:
        items = [html.Li([node_link(asked, s.dst), f" of {s.domain} reads ", node_link(asked, s.src)])
                 for s in shadows[:_MOST]]  # fmt: skip
        body += [html.H3(f"{len(shadows):,} reads without a grant"), html.Ul(items, className="says")]
    empty = nothing("user", "Nobody has asked, and nobody reads it without a grant.")
    return card(title, sub, *(body or [empty]), more=more, name=name or "access-card")


def feedback_card(found: Sequence[FeedbackRow], more: Part = None) -> Part:
    """What was said of it, open problems first."""
    title, sub = "What people say", "Open problems first"
    if not found:
        return card(title, sub, nothing("circle-check", "Nobody has said anything yet."), more=more,
                    name="feedback-card")  # fmt: skip
    items = []
    for one in found[:10]:
        said = f"{one.rating} of 5" if one.rating else f"problem, {one.state}"
        answers = [html.Span(f"{a.actor} answered: {a.text}", className="muted") for a in one.answers]
        items.append(
            html.Li([html.B(said), f" {one.text}", html.Span(f"{one.actor}, {clock(one.at)}", className="muted"),
                     *answers], className="bad" if one.state == "open" else "")
        )  # fmt: skip
    return card(title, sub, html.Ul(items, className="log"), more=more, name="feedback-card")
