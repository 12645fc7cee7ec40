"""The tables of the quality page."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.desk import node_href
from dashboard.names import short_id
from dashboard.pages.quality_facts import QualityFacts
from dashboard.rows import Row, Sheet
from dashboard.tables import Column, cell

_NODE = Column("node", "Dataset", 2.2, link=True, short=True)
_DOMAIN = Column("domain", "Domain", 0.9)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "scores": (
        Column("node", "Name", 2.2, link=True, short=True), _DOMAIN, Column("quality", "Score", 0.7, number=True),
        Column("grade", "Grade", 0.8), Column("coverage", "Checks known %", 0.9, number=True),
        Column("risk", "Upstream risk", 0.9, number=True), Column("limited", "Limited by", 1.6, short=True),
        Column("datasets", "Datasets", 0.7, number=True), Column("unknown", "Without score", 0.8, number=True),
        Column("lowest", "Lowest dataset", 1.6, short=True),
    ),
    "incidents": (
        Column("state", "State", 0.8), Column("severity", "Severity", 0.7), Column("what", "What", 1.3, link=True),
        Column("node", "Dataset", 1.7, short=True), Column("cause", "Cause", 1.5, short=True),
        Column("began", "Began", 1.5), Column("resolved", "Resolved", 1.5),
        Column("failures", "Failures", 0.7, number=True), Column("assignee", "Assigned to", 0.9),
        Column("detail", "Detail", 2), _DOMAIN, Column("owner", "Owner", 1), Column("id", "Id", 0.9),
    ),
    "tests": (
        Column("state", "State", 0.7), _NODE, Column("column", "Column", 1), Column("test", "Test", 1.8), _DOMAIN,
        Column("severity", "Severity", 0.7), Column("expected", "Expected", 0.8), Column("observed", "Observed", 0.8),
        Column("failed", "Failed", 0.6, number=True), Column("total", "Results", 0.6, number=True),
        Column("at", "Last tested", 1.5),
    ),
    "fresh": (
        Column("verdict", "State", 0.7), _NODE, _DOMAIN, Column("age", "Age h", 0.7, number=True),
        Column("limit", "Limit h", 0.7, number=True), Column("basis", "Limit from", 0.8),
        Column("last", "Last write", 1.5), Column("why", "Why unknown", 1.6),
    ),
    "series": (
        Column("verdict", "Verdict", 0.8), _NODE, Column("column", "Column", 1), Column("metric", "Metric", 1.2),
        _DOMAIN, Column("points", "Points", 0.6, number=True), Column("last", "Last", 0.8, number=True),
        Column("low", "Expected from", 0.9, number=True), Column("high", "to", 0.8, number=True),
        Column("at", "Measured", 1.5),
    ),
    "promises": (
        Column("verdict", "Verdict", 1), Column("contract", "Contract", 1), _NODE, Column("promise", "Promise", 1.1),
        Column("promised", "Promised h", 0.8, number=True), Column("earliest", "Could be kept h", 0.9, number=True),
        Column("p50", "Arrival p50 h", 0.8, number=True), Column("p95", "Arrival p95 h", 0.8, number=True),
        Column("slowest", "Slowest step", 2.4),
    ),
    "drill": (
        Column("at", "When", 1.5), _NODE, Column("hops", "Hops", 0.6, number=True),
        Column("by", "Noticed by", 1.8), Column("who", "Who is told", 1.4),
    ),
}  # fmt: skip


def sheet_of(facts: QualityFacts) -> Sheet:
    """The table that the address names."""
    asked = facts.asked
    key = (facts.view, facts.by, facts.domain, facts.failure, asked.get("node"), asked.links.asof, asked.links.known,
           asked.links.base)  # fmt: skip
    rows = facts.desk.memo.get(("sheet", "quality", key), lambda: _ROWS[facts.view](facts))
    columns = COLUMNS[facts.view]
    if facts.view == "scores":
        dropped = ("datasets", "unknown", "lowest") if facts.by == "dataset" else ("risk", "limited")
        columns = tuple(column for column in columns if column.key not in dropped)
    return Sheet(key, columns, rows, f"quality-{facts.view}", _EMPTY.get(facts.view, "There are no rows here."))


_EMPTY = {
    "incidents": "No incident was ever noticed here.",
    "tests": "No test was seen. Meshline reads them from the dataQualityAssertions facet.",
    "series": "No row count and no metric was told.",
    "promises": "No contract promises freshness here.",
    "drill": "Name a dataset to play a failure of it.",
}


def _scores(facts: QualityFacts) -> list[Row]:
    asked = facts.asked

    def href(id: str) -> str | None:
        if facts.by == "product":
            return asked.links.to("product", id=id)
        return asked.to(domain=id, by=None) if facts.by == "domain" else node_href(asked, id)

    return [
        {
            "node": row.id, "domain": row.domain, "quality": _one(row.quality), "grade": row.grade,
            "coverage": None if row.coverage is None else round(100 * row.coverage), "risk": _one(row.upstream_risk),
            "limited": row.limited_by or "", "datasets": row.datasets, "unknown": row.unknown,
            "lowest": row.lowest or "", "href": href(row.id),
            "short": {"node": short_id(row.id) if facts.by == "dataset" else (row.id, ""),
                      "limited": short_id(row.limited_by or ""), "lowest": short_id(row.lowest or "")},
        }
        for row in facts.scores(facts.by)
    ]  # fmt: skip


def _one(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _hours(value: float | None) -> float | None:
    return None if value is None else round(value / 3600, 1)


def _incidents(facts: QualityFacts) -> list[Row]:
    return [
        {
            "state": one.state, "severity": one.severity, "what": f"{one.sort}: {one.what}", "node": one.node,
            "cause": one.cause, "began": cell(one.began_at), "resolved": cell(one.resolved_at),
            "failures": one.failures, "assignee": one.assignee or "", "detail": one.detail, "domain": one.domain,
            "owner": one.owner or "", "id": one.id, "href": facts.asked.links.to("incident", id=one.id),
            "short": {"node": short_id(one.node), "cause": short_id(one.cause)},
        }
        for one in facts.incidents()
    ]  # fmt: skip


def _tests(facts: QualityFacts) -> list[Row]:
    return [
        {
            "state": one.state, "node": one.dataset, "column": one.column, "test": one.test, "domain": one.domain,
            "severity": one.severity, "expected": one.expected, "observed": one.observed, "failed": one.failed,
            "total": one.total, "at": cell(one.times[-1]), "short": {"node": short_id(one.dataset)},
            "href": node_href(facts.asked, one.dataset),
        }
        for one in facts.tests()
    ]  # fmt: skip


def _fresh(facts: QualityFacts) -> list[Row]:
    return [
        {
            "verdict": one.verdict, "node": one.dataset, "domain": one.domain, "age": _hours(one.age),
            "limit": _hours(one.limit), "basis": one.basis, "last": cell(one.last_write), "why": one.why,
            "short": {"node": short_id(one.dataset)}, "href": node_href(facts.asked, one.dataset),
        }
        for one in facts.fresh()
    ]  # fmt: skip


def _series(facts: QualityFacts) -> list[Row]:
    return [
        {
            "verdict": one.verdict, "node": one.dataset, "column": one.column, "metric": one.metric,
            "domain": one.domain, "points": one.points, "last": one.last, "low": _one(one.low),
            "high": _one(one.high), "at": cell(one.at), "short": {"node": short_id(one.dataset)},
            "href": facts.asked.to(series=f"{one.dataset}|{one.metric}|{one.column}"),
        }
        for one in facts.series()
    ]  # fmt: skip


def _promises(facts: QualityFacts) -> list[Row]:
    return [
        {
            "verdict": one.verdict, "contract": one.contract, "node": one.dataset, "promise": one.promise,
            "promised": _hours(one.promised), "earliest": _hours(one.earliest), "p50": _hours(one.arrival_p50),
            "p95": _hours(one.arrival_p95), "slowest": one.slowest, "short": {"node": short_id(one.dataset)},
            "href": node_href(facts.asked, one.dataset),
        }
        for one in facts.promises()
    ]  # fmt: skip


def _drill(facts: QualityFacts) -> list[Row]:
    found = facts.drill()
    if found is None:
        return []
    told = [(cell(one.at) or "unknown", one.node, one.hops, one.by, one.who) for one in found.alarms]
    silent = [("", node, None, "nothing would notice", "") for node in found.silent]
    return [
        {"at": at, "node": node, "hops": hops, "by": by, "who": who, "short": {"node": short_id(node)},
         "href": node_href(facts.asked, node)}
        for at, node, hops, by, who in [*told, *silent]
    ]  # fmt: skip


_ROWS: dict[str, Callable[[QualityFacts], list[Row]]] = {
    "scores": _scores, "incidents": _incidents, "tests": _tests, "fresh": _fresh, "series": _series,
    "promises": _promises, "drill": _drill,
}  # fmt: skip
