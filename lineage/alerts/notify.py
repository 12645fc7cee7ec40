"""One pass of the notifier: raise what is new, deliver what is due, keep what became of it.

An alert is one cause in one state (severity, step of its escalation), told once as long as the cause lasts. That it is
gone is told too, by the routes that told of it; what comes back is told again. A delivery that fails is tried again
with growing pauses and is dead after the last; it can be sent again by hand. No transaction is open while something is
sent.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.alerts.channels import DeliveryError, deliver
from lineage.alerts.gather import gather
from lineage.alerts.model import Alert, Sent
from lineage.alerts.routes import Route, routes_of
from lineage.store import Store
from lineage.times import OPEN_END, iso, parse_instant
from lineage.yamlfile import parse_declared

if TYPE_CHECKING:
    import duckdb

    from lineage.engine import Lineage

log = logging.getLogger("meshline.alerts")

PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720, 1440))
"""After each failed attempt; when one more fails the delivery is dead."""
MOST = 100  # deliveries of one pass
_OPEN = "alerts_open"  # setting: causes of the last pass and since when each lasts
_DUE = """
-- one delivery that is due
SELECT d.id, d.route, d.attempts, a.body FROM alert_delivery d JOIN alert a ON a.id = d.alert
WHERE d.state = 'waiting' AND d.next_at <= $now ORDER BY d.next_at, d.id LIMIT $most
"""
_TOLD = """
-- last alert of some causes: one row each
SELECT arg_max(body, raised_at) FROM alert WHERE cause IN (SELECT unnest($causes::VARCHAR[])) GROUP BY cause ORDER BY 1
"""
_KNOWN = "SELECT id FROM alert WHERE id IN (SELECT unnest($ids::VARCHAR[]))"
_PEOPLE = """
-- file of every domain at T
SELECT name, body FROM domain WHERE valid_from <= $at AND valid_to > $at AND known_to = $open
"""
_WAITING = "SELECT count(*) FROM alert_delivery WHERE state = 'waiting'"
_SET = """
UPDATE alert_delivery SET state = $state, attempts = $attempts, next_at = $next, error = $error, sent_at = $sent
WHERE id = $id
"""


def notify(lx: Lineage, *, now: datetime, environment: Mapping[str, str]) -> Sent:
    """Raise and deliver.

    Parameters
    ----------
    lx
        the engine over a store that can be written.
    now
        naive UTC.
    environment
        where routes find their addresses and keys.

    Without a route nothing is asked, kept or sent.
    """
    routes = routes_of(lx.store, now, now)
    if not routes:
        return Sent(0, 0, 0, 0)
    found, problems = gather(lx, now)
    raised = _raise(lx.store, found, routes, now, complete=not problems)
    delivered, failed = deliver_due(lx.store, routes, now, environment)
    return Sent(raised, delivered, failed, int(lx.store.rows(_WAITING)[0][0]), problems)


def deliver_due(
    store: Store, routes: Sequence[Route], now: datetime, environment: Mapping[str, str]
) -> tuple[int, int]:
    """Attempt every delivery that is due; how many arrived and how many did not."""
    by_id = {route.id: route for route in routes}
    people = escalations(store, now)
    counts = [0, 0]
    for name, route, attempts, body in store.rows(_DUE, {"now": now, "most": MOST}):
        alert = read_alert(body)
        error = _attempt(by_id.get(route), alert, name, now, environment, people.get(alert.domain, ()))
        after = attempts + 1
        state = "sent" if error is None else "waiting" if after <= len(PAUSES) else "dead"
        values = {
            "id": name, "state": state, "attempts": after, "error": error, "sent": now if error is None else None,
            "next": now + PAUSES[after - 1] if state == "waiting" else None,
        }  # fmt: skip
        with store.transaction() as cursor:
            cursor.execute(_SET, values)
        counts[error is not None] += 1
        if error is not None:
            log.warning("Alert %s by route %s, attempt %d: %s", alert.id, route, after, error)
    return counts[0], counts[1]


def read_alert(body: str) -> Alert:
    """An alert from what was stored of it."""
    value: dict[str, Any] = json.loads(body)
    for key in ("since", "deadline", "raised_at"):
        value[key] = parse_instant(value[key]) if value.get(key) else None
    value["members"] = tuple(value["members"])
    return Alert(**{field.name: value[field.name] for field in fields(Alert) if field.name in value})


def alert_id(alert: Alert, since: str) -> str:
    """Id of one cause in one state, since the cause began."""
    return _name([alert.cause, since, alert.severity, alert.level])


# -- inside


def _name(key: Sequence[str | int]) -> str:
    return "a" + hashlib.sha256(json.dumps(key).encode()).hexdigest()[:10]


def _raise(store: Store, found: Sequence[Alert], routes: Sequence[Route], now: datetime, *, complete: bool) -> int:
    """Keep alerts that are new, each with a delivery by every route that takes it."""
    known: dict[str, str] = json.loads(store.get_meta(_OPEN) or "{}")
    lasting = {one.cause: known.get(one.cause) or str(iso(now)) for one in found}
    if not complete:  # a source that could not be asked does not end its causes
        lasting = {**known, **lasting}
    named = {alert_id(one, lasting[one.cause]): one for one in found}
    told = {row[0] for row in store.rows(_KNOWN, {"ids": list(named)})}
    fresh = [replace(one, id=name, raised_at=now) for name, one in named.items() if name not in told]
    fresh += _resolved(store, {cause: since for cause, since in known.items() if cause not in lasting}, now)
    if not fresh and lasting == known:
        return 0
    with store.transaction() as cursor:
        Store.set_meta(cursor, _OPEN, json.dumps(lasting, sort_keys=True))
        for alert in fresh:
            keep_alert(cursor, alert, [route for route in routes if route.takes(alert)], now)
    return len(fresh)


def _resolved(store: Store, gone: Mapping[str, str], now: datetime) -> list[Alert]:
    """What to tell of causes that are gone (with the time since which each lasted)."""
    rows = store.rows(_TOLD, {"causes": sorted(gone)}) if gone else []
    return [
        replace(
            one, id=_name([one.cause, gone[one.cause], "resolved"]), title=f"Resolved: {one.title}", deadline=None,
            raised_at=now, resolved=True,
        )
        for one in map(read_alert, (row[0] for row in rows)) if not one.resolved
    ]  # fmt: skip


def keep_alert(cursor: duckdb.DuckDBPyConnection, alert: Alert, routes: Sequence[Route], now: datetime) -> list[str]:
    """Store an alert and a waiting delivery for each route; the ids of the deliveries."""
    body = json.dumps(asdict(alert), default=iso, ensure_ascii=False)
    cursor.execute("INSERT INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   [alert.id, alert.cause, alert.kind, alert.severity, alert.domain, alert.level, alert.title, body,
                    now])  # fmt: skip
    names = []
    for route in routes:
        names.append(f"d{secrets.token_hex(5)}")
        row = [names[-1], alert.id, route.id, route.channel, "waiting", 0, now, None, None, now]
        cursor.execute("INSERT INTO alert_delivery VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    return names


def _attempt(
    route: Route | None, alert: Alert, name: str, now: datetime, environment: Mapping[str, str], people: Sequence[str]
) -> str | None:
    """``None`` when it arrived, else why not."""
    if route is None:
        return "The route is declared no longer."
    try:
        deliver(route, alert, name, int(now.replace(tzinfo=UTC).timestamp()), environment, people)
    except DeliveryError as error:
        return str(error)
    return None


def escalations(store: Store, now: datetime) -> dict[str, tuple[str, ...]]:
    """Escalation list of each domain."""
    found = {}
    for name, body in store.rows(_PEOPLE, {"at": now, "open": OPEN_END}):
        file, _ = parse_declared(body, name)
        held = file.value.get("escalation") if file is not None and isinstance(file.value, dict) else None
        found[name] = tuple(str(one) for one in held) if isinstance(held, list) else ()
    return found
