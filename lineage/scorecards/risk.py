"""Risk of a product: classification × exposure × open violations, explained point by point.

The three factors multiply: harmless data with many readers, or secret data that nobody reads, is less of a risk than
secret data that many read and that breaks policies. Weights are those of docs/scorecards.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.errors import MeshlineError
from lineage.policies.ledger import violations
from lineage.scorecards import state
from lineage.scorecards.base import Base
from lineage.shown import Shown

if TYPE_CHECKING:
    from lineage.policies.violations import Violation
    from lineage.view import View

CLASSES = {"public": 1, "internal": 2, "confidential": 3, "restricted": 4, "secret": 4, "personal": 4}
SEVERITY = {"low": 1.0, "medium": 2.0, "high": 4.0, "critical": 8.0}


class UnknownProductError(MeshlineError):
    """No product has this id."""

    exit_code = 2
    status = 404


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """One reason: how many points something adds to one factor."""

    factor: str  # classification, exposure, violations
    points: float
    what: str


@dataclass(frozen=True, slots=True)
class Risk(Shown):
    """Risk of one product. ``risk`` is ``None`` when nothing tells how sensitive it is; the other factors stand."""

    product: str
    domain: str
    risk: float | None
    classification: float | None
    exposure: float
    violations: float
    points: tuple[RiskPoint, ...]
    as_of: datetime
    known_at: datetime
    reason: str = ""

    own_types = (("points", "number"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("factor", "points", "what")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per reason."""
        return [(one.factor, one.points, one.what) for one in self.points]

    def title(self) -> str:
        """The product of the three factors."""
        if self.risk is None or self.classification is None:
            return f"Risk of {self.product}: unknown, {self.reason}"
        factors = f"{self.classification:g} × {self.exposure:g} × {self.violations:g}"
        return f"Risk of {self.product}: {self.risk:g} = {factors} (classification × exposure × open violations)"


def risks(view: View, base: Base) -> tuple[Risk, ...]:
    """All products that may be seen, the greatest risk first; unknown ones last, by what is known of them."""
    readers = {row.id: row.note for row in state.lineage(base)["consumers"]}
    opened = violations(view).violations
    contracts = {port.contract: name for name, info in base.products.items() for port in info.outputs}
    by_product: dict[str, list[Violation]] = {}
    for one in opened:
        about = base.about(one.subject)
        product = contracts.get(one.subject.partition("@")[0]) or (about.product if about else "")
        by_product.setdefault(product, []).append(one)
    found = [_risk(base, name, readers.get(name, ""), by_product.get(name, ())) for name in base.products]
    return tuple(
        sorted(found, key=lambda one: (one.risk is None, -(one.risk or one.exposure * one.violations), one.product))
    )


def risk(view: View, base: Base, product: str) -> Risk:
    """One product.

    Raises
    ------
    UnknownProductError
        when there is none with this id, or none that the actor may see.
    """
    for one in risks(view, base):
        if one.product == product:
            return one
    raise UnknownProductError(f"There is no product “{product}”. meshline products list names them.")


# -- inside


def _risk(base: Base, product: str, readers: str, opened: Sequence[Violation]) -> Risk:
    sensitive = max(_classes(base, product), default=None, key=lambda point: (point.points, point.what))
    exposed = [RiskPoint("exposure", 1.0, "it is there"), *_exposure(readers)]
    broken = [RiskPoint("violations", 1.0, "the rest that no policy sees"), *map(_violated, opened)]
    exposure, violated = (sum(point.points for point in points) for points in (exposed, broken))
    level = None if sensitive is None else sensitive.points
    return Risk(
        product=product,
        domain=base.products[product].domain,
        risk=None if level is None else level * exposure * violated,
        classification=level,
        exposure=exposure,
        violations=violated,
        points=(*([sensitive] if sensitive else []), *exposed, *broken),
        as_of=base.view.as_of,
        known_at=base.view.known_at,
        reason="" if level is not None else "no dataset or column of it is classified",
    )


def _classes(base: Base, product: str) -> Iterable[RiskPoint]:
    """What its datasets and columns are classified as."""
    members = {one["id"]: one["classification"] for one in base.datasets if one["product"] == product}
    told = [(name, word) for name, word in members.items() if word]
    for column, home, tag, _ in base.tags:
        if home in members:
            word = "personal" if state.is_personal(tag) else tag.removeprefix("classification:")
            told += [(column, word)] if word != tag or word == "personal" else []
    for name, word in told:
        if word.lower() in CLASSES:
            yield RiskPoint("classification", float(CLASSES[word.lower()]), f"{word}: {name}")


def _exposure(readers: str) -> Iterable[RiskPoint]:
    return (RiskPoint("exposure", 1.0, f"read by {one}") for one in readers.split(", ") if one)


def _violated(one: Violation) -> RiskPoint:
    points = SEVERITY[one.severity] * (0.5 if one.state == "waived" else 1) * (2 if one.overdue else 1)
    words = f"{one.severity}, {one.state}{', overdue' if one.overdue else ''}"
    return RiskPoint("violations", points, f"{one.policy}: {one.subject} ({words})")
