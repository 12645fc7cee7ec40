"""A small picture of an answer for notebooks: boxes in columns by distance, and arrows. Plain SVG without script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

MOST = 40  # boxes drawn; a notebook cell is no place for more
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _EDGE = 200, 26, 56, 10, 8
_LETTERS = 27  # that fit into a box
_SURE = 22  # that fit however wide they are; more are drawn as wide as the box
_DASHES = {"probable": "5 3", "stale": "2 3"}
_COLOURS = ("#4269d0", "#d08a00", "#c8465a", "#2f8f8b", "#3b8a3b", "#a463f2", "#8a6d3b", "#5c6b7a")


@dataclass(frozen=True, slots=True)
class Box:
    """One node. ``level`` is its column, ``group`` decides the colour of its border, ``title`` is shown on hover."""

    id: str
    label: str
    level: int
    group: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow between two boxes, dashed when it is a guess."""

    src: str
    dst: str
    certainty: Literal["certain", "probable", "stale"] = "certain"


def draw(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> str:
    """SVG of boxes and arrows.

    Parameters
    ----------
    boxes
        in the order in which they are to stand; those beyond the first 40 are counted, not drawn.
    arrows
        those at boxes that are not drawn are left out.

    Examples
    --------
    >>> draw([Box("a", "a", 0), Box("b", "b", 1)], [Arrow("a", "b")]).count("<rect")
    2
    """
    shown, left_out = boxes[:MOST], len(boxes) - MOST
    columns = sorted({box.level for box in shown})
    used = dict.fromkeys(columns, 0)
    place: dict[str, tuple[int, int]] = {}
    for box in shown:
        x = _EDGE + columns.index(box.level) * (_WIDTH + _GAP_X)
        place[box.id] = (x, _EDGE + used[box.level] * (_HEIGHT + _GAP_Y))
        used[box.level] += 1
    groups = sorted({box.group for box in shown})
    colour = {group: _COLOURS[i % len(_COLOURS)] for i, group in enumerate(groups)}
    width = 2 * _EDGE + len(columns) * (_WIDTH + _GAP_X) - (_GAP_X if columns else 0)
    height = 2 * _EDGE + max(used.values(), default=0) * (_HEIGHT + _GAP_Y)
    parts = [_arrow(arrow, place) for arrow in arrows if arrow.src in place and arrow.dst in place]
    parts += [_box(box, place[box.id], colour[box.group]) for box in shown]
    if left_out > 0:
        parts.append(f'<text x="{_EDGE}" y="{height + 8}">… {left_out:,} more, in the table</text>')
        height += 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="currentColor">{"".join(parts)}</svg>'
    )


def shorten(text: str) -> str:
    """A name that fits into a box: its end tells more than its beginning.

    >>> shorten("warehouse.sales.public.fct_orders_by_customer")
    '…blic.fct_orders_by_customer'
    """
    return text if len(text) <= _LETTERS + 1 else "…" + text[-_LETTERS:]


def _box(box: Box, at: tuple[int, int], colour: str) -> str:
    x, y = at
    label = shorten(box.label)
    fitted = f' textLength="{_WIDTH - 16}" lengthAdjust="spacingAndGlyphs"' if len(label) > _SURE else ""
    return (
        f"<g><title>{escape(box.title or box.id)}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="4" fill="none" stroke="{colour}" '
        f'stroke-width="1.5"/><text x="{x + 8}" y="{y + 17}"{fitted}>{escape(label)}</text></g>'
    )


def _arrow(arrow: Arrow, place: dict[str, tuple[int, int]]) -> str:
    (x0, y0), (x1, y1) = place[arrow.src], place[arrow.dst]
    x0, y0, y1 = x0 + _WIDTH, y0 + _HEIGHT // 2, y1 + _HEIGHT // 2
    bend = _GAP_X // 2
    dashes = f' stroke-dasharray="{_DASHES[arrow.certainty]}"' if arrow.certainty in _DASHES else ""
    return (
        f'<path d="M{x0},{y0} C{x0 + bend},{y0} {x1 - bend},{y1} {x1 - 5},{y1}" fill="none" stroke="currentColor" '
        f'stroke-opacity="0.55"{dashes}/><path d="M{x1},{y1} l-6,-3 v6 z" fill-opacity="0.55"/>'
    )
