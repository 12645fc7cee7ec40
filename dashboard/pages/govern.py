"""What the pages of policies, access and the audit log share: acts that show at once, facts, panels of forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from dash import html

from dashboard.desk import Asked, Desk
from dashboard.forms import tabs
from dashboard.memo import YOUNG
from dashboard.page import Part
from dashboard.pages.overview_parts import card, nothing

T = TypeVar("T")
TONES = {
    "open": "bad", "reopened": "bad", "acknowledged": "warn", "waived": "warn", "fixed": "good", "holds": "good",
    "requested": "warn", "refused": "", "ended": "",
}  # fmt: skip


def pill(word: str) -> Part:
    """A state, in its colour."""
    return html.Span(word, className=f"pill {TONES.get(word, '')}")


def facts(pairs: Sequence[tuple[str, Part]]) -> Part:
    """A list of what is known."""
    parts = [part for key, value in pairs for part in (html.Dt(key), html.Dd(value))]
    return html.Dl(parts, className="facts-wide")


def acts_card(asked: Asked, name: str, panels: Mapping[str, Part], closed: str) -> Part:
    """The forms of what is shown, one tab each; in the past, or when nothing can be done, why not.

    Parameters
    ----------
    name
        id of the tabs.
    panels
        form by the word on its tab; empty when nothing can be done.
    closed
        why nothing can be done.
    """
    if asked.links.asof or asked.links.known:
        return card("Act", "", nothing("history", "You look at the past. Go back to now to act."))
    if not panels:
        return card("Act", "", nothing("info-circle", closed))
    return card("Act", "Every act needs a reason and stands in the audit log", tabs(name, panels))


def instant(text: str) -> str:
    """What a picker of times gives, as the query layer reads it.

    >>> instant("2026-03-31 10:00")
    '2026-03-31T10:00'
    """
    return text.strip().replace(" ", "T")


def recent(desk: Desk, asked: Asked, name: tuple[Any, ...], find: Callable[[], T]) -> T:
    """An answer that acts change: shared with other readers for a few seconds at most.

    Acts of a terminal do not always change the graph, so the state of the store does not tell that an answer is old.
    """
    return desk.memo.get((name, asked.links.asof, asked.links.known), find, old=YOUNG)
