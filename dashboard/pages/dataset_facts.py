"""The answers that the page of one dataset is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.desk import Asked, Desk
from lineage.errors import MeshlineError, UsageError

if TYPE_CHECKING:
    from lineage.contracts.conformance import Promise
    from lineage.cost.answers import Explanation
    from lineage.details import NodeDetail
    from lineage.feedback.questions import FeedbackRow
    from lineage.policies.access import AccessRow, ShadowEdge
    from lineage.quality.answers import NodeQuality
    from lineage.quality.history import Control, FreshRow, Tested
    from lineage.schemas.questions import SchemaVersions


class DatasetFacts:
    """Questions of one address."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.lx = desk, asked, desk.lx

    def node(self) -> NodeDetail:
        """The dataset of the address.

        Raises
        ------
        MeshlineError
            when none is named, there is none, or it is no dataset.
        """
        id = self.asked.get("id")
        if not id:
            raise MeshlineError("No dataset was named. Open one from the catalogue.")
        found = self.desk.ask(self.asked, ("show", id), lambda: self.lx.show(id, **self.asked.when))
        if found.kind != "dataset":
            raise MeshlineError(f"{found.id} is a {found.kind}, no dataset.")
        if found.hidden:
            raise MeshlineError(f"This dataset is hidden from you: it belongs to domain {found.domain}.")
        return found

    def score(self) -> NodeQuality:
        """Its score, point by point."""
        id = self.node().id
        return self.desk.ask(self.asked, ("score", id), lambda: self.lx.quality.explain(id, **self.asked.when))

    def tests(self) -> list[Tested]:
        """Its tests with their newest results."""
        id = self.node().id
        return list(
            self.desk.ask(self.asked, ("tests", id), lambda: self.lx.quality.tests(id, **self.asked.when)).tests
        )

    def fresh(self) -> FreshRow | None:
        """How fresh it is."""
        id = self.node().id
        found = self.desk.ask(self.asked, "fresh", lambda: self.lx.quality.freshness(**self.asked.when).datasets)
        return next((one for one in found if one.dataset == id), None)

    def control(self) -> Control | None:
        """Rows that runs wrote, judged; ``None`` when none were told."""
        id = self.node().id
        try:
            return self.desk.ask(self.asked, ("rows", id), lambda: self.lx.quality.control(id, **self.asked.when))
        except UsageError:
            return None

    def promises(self) -> list[Promise]:
        """Promises about it, the broken ones first."""
        id = self.node().id
        found = self.desk.ask(self.asked, "check", lambda: self.lx.contracts.check(**self.asked.when).promises)
        return [p for p in found if p.dataset == id]

    def product(self) -> str | None:
        """Product that it is a port of."""
        id = self.node().id
        found = self.desk.ask(self.asked, "products", lambda: self.lx.products.list(**self.asked.when).products)
        return next((p.id for p in found if id in p.datasets), None)

    def schemas(self) -> SchemaVersions:
        """Versions of its schema, the newest first."""
        id = self.node().id
        return self.desk.ask(self.asked, ("schemas", id), lambda: self.lx.schemas.versions(id, **self.asked.when))

    def access(self, product: str) -> tuple[list[AccessRow], list[ShadowEdge]]:
        """Grants and requests of its product, and who reads it without one."""
        id = self.node().id
        found = self.desk.ask(self.asked, "access", lambda: self.lx.access.list(**self.asked.when))
        shadows = [s for s in found.shadow_edges if s.product == product and s.src == id]
        return [g for g in found.grants if g.product == product], shadows

    def feedback(self, product: str) -> list[FeedbackRow]:
        """What was said of its product."""
        key = ("feedback", product)
        return list(self.desk.ask(self.asked, key, lambda: self.lx.feedback.list(product, **self.asked.when)).items)

    def cost(self) -> Explanation | None:
        """What makes up its cost; ``None`` when it has none."""
        id = self.node().id
        return self.desk.ask(self.asked, ("cost", id), lambda: self.lx.cost.explain(id, **self.asked.when))

    def own_cost(self) -> tuple[str | None, str | None]:
        """Own cost and its currency, of the first currency; unknown is ``None``."""
        found = self.cost()
        one = found.currencies[0] if found and found.currencies else None
        return (one.own, one.currency) if one else (None, None)

    def period(self) -> str | None:
        """Month of the newest bill."""
        found = self.cost()
        return found.period if found and found.currencies else None

    def reach(self) -> str:
        """How much is downstream."""
        id = self.node().id
        found = self.desk.ask(self.asked, ("reach", id), lambda: self.lx.impact_counts(id, **self.asked.when))
        return f"{found.downstream.nodes:,}"

    def picture(self) -> str:
        """A small drawing of the datasets downstream; empty when there are none. Jobs would cross every line."""
        id = self.node().id
        return self.desk.ask(
            self.asked,
            ("svg", id),
            lambda: self.lx.impact(id, kinds=["dataset"], depth=2, links=True, **self.asked.when).svg(),
        )
