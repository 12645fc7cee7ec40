"""The answers that the governance health page is made of: each asked once for all cards, tiles and tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from dashboard.memo import Memo
from dashboard.pages.overview_state import HealthState

if TYPE_CHECKING:
    from lineage.attention import Attention
    from lineage.contracts.conformance import Conformance, Promise
    from lineage.contracts.overview import ProductRow
    from lineage.cost.answers import CostReport
    from lineage.domains import DomainInfo
    from lineage.engine import Lineage
    from lineage.listing import DayRuns, NodeRow
    from lineage.overview import Summary
    from lineage.quality.answers import Incident, QualityRow
    from lineage.scorecards.answers import Scorecards

T = TypeVar("T")


class Facts:
    """Questions of one address. Their answers are shared with other readers, see :class:`dashboard.memo.Memo`."""

    def __init__(self, lx: Lineage, memo: Memo, state: HealthState) -> None:
        self.lx, self.memo, self.state = lx, memo, state

    def ask(self, name: str, find: Callable[[], T]) -> T:
        """An answer for the instant of the address."""
        return self.memo.get((name, self.state.as_of, self.state.known_at), find)

    def summary(self) -> Summary:
        """Counts of the mesh."""
        return self.ask("summary", lambda: self.lx.summary(**self.state.when))

    def domains(self) -> tuple[DomainInfo, ...]:
        """All domains, those without a name last."""
        return self.ask("domains", lambda: tuple(self.lx.domains(**self.state.when)))

    def attention(self) -> Attention:
        """What is not well, of the domain of the address."""
        domain = self.state.domain
        return self.ask(f"attention {domain}", lambda: self.lx.attention(domain=domain, **self.state.when))

    def conformance(self) -> Conformance:
        """Every promise of every contract."""
        return self.ask("contracts", lambda: self.lx.contracts.check(**self.state.when))

    def promises(self) -> list[Promise]:
        """Promises of the domain of the address."""
        return [p for p in self.conformance().promises if self.mine(p.domain)]

    def quality(self, by: str = "dataset") -> list[QualityRow]:
        """Scores of the domain of the address, the worst first."""
        found = self.ask(f"quality {by}", lambda: self.lx.quality.report(by, **self.state.when).nodes)
        return [row for row in found if self.mine(row.domain)]

    def incidents(self) -> list[Incident]:
        """All incidents, the resolved ones too."""
        found = self.ask("incidents", lambda: self.lx.quality.incidents(everything=True, **self.state.when).incidents)
        return [one for one in found if self.mine(one.domain)]

    def scorecard(self, by: str) -> Scorecards:
        """Figures of governance of the mesh (of one domain, when the address names it), or by domain."""
        domain = self.state.domain if by == "mesh" else None
        return self.ask(f"scorecard {by} {domain}", lambda: self.lx.scorecards.report(by, domain=domain,
                                                                                  **self.state.when))  # fmt: skip

    def products(self) -> list[ProductRow]:
        """Data products."""
        found = self.ask("products", lambda: self.lx.products.list(**self.state.when).products)
        return [one for one in found if self.mine(one.domain)]

    def cost(self, by: str) -> CostReport:
        """What the newest month cost that was billed until the instant."""
        return self.ask(f"cost {by}", lambda: self.lx.cost.report(by, **self.state.when))

    @property
    def unbilled(self) -> str:
        """Why nothing is known of cost, where no bill tells it."""
        return "no bill was imported" if self.state.as_of is None else "nothing was billed until then"

    def runs_per_day(self) -> tuple[DayRuns, ...]:
        """Runs of the period by day and state."""
        days = self.state.days
        return self.ask(f"days {days}", lambda: tuple(self.lx.runs_per_day(days, **self.state.when)))

    def datasets(self) -> tuple[NodeRow, ...]:
        """Datasets, the most connected first."""
        return self.ask("datasets", lambda: self.lx.listing("datasets", **self.state.when).rows)

    def mine(self, domain: str) -> bool:
        """Whether something of this domain is asked for."""
        return self.state.domain is None or domain == self.state.domain
