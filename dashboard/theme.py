"""Colours, fonts and icons. The colours themselves are custom properties in ``assets/theme.css``, so that a change
between light and dark needs no server and no figure has to be built again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dash import html

from lineage.domains import DomainInfo

UNASSIGNED_COLOUR = 19  # grey; the other 19 belong to domains
INDIGO = [
    "#eef0ff",
    "#dce1ff",
    "#b7c0fb",
    "#909df6",
    "#6f7ff2",
    "#5a6bee",
    "#4b5be3",
    "#3f4ecb",
    "#3744b3",
    "#2d399b",
]

MANTINE: dict[str, Any] = {
    "primaryColor": "indigo",
    "primaryShade": 6,  # white text on it has a contrast of 5.6 in both schemes
    "colors": {"indigo": INDIGO},
    "fontFamily": '"Inter Variable", Inter, system-ui, sans-serif',
    "fontFamilyMonospace": '"JetBrains Mono Variable", ui-monospace, monospace',
    "headings": {"fontFamily": '"Inter Variable", Inter, system-ui, sans-serif', "fontWeight": "680"},
    "defaultRadius": "md",
    "cursorType": "pointer",
}


def icon(name: str, *, size: int = 18) -> html.Span:
    """A Tabler icon of ``assets/icons.css``; decoration, so hidden from screen readers."""
    style = {"width": size, "height": size}
    return html.Span(className=f"icon icon-{name}", style=style, **{"aria-hidden": "true"})


def domain_colours(domains: Iterable[DomainInfo]) -> Mapping[str, int]:
    """Index of the colour of each domain, stable for one set of domains; what has no domain is grey."""
    return {d.name: d.colour % UNASSIGNED_COLOUR if d.colour >= 0 else UNASSIGNED_COLOUR for d in domains}


def domain_dot(colour: int) -> html.Span:
    """The square that stands for a domain wherever it is named."""
    return html.Span(className="domain-dot", style={"background": f"var(--domain-{colour})"})
