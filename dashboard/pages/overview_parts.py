"""What the cards of the governance health page have in common."""

from __future__ import annotations

from dash import dcc, html

from dashboard.page import Part
from dashboard.theme import icon


def card(title: str, sub: Part, *body: Part, more: Part = None, name: str | None = None) -> Part:
    """A card with a heading, a line below it, and a link at the right."""
    head = html.Div([html.Div([html.H2(title), html.Div(sub, className="card-sub")]), more], className="card-head")
    return html.Section([head, *body], className="card block", **({"id": name} if name else {}))


def nothing(mark: str, text: Part, *more: Part) -> Part:
    """A card's body when there is nothing to show: why, and a way on."""
    return html.Div([icon(mark, size=22), html.P(text), *more], className="card-none")


def severity(word: str) -> Part:
    """Mark of a severity, by shape and colour; the word stands beside it in the text."""
    return html.Span(className=f"severity severity-{word}", title=f"severity: {word}", **{"aria-hidden": "true"})


def bar(share: float, tone: int) -> Part:
    """A share of one as a bar; decoration beside a printed number."""
    fill = html.Span(style={"width": f"{100 * min(max(share, 0.0), 1.0):.1f}%", "background": f"var(--tone-{tone})"})
    return html.Span(fill, className="bar", **{"aria-hidden": "true"})


def tone(score: float | None) -> int:
    """Tone of a score of 0 to 100: 0 bad … 4 good, 5 unknown.

    >>> tone(96.0), tone(70.0), tone(None)
    (4, 1, 5)
    """
    if score is None:
        return 5
    return next((tone for tone, limit in ((4, 95), (3, 85), (2, 75), (1, 60)) if score >= limit), 0)


def link(text: str, href: str) -> Part:
    """The link at the head of a card."""
    return dcc.Link(text, href=href)
