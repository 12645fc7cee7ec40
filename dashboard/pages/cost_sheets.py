"""The tables of the cost page. Amounts are numbers of one currency, which stands beside them."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.desk import node_href
from dashboard.names import short_id
from dashboard.pages.cost_facts import CostFacts
from dashboard.rows import Row, Sheet
from dashboard.tables import Column, cell

_ID = Column("id", "Name", 2.2, link=True, short=True)
_DOMAIN = Column("domain", "Domain", 0.9)
_CURRENCY = Column("currency", "Currency", 0.7)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "rows": (
        _ID, _DOMAIN, Column("kind", "Kind", 0.8), Column("own", "Own", 0.9, number=True),
        Column("charged", "Charged back", 0.9, number=True), Column("full", "Full", 0.9, number=True), _CURRENCY,
        Column("basis", "Basis", 0.8),
    ),
    "waste": (
        _ID, _DOMAIN, Column("saving", "Saving per month", 1, number=True),
        Column("own", "Own per month", 0.9, number=True), _CURRENCY, Column("read", "Last read", 1.2),
        Column("written", "Last written", 1.2), Column("order", "Remove in this order", 2.4),
        Column("tested", "Still tested", 0.7), Column("watched", "Watched until", 1.1),
    ),
    "repeated": (
        Column("id", "Job", 2, link=True, short=True), Column("dataset", "Dataset", 2, short=True),
        Column("runs", "Runs", 0.6, number=True), Column("unchanged", "Unchanged", 0.7, number=True),
        Column("why", "Why", 1.4),
    ),
    "showback": (
        Column("id", "Domain", 1.2, link=True), Column("own", "Own", 0.9, number=True),
        Column("received", "Received", 0.9, number=True), Column("passed", "Passed on", 0.9, number=True),
        Column("cycles", "In cycles", 0.8, number=True), Column("charged", "Charged back", 1, number=True), _CURRENCY,
    ),
    "subsidies": (
        Column("id", "Pays", 1.2, link=True), Column("user", "Uses", 1.2), Column("amount", "Amount", 1, number=True),
        _CURRENCY,
    ),
    "budgets": (
        Column("id", "Budget", 1.2), Column("state", "State", 0.9), Column("scope", "Scope", 1.6),
        Column("amount", "Amount", 0.8, number=True), Column("spent", "Spent", 0.8, number=True),
        Column("percent", "Spent %", 0.7, number=True), Column("forecast", "Forecast", 0.8, number=True),
        Column("low", "from", 0.7, number=True), Column("high", "to", 0.7, number=True), _CURRENCY,
        Column("until", "Complete until", 1), Column("owner", "Owner", 1),
    ),
    "odd": (
        Column("day", "Day", 0.9), Column("scope", "Scope", 1), Column("service", "Service", 1),
        Column("observed", "Cost", 0.8, number=True), Column("expected", "Expected", 0.8, number=True),
        Column("low", "from", 0.7, number=True), Column("high", "to", 0.7, number=True), _CURRENCY,
        Column("drivers", "What changed most", 2.4),
    ),
    "explain": (
        Column("amount", "Amount", 0.9, number=True), _CURRENCY, Column("method", "Method", 0.8),
        Column("rule", "Rule", 1.2), Column("service", "Service", 1), Column("basis", "Basis", 0.8),
        Column("resource", "Resource", 1.6), Column("job", "Job", 1.6), Column("pool", "Pool", 1),
        Column("of", "Of what was divided", 1, number=True),
        Column("lines", "Lines of bills", 0.8, number=True), Column("bills", "Bills", 1.6),
    ),
}  # fmt: skip
_EMPTY = {
    "rows": "No bill was imported, so no cost is known. Import one with: meshline cost import FILE",
    "waste": "Nothing that costs is unused.", "repeated": "No job repeats what it did before.",
    "subsidies": "No domain pays for another.", "odd": "No day was odd.",
    "budgets": "No budget is declared for this month.", "explain": "Name a dataset or a job to see what it is made of.",
}  # fmt: skip


def sheet_of(facts: CostFacts) -> Sheet:
    """The table that the address names."""
    asked = facts.asked
    key = (facts.view, facts.by, facts.domain, facts.period, facts.currency, asked.get("node"), asked.links.asof,
           asked.links.known, asked.links.base)  # fmt: skip
    rows = facts.desk.memo.get(("sheet", "cost", key), lambda: _ROWS[facts.view](facts))
    empty = _EMPTY.get(facts.view, "There are no rows here.")
    if facts.past and facts.view == "rows":
        empty = f"{facts.unbilled.capitalize()}, so no cost is known."
    return Sheet(key, COLUMNS[facts.view], rows, f"cost-{facts.view}-{facts.month}", empty)


def _number(amount: str | None) -> float | None:
    return None if amount is None else round(float(amount), 4)


def _rows(facts: CostFacts) -> list[Row]:
    places = facts.domains_of()
    return [
        {
            "id": row.id, "domain": row.id if facts.by == "domain" else places.get(row.id, ""), "kind": row.kind,
            "own": _number(row.own), "charged": _number(row.charged_back), "full": _number(row.full),
            "currency": facts.currency, "basis": row.basis, "short": {"id": short_id(row.id)},
            "href": _href(facts, row.id, row.kind),
        }
        for row in facts.rows(facts.by)
    ]  # fmt: skip


def _href(facts: CostFacts, id: str, kind: str) -> str | None:
    if kind in ("dataset", "job"):
        return facts.asked.to(view="explain", node=id)
    if kind == "domain":
        return facts.asked.to(domain=id, by="dataset", view=None)
    return facts.asked.links.to("product", id=id) if kind == "product" else None


def _waste(facts: CostFacts) -> list[Row]:
    return [
        {
            "id": one.id, "domain": one.domain, "saving": _number(one.saving_per_month),
            "own": _number(one.own_per_month), "currency": one.currency, "read": cell(one.last_read) or "never seen",
            "written": cell(one.last_written) or "never seen",
            "order": " → ".join(short_id(node)[0] for node in one.remove_in_order),
            "tested": "yes" if one.tested else "no", "watched": cell(one.watched_until),
            "short": {"id": short_id(one.id)}, "href": node_href(facts.asked, one.id),
        }
        for one in facts.waste().unread
        if one.currency == facts.currency and (not facts.domain or one.domain == facts.domain)
    ]  # fmt: skip


def _repeated(facts: CostFacts) -> list[Row]:
    return [
        {"id": one.job, "dataset": one.dataset, "runs": one.runs, "unchanged": one.unchanged, "why": one.why,
         "short": {"id": short_id(one.job), "dataset": short_id(one.dataset)},
         "href": node_href(facts.asked, one.job)}
        for one in facts.waste().repeated
    ]  # fmt: skip


def _showback(facts: CostFacts) -> list[Row]:
    found = facts.showback()
    return [
        {"id": one.domain, "own": _number(one.own), "received": _number(one.received), "passed": _number(one.passed),
         "cycles": _number(one.in_cycles), "charged": _number(one.charged_back), "currency": facts.currency,
         "href": facts.asked.to(domain=one.domain)}
        for one in (found.domains if found else ())
        if not facts.domain or one.domain == facts.domain
    ]  # fmt: skip


def _subsidies(facts: CostFacts) -> list[Row]:
    found = facts.showback()
    return [
        {"id": one.payer, "user": one.user, "amount": _number(one.amount), "currency": facts.currency,
         "href": facts.asked.to(domain=one.payer)}
        for one in (found.subsidies if found else ())
        if not facts.domain or facts.domain in (one.payer, one.user)
    ]  # fmt: skip


def _budgets(facts: CostFacts) -> list[Row]:
    return [
        {"id": one.name, "state": one.state, "scope": one.scope, "amount": _number(one.amount),
         "spent": _number(one.spent), "percent": one.spent_percent, "forecast": _number(one.forecast),
         "low": _number(one.forecast_low), "high": _number(one.forecast_high), "currency": one.currency,
         "until": one.until or "unknown", "owner": one.owner or ""}
        for one in facts.budgets().budgets
    ]  # fmt: skip


def _odd(facts: CostFacts) -> list[Row]:
    return [
        {"day": one.day, "scope": one.scope, "service": one.service, "observed": _number(one.observed),
         "expected": _number(one.expected), "low": _number(one.low), "high": _number(one.high),
         "currency": one.currency, "drivers": ", ".join(one.drivers)}
        for one in facts.budgets().anomalies
        if not facts.domain or one.scope == facts.domain
    ]  # fmt: skip


def _explain(facts: CostFacts) -> list[Row]:
    found = facts.explain()
    return [
        {"amount": _number(e.amount), "currency": one.currency, "method": e.method, "rule": e.rule,
         "service": e.service, "basis": e.basis, "resource": e.resource or "", "job": e.job or "",
         "pool": e.pool or "", "of": _number(e.of), "lines": e.rows, "bills": ", ".join(e.bills)}
        for one in (found.currencies if found else ())
        for e in one.evidence
    ]  # fmt: skip


_ROWS: dict[str, Callable[[CostFacts], list[Row]]] = {
    "rows": _rows, "waste": _waste, "repeated": _repeated, "showback": _showback, "subsidies": _subsidies,
    "budgets": _budgets, "odd": _odd, "explain": _explain,
}  # fmt: skip
