"""One dataset: what it is, whether it is good, where it comes from, who uses it, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dash import Dash, dcc, html

from dashboard import charts
from dashboard.amounts import money, percent
from dashboard.desk import Asked, Desk, clock, head, node_link, plain, slot, tile
from dashboard.names import short_id
from dashboard.page import Page, Part
from dashboard.pages import dataset_more as more
from dashboard.pages.dataset_facts import DatasetFacts
from dashboard.pages.overview_parts import card, nothing
from dashboard.pages.quality_cards import MARKS
from dashboard.rows import Row, Sheet
from dashboard.tables import Column
from lineage.quality.answers import points

if TYPE_CHECKING:
    from lineage.engine import Lineage

_COLUMNS = (
    Column("name", "Column", 1.4, link=True), Column("type", "Type", 1), Column("description", "Description", 2),
    Column("tags", "Tags", 1), Column("up", "From", 0.6, number=True), Column("down", "Into", 0.6, number=True),
)  # fmt: skip
_MOST = 30
_VERDICTS = {"kept": "good", "broken": "bad"}
_STATES = {"COMPLETE": "good", "FAIL": "bad", "ABORT": "warn"}


def layout() -> Part:
    """Frame of the page."""
    return html.Div(
        [
            head("dataset", "Dataset", html.Div(id="dataset-go", className="side")),
            slot("dataset-tiles", 112, "tiles-room"),
            html.Div([slot("dataset-facts", 300), slot("dataset-lineage", 300)], className="cols halves"),
            html.Section(
                [
                    html.Div([html.Div([html.H2("Columns"), html.Div("A click traces one through the mesh",
                                                                     className="card-sub")])], className="card-head"),
                    html.Div(id="dataset-list"),
                ],
                className="card block room",
            ),
            html.Div([slot("dataset-quality", 320), slot("dataset-series", 320)], className="cols halves"),
            html.Div([slot("dataset-contract", 240), slot("dataset-cost", 240)], className="cols halves"),
            html.Div([slot("dataset-runs", 240), slot("dataset-users", 240)], className="cols halves"),
            slot("dataset-versions", 200, "room"),
            html.Div([slot("dataset-access", 220), slot("dataset-feedback", 220)], className="cols halves"),
            slot("dataset-act", 320),
        ],
        className="page desk-page about-one",
    )  # fmt: skip


def register(app: Dash, lx: Lineage, base: str) -> None:
    """Callbacks of the page."""
    desk = Desk.at(app, lx, base, "dataset")

    def facts(asked: Asked) -> DatasetFacts:
        return DatasetFacts(desk, asked)

    desk.card("sub", lambda asked: _sub(facts(asked)))
    desk.card("go", lambda asked: _go(facts(asked)))
    desk.card("tiles", lambda asked: html.Div(_tiles(facts(asked)), className="tiles"))
    desk.card("facts", lambda asked: _facts(facts(asked)))
    desk.card("lineage", lambda asked: _lineage(facts(asked)))
    desk.card("quality", lambda asked: _quality(facts(asked)))
    desk.card("series", lambda asked: _series(facts(asked)))
    desk.card("contract", lambda asked: _contract(facts(asked)))
    desk.card("cost", lambda asked: _cost(facts(asked)))
    desk.card("runs", lambda asked: _runs(facts(asked)))
    desk.card("users", lambda asked: _users(facts(asked)))
    desk.card("versions", lambda asked: more.versions(facts(asked)))
    desk.card("access", lambda asked: more.access(facts(asked)))
    desk.card("feedback", lambda asked: more.feedback(facts(asked)))
    desk.card("act", lambda asked: more.act(facts(asked)))
    desk.sheet(lambda asked: _columns(facts(asked)))


def _sub(facts: DatasetFacts) -> Part:
    one = facts.node()
    return [html.Span(short_id(one.id)[0], className="strong"), " ", html.Span(one.id, className="mono small")]


def _go(facts: DatasetFacts) -> Part:
    links, id = facts.asked.links, facts.node().id
    found = [("Lineage", links.lineage(id)), ("Impact", links.to("impact", target=id, change="drop")),
             ("Provenance", links.to("provenance", target=id))]  # fmt: skip
    return [dcc.Link(words, href=href, className="btn") for words, href in found]


def _tiles(facts: DatasetFacts) -> list[Part]:
    links, one, score = facts.asked.links, facts.node(), facts.score()
    tests, fresh = facts.tests(), facts.fresh()
    failing = sum(t.state == "fail" for t in tests)
    promises = facts.promises()
    known = [p for p in promises if p.verdict != "unknown"]
    kept = sum(p.verdict == "kept" for p in known)
    verdict = fresh.verdict if fresh else "unknown"
    age = "unknown" if fresh is None or fresh.age is None else f"{fresh.age / 3600:,.0f} h old"
    own, currency = facts.own_cost()
    node = f"node:equals:{one.id}"
    return [
        tile("heart-rate-monitor", "Quality", points(score.quality), f"{score.known} of {score.expected} checks known",
             links.to("quality", filter=node), bad=score.grade == "at risk", name="dataset-score"),
        tile("circle-check", "Tests failing", f"{failing:,}" if tests else "unknown",
             f"of {len(tests):,}" if tests else "no test was seen", links.to("quality", view="tests", filter=node),
             bad=bool(failing)),
        tile("clock", "Freshness", verdict, age, links.to("quality", view="fresh", filter=node),
             bad=verdict == "late"),
        tile("clipboard-check", "Promises kept", f"{kept:,} of {len(known):,}" if promises else "none",
             f"known; {len(promises) - len(known):,} unknown" if promises else "no contract binds it",
             links.to("contracts", filter=f"node:equals:{one.id}")),
        tile("coin", "Own cost", money(own, currency), facts.period() or "no bill was imported",
             links.to("cost", view="explain", node=one.id)),
        tile("route", "Downstream", facts.reach(), "datasets and jobs", links.to("impact", target=one.id,
                                                                                 change="drop")),
    ]  # fmt: skip


def _facts(facts: DatasetFacts) -> Part:
    one = facts.node()
    product = facts.product()
    shown = dcc.Link(product, href=facts.asked.links.to("product", id=product)) if product else "none"
    pairs: list[tuple[str, Part]] = [
        ("Description", one.description or "unknown: nobody has described it"),
        ("Domain", one.domain or "unknown"), ("Owner", one.owner or "unknown: nobody is named for it"),
        ("Data product", shown), ("Namespace", html.Span(one.namespace, className="mono small")),
        ("Tags", ", ".join(one.tags) or "none"), ("Also called", ", ".join(one.aliases) or "nothing else"),
        ("First seen", f"{clock(one.first_seen)} UTC"), ("Last seen", f"{clock(one.last_seen)} UTC"),
        ("Written by", [html.Span([node_link(facts.asked, w.id), " "]) for w in one.writers] or "no job was seen"),
    ]  # fmt: skip
    body = html.Dl([part for key, value in pairs for part in (html.Dt(key), html.Dd(value))], className="facts-wide")
    return card("Overview", "", body, name="dataset-overview")


def _lineage(facts: DatasetFacts) -> Part:
    one, links = facts.node(), facts.asked.links
    more = dcc.Link("In the picture", href=links.lineage(one.id))
    svg = facts.picture()
    up, down = len(one.upstream), len(one.downstream)
    near = f"{up:,} direct source{'s' if up != 1 else ''}, {down:,} direct target{'s' if down != 1 else ''}"
    if not svg or not down:
        return card("Lineage", near, nothing("route", "Nothing downstream of it was seen."), _near(facts), more=more)
    image = html.Img(src="data:image/svg+xml;charset=utf-8," + quote(svg), className="mini",
                     alt=f"What is downstream of {short_id(one.id)[0]}")  # fmt: skip
    return card("Lineage", near, image, _near(facts), more=more)


def _near(facts: DatasetFacts) -> Part:
    one = facts.node()
    parts: list[Part] = []
    for words, refs in (("Made from", one.upstream), ("Goes into", one.downstream)):
        if refs:
            more = [html.Li(f"{len(refs) - 12:,} more")] if len(refs) > 12 else []
            parts += [html.H3(words),
                      html.Ul([*(html.Li(node_link(facts.asked, r.id)) for r in refs[:12]), *more],
                              className="names")]  # fmt: skip
    return html.Div(parts)


def _columns(facts: DatasetFacts) -> Sheet | None:
    if not facts.asked.get("id"):
        return None
    one, links = facts.node(), facts.asked.links
    rows: list[Row] = [
        {"name": c.name, "type": c.type or "unknown", "description": c.description or "", "tags": ", ".join(c.tags),
         "up": c.upstream, "down": c.downstream, "href": links.lineage(c.id)}
        for c in one.columns
    ]  # fmt: skip
    key = (one.id, links.asof, links.known, links.base, len(rows))
    return Sheet(key, _COLUMNS, rows, f"columns-{short_id(one.id)[0]}", "No column was ever told of it.")


def _quality(facts: DatasetFacts) -> Part:
    score = facts.score()
    one = facts.node()
    more = dcc.Link("All tests", href=facts.asked.links.to("quality", view="tests", filter=f"node:equals:{one.id}"))
    lost = [c for c in score.checks if c.lost > 0 or c.result is None][:8]
    sub = f"{points(score.quality)} ({score.grade}), {percent(score.coverage)} of the expected checks known"
    rows = [
        (f"−{c.lost:.1f}" if c.result is not None else "unknown", c.name, c.dimension, c.observed or "–") for c in lost
    ]
    heads = (("Points", True), ("Check", False), ("Dimension", False), ("Seen", False))
    body: list[Part] = [plain(heads, rows, "What costs points or is unknown")] if rows else [
        nothing("circle-check", "Every expected check is known, and none costs points.")]  # fmt: skip
    tests = facts.tests()
    if tests:
        lines = []
        for t in tests[:8]:
            signs = [html.Span(MARKS.get(r, MARKS["skip"])[0], className=f"result {MARKS.get(r, MARKS['skip'])[1]}",
                               title=f"{r} {clock(at)}") for r, at in zip(t.results, t.times, strict=True)]  # fmt: skip
            said = f"{len(t.results)} results, {t.results.count('fail')} failed"
            lines.append((html.Span(t.test, className="mono small"),
                          html.Span(signs, role="img", className="results", **{"aria-label": said})))  # fmt: skip
        body.append(plain((("Test", False), ("Newest results", False)), lines, "Tests"))
    return card("Quality", sub, *body, more=more, name="dataset-quality-card")


def _series(facts: DatasetFacts) -> Part:
    one, found = facts.node(), facts.control()
    if found is None:
        return card("Rows written", "", nothing("adjustments-horizontal", "No run told how many rows it wrote."))
    odd = sum(p.verdict in ("anomaly", "level shift") for p in found.points)
    more = dcc.Link("All series", href=facts.asked.links.to("quality", view="series", filter=f"node:equals:{one.id}"))
    sub = f"{len(found.points):,} runs, {odd:,} outside the expected band"
    return card("Rows written", sub, charts.control_chart("dataset-rows", found, 290), more=more)


def _contract(facts: DatasetFacts) -> Part:
    promises = facts.promises()
    if not promises:
        draft = html.Code(f"meshline contracts draft {facts.node().id}")
        return card("Contract", "", nothing("clipboard-check", "No contract binds it. Draft one:", draft))
    rows = [
        (html.Span(p.verdict, className=f"pill {_VERDICTS.get(p.verdict, '')}"), p.promise,
         p.expected, p.observed or "–", p.evidence)
        for p in promises[:_MOST]
    ]  # fmt: skip
    heads = (("Verdict", False), ("Promise", False), ("Expected", False), ("Seen", False), ("Known by", False))
    names = sorted({p.contract for p in promises})
    more = [dcc.Link(f"Contract {n} ", href=facts.asked.links.to("contracts", id=n)) for n in names]
    return card("Contract", f"{len(promises):,} promises, the broken ones first", plain(heads, rows, "Promises"),
                more=html.Span(more))  # fmt: skip


def _cost(facts: DatasetFacts) -> Part:
    found = facts.cost()
    more = dcc.Link("Explain", href=facts.asked.links.to("cost", view="explain", node=facts.node().id))
    if found is None or not found.currencies:
        return card("Cost", "", nothing("coin", "No cost of it is known."), more=more)
    body: list[Part] = []
    for one in found.currencies:
        numbers = [(one.own, "own"), (one.inherited, "inherited"), (one.full, "full"),
                   (one.charged_back, "charged back")]  # fmt: skip
        body.append(html.Div([html.Div([html.Span(money(n, one.currency), className="big"), w]) for n, w in numbers],
                             className="counts"))  # fmt: skip
        for words, nodes in (("From", one.inherited_from), ("Passed on to", one.passed_on_to)):
            if nodes:
                items = [html.Li([node_link(facts.asked, n.id), f" {money(n.amount, one.currency)}"])
                         for n in nodes[:8]]  # fmt: skip
                body += [html.H3(words), html.Ul(items, className="names")]
    return card("Cost", f"{found.period}, {found.metric}; {found.run_count:,} runs", *body, more=more)


def _runs(facts: DatasetFacts) -> Part:
    runs = facts.node().runs
    if not runs:
        return card("Runs", "", nothing("player-play", "No run was seen."))
    rows = [
        (clock(r.started_at), node_link(facts.asked, r.job),
         html.Span(r.state, className=f"pill {_STATES.get(r.state, '')}"), _took(r.started_at, r.ended_at),
         r.error or "")
        for r in runs[:12]
    ]  # fmt: skip
    heads = (("Started", False), ("Job", False), ("State", False), ("Took", True), ("Error", False))
    return card("Runs", f"The {len(rows)} newest; times in UTC", plain(heads, rows, "Runs"))


def _took(start: Any, end: Any) -> str:
    if start is None or end is None:
        return "unknown"
    return f"{(end - start).total_seconds() / 60:.1f} min"


def _users(facts: DatasetFacts) -> Part:
    one = facts.node()
    product = facts.product()
    title, sub = "Who uses it", "Jobs that read it, and who may"
    items = [html.Li(node_link(facts.asked, r.id)) for r in one.readers[:_MOST]]
    body: list[Part] = [html.Ul(items, className="names")] if items else [
        nothing("eye-off", "No job was seen that reads it.")]  # fmt: skip
    if product:
        link = dcc.Link(f"Request access to {product}", href=facts.asked.links.to("product", id=product),
                        className="btn said")  # fmt: skip
        body.append(link)
    return card(title, sub, *body)


PAGE = Page("/dataset", "Dataset", "one dataset: judge it", "", "table", layout, register)
