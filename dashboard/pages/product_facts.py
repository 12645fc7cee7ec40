"""The answers that the page of one product is made of."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from dashboard.desk import Asked, Desk
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from lineage.contracts.conformance import Promise
    from lineage.contracts.overview import ContractRow, ProductRow, Version
    from lineage.cost.answers import CostReport
    from lineage.feedback.questions import FeedbackRow, Rating
    from lineage.policies.access import AccessRow, ShadowEdge
    from lineage.quality.answers import Incident, QualityRow


class ProductFacts:
    """Questions of one address."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx

    def products(self) -> tuple[ProductRow, ...]:
        """All products."""
        return self.desk.ask(self.asked, "products", lambda: self.lx.products.list(**self.asked.when).products)

    def product(self) -> ProductRow:
        """The product of the address.

        Raises
        ------
        MeshlineError
            when there is none, or the actor may not see it.
        """
        id = self.asked.get("id")
        found = next((one for one in self.products() if id in (one.id, one.name)), None)
        if found is None:
            raise MeshlineError(f"There is no product “{id}” at this time. The catalogue lists those that there are.")
        return found

    def contracts(self) -> list[ContractRow]:
        """Contracts of its ports."""
        one = self.product()
        found = self.desk.ask(self.asked, "contracts", lambda: self.lx.contracts.list(**self.asked.when).contracts)
        return [c for c in found if c.product == one.id or set(c.datasets) & set(one.datasets)]

    def texts(self) -> dict[str, str]:
        """Newest text of each of these contracts."""
        found = {}
        for id in sorted({c.id for c in self.contracts()}):
            listed = self._versions(id)
            if listed:
                found[id] = listed[0].text
        return found

    def _versions(self, id: str) -> tuple[Version, ...]:
        known = self.asked.links.known
        return self.desk.ask(self.asked, ("versions", id), lambda: self.lx.contracts.versions(id, known_at=known))

    def promises(self) -> list[Promise]:
        """Promises about its datasets."""
        mine = set(self.product().datasets)
        found = self.desk.ask(self.asked, "check", lambda: self.lx.contracts.check(**self.asked.when).promises)
        return [p for p in found if p.dataset in mine]

    def quality(self) -> QualityRow | None:
        """Its score."""
        found = self.desk.ask(self.asked, "quality", lambda: self.lx.quality.report("product", **self.asked.when).nodes)
        return next((row for row in found if row.id == self.product().id), None)

    def incidents(self) -> list[Incident]:
        """Incidents of its datasets."""
        mine = set(self.product().datasets)
        found = self.desk.ask(
            self.asked, "incidents", lambda: self.lx.quality.incidents(everything=True, **self.asked.when).incidents
        )
        return [one for one in found if one.node in mine]

    def _costs(self) -> CostReport:
        return self.desk.ask(self.asked, "cost", lambda: self.lx.cost.report("product", **self.asked.when))

    def period(self) -> str | None:
        """Month of the newest bill; ``None`` without one."""
        found = self._costs()
        return found.period if found.currencies else None

    def cost(self) -> tuple[str | None, str | None]:
        """Full cost in the currency in which most is paid for it, and that currency; unknown is ``None``."""
        id = self.product().id
        found = [(row.full, one.currency) for one in self._costs().currencies for row in one.rows if row.id == id]
        return max(found, key=lambda pair: Decimal(pair[0] or 0), default=(None, None))

    def access(self) -> tuple[list[AccessRow], list[ShadowEdge]]:
        """Grants and requests, and what is read without one."""
        id = self.product().id
        found = self.desk.ask(self.asked, "access", lambda: self.lx.access.list(**self.asked.when))
        return [g for g in found.grants if g.product == id], [s for s in found.shadow_edges if s.product == id]

    def deciders(self) -> tuple[str, ...]:
        """Who decides about requests."""
        return self.lx.access.deciders(self.product().id)

    def feedback(self) -> list[FeedbackRow]:
        """What was said, open problems first."""
        id = self.product().id
        found = self.desk.ask(self.asked, ("feedback", id), lambda: self.lx.feedback.list(id, **self.asked.when))
        return list(found.items)

    def rating(self) -> Rating | None:
        """Mean of the ratings."""
        id = self.product().id
        found = self.desk.ask(self.asked, ("feedback", id), lambda: self.lx.feedback.list(id, **self.asked.when))
        return next((one for one in found.ratings if one.product == id), None)

    def versions(self) -> tuple[Version, ...]:
        """Versions of its file, newest first."""
        return self.lx.products.versions(self.product().id, known_at=self.asked.links.known)
