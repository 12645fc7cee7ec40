"""Answers about cost as tables for people."""

from __future__ import annotations

from lineage.cost.answers import (
    BudgetAnswer,
    BudgetState,
    CostReport,
    CurrencyReport,
    Explanation,
    ShowbackAnswer,
    WasteAnswer,
)
from lineage.cost.importing import ImportSummary
from lineage.cost.money import money
from lineage.tables import clean, counted, line, new_console, second, table

_SHOWN = 40  # rows of a report for people; JSON and CSV have all


def print_import(summary: ImportSummary) -> None:
    """What became of each file."""
    console = new_console()
    for file in summary.files:
        line(console, f"{file.file}: {file.status}" + (f", {file.kept:,} of {file.rows:,} rows" if file.rows else ""))
        for part in file.parts:
            line(
                console,
                f"  {clean(part.provider)} {clean(part.account)}, period from {part.period}: "
                f"billed {money(part.billed)} {part.currency}, effective {money(part.effective)}"
                + (", replaces" if part.replaced else ""),
            )
        for text in file.notes:
            line(console, f"  {text}")
        for bad in file.bad_rows:
            where = f"{bad.field}: " if bad.field else ""
            line(console, f"  {bad.file}: row {bad.row}: {where}{clean(bad.reason)}")
        if file.refused > len(file.bad_rows):
            line(console, f"  … and {file.refused - len(file.bad_rows)} more rows that cannot be used")


def print_cost(answer: CostReport) -> None:
    """A report."""
    console = new_console()
    line(console, f"Cost of {answer.period} ({answer.metric})", "bold")
    for one in answer.currencies:
        rows = one.rows
        cells = [
            (clean(row.id), row.kind, money(row.own), money(row.charged_back), money(row.full), row.basis)
            for row in rows[:_SHOWN]
        ]
        table(console, ("What", "Kind", "Own", "Charged back", "Full", "Basis"), cells)
        if len(rows) > _SHOWN:
            line(console, f"… and {len(rows) - _SHOWN} more; --format json or csv has all.")
        line(console, _total(one))
    if not answer.currencies:
        line(console, "No bill and no rate says anything about it. Import one with: meshline cost import FILE")
    else:
        line(console, "Full cost is own cost and what is used of others; it is not additive.", "dim")


def _total(one: CurrencyReport) -> str:
    return (
        f"{one.currency}: {money(one.billed)} billed, {money(one.allocated)} in the rows, "
        f"{money(one.unallocated)} of it unallocated."
    )


def print_explanation(answer: Explanation) -> None:
    """Cost of a node with its evidence."""
    console = new_console()
    line(console, f"Cost of {answer.node}", "bold")
    line(console, f"domain {answer.domain} · {answer.period} · {answer.metric}", "dim")
    for one in answer.currencies:
        line(
            console,
            f"{one.currency}: own {money(one.own)} + inherited {money(one.inherited)} = full {money(one.full)}; "
            f"charged back {money(one.charged_back)}.",
        )
        rows = [
            (
                money(e.amount),
                e.method,
                clean(e.resource or e.pool or e.job or "") + (f": a share of {money(e.of)}" if e.of else ""),
                clean(e.rule),
                clean(e.service),
            )
            for e in one.evidence[:_SHOWN]
        ]
        if rows:
            table(console, ("Own", "By", "From", "Rule", "Service"), rows)
        for heading, found in (("Inherited from", one.inherited_from), ("Passed on to", one.passed_on_to)):
            for other in found[:_SHOWN]:
                line(console, f"{heading} {clean(other.id)} ({other.domain}): {money(other.amount)}")
    line(console, f"{counted(answer.run_count, 'run')} wrote it or ran as it in this period.")
    for gap in answer.gaps:
        line(console, f"Rate card: {gap}.")


def print_showback(answer: ShowbackAnswer) -> None:
    """Who pays for whom."""
    console = new_console()
    line(console, f"Showback of {answer.period} ({answer.metric})", "bold")
    for one in answer.currencies:
        rows = [
            (clean(d.domain), money(d.own), money(d.received), money(d.passed), money(d.charged_back))
            for d in one.domains
        ]
        table(console, (f"Domain ({one.currency})", "Own", "Received", "Passed on", "Charged back"), rows)
        for subsidy in one.subsidies[:_SHOWN]:
            line(console, f"{clean(subsidy.payer)} pays {money(subsidy.amount)} that {clean(subsidy.user)} uses.")


def print_budgets(answer: BudgetAnswer) -> None:
    """Budgets, alerts, anomalies."""
    console = new_console()
    line(console, f"Budgets of {answer.period} ({answer.metric})", "bold")
    rows = [
        (
            clean(b.name), clean(b.scope), f"{money(b.spent)} of {money(b.amount)} {b.currency}",
            "unknown" if b.spent_percent is None else f"{b.spent_percent:.0f} %", _forecast(b), b.state,
        )
        for b in answer.budgets
    ]  # fmt: skip
    if rows:
        table(console, ("Budget", "Scope", "Spent", "", "Forecast", "State"), rows)
    else:
        line(console, "No budget holds in this period. Declare some in budgets/*.yaml: meshline apply DIR")
    for budget in answer.budgets:
        for alert in budget.alerts:
            when = f" on {alert.reached_on}" if alert.reached_on else ""
            line(console, f"{clean(budget.name)}: {alert.percent} % {alert.kind} reached{when}.")
        for driver in budget.drivers:
            line(console, f"  {clean(driver.id)}: {money(driver.amount)} (a month before {money(driver.before)})")
    for odd in answer.anomalies:
        why = f"; {', '.join(clean(text) for text in odd.drivers)}" if odd.drivers else ""
        line(
            console,
            f"{odd.day}: {clean(odd.scope)}, {clean(odd.service)}: {money(odd.observed)} {odd.currency} instead of "
            f"{money(odd.expected)} ({money(odd.low)} to {money(odd.high)}){why}",
        )


def _forecast(budget: BudgetState) -> str:
    if budget.forecast is None:
        return "–"
    return f"{money(budget.forecast)} ({money(budget.forecast_low)} to {money(budget.forecast_high)})"


def print_waste(answer: WasteAnswer) -> None:
    """What could go."""
    console = new_console()
    line(console, f"Of no use for {answer.days} days ({answer.period}, {answer.metric})", "bold")
    rows = [
        (
            clean(w.id), clean(w.domain), f"{money(w.saving_per_month)} {w.currency}", str(len(w.only_for_it)),
            second(w.last_read) if w.last_read else "never", _watch(w.watched_until, w.read_since_watch, w.tested),
        )
        for w in answer.unread
    ]  # fmt: skip
    if rows:
        table(console, ("Dataset", "Domain", "Saving a month", "With", "Last read", ""), rows)
    for one in answer.unread:
        if one.only_for_it:
            line(console, f"Remove in this order: {', '.join(clean(text) for text in one.remove_in_order)}")
    for job in answer.repeated:
        line(
            console,
            f"{clean(job.job)}: {job.unchanged} of {job.runs} runs wrote {clean(job.dataset)} as it was ({job.why}).",
        )
    for currency, amount in answer.savings.items():
        line(console, f"In all {money(amount)} {currency} a month.")
    if not answer.unread and not answer.repeated:
        line(console, "Nothing found.")


def _watch(until: object, read: object, tested: bool) -> str:
    words = ["tested"] if tested else []
    if until is not None:
        words.append("read since it is watched" if read is not None else "watched")
    return ", ".join(words)
