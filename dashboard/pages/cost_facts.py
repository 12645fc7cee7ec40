"""The answers that the cost page is made of. Currencies are never summed: one is looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from dashboard.desk import Asked, Desk

if TYPE_CHECKING:
    from lineage.cost.answers import (
        BudgetAnswer,
        CostReport,
        CostRow,
        CurrencyReport,
        Explanation,
        ShowbackCurrency,
        WasteAnswer,
    )
    from lineage.domains import DomainInfo

VIEWS = (
    ("rows", "Costs"), ("waste", "Unused"), ("repeated", "Repeated work"), ("showback", "Who pays"),
    ("subsidies", "Subsidies"), ("budgets", "Budgets"), ("odd", "Odd days"), ("explain", "Explain"),
)  # fmt: skip
BY = (("dataset", "Datasets"), ("product", "Products"), ("domain", "Domains"), ("job", "Jobs"), ("service", "Services"))
MONTHS = 6


class CostFacts:
    """Questions of one address."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx
        self.view = asked.get("view", [key for key, _ in VIEWS])
        self.by = asked.get("by", [key for key, _ in BY])
        self.period = asked.get("period") or None
        self.domain = asked.get("domain")

    def report(self, by: str, period: str | None = None) -> CostReport:
        """What a month cost; default: the month of the address, else the newest that was billed."""
        wanted = period or self.period
        return self.desk.ask(
            self.asked, ("cost", by, wanted), lambda: self.lx.cost.report(by, period=wanted, **self.asked.when)
        )

    @property
    def past(self) -> bool:
        """Whether another instant of valid time than now is asked about."""
        return self.asked.links.asof is not None

    @property
    def unbilled(self) -> str:
        """That no bill tells any cost, as a sentence without its end."""
        return "nothing was billed until then" if self.past else "no bill was imported"

    @property
    def month(self) -> str:
        """The month that is looked at."""
        return self.report("domain").period

    def currencies(self) -> list[str]:
        """Currencies of the month, that of the largest bill first."""
        found = sorted(self.report("domain").currencies, key=lambda one: -Decimal(one.billed))
        return [one.currency for one in found]

    @property
    def currency(self) -> str | None:
        """The currency that is looked at; ``None`` without a bill."""
        known = self.currencies()
        return self.asked.get("currency", known) if known else None

    def of(self, by: str, period: str | None = None) -> CurrencyReport | None:
        """The report of the currency that is looked at."""
        return next((one for one in self.report(by, period).currencies if one.currency == self.currency), None)

    def rows(self, by: str) -> list[CostRow]:
        """Its rows, of the domain that is asked for."""
        found = self.of(by)
        rows = list(found.rows) if found else []
        if not self.domain:
            return rows
        if by == "domain":
            return [row for row in rows if row.id == self.domain]
        places = self.domains_of()
        return [row for row in rows if places.get(row.id) == self.domain]

    def domains(self) -> tuple[DomainInfo, ...]:
        """All domains."""
        return self.desk.ask(self.asked, "domains", lambda: tuple(self.lx.domains(**self.asked.when)))

    def domains_of(self) -> dict[str, str]:
        """Domain of each dataset and product."""
        found = self.desk.ask(
            self.asked, "quality dataset", lambda: self.lx.quality.report("dataset", **self.asked.when).nodes
        )
        return {row.id: row.domain for row in found} | {name: domain for name, (domain, _) in self.products().items()}

    def products(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Domain and datasets of each product."""
        found = self.desk.ask(self.asked, "products", lambda: self.lx.products.list(**self.asked.when).products)
        return {one.id: (one.domain, one.datasets) for one in found}

    def months(self) -> list[str]:
        """The month that is looked at and those before it, the oldest first."""
        at = datetime.strptime(self.month, "%Y-%m")  # noqa: DTZ007 - a month has no zone
        found = []
        for _ in range(MONTHS):
            found.append(f"{at:%Y-%m}")
            at = (at.replace(day=1) - timedelta(days=1)).replace(day=1)
        return found[::-1]

    def budgets(self) -> BudgetAnswer:
        """Budgets of the month, and odd days."""
        return self.desk.ask(
            self.asked, ("budgets", self.period), lambda: self.lx.cost.budgets(period=self.period, **self.asked.when)
        )

    def waste(self) -> WasteAnswer:
        """What nobody uses."""
        return self.desk.ask(
            self.asked, ("waste", self.period), lambda: self.lx.cost.waste(period=self.period, **self.asked.when)
        )

    def showback(self) -> ShowbackCurrency | None:
        """What domains pay, and for whom, in the currency that is looked at."""
        found = self.desk.ask(
            self.asked, ("showback", self.period), lambda: self.lx.cost.showback(period=self.period, **self.asked.when)
        )
        return next((one for one in found.currencies if one.currency == self.currency), None)

    def explain(self) -> Explanation | None:
        """Bills, runs and neighbours of one node; ``None`` when none was named."""
        node = self.asked.get("node")
        if not node:
            return None
        key = ("explain", node, self.period)
        return self.desk.ask(self.asked, key, lambda: self.lx.cost.explain(node, period=self.period, **self.asked.when))
