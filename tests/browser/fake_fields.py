"""The fields of questions (``lx.quality``, ``lx.contracts``, …) of the fake engine: nothing is known, unless told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lineage.attention import KINDS, Attention, Matter
from lineage.contracts.conformance import Conformance, Promise
from lineage.contracts.overview import Contracts, ProductRow, Products
from lineage.cost.answers import CostReport
from lineage.policies.answers import Check, FindingRow
from lineage.quality.answers import Incident, Incidents, NodeQuality, QualityReport, QualityRow
from lineage.saved.questions import SavedList
from lineage.scorecards.answers import Scorecards


@dataclass
class Fields:
    """Rows that a test may fill in before the server starts."""

    now: datetime
    quality_rows: dict[str, tuple[QualityRow, ...]] = field(default_factory=dict)
    incident_rows: tuple[Incident, ...] = ()
    promise_rows: tuple[Promise, ...] = ()
    product_rows: tuple[ProductRow, ...] = ()
    finding_rows: tuple[FindingRow, ...] = ()
    matters: tuple[Matter, ...] = ()
    unknown: tuple[str, ...] = ()

    # -- lx.quality

    def report(self, by: str = "dataset", **_: Any) -> QualityReport:
        """As ``lx.quality.report``."""
        return QualityReport(by, self.quality_rows.get(by, ()), self.now, self.now)

    def incidents(self, **_: Any) -> Incidents:
        """As ``lx.quality.incidents``."""
        return Incidents(self.incident_rows, self.now, self.now)

    def explain(self, node: str, **_: Any) -> NodeQuality:
        """As ``lx.quality.explain``; nothing is known."""
        return NodeQuality(
            node, "dataset", "", None, None, None, 0, 0, "unknown", (), None, None, (), self.now, self.now
        )

    # -- lx.contracts

    def check(self, *_: Any, **__: Any) -> Conformance:
        """As ``lx.contracts.check``."""
        return Conformance(self.promise_rows, (), self.now, self.now)

    # -- lx.attention

    def attention(self, domain: str | None = None, limit: int | None = None) -> Attention:
        """As ``lx.attention``."""
        found = [one for one in self.matters if domain is None or one.domain == domain]
        counts = {kind: sum(one.kind == kind for one in found) for kind in KINDS}
        return Attention(tuple(found[:limit]), len(found), counts, self.unknown, self.now, self.now)


class FakeContracts:
    """``lx.contracts``."""

    def __init__(self, fields: Fields) -> None:
        self.check = fields.check

    def list(self, *_: Any, **__: Any) -> Contracts:
        """As the engine."""
        return Contracts(())


class FakePolicies:
    """``lx.policies``."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def check(self, *_: Any, **__: Any) -> Check:
        """As the engine."""
        return Check(self._fields.now, self._fields.now, False, (), self._fields.finding_rows)


class FakeScorecards:
    """``lx.scorecards`` of which nothing is known."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def report(self, by: str = "mesh", **_: Any) -> Scorecards:
        """As the engine."""
        return Scorecards("domain" if by == "domain" else "mesh", (), self._fields.now, self._fields.now)


class FakeProducts:
    """``lx.products``."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def list(self, **_: Any) -> Products:
        """As the engine."""
        return Products(self._fields.product_rows)


class FakeCost:
    """``lx.cost`` without a bill."""

    def report(self, by: str = "domain", **_: Any) -> CostReport:
        """As the engine."""
        return CostReport("2026-11", "billed", ())


class FakeSaved:
    """``lx.saved``: nobody saved a view."""

    def list(self, **_: Any) -> SavedList:
        """As the engine."""
        return SavedList(())
