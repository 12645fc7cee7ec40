"""Tiles, figures and boards of the quality page; each leads to the rows behind it."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from dashboard import charts
from dashboard.amounts import percent, span
from dashboard.desk import clock, node_link, plain, tile
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.overview_parts import bar, card, nothing, tone
from dashboard.pages.quality_facts import QualityFacts
from dashboard.theme import domain_colours, domain_dot
from lineage.errors import MeshlineError
from lineage.quality.answers import points
from lineage.quality.history import FreshRow, Tested

_MATRIX = 14
_BOARD = 8
FIRST = "first"  # the series that is drawn when the address names none
MARKS = {"pass": ("✓", "good"), "fail": ("✕", "bad"), "skip": ("–", "none")}


_TILES = (
    ("alert-triangle", "Datasets at risk"), ("clipboard-check", "Checks known"), ("circle-check", "Tests failing"),
    ("clock", "Datasets late"), ("bell", "Open incidents"), ("adjustments-horizontal", "Odd numbers"),
)  # fmt: skip


def tiles(facts: QualityFacts) -> list[Part]:
    """The six numbers at the top."""
    asked = facts.asked
    scores, tests, fresh = facts.scores("dataset"), facts.tests(), facts.fresh()
    if facts.summary().datasets is None:
        return [tile(mark, label, "unknown", "nothing was told yet", asked.to()) for mark, label in _TILES]
    known = [row for row in scores if row.coverage is not None]
    coverage = sum(row.coverage or 0 for row in known) / len(known) if known else None
    risky = [row for row in scores if row.grade == "at risk"]
    failing, late = [t for t in tests if t.state == "fail"], [f for f in fresh if f.verdict == "late"]
    still = [one for one in facts.incidents() if one.state != "resolved"]
    odd = [s for s in facts.series() if s.verdict in ("anomaly", "level shift")]
    old = sum(t.state == "unknown" for t in tests)
    unsure = sum(f.verdict == "unknown" for f in fresh)
    causes = len({one.cause for one in still})
    return [
        tile("alert-triangle", "Datasets at risk", f"{len(risky):,}", f"of {len(scores):,}, "
             f"{sum(r.quality is None for r in scores):,} without a score",
             asked.to(view=None, by=None, filter="grade:equals:at risk"), bad=bool(risky), name="count-risky"),
        tile("clipboard-check", "Checks known", percent(coverage), "mean share of the expected checks",
             asked.to(view=None, by=None, sort="coverage:asc"), name="count-coverage"),
        tile("circle-check", "Tests failing", f"{len(failing):,}", f"of {len(tests):,}, {old:,} too old to count",
             asked.to(view="tests", filter="state:equals:fail"), bad=bool(failing), name="count-failing"),
        tile("clock", "Datasets late", f"{len(late):,}", f"of {len(fresh):,}, {unsure:,} unknown",
             asked.to(view="fresh", filter="verdict:equals:late"), bad=bool(late), name="count-late"),
        tile("bell", "Open incidents", f"{len(still):,}", f"{causes:,} cause{'s' if causes != 1 else ''}",
             asked.to(view="incidents", filter="state:notEqual:resolved"), bad=bool(still), name="count-incidents"),
        tile("adjustments-horizontal", "Odd numbers", f"{len(odd):,}", f"of {len(facts.series()):,} series",
             asked.to(view="series"), bad=bool(odd), name="count-odd"),
    ]  # fmt: skip


def scores(facts: QualityFacts) -> Part:
    """Score and coverage of each domain, side by side; of products when one domain is chosen."""
    asked = facts.asked
    by = "product" if facts.domain else "domain"
    found = facts.scores(by)
    colours = domain_colours(facts.domains())
    more = dcc.Link(f"All {by}s", href=asked.to(view=None, by=by))
    title, sub = f"Score by {by}", "0–100, beside the share of expected checks that it rests on"
    if not found:
        return card(title, sub, nothing("circle-check", f"There is no {by} with a dataset here."), more=more)
    rows = []
    for row in found[:10]:
        covered = row.coverage or 0.0
        href = asked.to(domain=row.id) if by == "domain" else asked.links.to("product", id=row.id)
        name = dcc.Link([domain_dot(colours.get(row.domain, 19)), row.id], href=href)
        worst = node_link(asked, row.lowest) if row.lowest else "–"
        rows.append(
            html.Tr(
                [
                    html.Th(name, scope="row"),
                    html.Td(html.Span(points(row.quality), className=f"chip tone-{tone(row.quality)}")),
                    html.Td([html.Span(percent(row.coverage), className="score"), bar(covered, 4)],
                            className="with-bar"),
                    html.Td(f"{row.datasets - row.unknown:,} of {row.datasets:,}", className="right num"),
                    html.Td([worst, html.Span(f" {points(row.minimum)}", className="muted")] if row.lowest else "–"),
                ]
            )
        )  # fmt: skip
    heads = (by.capitalize(), "Score", "Checks known", "Scored", "Lowest dataset")
    table = html.Table(
        [html.Thead(html.Tr([html.Th(t, scope="col", className="right" if t == "Scored" else None) for t in heads])),
         html.Tbody(rows)], className="plain",
    )  # fmt: skip
    return card(title, sub, html.Div(table, className="scrolls"), more=more, name="score-card")


def incidents_over_time(facts: QualityFacts) -> Part:
    """Bars from begin to end."""
    found = facts.incidents()
    more = dcc.Link(f"All {len(found):,}", href=facts.asked.to(view="incidents"))
    if not found:
        return card("Incidents over time", "", nothing("circle-check", "No incident was ever noticed here."), more=more)
    now = facts.summary().as_of
    still = [one for one in found if one.state != "resolved"]
    shown = [*still, *(one for one in found if one.state == "resolved")][:8]
    sub = f"{len(still):,} not resolved" + (f"; the {len(shown)} newest are drawn" if len(found) > len(shown) else "")
    names = [
        html.Li([dcc.Link(f"{short_id(one.node)[0]}: {one.what}", href=facts.asked.links.to("incident", id=one.id)),
                 html.Span(f" {one.state}, {one.detail}", className="muted")])
        for one in still[:4]
    ]  # fmt: skip
    return card(
        "Incidents over time", sub, charts.timeline("incident-timeline", shown, now), html.Ul(names, className="short"),
        more=more,
    )  # fmt: skip


def control(facts: QualityFacts) -> Part:
    """One series with its band, and a choice of series."""
    chosen = facts.chosen()
    more = dcc.Link(f"All {len(facts.series()):,} series", href=facts.asked.to(view="series"))
    if chosen is None:
        return card("Control chart", "", nothing("adjustments-horizontal", "No row count and no metric was told."),
                    more=more)  # fmt: skip
    found = facts.control(*chosen)
    odd = sum(p.verdict in ("anomaly", "level shift") for p in found.points)
    unsure = sum(p.low is None for p in found.points)
    sub = [f"{len(found.points):,} points, ", html.B(f"{odd:,} outside"), " the expected band",
           f"; {unsure:,} before enough was known" if unsure else ""]  # fmt: skip
    return card("Control chart", sub, _series_choice(facts, chosen), charts.control_chart("control-chart", found),
                more=more, name="control-card")  # fmt: skip


def _series_choice(facts: QualityFacts, chosen: tuple[str, str, str]) -> Part:
    asked_for = "|".join(chosen) if facts.asked.get("series") else ""
    data = [{"value": FIRST, "label": "What is odd, else the longest" + (
        "" if asked_for else f": {_series_name(*chosen)}")}]  # fmt: skip
    data += [
        {"value": f"{s.dataset}|{s.metric}|{s.column}",
         "label": _series_name(s.dataset, s.metric, s.column)
                  + (f" · {s.verdict}" if s.verdict in ("anomaly", "level shift") else "")}
        for s in facts.series()[:300]
    ]  # fmt: skip
    if asked_for and asked_for not in {one["value"] for one in data}:
        data.append({"value": asked_for, "label": _series_name(*chosen)})
    select = dmc.Select(id="quality-series", data=data, value=asked_for or FIRST, searchable=True, allowDeselect=False,
                        mb=4, attributes={"input": {"aria-label": "Series that is drawn"}})  # fmt: skip
    return html.Div(select, **{"data-standard": FIRST})  # what is drawn by itself stays out of the address


def _series_name(dataset: str, metric: str, column: str) -> str:
    return " · ".join(part for part in (short_id(dataset)[0], column, metric) if part)


def freshness(facts: QualityFacts) -> Part:
    """What is late, by how much."""
    found = facts.fresh()
    late = [one for one in found if one.verdict == "late"]
    unknown = sum(one.verdict == "unknown" for one in found)
    more = dcc.Link(f"All {len(found):,}", href=facts.asked.to(view="fresh"))
    sub = f"{len(late):,} late, {len(found) - len(late) - unknown:,} fresh, {unknown:,} unknown"
    if not late:
        return card("Freshness", sub, nothing("circle-check", "Nothing is late."), more=more)
    return card("Freshness", sub, html.Ul([_late(facts, one) for one in late[:_BOARD]], className="board"), more=more)


def _late(facts: QualityFacts, one: FreshRow) -> Part:
    age, limit = one.age or 0.0, one.limit or 1.0
    share = min(limit / age, 1.0) if age else 1.0
    fill = html.Span(style={"width": f"{100 * share:.1f}%"})
    words = f"{_span(age)} old, limit {_span(limit)} "
    return html.Li(
        [
            html.Div([node_link(facts.asked, one.dataset),
                      html.Span(words + ("by contract" if one.basis == "contract" else "learned"), className="muted")],
                     className="board-line", title=f"last write {clock(one.last_write)}"),
            html.Span(fill, className="late-bar", **{"aria-hidden": "true"}),
        ]
    )  # fmt: skip


def _span(seconds: float) -> str:
    from datetime import timedelta

    return span(timedelta(seconds=seconds))


def matrix(facts: QualityFacts) -> Part:
    """The newest results of each test, one sign each; what failed first."""
    found = sorted(facts.tests(), key=lambda t: (t.state != "fail", -t.results.count("fail"), t.dataset, t.test))
    more = dcc.Link(f"All {len(found):,} tests", href=facts.asked.to(view="tests"))
    if not found:
        text = "No test was seen. Meshline reads them from the dataQualityAssertions facet."
        return card("Test matrix", "", nothing("clipboard-check", text), more=more)
    bad = sum(t.results.count("fail") for t in found)
    total = sum(len(t.results) for t in found)
    sub = f"{bad:,} of the newest {total:,} results failed; oldest at the left, hover for the time"
    rows = [_row(facts, one) for one in found[:_MATRIX]]
    heads = ("Dataset", "Test", "Newest results", "Now", "Failed")
    table = html.Table(
        [html.Thead(html.Tr([html.Th(t, scope="col", className="right" if t == "Failed" else None) for t in heads])),
         html.Tbody(rows)], className="plain matrix",
    )  # fmt: skip
    key = html.Div(
        [html.Span([html.Span(sign, className=f"result {tone}"), word])
         for sign, tone, word in (("✓", "good", "passed"), ("✕", "bad", "failed"), ("–", "none", "skipped"))],
        className="keys tight",
    )  # fmt: skip
    return card("Test matrix", sub, html.Div(table, className="scrolls"), key, more=more, name="matrix-card")


def messages(facts: QualityFacts) -> Part:
    """What a drill would send: each alert with its time, whom it reaches and by which way."""
    try:
        played = facts.drill()
    except MeshlineError:  # the table says why nothing was played
        return None
    if played is None:
        return None
    if not played.messages:
        return html.P("No alert would be sent: nothing that opens an incident would notice.", className="muted")
    heads = (("When", False), ("Severity", False), ("Alert", False), ("Most upstream cause", False),
             ("Under it", True), ("Owner", False), ("Told by", False))  # fmt: skip
    rows = [
        [clock(m.at) if m.at else "at an unknown time", m.severity, m.title, node_link(facts.asked, m.cause),
         f"{len(m.explains):,}", m.who or "nobody is named", ", ".join(m.how) or "nobody: no route takes it"]
        for m in played.messages
    ]  # fmt: skip
    return html.Div([html.H3(f"{len(rows):,} alert{'s' if len(rows) != 1 else ''} would be sent"),
                     plain(heads, rows, "Alerts that the drill would send")], id="quality-messages")  # fmt: skip


def _row(facts: QualityFacts, one: Tested) -> Part:
    signs = [
        html.Span(MARKS.get(result, MARKS["skip"])[0], className=f"result {MARKS.get(result, MARKS['skip'])[1]}",
                  title=f"{result} {clock(at)}")
        for result, at in zip(one.results, one.times, strict=True)
    ]  # fmt: skip
    fails = one.results.count("fail")
    said = f"{len(one.results)} results, {fails} failed"
    state = {"pass": "good", "fail": "bad"}.get(one.state, "")
    word = {"pass": "passes", "fail": "fails", "skip": "skipped"}.get(one.state, "unknown")
    title = f"last tested {clock(one.times[-1])}" if one.times else ""
    return html.Tr(
        [
            html.Th([node_link(facts.asked, one.dataset), html.Span(f".{one.column}" if one.column else "",
                                                                   className="muted")], scope="row"),
            html.Td(one.test, className="mono small"),
            html.Td(html.Span(signs, role="img", **{"aria-label": said}), className="results"),
            html.Td(html.Span(word, className=f"pill {state}", title=title)),
            html.Td(f"{one.failed:,} of {one.total:,}", className="right num"),
        ]
    )  # fmt: skip
