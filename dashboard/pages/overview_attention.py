"""The list of what needs attention, and where each row leads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dash import dcc, html

from dashboard.amounts import ago
from dashboard.links import Links
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.overview_facts import Facts
from dashboard.pages.overview_parts import card, link, nothing, severity

if TYPE_CHECKING:
    from lineage.attention import Matter

SHOWN = 9  # rows on the card; the rest is one click away
WORDS = {
    "job": "job", "incident": "incident", "contract": "contract", "violation": "policy", "budget": "budget",
    "blind spot": "blind spot",
}  # fmt: skip


def attention_card(facts: Facts, links: Links) -> Part:
    """The card."""
    found = facts.attention()
    state = facts.state
    where = f"In domain {state.domain}, ranked" if state.domain else "Ranked"
    sub = [f"{where} by severity × datasets downstream"]
    every = link(f"All {found.total:,}", state.to(links, rows="attention")) if found.matters else None
    unknown = [html.Div(text, className="nothing said") for text in found.unknown]
    if not found.matters:
        text = "Nothing is open: no failed job, incident, violation, broken contract, budget or blind spot."
        if facts.summary().datasets is None:
            text = "What was open then is unknown."
        return card("Needs attention", sub, nothing("circle-check", text), *unknown, name="attention")
    rows = [row(matter, links, found.as_of) for matter in found.matters[:SHOWN]]
    return card("Needs attention", sub, html.Ul([html.Li(one) for one in rows], className="matters"), *unknown,
                more=every, name="attention")  # fmt: skip


def row(matter: Matter, links: Links, now: datetime) -> Part:
    """One matter as a link to where it can be understood."""
    name, _ = short_id(matter.node) if matter.node else (matter.detail, "")
    many = (
        f"{matter.cases:,} of them, first " if matter.cases > 1 and matter.kind in ("violation", "blind spot") else ""
    )
    also = f" and {matter.cases - 1} more" if matter.cases > 1 and matter.kind == "incident" else ""
    below: list[Part] = [
        f"{matter.severity} {WORDS[matter.kind]} · ",
        many,
        html.Span(name, className="mono", title=matter.node),
        also,
    ]
    if matter.domain:
        below += [" · ", matter.domain]
    if matter.since and matter.kind in ("job", "incident"):
        below += [" · ", ago(matter.since, now)]
    return dcc.Link(
        [
            severity(matter.severity),
            html.Span(
                [html.Span(matter.what, className="row-title"), html.Span(below, className="row-below")],
                title=matter.detail,
            ),
            html.Span(reach_text(matter), className="row-right num"),
        ],
        href=where(matter, links),
        className="row matter",
    )


def reach_text(matter: Matter) -> str:
    """How much is behind it, in words; unknown is not zero."""
    if matter.node is None:
        return "no one node"
    if matter.reach is None:
        return "reach not known"
    return f"{matter.reach:,} downstream"


def where(matter: Matter, links: Links) -> str:
    """Address of the page on which a matter can be understood and acted on."""
    if matter.kind == "incident":
        return links.to("incident", id=matter.ref)
    if matter.kind == "contract":
        return links.to("contracts", id=matter.ref)
    if matter.kind == "violation":
        return links.to("policies", policy=matter.ref)
    if matter.kind == "budget":
        return links.to("cost")
    return _picture(matter, links)


def _picture(matter: Matter, links: Links) -> str:
    overlay = {"incident": "freshness", "violation": "policy", "contract": "quality"}.get(matter.kind)
    return links.lineage(matter.node, down="all", by=overlay) if matter.node else links.to("", rows="attention")


def attention_rows(facts: Facts, links: Links) -> list[dict[str, Any]]:
    """All matters as rows of a table."""
    return [
        {
            "severity": m.severity,
            "kind": WORDS[m.kind],
            "what": m.what,
            "node": m.node or "",
            "domain": m.domain,
            "owner": m.owner or "",
            "reach": m.reach if m.reach is not None else None,
            "cases": m.cases,
            "since": f"{m.since:%Y-%m-%d %H:%M}" if m.since else "",
            "detail": m.detail,
            "short": {"node": short_id(m.node) if m.node else ("", "")},
            "href": where(m, links),
        }
        for m in facts.attention().matters
    ]
