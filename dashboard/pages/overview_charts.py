"""The figures of the governance health page: incidents per week, cost and quality, runs per day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import dcc, html

from dashboard import figures
from dashboard.amounts import money
from dashboard.links import Links
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.overview_facts import Facts
from dashboard.pages.overview_parts import card, link, nothing, tone
from lineage.quality.answers import Incident, points

TONES = ("#ef7f4d", "#f6b183", "#f8e7c6", "#bfe3d0", "#63bd96", "#c3cad6")
INCIDENTS = (("error", "error", "#d64545"), ("warning", "warning", "#e7a13c"))
FAILED = ("FAIL", "ABORT")
MOST = 40  # datasets drawn one by one; the others of a domain are drawn together


def charts(facts: Facts, links: Links) -> list[Part]:
    """The three figures."""
    return [_incidents_card(facts, links), _cost_card(facts, links), _runs_card(facts, links)]


def per_week(found: Sequence[Incident], now: datetime, weeks: int) -> list[tuple[str, Counter[str]]]:
    """Incidents by severity and the week in which they were noticed; weeks without any included.

    The first entry is the oldest week; weeks begin on Monday.
    """
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [monday - timedelta(weeks=n) for n in range(weeks - 1, -1, -1)]
    counts: dict[datetime, Counter[str]] = {start: Counter() for start in starts}
    for one in found:
        start = (one.detected_at - timedelta(days=one.detected_at.weekday())).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        if start in counts:
            counts[start]["error" if one.severity == "error" else "warning"] += 1
    return [(f"{start:%d %b}", counts[start]) for start in starts]


def _incidents_card(facts: Facts, links: Links) -> Part:
    now = facts.summary().as_of
    weeks = per_week(facts.incidents(), now, 13)
    total = sum(sum(counts.values()) for _, counts in weeks)
    every = link("All incidents", facts.state.to(links, rows="incidents"))
    sub = f"{total:,} noticed in 13 weeks, by severity"
    if not total:
        return card("Incidents per week", sub, nothing("circle-check", "No incident was noticed in this time."),
                    more=every)  # fmt: skip
    traces = [
        {
            "type": "bar", "name": words, "x": [week for week, _ in weeks],
            "y": [counts[severity] for _, counts in weeks], "marker": {"color": colour},
            "hovertemplate": "%{y:,} " + words + "<extra></extra>",
        }
        for severity, words, colour in INCIDENTS
    ]  # fmt: skip
    said = f"{total:,} incidents in 13 weeks, stacked by severity."
    picture = figures.graph("incidents-per-week", traces, height=214, label=said, barmode="stack",
                            yaxis={"rangemode": "tozero", "dtick": None, "tickformat": ",d", "gridcolor":
                                   "rgba(123,135,155,0.18)", "zeroline": False, "nticks": 4},
                            xaxis={"showgrid": False, "type": "category", "nticks": 5, "tickangle": 0})  # fmt: skip
    return card("Incidents per week", sub, picture, _keys([(words, colour) for _, words, colour in INCIDENTS]),
                more=every)  # fmt: skip


def _keys(pairs: Sequence[tuple[str, str]], kind: str = "") -> Part:
    return html.Div(
        [html.Span([html.Span(className="swatch", style={"background": colour}), words]) for words, colour in pairs],
        className=f"keys {kind}",
    )


def _cost_card(facts: Facts, links: Links) -> Part:
    report = facts.cost("dataset")
    every = link("All costs", links.to("cost"))
    if not report.currencies:
        text = f"{facts.unbilled.capitalize()}, so no cost is known."
        return card("Cost × quality", "Area: own cost of the month. Colour: score.",
                    nothing("coin", text, html.Code("meshline cost import FILE")), more=every)  # fmt: skip
    main = max(report.currencies, key=lambda one: float(one.billed))
    quality = {row.id: row for row in facts.ask("quality dataset", lambda: facts.lx.quality.report(
        "dataset", **facts.state.when).nodes)}  # fmt: skip
    domains = {row.id: row.domain for row in facts.datasets()}
    parts = cost_parts(main.rows, quality, domains, facts)
    drawn = sum(part["cost"] for part in parts)
    sub = f"Area: own cost {report.period}; colour: quality"
    said = f"Own cost of datasets in {report.period}, {money(str(drawn), main.currency)} in all, coloured by quality."
    picture = figures.graph(
        "cost-quality", [treemap(parts, main.currency)], height=236, label=said,
        margin={"l": 0, "r": 0, "t": 0, "b": 0}, hovermode="closest",
    )  # fmt: skip
    named = [("60", TONES[0]), ("75", TONES[1]), ("85", TONES[2]), ("95", TONES[3]), ("100", TONES[4])]
    keys = [(f"< {limit}" if limit != "100" else "95 +", colour) for limit, colour in named]
    return card("Cost × quality", sub, picture, _keys([*keys, ("unknown", TONES[5])], "tight"), more=every)


def cost_parts(rows: Sequence[Any], quality: dict[str, Any], domains: dict[str, str], facts: Facts) -> list[Any]:
    """Datasets with own cost and score; the small ones of a domain as one."""
    found: list[Any] = []
    small: dict[str, list[Any]] = {}
    costly = sorted((row for row in rows if row.own and float(row.own) > 0), key=lambda row: -float(row.own))
    for row in costly:
        domain = domains.get(row.id) or "not placed"
        if not facts.mine(domain):
            continue
        if len(found) >= MOST:
            small.setdefault(domain, []).append(row)
            continue
        score = quality[row.id].quality if row.id in quality else None
        found.append({"id": row.id, "name": short_id(row.id)[0] or row.id, "domain": domain, "cost": float(row.own),
                      "score": score})  # fmt: skip
    for domain, rest in small.items():
        cost = sum(float(row.own) for row in rest)
        found.append({"id": f"rest {domain}", "name": f"{len(rest)} more", "domain": domain, "cost": cost,
                      "score": None})  # fmt: skip
    return found


def treemap(parts: Sequence[Any], currency: str) -> dict[str, Any]:
    """Trace of a tree map: domains, and in them datasets."""
    domains = sorted({part["domain"] for part in parts})
    scores = [points(part["score"], 0) for part in parts]
    return {
        "type": "treemap",
        "ids": [*(f"domain {name}" for name in domains), *(part["id"] for part in parts)],
        "labels": [*domains, *(part["name"] for part in parts)],
        "parents": [*("" for _ in domains), *(f"domain {part['domain']}" for part in parts)],
        "values": [*(sum(p["cost"] for p in parts if p["domain"] == name) for name in domains),
                   *(part["cost"] for part in parts)],
        "text": [*("" for _ in domains), *(f"{money(str(p['cost']), currency)} · {s}" for p, s in zip(parts, scores,
                                                                                                  strict=True))],
        "branchvalues": "total",
        "texttemplate": ["%{label}"] * len(domains) + ["%{label}<br>%{text}"] * len(parts),
        "hovertemplate": "%{label}<br>%{text}<extra></extra>",
        "marker": {
            "colors": [*("rgba(123,135,155,0.14)" for _ in domains), *(TONES[tone(part["score"])] for part in parts)],
            "line": {"width": 1, "color": "rgba(255,255,255,0.6)"},
            "pad": {"t": 22, "l": 3, "r": 3, "b": 3},
            "cornerradius": 4,
        },
        "textfont": {"color": ["#7b879b"] * len(domains) + ["#14181f"] * len(parts), "size": 11},
        "tiling": {"pad": 2},
        "pathbar": {"visible": False},
    }  # fmt: skip


def _runs_card(facts: Facts, links: Links) -> Part:
    days = facts.runs_per_day()
    every = dcc.Link("All runs", href=links.to("catalogue", of="runs"))
    if not days:
        return card("Runs per day", "", nothing("player-play", "No run has been seen in this time."), more=every)
    total = sum(entry.runs for entry in days)
    bad = sum(entry.runs for entry in days if entry.state in FAILED)
    seen = [(words, colour) for state, words, colour in figures.STATES if any(entry.state == state for entry in days)]
    span = (max(entry.day for entry in days) - min(entry.day for entry in days)).days + 1
    sub = [f"{total:,} runs on the last {span} days, ", dcc.Link(
        f"{bad:,} failed or aborted", href=links.to("catalogue", of="runs", state="failed"))]  # fmt: skip
    return card("Runs per day", sub, figures.runs_per_day(days), _keys(seen), more=every)
