"""Tiles, the board of policies and domains, causes, and one policy with its SQL in plain sight."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html

from dashboard.desk import clock, node_link, tile
from dashboard.page import Part
from dashboard.pages.govern import facts as facts_list
from dashboard.pages.overview_parts import card, nothing, severity
from dashboard.pages.policies_facts import LIVE, PolicyFacts
from lineage.policies.answers import LIBRARY
from lineage.policies.domains import DomainResult
from lineage.policies.groups import ViolationGroup, grouped
from lineage.policies.model import Policy
from lineage.policies.violations import Violations

_CAUSES = 7


def tiles(facts: PolicyFacts) -> list[Part]:
    """The six numbers at the top, each leading to its rows."""
    asked, cells, found = facts.asked, facts.cells(), facts.violations()
    known = [one for one in cells if one.error is None]
    errors = {one.policy for one in facts.results().policies if one.error is not None}
    passed = sum(one.passed or 0 for one in known)
    scope = sum(one.scope for one in known)
    live = [one for one in found if one.state in LIVE]
    late = [one for one in live if one.overdue]
    escalated = [one for one in live if one.level > 1]
    waived = [one for one in found if one.state == "waived"]
    open_requests = sum(one.state == "requested" for one in facts.waivers())
    pick = {"violation": None, "waiver": None, "policy": None}
    return [
        tile("circle-check", "Checks passed", f"{passed:,}" if known else "unknown",
             f"of {scope:,} that could be evaluated", asked.to(view="results", **pick), name="count-passed"),
        tile("help", "Policies in error", f"{len(errors):,}", "say nothing of any asset: unknown, not passed",
             asked.to(view="results", filter="state:equals:error", **pick), bad=bool(errors), name="count-errors"),
        tile("alert-triangle", "Open violations", f"{len(live):,}", "kept at the last run",
             asked.to(view=None, filter="fixed:blank:", **pick), bad=bool(live), name="count-open"),
        tile("clock", "Past their deadline", f"{len(late):,}", "of the open ones",
             asked.to(view=None, filter="overdue:equals:yes", **pick), bad=bool(late), name="count-overdue"),
        tile("bell", "Escalated", f"{len(escalated):,}", "have reached somebody above the owner",
             asked.to(view=None, filter="above:equals:yes", **pick), name="count-escalated"),
        tile("file-certificate", "Waived", f"{len(waived):,}",
             f"{open_requests:,} request{'s' if open_requests != 1 else ''} to decide",
             asked.to(view="waivers", **pick), name="count-waived"),
    ]  # fmt: skip


def board(facts: PolicyFacts) -> Part:
    """Policies by domains: how many pass, violate, are waived; what could not be evaluated is never green."""
    cells = facts.cells()
    title, sub = "Policies by domain", "One run over the state that is shown; a cell tells what is gravest in it"
    more = dcc.Link("All results", href=facts.asked.to(view="results", policy=None, violation=None, waiver=None))
    if not facts.results().policies:
        return card(title, sub, nothing("shield-check", "No policy holds at this time."), more=more)
    domains = sorted({one.domain for one in cells}, key=lambda name: (not name, name))
    by_place = {(one.policy, one.domain): one for one in cells}
    heads = [html.Th("Policy", scope="col"), *(html.Th(name or "no domain", scope="col") for name in domains)]
    rows = []
    for row in facts.results().policies:
        link = dcc.Link([severity(row.severity), row.policy], href=_policy(facts, row.policy), title=row.title)
        error = html.Span("in error", className="heat-owner", title=row.error) if row.error else None
        places = [html.Td(_cell(facts, by_place.get((row.policy, name)))) for name in domains]
        rows.append(html.Tr([html.Th([link, error], scope="row"), *places]))
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="heat policies-board")
    room = html.Div(table, className="scrolls", tabIndex=0, role="region", **{"aria-label": title})
    shipped = html.P(LIBRARY, className="card-sub") if facts.results().library else None
    return card(title, sub, room, _key(), shipped, more=more, name="board-card")


def _policy(facts: PolicyFacts, policy: str) -> str:
    return facts.asked.to(policy=policy, violation=None, waiver=None)


def _cell(facts: PolicyFacts, one: DomainResult | None) -> Part:
    if one is None or not one.scope:
        return html.Span("–", className="heat-cell is-unknown", title="no asset in the scope of this policy")
    if one.error is not None:
        return html.Span(
            "error", className="heat-cell is-unknown", title=f"unknown for {one.scope:,} assets: {one.error}"
        )
    tone, text = {
        "violation": (0, f"✕ {one.violations:,}"), "waived": (2, f"waived {one.waived:,}"),
        "pass": (4, f"✓ {one.passed:,}"),
    }[one.state]  # fmt: skip
    title = f"{one.passed:,} pass, {one.violations:,} violate, {one.waived:,} waived of {one.scope:,}"
    if one.state == "pass":
        return html.Span(text, className=f"heat-cell tone-{tone}", title=title)
    filters = [f"policy:equals:{one.policy}", f"domain:equals:{one.domain}"]
    href = facts.asked.to(view="findings", filter=filters, violation=None, waiver=None, policy=one.policy)
    return dcc.Link(text, href=href, className=f"heat-cell tone-{tone}", title=title)


def _key() -> Part:
    words = (("✕ n", "assets violate"), ("waived n", "until the waiver ends"), ("✓ n", "assets pass"),
             ("error", "unknown"), ("–", "nothing in scope"))  # fmt: skip
    return html.Div([html.Span([html.B(sign), f" {word}"]) for sign, word in words], className="keys tight")


def causes(facts: PolicyFacts) -> Part:
    """Open violations under the most upstream asset that violates: what one repair may mend."""
    live = tuple(one for one in facts.violations() if one.state in LIVE)
    found = facts.results()
    groups = grouped(Violations(live, found.as_of, found.known_at)).groups
    sub = f"{len(groups):,} causes of {len(live):,} open violations; mend the cause first"
    more = dcc.Link("All violations", href=facts.asked.to(view=None, violation=None, waiver=None, policy=None))
    if not groups:
        return card("Causes", sub, nothing("circle-check", "No violation is open here."), more=more)
    return card("Causes", sub, html.Ul([_cause(facts, one) for one in groups[:_CAUSES]], className="board"), more=more,
                name="causes-card")  # fmt: skip


def _cause(facts: PolicyFacts, one: ViolationGroup) -> Part:
    others = len(one.members) - 1
    late = (
        f"{one.overdue:,} overdue since {clock(one.deadline)[:10]}"
        if one.overdue
        else f"until {clock(one.deadline)[:10]}"
    )
    with_others = f" · and {others:,} downstream" if others else ""
    to = f" · escalated to {one.escalation}" if one.escalation else ""
    href = facts.asked.to(violation=one.id, policy=None, waiver=None)
    return html.Li(
        [
            html.Div([dcc.Link([severity(one.severity), one.policy], href=href), node_link(facts.asked, one.cause)],
                     className="board-line"),
            html.Div(f"{late}{with_others}{to}", className="card-sub"),
        ]
    )  # fmt: skip


def policy(facts: PolicyFacts) -> Part:
    """One policy: what it asks for, its counts, and the SQL that decides."""
    one = facts.policy()
    if one is None:
        return None
    row = next((r for r in facts.results().policies if r.policy == one.id), None)
    steps = ", ".join(one.escalation) or "owner, domain, central"
    pairs: list[tuple[str, Part]] = [
        ("Severity", one.severity), ("Holds in", "all domains" if one.domain == "*" else one.domain),
        ("Runs at", one.stage), ("Owner", one.owner or "unknown: nobody is named for it"),
        ("To be mended", f"within {one.days:,} days"), ("Escalates to", steps),
        ("Now", _counts(row.error, row.passed, row.violations, row.waived, row.scope) if row else "does not hold now"),
        ("Version", f"{one.version}, {'shipped with Meshline' if one.shipped else 'from an applied file'}"),
        ("Tests", ", ".join(test.name for test in one.tests) or "none"),
    ]  # fmt: skip
    left = html.Div([html.P(one.description, className="form-about") if one.description else None, facts_list(pairs)])
    return card(one.title, html.Span(one.id, className="mono"), html.Div([left, _sql(one)], className="pair"),
                name="policy-card")  # fmt: skip


def _counts(error: str | None, passed: int, violations: int, waived: int, scope: int) -> Part:
    if error is not None:
        return html.Span(["unknown: it is in error. ", html.Span(error, className="mono small")])
    return f"{passed:,} pass, {violations:,} violate, {waived:,} waived, of {scope:,} assets"


def _sql(one: Policy) -> Part:
    parts: Sequence[tuple[str, str]] = (("Scope: the assets that it speaks of", one.scope_sql),
                                        ("Violations: those that do not pass", one.violation_sql))  # fmt: skip
    return html.Div(
        [
            html.Div([html.H3(title), html.Pre(text.strip(), className="yaml mono", tabIndex=0, role="region",
                                               **{"aria-label": title})])
            for title, text in parts
        ],
        className="contract", id="policy-sql",
    )  # fmt: skip
