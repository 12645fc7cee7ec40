"""The answers about cost, as frozen dataclasses. Money is a decimal text: exact, and in every language the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from lineage.shown import Shown


def number(text: str | None) -> Decimal | None:
    """An amount as a number, for tables and CSV."""
    return None if text is None else Decimal(text)


@dataclass(frozen=True, slots=True)
class CostRow:
    """One line of a report; ``full`` is not additive, ``None`` where it makes no sense. ``basis``: what ``own`` is."""

    id: str
    kind: str  # dataset, job, domain, product, service, idle, unallocated, rest, hidden
    own: str | None
    charged_back: str | None
    full: str | None
    basis: str  # billed, effective, … as asked; estimated; mixed


@dataclass(frozen=True, slots=True)
class CurrencyReport:
    """One currency: ``allocated`` includes what is unallocated or idle, so it equals ``billed``."""

    currency: str
    billed: str
    allocated: str
    unallocated: str
    rows: tuple[CostRow, ...]


@dataclass(frozen=True, slots=True)
class CostReport(Shown):
    """What a period cost, by currency. ``metric`` says which amounts of the bills were added up."""

    period: str
    metric: str
    currencies: tuple[CurrencyReport, ...]
    notes: tuple[str, ...] = ()

    def heads(self) -> tuple[str, ...]:
        return ("currency", "id", "kind", "own", "charged_back", "full", "basis")

    def rows(self) -> list[tuple[Any, ...]]:
        return [
            (one.currency, row.id, row.kind, number(row.own), number(row.charged_back), number(row.full), row.basis)
            for one in self.currencies
            for row in one.rows
        ]

    def title(self) -> str:
        return f"Cost of {self.period} ({self.metric})"

    def remarks(self) -> tuple[str, ...]:
        return self.notes


@dataclass(frozen=True, slots=True)
class Evidence:
    """One way by which cost came to a node: ``amount`` of it, from ``rows`` rows of ``bills``.

    Of a pool it is a share: ``of`` is what was divided among all runs and what nobody used.
    """

    amount: str
    method: str  # resource, query, tag, account, pool, cluster, egress, rate
    rule: str
    service: str
    basis: str
    resource: str | None = None
    job: str | None = None
    pool: str | None = None
    rows: int | None = None
    bills: tuple[str, ...] = ()
    of: str | None = None


@dataclass(frozen=True, slots=True)
class CostOfRun:
    """One run that wrote the node in the period, or ran as the node."""

    run_id: str
    job: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What came from, or went on to, another node."""

    id: str
    domain: str
    amount: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One node in one currency: ``own`` is the sum of ``evidence``, ``full`` is own and what ``inherited`` lists."""

    currency: str
    own: str
    inherited: str
    full: str
    charged_back: str
    evidence: tuple[Evidence, ...]
    inherited_from: tuple[Neighbour, ...]
    passed_on_to: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class Explanation(Shown):
    """Which bills and runs make up the cost of a node."""

    node: str
    domain: str
    period: str
    metric: str
    currencies: tuple[Explained, ...]
    runs: tuple[CostOfRun, ...]
    run_count: int
    gaps: tuple[str, ...] = ()  # runs that no rate has a price for

    def heads(self) -> tuple[str, ...]:
        return (
            "currency", "amount", "method", "rule", "service", "basis", "resource", "job", "pool", "rows", "bills",
        )  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        return [
            (
                one.currency,
                number(e.amount),
                e.method,
                e.rule,
                e.service,
                e.basis,
                e.resource,
                e.job,
                e.pool,
                e.rows,
                e.bills,
            )
            for one in self.currencies
            for e in one.evidence
        ]

    def title(self) -> str:
        return f"Own cost of {self.node} in {self.period} ({self.metric})"


@dataclass(frozen=True, slots=True)
class Showback:
    """One domain: own + received − passed + in_cycles = charged_back, exactly."""

    domain: str
    own: str
    received: str  # over borders, from other domains
    passed: str  # over borders, to other domains
    in_cycles: str  # moved inside cycles that cross a border
    charged_back: str


@dataclass(frozen=True, slots=True)
class Subsidy:
    """What one domain pays and another uses: cost that crosses the border between them."""

    payer: str
    user: str
    amount: str


@dataclass(frozen=True, slots=True)
class ShowbackCurrency:
    """One currency."""

    currency: str
    domains: tuple[Showback, ...]
    subsidies: tuple[Subsidy, ...]


@dataclass(frozen=True, slots=True)
class ShowbackAnswer(Shown):
    """Who pays for whom."""

    period: str
    metric: str
    currencies: tuple[ShowbackCurrency, ...]

    def heads(self) -> tuple[str, ...]:
        return ("currency", "payer", "user", "amount")

    def rows(self) -> list[tuple[Any, ...]]:
        return [
            (one.currency, row.payer, row.user, number(row.amount)) for one in self.currencies for row in one.subsidies
        ]

    def title(self) -> str:
        return f"Who pays for whom in {self.period} ({self.metric})"


@dataclass(frozen=True, slots=True)
class Alert:
    """One threshold that was reached; ``kind`` is actual or forecast."""

    kind: str
    percent: int
    reached_on: str | None


@dataclass(frozen=True, slots=True)
class Driver:
    """One of the largest parts of what a budget was spent on."""

    id: str
    amount: str
    before: str  # the same days of the month before


@dataclass(frozen=True, slots=True)
class BudgetState:
    """One budget in its period; the forecast has an 80 % band and is ``None`` where there are too few days."""

    name: str
    scope: str
    owner: str | None
    currency: str
    period: str
    amount: str
    spent: str | None  # None before anything was billed
    spent_percent: float | None
    until: str | None  # last day with complete charges
    forecast: str | None
    forecast_low: str | None
    forecast_high: str | None
    forecast_percent: float | None
    state: str  # ok, warned, over, forecast over, unknown
    alerts: tuple[Alert, ...]
    drivers: tuple[Driver, ...] = ()


@dataclass(frozen=True, slots=True)
class CostAnomaly:
    """One day on which something cost more, or less, than expected."""

    scope: str
    service: str
    currency: str
    day: str
    observed: str
    expected: str
    low: str
    high: str
    points: int
    drivers: tuple[str, ...] = ()  # resources or jobs that changed most


@dataclass(frozen=True, slots=True)
class BudgetAnswer(Shown):
    """Budgets, and what was odd in the same time."""

    period: str
    metric: str
    budgets: tuple[BudgetState, ...]
    anomalies: tuple[CostAnomaly, ...]

    def heads(self) -> tuple[str, ...]:
        return (
            "name",
            "scope",
            "currency",
            "period",
            "amount",
            "spent",
            "spent_percent",
            "forecast",
            "forecast_low",
            "forecast_high",
            "state",
        )

    def rows(self) -> list[tuple[Any, ...]]:
        return [
            (
                one.name,
                one.scope,
                one.currency,
                one.period,
                number(one.amount),
                number(one.spent),
                one.spent_percent,
                number(one.forecast),
                number(one.forecast_low),
                number(one.forecast_high),
                one.state,
            )
            for one in self.budgets
        ]

    def title(self) -> str:
        return f"Budgets of {self.period} ({self.metric})"


@dataclass(frozen=True, slots=True)
class Wasted:
    """One dataset that nobody uses, with what could go with it."""

    id: str
    domain: str
    currency: str
    own_per_month: str
    saving_per_month: str  # own cost and that of everything that exists only for it
    last_read: datetime | None
    last_written: datetime | None
    only_for_it: tuple[str, ...]  # datasets that nothing else uses
    remove_in_order: tuple[str, ...]  # consumers first
    tested: bool  # somebody tests it all the same
    watched_until: datetime | None = None
    read_since_watch: datetime | None = None


@dataclass(frozen=True, slots=True)
class Repeated:
    """One job whose runs write what they wrote before."""

    job: str
    dataset: str
    runs: int
    unchanged: int
    why: str


@dataclass(frozen=True, slots=True)
class WasteAnswer(Shown):
    """What costs and is of no use."""

    period: str
    metric: str
    days: int  # nobody read it for so many days
    unread: tuple[Wasted, ...]
    repeated: tuple[Repeated, ...]
    savings: dict[str, str] = field(default_factory=dict)  # per month, by currency; shared branches count once

    def heads(self) -> tuple[str, ...]:
        return (
            "id",
            "domain",
            "currency",
            "own_per_month",
            "saving_per_month",
            "last_read",
            "last_written",
            "only_for_it",
            "tested",
        )

    def rows(self) -> list[tuple[Any, ...]]:
        return [
            (
                one.id,
                one.domain,
                one.currency,
                number(one.own_per_month),
                number(one.saving_per_month),
                one.last_read,
                one.last_written,
                one.only_for_it,
                one.tested,
            )
            for one in self.unread
        ]

    def title(self) -> str:
        return f"Unused for {self.days} days ({self.metric}, {self.period})"
