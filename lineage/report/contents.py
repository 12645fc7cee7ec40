"""What stands in the report: sections of plain rows, each from the same question that command line and pages ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.asking import When, naive_time
from lineage.errors import MeshlineError, UsageError
from lineage.scorecards.answers import Score, shown
from lineage.scorecards.metrics import BY_ID
from lineage.scorecards.questions import base_of
from lineage.times import iso, utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.policies.violations import Violation

MOST = 25  # rows of a section; the rest is counted
OVERDUE = " (overdue)"
USUAL = timedelta(days=30)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Section:
    """One part. ``total`` counts its rows before they were cut; ``note`` says what is unknown or was left out."""

    id: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    nothing: str  # what is said when there are no rows
    note: str = ""


@dataclass(frozen=True, slots=True)
class ExecutiveReport:
    """The report of a domain, or of the mesh when ``domain`` is ``None``, from ``start`` until ``end``."""

    domain: str | None
    start: datetime
    end: datetime
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    made_at: datetime
    generated_by: str
    fingerprint: str

    def section(self, name: str) -> Section:
        """One part by its id."""
        return next(one for one in self.sections if one.id == name)


def executive(
    lineage: Lineage, domain: str | None = None, *, start: When = None, end: When = None, actor: Actor = LOCAL
) -> ExecutiveReport:
    """The report.

    Parameters
    ----------
    domain
        only what belongs to it; default: the mesh.
    start, end
        the period; by default the 30 days before ``end``, which is now by default.

    Raises
    ------
    UsageError
        when there is no such domain, a time is no time or the period is empty.
    """
    from lineage import __version__

    now = utcnow()
    last = min(naive_time(end, "to") or now, now)
    first = naive_time(start, "from") or last - USUAL
    if first >= last:
        raise UsageError("from, to: a report wants a beginning before its end.")
    if domain is not None and domain not in {one.name for one in lineage.domains(actor, as_of=last)}:
        raise UsageError(f"domain: there is no domain “{domain}”.")
    if domain is not None and not actor.may_see(domain):
        raise UsageError(f"domain: you may not see domain “{domain}”.")
    asked = Asked(lineage, domain, first, last, actor)
    sections = (asked.scores(), asked.violations(), asked.contracts(), asked.incidents(), asked.cost(),
                asked.budgets(), asked.risks(), asked.changes())  # fmt: skip
    view = lineage.view(last, None, actor)
    return ExecutiveReport(
        domain, first, last, asked.summary(sections), sections, now, f"meshline {__version__}",
        view.instant.fingerprint,
    )  # fmt: skip


class Asked:
    """The questions of one report."""

    def __init__(self, lineage: Lineage, domain: str | None, start: datetime, end: datetime, actor: Actor) -> None:
        self.lx, self.domain, self.start, self.end, self.actor = lineage, domain, start, end, actor

    def mine(self, domain: str | None) -> bool:
        """Whether something of a domain belongs here."""
        return self.domain is None or domain == self.domain

    def scores(self) -> Section:
        """Figures at the end, beside those of the beginning."""
        now, then = (
            self.lx.scorecards.report(domain=self.domain, as_of=at, actor=self.actor) for at in (self.end, self.start)
        )
        rows = [
            (one.title, _figure(one), _figure(before := then.of(one.metric)), trend(one, before), _of(one), one.reason)
            for one in now.scores
        ]  # fmt: skip
        unknown = sum(one.value is None for one in now.scores)
        note = f"{unknown} of {len(rows)} figures are unknown; unknown is neither good nor bad." if unknown else ""
        return Section("scores", "Scorecard", ("figure", "now", "before", "trend", "of", "why unknown"), tuple(rows),
                       len(rows), "", note)  # fmt: skip

    def violations(self) -> Section:
        """Open violations with their deadlines."""
        found = [
            one for one in self.lx.policies.violations(as_of=self.end, actor=self.actor).violations
            if self.mine(one.domain)
        ]  # fmt: skip
        rows = [
            (one.severity, one.policy, one.subject, one.state, _due(one),
             one.assignee or "nobody")
            for one in found
        ]  # fmt: skip
        heads = ("severity", "policy", "asset", "state", "deadline", "assigned to")
        return _cut("violations", "Open violations", heads, rows, "No violation was recorded as open.")

    def contracts(self) -> Section:
        """Promises that are broken."""
        found = self.lx.contracts.check(as_of=self.end, actor=self.actor).promises
        mine = [one for one in found if self.mine(one.domain)]
        rows = [(one.contract, one.dataset, one.promise, one.expected, one.observed) for one in mine
                if one.verdict == "broken"]  # fmt: skip
        unknown = sum(one.verdict == "unknown" for one in mine)
        heads = ("contract", "dataset", "promise", "expected", "observed")
        return _cut("contracts", "Broken contracts", heads, rows,
                    "No promise is known to be broken." if mine else "Nothing is promised by contract.",
                    f"Of {unknown} promises nobody knows whether they are kept." if unknown else "")  # fmt: skip

    def incidents(self) -> Section:
        """Incidents that were open in the period."""
        found = self.lx.quality.incidents(everything=True, as_of=self.end, actor=self.actor).incidents
        rows = [
            (one.severity, one.what, one.node, one.state, _day(one.began_at),
             _day(one.resolved_at) if one.resolved_at else "not yet", one.owner or "no owner")
            for one in found
            if self.mine(one.domain) and (one.resolved_at is None or one.resolved_at >= self.start)
        ]  # fmt: skip
        heads = ("severity", "what", "where", "state", "began", "resolved", "owner")
        return _cut("incidents", "Incidents", heads, rows, "No incident was seen in this period.")

    def cost(self) -> Section:
        """What each domain cost in the newest month that was billed."""
        heads = ("currency", "who", "own cost", "charged back", "basis")
        try:
            found = self.lx.cost.report("domain", as_of=self.end, actor=self.actor)
        except MeshlineError as error:
            return _cut("cost", "Cost", heads, [], "Cost is unknown.", str(error))
        rows = [
            (one.currency, row.id, _money(row.own), _money(row.charged_back), row.basis)
            for one in found.currencies for row in one.rows
            if self.domain is None or row.id == self.domain
        ]  # fmt: skip
        note = "; ".join(f"{_money(one.unallocated)} {one.currency} of {_money(one.billed)} belong to nobody" for one in
                         found.currencies)  # fmt: skip
        return _cut("cost", f"Cost, {found.period}", heads, rows, "Cost is unknown: no bill covers this.", note)

    def budgets(self) -> Section:
        """Budgets of the month."""
        heads = ("budget", "for", "period", "budgeted", "spent", "forecast", "state")
        try:
            found = self.lx.cost.budgets(as_of=self.end, actor=self.actor).budgets
        except MeshlineError as error:
            return _cut("budgets", "Cost against budget", heads, [], "Unknown.", str(error))
        rows = [
            (one.name, one.scope, one.period, f"{_money(one.amount)} {one.currency}",
             "unknown" if one.spent_percent is None else f"{_money(one.spent)} ({one.spent_percent:.0f} %)",
             _money(one.forecast), one.state)
            for one in found
            if self.domain is None or one.scope == f"domain:{self.domain}"
        ]  # fmt: skip
        return _cut("budgets", "Cost against budget", heads, rows, "There is no budget.")

    def risks(self) -> Section:
        """Products, the greatest risk first."""
        found = [one for one in self.lx.scorecards.risks(as_of=self.end, actor=self.actor) if self.mine(one.domain)]
        rows = [
            (one.product, one.domain, "unknown" if one.risk is None else f"{one.risk:g}",
             "unknown" if one.classification is None else f"{one.classification:g}", f"{one.exposure:g}",
             f"{one.violations:g}", one.reason)
            for one in found
        ]  # fmt: skip
        heads = ("product", "domain", "risk", "classification", "exposure", "violations", "why unknown")
        return _cut("risks", "Top risks", heads, rows, "There are no products.")

    def changes(self) -> Section:
        """Datasets, jobs, edges, owners and stops of tags that came, went or changed."""
        found = self.lx.diff(self.start, self.end, actor=self.actor)
        ends = [base_of(self.lx.view(at, None, self.actor)).by_id for at in (self.end, self.start)]

        def domains(names: Sequence[str | None]) -> set[str]:
            return {str(assets[name]["domain"]) for assets in ends for name in names if name in assets}

        mine = [
            one for one in found.changes
            if self.domain is None or self.domain in domains((one.id, one.other))
        ]  # fmt: skip
        told = [one for one in mine if one.what in ("node", "edge", "owner", "column", "stop")]
        rows = [
            (one.what, one.change, one.id + (f" → {one.other}" if one.other else ""), one.detail,
             " by ".join(word for word in (one.cause.reason, one.cause.who) if word) if one.cause else "unknown")
            for one in told
        ]  # fmt: skip
        left = len(mine) - len(told)
        note = " ".join([*found.notes, *([f"{left} changes of single column edges are not listed."] if left else [])])
        return _cut(
            "changes",
            "What changed",
            ("what", "change", "where", "detail", "why"),
            rows,
            "What changed is not known." if found.verdict == "unknown" else "Nothing changed.",
            note,
        )

    def summary(self, sections: Sequence[Section]) -> tuple[str, ...]:
        """A few sentences: what a reader who stops here should know."""
        parts = {one.id: one for one in sections}
        figures = {row[0]: row for row in parts["scores"].rows}
        said = []
        for name in ("compliance", "policy-coverage", "ownership", "contract-coverage"):
            row = figures[BY_ID[name].title]
            said.append(f"{row[0]}: {row[1]} ({row[4] or row[5]}), before {row[2]}.")
        overdue = sum(row[4].endswith(OVERDUE) for row in parts["violations"].rows)
        said.append(f"{parts['violations'].total} violations are open, {overdue} of those listed past their deadline.")
        said.append(
            f"{parts['contracts'].total} promises are broken; {parts['incidents'].total} incidents in the period."
        )
        over = [row[0] for row in parts["budgets"].rows if row[6] != "ok"]
        said.append(f"Budgets that need a look: {', '.join(over)}." if over else "No budget is over or about to be.")
        if not parts["budgets"].rows:
            said[-1] = "No budget is known here."
        return tuple(said)


def trend(now: Score, before: Score | None) -> str:
    """Which way a figure went.

    Examples
    --------
    >>> from lineage.scorecards.metrics import metric, score
    >>> from lineage.scorecards.answers import Row
    >>> trend(score(metric("ownership"), [Row("a")]), score(metric("ownership"), [Row("a", counted=False)]))
    'better'
    """
    if now.value is None or before is None or before.value is None:
        return "unknown"
    if abs(now.value - before.value) < 1e-9:
        return "same"
    return "better" if (now.value > before.value) == BY_ID[now.metric].better else "worse"


# -- inside


def _cut(name: str, title: str, heads: tuple[str, ...], rows: Sequence[tuple[Any, ...]], nothing: str,
         note: str = "") -> Section:  # fmt: skip
    return Section(name, title, heads, tuple(rows[:MOST]), len(rows), nothing, note)


def _figure(score: Score | None) -> str:
    """A figure with its unit."""
    if score is None or score.value is None:
        return "unknown"
    return shown(score) if score.unit == "share" else f"{shown(score)} {score.unit}"


def _money(text: str | None) -> str:
    return "unknown" if text is None else f"{Decimal(text):,.2f}"


def _of(score: Score) -> str:
    if score.unit != "share" or not score.denominator:
        return ""
    return f"{score.numerator:g} of {score.denominator:g}"


def _day(moment: datetime) -> str:
    return (iso(moment) or "")[:10]


def _due(one: Violation) -> str:
    return _day(one.deadline) + (OVERDUE if one.overdue else "")
