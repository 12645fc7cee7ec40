"""What the fields say of one node, for the panel: quality, contract, policies, cost, tags with where they come from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import dcc, html

from dashboard.amounts import money
from dashboard.links import Links
from dashboard.memo import Memo
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.lineage_state import LineageState
from dashboard.theme import icon
from lineage.quality.answers import points

if TYPE_CHECKING:
    from lineage.contracts.conformance import Promise
    from lineage.engine import Lineage
    from lineage.policies.answers import FindingRow
    from lineage.quality.answers import CheckRow
    from lineage.tags import StoppedTag, TagRow, Tags

LOST = 5  # checks that cost most, listed
TAGS = 12
_GRADES = {"good": "good", "fair": "", "weak": "warn", "at risk": "bad", "unknown": ""}


def facts(lx: Lineage, memo: Memo, node: str, state: LineageState, links: Links) -> Part:
    """The sections, for a dataset or job.

    Raises
    ------
    MeshlineError
        when the node may not be seen or an instant makes no sense.
    """
    when: dict[str, Any] = {"as_of": state.as_of, "known_at": state.known_at}
    findings = [f for f in _findings(lx, memo, state) if f.outcome == "violation" and _home(f.subject) == node]
    titles = {one.policy: one.title for one in _check(lx, memo, state).policies}
    if not node.startswith("dataset:"):
        return html.Div([_policies(findings, titles, links)])
    return html.Div(
        [
            _quality(lx, node, when),
            _contract(lx.contracts.check(node, **when).promises, links),
            _policies(findings, titles, links),
            _cost(lx, memo, node, state),
            _tags(lx.tags(node, **when), node, links),
        ]
    )


def _check(lx: Lineage, memo: Memo, state: LineageState) -> Any:
    as_of, known_at = state.as_of, state.known_at
    return memo.get(("policies", as_of, known_at), lambda: lx.policies.check(as_of=as_of, known_at=known_at))


def _findings(lx: Lineage, memo: Memo, state: LineageState) -> Sequence[FindingRow]:
    found: Sequence[FindingRow] = _check(lx, memo, state).findings
    return found


def _home(text: str) -> str:
    """The dataset of a column's text; any other text as it is."""
    return f"dataset:{text[7:].rpartition(':')[0]}" if text.startswith("column:") else text


def _section(title: str, value: Part, *body: Part, name: str) -> Part:
    head = html.Div([html.H3(title), html.Span(value, className="fact-value")], className="fact-head")
    return html.Section([head, *body], className="fact", id=f"fact-{name}")


def _quality(lx: Lineage, node: str, when: dict[str, Any]) -> Part:
    found = lx.quality.explain(node, **when)
    pill = html.Span(found.grade, className=f"pill {_GRADES.get(found.grade, '')}")
    value = [html.B(points(found.quality), className="num"), " ", pill]
    said = [f"{found.known} of {found.expected} checks known"]
    if found.upstream_risk is not None and found.limited_by not in (None, node):
        said.append(f"upstream risk {points(found.upstream_risk)}, from {short_id(found.limited_by or '')[0]}")
    lost = [check for check in found.checks if check.lost > 0][:LOST]
    rows = [_lost(check) for check in lost]
    note = html.Div(" · ".join(said), className="fact-note")
    why = [html.Div(reason, className="fact-note bad-text") for reason in found.gate]
    return _section("Quality", value, note, *why, *rows, name="quality")


def _lost(check: CheckRow) -> Part:
    where = f" on {check.column}" if check.column else ""
    return html.Div(
        [
            html.Span(f"−{check.lost:.0f}", className="num fact-lost"),
            html.Span(f"{check.name}{where}", className="fact-what"),
            html.Small(check.observed or "not seen"),
        ],
        className="fact-row",
        title=f"expected: {check.expected}; observed: {check.observed or 'nothing'}",
    )


def _contract(promises: Sequence[Promise], links: Links) -> Part:
    if not promises:
        return _section("Contract", html.Span("none in force", className="nothing"), name="contract")
    counts = {word: sum(p.verdict == word for p in promises) for word in ("broken", "unknown", "kept")}
    name = f"{promises[0].contract} {promises[0].version}"
    title = dcc.Link(name, href=links.to("contracts", id=promises[0].contract))
    tone = "bad" if counts["broken"] else "warn" if counts["unknown"] else "good"
    text = f"{counts['broken']} broken" if counts["broken"] else f"{counts['kept']} kept"
    unknown = f" · {counts['unknown']} unknown" if counts["unknown"] else ""
    rows = [
        html.Div(
            [html.Span(p.promise, className="fact-what"), html.Small(f"{p.observed}, promised {p.expected}")],
            className="fact-row",
            title=p.evidence,
        )
        for p in promises
        if p.verdict == "broken"
    ]
    value = [title, " ", html.Span(text, className=f"pill {tone}")]
    return _section("Contract", value, html.Div(f"{len(promises)} promises{unknown}", className="fact-note"),
                    *rows, name="contract")  # fmt: skip


def _policies(findings: Sequence[FindingRow], titles: dict[str, str], links: Links) -> Part:
    if not findings:
        return _section("Policies", html.Span("no violation", className="pill good"), name="policies")
    groups: dict[str, list[FindingRow]] = defaultdict(list)
    for finding in findings:
        groups[finding.policy].append(finding)
    rows = []
    for policy, found in groups.items():
        title = titles.get(policy, policy)
        many = f"{len(found)} × " if len(found) > 1 else ""
        rows.append(
            html.Div(
                [
                    html.Span(className=f"severity severity-{found[0].severity}", title=found[0].severity),
                    html.Span(dcc.Link(title, href=links.to("policies", policy=policy)), className="fact-what wraps"),
                    html.Small(f"{many}{found[0].severity}"),
                ],
                className="fact-row",
                title=found[0].message,
            )
        )
    value = html.Span(f"{len(groups)} broken", className="pill bad")
    return _section("Policies", value, *rows, name="policies")


def _cost(lx: Lineage, memo: Memo, node: str, state: LineageState) -> Part:
    as_of, known_at = state.as_of, state.known_at
    report = memo.get(("cost", as_of, known_at), lambda: lx.cost.report("dataset", as_of=as_of, known_at=known_at))
    found = [(row, one.currency) for one in report.currencies for row in one.rows if row.id == node]
    if not found:
        text = "no cost was placed here" if report.currencies else "no bill was imported"
        return _section("Cost", html.Span(text, className="nothing"), name="cost")
    row, currency = found[0]
    value = [html.B(money(row.own, currency), className="num", title=f"{row.own} {currency}"), " own"]
    full = money(row.full, currency) if row.full is not None else "unknown"
    note = f"{full} with what it is made of · {row.basis}, {report.period}"
    return _section("Cost", value, html.Div(note, className="fact-note"), name="cost")


def _tags(answer: Tags, node: str, links: Links) -> Part:
    found = answer.found
    stops = [_stop(one) for one in answer.stopped if one.why == "approved" and _home(one.dst) == node][:TAGS]
    if not found and not stops:
        return _section("Tags", html.Span("none known", className="nothing"), name="tags")
    rows = [_tag(row, links) for row in found[:TAGS]]
    if len(found) > TAGS:
        rows.append(html.Div(f"and {len(found) - TAGS:,} more", className="nothing"))
    kinds = len({row.tag for row in found})
    value = f"{kinds} tag{'s' if kinds != 1 else ''}"
    return _section("Tags", html.Span(value, className="nothing"), *rows, *stops, name="tags")


def _stop(one: StoppedTag) -> Part:
    """A tag that does not come in, because somebody approved that."""
    body = [
        html.Span([icon("tag", size=12), one.tag], className="pill"),
        html.Span(one.dst.rpartition(":")[2] if one.dst.startswith("column:") else "", className="mono fact-what"),
        html.Small(f"stops here, approved by {one.by}"),
    ]
    return html.Div(body, className="fact-row", title=f"from {short_id(one.src)[0]}: {one.reason}")


def _tag(row: TagRow, links: Links) -> Part:
    """A tag, the column that carries it, and the way it came."""
    column = row.id.rpartition(":")[2] if row.kind == "column" else ""
    if row.hops:
        origin, _ = short_id(row.origin)
        way = f"from {origin}, {row.hops} hop{'s' if row.hops != 1 else ''}"
    else:
        way = f"told by {row.told_by} here"
    path = " → ".join(short_id(one)[0] for one in row.path)
    body = [
        html.Span([icon("tag", size=12), row.tag], className="pill info"),
        html.Span(column, className="mono fact-what"),
        html.Small(way),
    ]
    if row.kind != "column":
        return html.Div(body, className="fact-row", title=path)
    return dcc.Link(body, href=links.lineage(row.id), className="fact-row", title=f"{path} ({row.use})")
