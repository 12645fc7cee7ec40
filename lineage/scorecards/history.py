"""How figures went: snapshots that were stored, and for days without one the figures worked out again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.actor import Actor
from lineage.asking import When, naive_time
from lineage.audit import record
from lineage.collector import paused
from lineage.errors import UsageError
from lineage.scorecards.answers import History, Point, Score, Sort, Taken
from lineage.times import utcnow

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.engine import Lineage
    from lineage.store import Store

DAY = timedelta(days=1)
LONGEST = 3_660  # days of one history
_KEPT = """
-- figures of one way to group over some days
SELECT day, metric, scope, numerator, denominator, value FROM scorecard
WHERE sort = $sort AND day >= $start AND day < $end ORDER BY day, scope, metric
"""
_COLUMNS = ("day", "sort", "scope", "metric", "numerator", "denominator", "value", "reason", "taken_at")
_NEWEST = """
-- last day with a snapshot: one row
SELECT max(day) FROM scorecard
"""


def keep(store: Store, scores: Sequence[Score], now: datetime, actor: str) -> Taken:
    """Store the figures of a day in place of those that were taken earlier that day, with an entry in the audit log."""
    day = _midnight(now)
    rows = [
        (day, one.sort, one.scope, one.metric, one.numerator, one.denominator, one.value, one.reason or None, now)
        for one in scores
    ]
    with store.transaction() as cursor:
        cursor.execute("DELETE FROM scorecard WHERE day = ?", [day])
        if rows:
            cursor.register("_figures", _table(rows))
            cursor.execute("INSERT INTO scorecard BY NAME SELECT * FROM _figures")
            cursor.unregister("_figures")
        payload = {"day": f"{day:%Y-%m-%d}", "figures": len(rows)}
        record(cursor, actor=actor, action="scorecard.snapshot", resource="scorecards", payload=payload, at=now)
    return Taken(day, len(rows))


def due(store: Store, now: datetime) -> bool:
    """Whether today has no snapshot yet."""
    newest = store.rows(_NEWEST)[0][0]
    return newest is None or newest < _midnight(now)


def history(
    lineage: Lineage, by: Sort, start: When, end: When, domain: str | None, metrics: Sequence[str], actor: Actor
) -> History:
    """Figures at the end of each day from ``start`` until before ``end``; of today, as they are now.

    A day with a snapshot is told as it was taken; others are worked out from the two clocks, as known now. Somebody who
    may not see everything, or asks for one domain only, never reads a snapshot: it counts everything.

    Raises
    ------
    UsageError
        when a time is no time, or the period is empty or too long.
    """
    now = utcnow()
    first = naive_time(start, "from")
    last = min(naive_time(end, "to") or now, now)
    if first is None or _midnight(first) >= last or (last - first).days > LONGEST:
        raise UsageError(f"from, to: a history wants a beginning before its end, and at most {LONGEST} days.")
    kept: dict[datetime, list[Point]] = {}
    if domain is None and not actor.hidden_domains:
        when = {"sort": by, "start": _midnight(first), "end": last}
        for day, name, scope, numerator, denominator, value in lineage.store.rows(_KEPT, when):
            if name in metrics:
                kept.setdefault(day, []).append(Point(day, name, scope, numerator, denominator, value, True))
    days = [_midnight(first) + DAY * k for k in range(LONGEST + 2) if _midnight(first) + DAY * k < last]
    left = [day for day in days if day not in kept]
    kept.update(_again(lineage, by, left, last, domain, metrics, actor))
    return History(by, tuple(point for day in days for point in kept[day]))


def _again(
    lineage: Lineage,
    by: Sort,
    days: Sequence[datetime],
    last: datetime,
    domain: str | None,
    metrics: Sequence[str],
    actor: Actor,
) -> Iterator[tuple[datetime, list[Point]]]:
    """Days that nobody kept, worked out in one go; each equals the report of its end."""
    from lineage.graph.build import instant
    from lineage.scorecards.counted import each

    if not days:
        return
    ends = [min(day + DAY, last) for day in days]
    with lineage.store.reading() as cursor:
        _, known = instant(cursor, None, None)
    told = each(lineage, ends, known, by, domain, metrics, actor)
    for day in days:
        with paused():
            figures = next(told)
        yield day, [Point(day, name, scope, *figure, False) for name, scope, figure in figures]


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _table(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    import pyarrow as pa

    kinds = {name: pa.string() for name in ("sort", "scope", "metric", "reason")}
    kinds |= {name: pa.float64() for name in ("numerator", "denominator", "value")}
    columns = zip(_COLUMNS, zip(*rows, strict=True), strict=True)
    return pa.table({name: pa.array(values, kinds.get(name, pa.timestamp("us"))) for name, values in columns})
