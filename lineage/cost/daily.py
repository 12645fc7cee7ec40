"""Cost per day, for budgets and anomalies: every day of a bill placed by the same ladder as the period it is in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from lineage.cost.allocation import Allocation
from lineage.cost.attribution import Part
from lineage.cost.money import split

if TYPE_CHECKING:
    from lineage.view import View


def _days(metric: str) -> str:
    """One row per thing and day on which its charge began."""
    return f"""
SELECT c.key, CAST(c.started_at AS DATE), sum(coalesce(c.{metric}, c.billed))::HUGEINT
FROM charge c JOIN bill_part p USING (part)
WHERE p.known_from <= $known AND p.known_to > $known AND p.period_start >= $start AND p.period_start < $end
  AND c.started_at < $until
GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 - our own names


# what is charged for once, not for use
_SPECIAL = "SELECT key FROM charge_key WHERE lower(category) IN ('purchase', 'tax', 'credit', 'adjustment')"


@dataclass(frozen=True, slots=True)
class DayCost:
    """One part of the cost of one day: of a node (dense index) or line."""

    day: date
    currency: str
    target: int | str
    service: str
    what: str  # resource or pool
    amount: int
    usage: bool = True  # a purchase, tax or credit comes when it comes; it is never odd


def daily(view: View, found: Allocation) -> list[DayCost]:
    """The own costs of an allocation by day; each part keeps its sum over the days exactly.

    A part that comes from one charge follows the days of that charge; what was shared in pools follows the days
    of all that was shared. Charges begin and end within the period they are billed in, or count on its first day.
    """
    when = {"known": view.known_at, **found.period.spans}
    metric = found.attribution.metric
    by_key: dict[int, dict[date, int]] = defaultdict(dict)
    first, last = found.period.start.date(), (found.period.end - timedelta(days=1)).date()
    for key, day, amount in view.store.rows(_days(metric), when):
        inside = min(max(day, first), last)
        by_key[key][inside] = by_key[key].get(inside, 0) + int(amount)
    placed = {part.key for part in found.attribution.parts if part.key is not None}
    shared: dict[date, int] = defaultdict(int)
    for key, days in by_key.items():
        for day, amount in days.items() if key not in placed else ():
            shared[day] += abs(amount)
    names = _names(view, sorted(placed))
    special = {key for (key,) in view.store.rows(_SPECIAL)}
    result: list[DayCost] = []
    for part in found.attribution.parts:
        told = by_key.get(part.key) if part.key is not None else shared
        result += _spread(part, told or {first: 1}, names, part.key not in special)
    return result


def _spread(part: Part, days: dict[date, int], names: dict[int, str], usage: bool) -> list[DayCost]:
    target: int | str = part.node if part.node is not None else part.line or ""
    what = part.pool or (names.get(part.key, "") if part.key is not None else part.rule)
    ordered = sorted(days)
    if part.key is not None and sum(days.values()) == part.amount:
        parts = [days[day] for day in ordered]
    else:
        weights = [abs(days[day]) for day in ordered]
        shift = max(0, max(weights, default=0).bit_length() - 39)
        parts = split(part.amount, [weight >> shift for weight in weights])
    return [
        DayCost(day, part.currency, target, part.service, what, amount, usage)
        for day, amount in zip(ordered, parts, strict=True)
        if amount
    ]


def _names(view: View, keys: list[int]) -> dict[int, str]:
    sql = """
    -- what some things are called
    SELECT key, coalesce(resource_name, resource, description, service, '') FROM charge_key
    WHERE key IN (SELECT unnest(?::UBIGINT[]))
    """
    return dict(view.store.rows(sql, [keys]))


def complete_until(days: list[DayCost], now: datetime, lag: timedelta = timedelta(days=1)) -> date | None:
    """Last day that is complete: before ``now`` less the lag of bills, and not after the last day with a charge."""
    if not days:
        return None
    newest = max(one.day for one in days)
    return min(newest, (now - lag).date())
