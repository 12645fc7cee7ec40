"""Maturity of products, L0 to L4: the highest level whose every test holds; the first test that fails is the advice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from lineage.contracts.conformance import Promise
from lineage.quality.report import coverage_of_products
from lineage.scorecards.acts import discipline
from lineage.scorecards.answers import Row
from lineage.scorecards.base import Base

if TYPE_CHECKING:
    from lineage.cost.questions import Cost

YEAR = timedelta(days=365)
LEVELS = ("seen", "owned", "contracted", "assured", "evolving")
_EXPORTED = """
-- what evidence was exported of in the year before T
SELECT DISTINCT resource FROM audit
WHERE action = 'evidence.export' AND acted_at > $since AND acted_at <= $at AND acted_at <= $known
"""
_DRILLED = """
-- products that held a drill in the year before T
SELECT DISTINCT resource FROM audit
WHERE action = 'drill.hold' AND acted_at > $since AND acted_at <= $at AND acted_at <= $known
"""
_LATE = ("freshness", "latency", "frequency", "availability")


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the tests of all products look at."""

    base: Base
    members: Mapping[str, Sequence[str]]  # product → node texts
    promises: Mapping[str, Sequence[Promise]]  # by dataset
    coverage: Callable[[], Mapping[str, float | None]]  # quality coverage by product
    critical: frozenset[str]  # subjects with an open critical violation
    undisciplined: frozenset[str]  # contracts whose last breaking change came too fast
    exported: frozenset[str]
    drilled: frozenset[str]
    allocated: Callable[[], float | None]  # share of the newest bill that is allocated


def maturity(base: Base, consumers: Sequence[Row], cost: Cost | None = None) -> list[Row]:
    """A row per product: its level as ``value``, and in ``note`` what is missing for the next one.

    Parameters
    ----------
    consumers
        rows of the metric ``consumers``.
    cost
        where the share of the bill that is allocated is asked; ``None`` = unknown.
    """
    grounds = _grounds(base, cost)
    readers = {row.id: row.note for row in consumers}
    rows = []
    for name in sorted(base.products):
        level, missing = judge(grounds, name, readers.get(name, ""))
        rows.append(base.product_row(name, value=float(level), note=f"L{level} {LEVELS[level]}; missing: {missing}"
                                     if missing else f"L{level} {LEVELS[level]}"))  # fmt: skip
    return rows


def judge(grounds: Grounds, product: str, readers: str) -> tuple[int, str]:
    """Level of a product and the first test of the next one that fails; empty at the top."""
    tests = (_owned, _contracted, _assured)
    for level, test in enumerate(tests):
        missing = next(test(grounds, product), None)
        if missing is not None:
            return level, missing
    missing = next(_evolving(grounds, product, readers), None)
    return (3, missing) if missing is not None else (4, "")


def _grounds(base: Base, cost: Cost | None) -> Grounds:
    now = base.view.as_of
    when = {"at": now, "known": base.view.known_at, "since": now - YEAR}
    return Grounds(
        base=base,
        members=base.members,
        promises=base.promises,
        coverage=cache(lambda: coverage_of_products(base.view, judged=base.promises)),
        critical=frozenset(
            one.subject
            for one in base.violations
            if one.severity == "critical" and one.state not in ("waived", "fixed")
        ),
        undisciplined=frozenset(row.id.split(" ", 1)[0] for row in discipline(base) if not row.counted),
        exported=frozenset(row[0] for row in base.view.store.rows(_EXPORTED, when)),
        drilled=frozenset(row[0] for row in base.view.store.rows(_DRILLED, when)),
        allocated=cache(lambda: None if cost is None else allocated_share(base, cost)),
    )


def allocated_share(base: Base, cost: Cost) -> float | None:
    """Share of the newest month's bill that has an owner, over the currency where it is least."""
    found = cost.report(as_of=base.view.as_of, known_at=base.view.known_at)
    shares = [
        1 - Decimal(one.unallocated) / Decimal(one.billed) for one in found.currencies if Decimal(one.billed) != 0
    ]
    return float(min(shares)) if shares else None


def _owned(grounds: Grounds, product: str) -> Iterator[str]:
    info = grounds.base.products[product]
    if not info.owner:
        yield "an owner in its file"
    if not info.domain:
        yield "a domain"
    if not grounds.members[product]:
        yield "a dataset that its ports' contracts bind"
    for name in grounds.members[product]:
        one = grounds.base.by_id[name]
        if not one["described"]:
            yield f"a description of {name}"
        if not one["classification"] and (name, "classification") not in grounds.base.own_tags:
            yield f"a classification of {name}"


def _contracted(grounds: Grounds, product: str) -> Iterator[str]:
    for name in grounds.members[product]:
        one = grounds.base.by_id[name]
        if one["contract_status"] != "active":
            yield f"an active contract of {name}"
        for promise in grounds.promises.get(name, ()):
            if promise.promise.startswith("column ") and promise.verdict != "kept":
                yield f"a schema of {name} as promised: {promise.promise} is {promise.verdict}"


def _assured(grounds: Grounds, product: str) -> Iterator[str]:
    coverage = grounds.coverage().get(product)
    if coverage is None or coverage < 0.8:
        yield f"80 % of its checks known ({'unknown' if coverage is None else f'{coverage:.0%}'})"
    of_time = [
        promise.verdict for name in grounds.members[product] for promise in grounds.promises.get(name, ())
        if any(word in promise.promise.lower() for word in _LATE)
    ]  # fmt: skip
    known = [verdict for verdict in of_time if verdict != "unknown"]
    if not known or known.count("kept") < 0.95 * len(known):
        yield "95 % of its promises about time kept" if known else "a promise about time that is known to be kept"
    for name in (product, *grounds.members[product]):
        if name in grounds.critical:
            yield f"no open critical violation of {name}"
    allocated = grounds.allocated()
    if allocated is None or allocated < 0.95:
        yield f"95 % of the bill allocated ({'unknown' if allocated is None else f'{allocated:.0%}'})"


def _evolving(grounds: Grounds, product: str, readers: str) -> Iterator[str]:
    domains = {word for word in readers.split(", ") if word}
    if len(domains) < 2:
        yield f"two consumers (it has {len(domains)})"
    contracts = {str(grounds.base.by_id[name]["contract"]) for name in grounds.members[product]}
    for name in sorted(contracts & grounds.undisciplined):
        yield f"breaking changes of {name} with 90 days beside each other"
    if not grounds.exported & {*grounds.members[product], product}:
        yield "an evidence pack exported within a year"
    if product not in grounds.drilled:
        yield f"a drill within a year (meshline scorecards drill {product})"
