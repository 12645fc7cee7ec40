"""Raw events, name search and figures over time in the shape of Marquez's ``/api/v1``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lineage.errors import UsageError
from lineage.marquez import _Data
from lineage.marquez_pages import nodes_of, sources
from lineage.redact import redact_event
from lineage.store.blocks import fetch
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.view import View

_EVENTS = """
-- run events in a half-open window of event time, of one namespace or of all, without those of hidden nodes
SELECT e.block, e.position, count(*) OVER () FROM event e
LEFT JOIN node n ON n.id = e.job
WHERE e.kind = 'run' AND e.received_at <= $known AND e.block IS NOT NULL
  AND ($after IS NULL OR e.event_time >= $after) AND ($before IS NULL OR e.event_time < $before)
  AND ($namespace IS NULL OR n.namespace = $namespace)
  AND NOT list_contains($hidden, e.job)
  AND (len($hidden) = 0 OR e.run NOT IN (SELECT run FROM run_io WHERE list_contains($hidden, dataset)))
ORDER BY e.event_time {direction}, e.hash {direction} LIMIT $limit OFFSET $offset
"""
_COUNTS = """
-- run events by bucket and type
SELECT e.event_time, e.event_type FROM event e
WHERE e.kind = 'run' AND e.event_time >= $since AND e.event_time < $until AND e.received_at <= $known
  AND NOT list_contains($hidden, e.job)
"""


def events(
    view: View, namespace: str | None, before: datetime | None, after: datetime | None, descending: bool,
    limit: int, offset: int,
) -> dict[str, Any]:  # fmt: skip
    """A page of run events as they were received, secrets masked; an event that names a hidden node is left out."""
    asked = {
        "known": view.snapshot.known_at, "before": before, "after": after, "namespace": namespace,
        "hidden": _hidden(view), "limit": limit, "offset": offset,
    }  # fmt: skip
    sql = _EVENTS.format(direction="DESC" if descending else "ASC")
    rows = view.store.rows(sql, asked)
    total = rows[0][2] if rows else view.store.rows(sql, {**asked, "limit": 1, "offset": 0})
    with view.store.cursor() as cursor:
        bodies = fetch(cursor, [(row[0], row[1]) for row in rows]) if rows else {}
    found = [json.loads(redact_event(bodies[row[0], row[1]])) for row in rows]
    return {"events": found, "totalCount": total if isinstance(total, int) else total[0][2] if total else 0}


def search(
    view: View, text: str, kind: str | None, sort: str, namespace: str | None,
    before: datetime | None, after: datetime | None, limit: int,
) -> dict[str, Any]:  # fmt: skip
    """Jobs and datasets whose name holds a text, whatever its case."""
    kinds = [kind.lower()] if kind else ["dataset", "job"]
    low = text.lower()
    hits = [i for k in kinds for i in nodes_of(view, k) if low in view.snapshot.name(i).lower()]
    hits = [i for i in hits if namespace is None or view.snapshot.namespace(i) == namespace]
    seen = _Data(view, hits).seen
    last = {i: seen[i][1] if i in seen else None for i in hits}
    if before is not None or after is not None:
        hits = [i for i in hits if _between(last[i], after, before)]
    if sort == "UPDATE_AT":
        hits.sort(key=lambda i: (last[i] is None, -(last[i] - datetime(1970, 1, 1)).total_seconds() if last[i] else 0))  # type: ignore[operator]  # noqa: DTZ001 - naive UTC like all stored times
    else:
        hits.sort(key=lambda i: (view.snapshot.name(i).lower(), view.snapshot.namespace(i), i))
    results = [
        {
            "type": view.kind(i).upper(), "name": view.snapshot.name(i), "updatedAt": iso(last[i]),
            "namespace": view.snapshot.namespace(i), "nodeId": view.label(i),
        }
        for i in hits[:limit]
    ]  # fmt: skip
    return {"totalCount": len(hits), "results": results}


def stats(view: View, of: str, period: str, timezone: str, now: datetime) -> list[dict[str, Any]]:
    """Figures of the last 24 hours by hour, or of the last seven days by day of a time zone.

    Parameters
    ----------
    of
        ``lineage-events`` (counts in each bucket), or ``jobs``, ``datasets``, ``sources`` (how many there were at its
        end).
    now
        naive UTC.
    """
    buckets = _buckets(period, timezone, now)
    if of == "lineage-events":
        asked = {
            "since": buckets[0][0], "until": buckets[-1][1], "known": view.snapshot.known_at, "hidden": _hidden(view),
        }  # fmt: skip
        rows = view.store.rows(_COUNTS, asked)
        return [_bucket(start, end) | _types([t for at, t in rows if start <= at < end]) for start, end in buckets]
    if of == "sources":
        total = len(sources(view))
        return [_bucket(start, end) | {"count": total} for start, end in buckets]
    nodes = nodes_of(view, of.removesuffix("s"))
    seen = _Data(view, nodes).seen
    first = [seen[i][0] for i in nodes if i in seen and seen[i][0] is not None]
    return [_bucket(start, end) | {"count": sum(at < end for at in first)} for start, end in buckets]


def _types(types: list[str | None]) -> dict[str, int]:
    names = ("fail", "start", "complete", "abort")
    return {name: sum((t or "").lower() == name for t in types) for name in names}


def _bucket(start: datetime, end: datetime) -> dict[str, Any]:
    return {"startInterval": iso(start), "endInterval": iso(end)}


def _buckets(period: str, timezone: str, now: datetime) -> list[tuple[datetime, datetime]]:
    """Bounds in naive UTC."""
    if period == "DAY":
        end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return [(end - timedelta(hours=n + 1), end - timedelta(hours=n)) for n in reversed(range(24))]
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"timezone: “{timezone}” is not known; name one like Europe/Berlin.") from None
    local = now.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight + timedelta(days=n) for n in range(-6, 2)]  # wall-clock days: one may have 23 or 25 hours
    utc = [day.astimezone(ZoneInfo("UTC")).replace(tzinfo=None) for day in days]
    return list(pairwise(utc))


def _hidden(view: View) -> list[int]:
    """Ids of jobs and datasets that may not be seen."""
    if not view.restricted:
        return []
    snapshot = view.snapshot
    nodes = [i for i in range(len(snapshot.kind)) if snapshot.kind[i] != 2 and view.hidden(i)]
    return [int(member) for i in nodes for member in snapshot.members(i)]


def _between(at: datetime | None, after: datetime | None, before: datetime | None) -> bool:
    return at is not None and (after is None or at >= after) and (before is None or at < before)
