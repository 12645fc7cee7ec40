"""The rows behind a number of the governance health page, as a table over the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import html

from dashboard.links import Links
from dashboard.names import short_id
from dashboard.page import Part
from dashboard.pages.overview_attention import attention_rows
from dashboard.pages.overview_facts import Facts
from dashboard.pages.overview_parts import nothing
from dashboard.pages.overview_products import product_rows
from dashboard.pages.overview_tiles import is_lateness
from dashboard.tables import Column, cell, grid
from lineage.contracts.conformance import Promise

Row = dict[str, Any]
_NODE = Column("node", "Node", 1.8, link=True, short=True)
_DOMAIN = Column("domain", "Domain")
_PROMISES = (
    Column("verdict", "Verdict", 0.8), Column("contract", "Contract", 1.2),
    _NODE, Column("promise", "Promise", 1.6), Column("expected", "Expected", 1.1),
    Column("observed", "Observed", 1.1), Column("evidence", "Evidence", 1.6), _DOMAIN,
)  # fmt: skip
LISTS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "attention": (
        "Needs attention",
        (
            Column("severity", "Severity", 0.8), Column("kind", "Kind", 0.8), Column("what", "What", 2.2, link=True),
            Column("node", "Node", 1.6, short=True), Column("reach", "Downstream", 0.8, number=True),
            Column("cases", "Cases", 0.6, number=True), _DOMAIN, Column("owner", "Owner"),
            Column("since", "Since", 1.3), Column("detail", "Detail", 2),
        ),
    ),
    "contracts": ("Promises of contracts", _PROMISES),
    "fresh": ("Promises about time", _PROMISES),
    "quality": (
        "Quality of datasets",
        (
            _NODE, _DOMAIN, Column("quality", "Score", 0.7, number=True), Column("grade", "Grade", 0.8),
            Column("coverage", "Checks known %", 0.9, number=True),
            Column("upstream_risk", "Upstream risk", 0.9, number=True), Column("limited_by", "Limited by", 1.6,
                                                                             short=True),
        ),
    ),
    "incidents": (
        "Incidents",
        (
            Column("state", "State", 0.8), Column("severity", "Severity", 0.8), _NODE, Column("what", "What", 1.2),
            Column("cause", "Cause", 1.6, short=True), Column("began", "Began", 1.5), Column("detail", "Detail", 2),
            _DOMAIN, Column("owner", "Owner"),
        ),
    ),
    "cost": (
        "Cost of domains",
        (
            Column("id", "Domain", 1.4), Column("own", "Own", 0.9, number=True),
            Column("charged_back", "Charged back", 0.9, number=True), Column("full", "Full", 0.9, number=True),
            Column("currency", "Currency", 0.6), Column("basis", "Basis", 0.8),
        ),
    ),
    "owned": (
        "Datasets and jobs of one owner",
        (Column("node", "Name", 2, link=True, short=True), Column("kind", "Kind", 0.7), _DOMAIN,
         Column("owner", "Owner")),
    ),
    "products": (
        "Data products",
        (
            Column("name", "Product", 1.4, link=True), _DOMAIN, Column("quality", "Quality", 0.8),
            Column("broken", "Broken promises", 0.9, number=True), Column("promises", "Promises", 0.8, number=True),
            Column("cost", "Cost / month", 0.9), Column("consumers", "Consumers", 0.8, number=True),
            Column("drift", "Drift", 0.6, number=True), Column("owner", "Owner"),
        ),
    ),
}  # fmt: skip


def table(facts: Facts, links: Links) -> tuple[str, Part]:
    """Title and table of the list that the address names.

    Raises
    ------
    KeyError
        for another name; ask :data:`LISTS` first.
    """
    if facts.state.rows.startswith("score "):
        return _score(facts, links)
    title, columns = LISTS[facts.state.rows]
    rows = _ROWS[facts.state.rows](facts, links)
    if facts.state.rows == "owned":
        title = f"Datasets and jobs of {facts.state.owner or 'nobody'}"
    where = f" of domain {facts.state.domain}" if facts.state.domain else ""
    if not rows:
        return title + where, nothing("list", f"There are no rows{where} at this time.")
    return title + where, html.Div(grid("health-grid", rows, columns), className="rows-room")


def known(rows: str) -> bool:
    """Whether the address names a list."""
    from lineage.scorecards.metrics import BY_ID

    return rows in LISTS or rows.removeprefix("score ") in BY_ID


_SCORE = (
    _NODE, Column("counted", "Counted", 0.8), Column("value", "Value", 0.7, number=True), _DOMAIN,
    Column("product", "Product"), Column("note", "Note", 2.2),
)  # fmt: skip


def _score(facts: Facts, links: Links) -> tuple[str, Part]:
    """The rows behind a figure of the scorecard."""
    metric, domain = facts.state.rows.removeprefix("score "), facts.state.domain
    by, scope = ("domain", domain) if domain else ("mesh", "")
    behind = facts.lx.scorecards.rows(metric, by=by, scope=scope, **facts.state.when)
    if not behind.items:
        return behind.title(), nothing("list", behind.score.reason or "There are no rows at this time.")
    counted = {True: "yes", False: "no", None: "unknown"}
    rows = [
        {"node": one.id, "counted": counted[one.counted], "value": one.value, "domain": one.domain,
         "product": one.product, "note": one.note, "short": {"node": short_id(one.id)},
         "href": links.lineage(one.id) if one.id.partition(":")[0] in ("dataset", "job", "column") else None}
        for one in behind.items
    ]  # fmt: skip
    return behind.title(), html.Div(grid("health-grid", rows, _SCORE), className="rows-room")


def _promises(facts: Facts, links: Links) -> list[Row]:
    return [_promise(one, links) for one in facts.promises()]


def _fresh(facts: Facts, links: Links) -> list[Row]:
    return [_promise(one, links) for one in facts.promises() if is_lateness(one.promise)]


def _promise(one: Promise, links: Links) -> Row:
    return {
        "verdict": one.verdict, "contract": f"{one.contract} {one.version}", "node": one.dataset,
        "promise": one.promise, "expected": one.expected, "observed": one.observed, "evidence": one.evidence,
        "domain": one.domain, "short": {"node": short_id(one.dataset)},
        "href": links.lineage(one.dataset, by="quality"),
    }  # fmt: skip


def _quality(facts: Facts, links: Links) -> list[Row]:
    return [
        {
            "node": row.id, "domain": row.domain, "quality": _rounded(row.quality), "grade": row.grade,
            "coverage": None if row.coverage is None else round(100 * row.coverage),
            "upstream_risk": _rounded(row.upstream_risk), "limited_by": row.limited_by or "",
            "short": {"node": short_id(row.id), "limited_by": short_id(row.limited_by) if row.limited_by else ("", "")},
            "href": links.lineage(row.id, by="quality"),
        }
        for row in facts.quality()
    ]  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _incidents(facts: Facts, links: Links) -> list[Row]:
    return [
        {
            "state": one.state, "severity": one.severity, "node": one.node, "what": f"{one.sort}: {one.what}",
            "cause": one.cause, "began": cell(one.began_at), "detail": one.detail, "domain": one.domain,
            "owner": one.owner or "", "short": {"node": short_id(one.node), "cause": short_id(one.cause)},
            "href": links.to("incident", id=one.id),
        }
        for one in facts.incidents()
    ]  # fmt: skip


def _cost(facts: Facts, _links: Links) -> list[Row]:
    return [
        {
            "id": row.id, "own": _number(row.own), "charged_back": _number(row.charged_back),
            "full": _number(row.full), "currency": one.currency, "basis": row.basis,
        }
        for one in facts.cost("domain").currencies
        for row in one.rows
    ]  # fmt: skip


def _number(amount: str | None) -> float | None:
    return None if amount is None else float(amount)


def _products(facts: Facts, links: Links) -> list[Row]:
    keys = [column.key for column in LISTS["products"][1]]
    return [{**{key: row[key] for key in keys}, "href": row["href"]} for row in product_rows(facts, links)]


def _owned(facts: Facts, links: Links) -> list[Row]:
    found = facts.lx.owned(facts.state.owner, **facts.state.when)
    return [
        {"node": one.id, "kind": one.kind, "domain": one.domain, "owner": one.owner or "",
         "short": {"node": short_id(one.id)}, "href": links.lineage(one.id)}
        for one in found
        if facts.mine(one.domain)
    ]  # fmt: skip


_ROWS: dict[str, Callable[[Facts, Links], list[Row]]] = {
    "attention": attention_rows,
    "contracts": _promises,
    "fresh": _fresh,
    "quality": _quality,
    "incidents": _incidents,
    "cost": _cost,
    "products": _products,
    "owned": _owned,
}
