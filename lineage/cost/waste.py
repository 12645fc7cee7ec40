"""What costs and is of no use: datasets nobody reads, with all that exists only for them; jobs that repeat themselves.

A dataset is unread when no run read it for so many days and it was known before; reading by tests does not count, and
is told. With it go its *exclusive ancestors*: datasets all of whose readers go. They are removed consumers first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lineage.audit import record
from lineage.cost.allocation import Allocation
from lineage.cost.answers import Repeated, WasteAnswer, Wasted
from lineage.cost.money import money_text
from lineage.errors import UsageError
from lineage.store import bump_version
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.view import View

_LAST = """
-- last read that leads on to an output, last read at all, last write, first sight of every dataset, as known at K
SELECT i.dataset,
  max(i.last_at) FILTER (i.direction = 'in' AND NOT coalesce(j.tests, false)),
  max(i.last_at) FILTER (i.direction = 'in' AND coalesce(j.tests, false)),
  max(i.last_at) FILTER (i.direction = 'out'), min(i.seen_at)
FROM run_io i LEFT JOIN (
  SELECT job, true AS tests FROM assertion WHERE job IS NOT NULL GROUP BY job
  UNION SELECT id, true FROM node WHERE kind = 'job' AND (ends_with(name, '.test') OR contains(name, '.test.'))
) j ON j.job = i.job
WHERE i.known_from <= $known AND i.known_to > $known AND i.seen_at <= $now
GROUP BY i.dataset ORDER BY i.dataset
"""
_NEVER = """
-- every dataset with the time of its first event, else that of its first mention, as known at K
SELECT n.id, least(n.known_from, coalesce(min(e.event_time), n.known_from))
FROM node n LEFT JOIN event e ON e.dataset = n.id
WHERE n.kind = 'dataset' AND n.known_from <= $known GROUP BY n.id, n.known_from
"""
_WRITES = """
-- what every complete run wrote since a time, as known at K
SELECT o.job, o.dataset, o.run, o.row_count, o.byte_count, o.version
FROM run_io o JOIN run r ON r.run = o.run AND r.job = o.job
WHERE o.direction = 'out' AND r.state = 'COMPLETE' AND o.last_at > $since AND o.last_at <= $now
  AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
  AND coalesce(upper(r.processing), 'BATCH') NOT IN ('STREAMING', 'SERVICE')
ORDER BY o.job, o.dataset, o.last_at, o.run
"""
_WATCHES = """
-- newest watch of every dataset
SELECT dataset, max(since), arg_max(until, since) FROM cost_watch GROUP BY dataset
"""
_MANY_RUNS = 5  # before a job is said to repeat itself
_SAME = 0.9  # share of its runs


def waste(view: View, found: Allocation, age: timedelta, now: datetime) -> WasteAnswer:
    """Datasets that nobody has read for ``age`` before ``now``, and jobs that write what they wrote before."""
    last = _last_uses(view, now)
    readers = _readers(view, found)
    unread = {
        node
        for node, (read, _, _, seen) in last.items()
        if (read is None or read < now - age)
        and seen <= now - age
        and not readers.get(node)
        and not view.hidden(node)
        and not _used(view, found, node)
    }
    months = max(1, round((found.period.end - found.period.start).days / 30.4))
    watches = _watches(view)
    rows: list[tuple[int, Wasted]] = []
    savings: dict[str, int] = defaultdict(int)
    for currency in found.attribution.currencies():
        own = found.own[currency]
        gone: set[int] = set()
        for node in sorted(unread):
            order = branch(node, readers, _sources(readers), unread)
            mine, saving = own.get(node, 0), sum(own.get(one, 0) for one in order)
            if saving <= 0:
                continue
            gone |= set(order)
            read, tested, written, _ = last[node]
            watch = watches.get(node)
            since = watch[0] if watch else None
            touched = max((at for at in (read, tested) if at is not None), default=None)
            rows.append(
                (
                    saving,
                    Wasted(
                        view.label(node), view.domain(node), currency, money_text(mine // months),
                        money_text(saving // months), read, written,
                        tuple(view.label(one) for one in order[1:]), tuple(view.label(one) for one in order),
                        tested is not None and tested >= now - age, watch[1] if watch else None,
                        touched if since and touched and touched > since else None,
                    ),
                )
            )  # fmt: skip
        if total := sum(own.get(node, 0) for node in gone):
            savings[currency] = total // months
    rows.sort(key=lambda row: (-row[0], row[1].id))
    return WasteAnswer(
        found.period.text, found.attribution.metric, age.days, tuple(row for _, row in rows),
        _repeated(view, now - age, now), {currency: money_text(amount) for currency, amount in sorted(savings.items())},
    )  # fmt: skip


def _used(view: View, found: Allocation, node: int) -> bool:
    """Whether people use a dataset where lineage does not see it, as the rules say."""
    text = f"{view.snapshot.namespace(node)}:{view.snapshot.name(node)}"
    return any(regex.match(text) for regex in found.attribution.rules.used)


def branch(node: int, readers: Mapping[int, set[int]], sources: Mapping[int, set[int]], unread: set[int]) -> list[int]:
    """The node and its exclusive ancestors, consumers before what they read.

    >>> branch(3, {1: {2}, 2: {3}, 0: {2, 9}}, {3: {2}, 2: {1, 0}}, {3})
    [3, 2, 1]
    """
    order, going = [node], {node}
    waiting = sorted(sources.get(node, ()))
    while waiting:
        one = waiting.pop(0)
        if one not in going and readers.get(one, set()) <= going | unread:
            going.add(one)
            order.append(one)
            waiting += sorted(sources.get(one, set()) - going)
    return order


def watch(view: View, node: int, length: timedelta, now: datetime) -> datetime:
    """Begin to watch a dataset; returns when the watch ends."""
    view.require(node)
    if view.kind(node) != "dataset":
        raise UsageError(f"{view.label(node)} is no dataset; only datasets are watched.")
    until = now + length
    with view.store.transaction() as cursor:
        cursor.execute(
            "INSERT INTO cost_watch VALUES (?, ?, ?, ?)", [int(view.snapshot.ids[node]), now, until, view.actor.name]
        )
        payload = {"until": iso(until)}
        record(cursor, actor=view.actor.name, action="cost.watch", resource=view.label(node), payload=payload)
        bump_version(cursor)
    return until


def newest_event(view: View) -> datetime:
    """Time of the newest event that was known; that of the question when there is none."""
    found = view.store.rows("SELECT max(event_time) FROM event WHERE received_at <= ?", [view.known_at])[0][0]
    return min(found, view.as_of) if isinstance(found, datetime) else view.as_of


_Uses = tuple[datetime | None, datetime | None, datetime | None, datetime]


def _last_uses(view: View, now: datetime) -> dict[int, _Uses]:
    found: dict[int, _Uses] = {}
    for dataset, read, tested, written, seen in view.store.rows(_LAST, {"known": view.known_at, "now": now}):
        node = view.snapshot.index(dataset)
        if node is None:
            continue
        old = found.get(node)
        if old is not None:  # another name of the same dataset
            read, tested, written = (_later(a, b) for a, b in zip(old[:3], (read, tested, written), strict=True))
            seen = min(seen, old[3])
        found[node] = (read, tested, written, seen)
    for dataset, seen in view.store.rows(_NEVER, {"known": view.known_at}):
        node = view.snapshot.index(dataset)
        if node is not None and node not in found:
            found[node] = (None, None, None, seen)
    return found


def _later(a: datetime | None, b: datetime | None) -> datetime | None:
    return max((at for at in (a, b) if at is not None), default=None)


def _readers(view: View, found: Allocation) -> dict[int, set[int]]:
    """Datasets that are made of each dataset, as the edges of now say (ended ones no longer count)."""
    result: dict[int, set[int]] = defaultdict(set)
    level = view.snapshot.level("dataset")
    for node in {*found.network.src.tolist()}:
        for other in level.beside(int(node), "downstream").tolist():
            if other != node:
                result[int(node)].add(other)
    return result


def _sources(readers: Mapping[int, set[int]]) -> dict[int, set[int]]:
    result: dict[int, set[int]] = defaultdict(set)
    for source, targets in readers.items():
        for target in targets:
            result[target].add(source)
    return result


def _watches(view: View) -> dict[int, tuple[datetime, datetime]]:
    found = {view.snapshot.index(dataset): (since, until) for dataset, since, until in view.store.rows(_WATCHES)}
    return {node: times for node, times in found.items() if node is not None}


def _repeated(view: View, since: datetime, now: datetime) -> tuple[Repeated, ...]:
    """Jobs most of whose runs left a dataset as it was: the same version, else the same rows and bytes."""
    groups: dict[tuple[int, int], list[tuple[Any, ...]]] = defaultdict(list)
    rows = view.store.rows(_WRITES, {"known": view.known_at, "since": since, "now": now})
    for job, dataset, _, count, size, version in rows:
        a, b = view.snapshot.index(job), view.snapshot.index(dataset)
        if a is not None and b is not None and not view.hidden(a) and not view.hidden(b):
            groups[a, b].append((version, count, size))
    found = []
    for (job, dataset), states in groups.items():
        why, same = _unchanged(states)
        if len(states) >= _MANY_RUNS and same >= _SAME * (len(states) - 1):
            found.append(Repeated(view.label(job), view.label(dataset), len(states), same, why))
    return tuple(sorted(found, key=lambda one: (-one.unchanged, one.job, one.dataset)))


def _unchanged(states: list[tuple[Any, ...]]) -> tuple[str, int]:
    """Why runs look alike, and how many of them are like the one before."""
    pairs = list(pairwise(states))
    if any(version is not None for version, _, _ in states):
        return "same version", sum(1 for a, b in pairs if a[0] is not None and a[0] == b[0])
    same = sum(1 for a, b in pairs if a[1] is not None and a[2] is not None and a[1:] == b[1:])
    return "same rows and bytes", same
