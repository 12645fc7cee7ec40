"""Colours of the picture that the server works out: quality, freshness, cost, policy, change; and their legend."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import html

from dashboard.memo import Memo
from dashboard.page import Part
from dashboard.pages.lineage_state import LineageState
from lineage.overlays import BY, Mark, Overlay

if TYPE_CHECKING:
    from lineage.engine import Lineage

UNKNOWN = 5
COLOURS = (
    ("domain", "Domain"),
    ("status", "Last run"),
    ("quality", "Quality"),
    ("freshness", "Freshness"),
    ("cost", "Cost"),
    ("policy", "PII and policy"),
    ("change", "Change"),
    ("age", "Age"),
)
_TITLES = {
    "quality": "Quality score", "freshness": "Since the last write", "cost": "Cost", "policy": "PII and policies",
    "change": "Changes",
}  # fmt: skip
_STATUS = (("failed", 0), ("aborted", 1), ("running", 2), ("completed", 4), ("no run", UNKNOWN))
_AGE = (("older", 0), ("30 d", 1), ("7 d", 2), ("48 h", 3), ("24 h", 4), ("no run", UNKNOWN))


def colour_choice(name: str, width: int, size: str) -> Part:
    """The choice of an overlay."""
    return dmc.Select(
        id=name,
        data=[{"value": value, "label": label} for value, label in COLOURS],
        value="domain",
        size=size,
        w=width,
        allowDeselect=False,
        attributes={"input": {"aria-label": "Colour by"}},
    )


def overlay_of(lx: Lineage, memo: Memo, state: LineageState, by: str) -> Overlay | None:
    """The overlay that is asked for; ``None`` for those that need no question.

    Raises
    ------
    MeshlineError
        when an instant makes no sense.
    """
    if by not in BY:
        return None
    as_of, known_at = state.as_of, state.known_at
    since = state.versus if by == "change" else None
    name = ("overlay", by, since, as_of, known_at)
    return memo.get(name, lambda: lx.overlay(by, since=since, as_of=as_of, known_at=known_at))


def marks_of(overlay: Overlay | None, nodes: Collection[str] | None) -> dict[str, Any] | None:
    """Marks of some cards (``None``: of all) as the canvas component takes them."""
    if overlay is None:
        return None
    told = {
        one.id: [_short(one), UNKNOWN if one.step is None else one.step, one.why]
        for one in overlay.marks
        if nodes is None or one.id in nodes
    }
    return {"by": overlay.by, "amounts": overlay.amounts, "of": told}


def _short(mark: Mark) -> str:
    """What stands on the card: the name needs the room that "unknown" would take, and the hatching says it too."""
    return "?" if mark.text == "unknown" else mark.text


def scale(by: str, overlay: Overlay | None, nodes: Collection[str] | None) -> Part:
    """Legend of the colours, with how many cards are unknown."""
    if by == "status":
        return _legend("Last run", _STATUS, "tone")
    if by == "age":
        return _legend("Age of the last run", _AGE, "tone")
    if overlay is None:
        return None
    shown = [one for one in overlay.marks if nodes is None or one.id in nodes]
    steps: list[tuple[str, int]] = list(overlay.scale)
    unknown = sum(one.step is None for one in shown)
    if unknown:
        steps.append((f"unknown ({unknown:,})", UNKNOWN))
    note = overlay.note
    if overlay.by == "change" and not shown:
        note, steps = f"nothing here changed {note}", []
    return _legend(_TITLES[overlay.by], steps, "heat" if overlay.amounts else "tone", note)


def _legend(title: str, steps: Sequence[tuple[str, int]], ramp: str, note: str = "") -> Part:
    keys = [
        html.Span([html.Span(className=f"swatch {'tone' if step == UNKNOWN else ramp}-{step}"), text])
        for text, step in steps
    ]
    return html.Div(
        [html.B(title), *keys, html.Span(note, className="scale-note") if note else None], className="scale-box"
    )
