"""``lx.alerts``: what was told, by which way, and whether it arrived."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.actor import LOCAL, Actor
from lineage.alerts.model import Alert, AlertList, Delivery, Sent
from lineage.alerts.routes import Route, routes_of
from lineage.audit import record
from lineage.errors import MeshlineError, UsageError
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage

_DELIVERIES = """
-- one delivery with its alert, the newest first
SELECT d.id, d.alert, d.route, d.channel, d.state, d.attempts, d.next_at, d.error, d.sent_at, d.made_at, a.title,
  a.severity, a.domain
FROM alert_delivery d JOIN alert a ON a.id = d.alert ORDER BY d.made_at DESC, a.severity, d.id
"""
_ALERTS = "SELECT body, domain FROM alert ORDER BY raised_at DESC, id"
_AGAIN = "UPDATE alert_delivery SET state = 'waiting', attempts = 0, next_at = $now WHERE id = $id"


class UnknownDeliveryError(MeshlineError):
    """No delivery or route has this id."""

    exit_code = 2
    status = 404


class Alerts:
    """Alerts, routes and deliveries."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def list(self, *, state: str | None = None, limit: int = 200, actor: Actor = LOCAL) -> AlertList:
        """Alerts and their deliveries, the newest first; nothing of domains that the actor may not see.

        Parameters
        ----------
        state
            only deliveries that are ``waiting``, ``sent`` or ``dead``.
        limit
            greatest number of alerts and of deliveries.
        """
        from lineage.alerts.notify import read_alert

        if state not in (None, "waiting", "sent", "dead"):
            raise UsageError(f"state: “{state}” is none of waiting, sent, dead.")
        store = self._lineage.store
        sees = not self._lineage.view(actor=actor).restricted
        alerts = [read_alert(body) for body, domain in store.rows(_ALERTS) if sees or actor.may_see(domain)]
        if not sees:  # its texts may name anything
            alerts = []
        rows = [row for row in store.rows(_DELIVERIES) if sees and (state is None or row[4] == state)]
        return AlertList(tuple(alerts[:limit]), tuple(Delivery(*row[:12]) for row in rows[:limit]))

    def routes(self, *, actor: Actor = LOCAL) -> tuple[Route, ...]:
        """The routes that hold; of addresses and keys only the names of their variables."""
        view = self._lineage.view(actor=actor)
        return routes_of(view.store, view.as_of, view.known_at)

    def send(self, *, now: datetime | None = None, environment: Mapping[str, str] | None = None) -> Sent:
        """One pass of the notifier; see :func:`lineage.alerts.notify.notify`."""
        from lineage.alerts.notify import notify

        return notify(
            self._lineage, now=now or utcnow(), environment=os.environ if environment is None else environment
        )

    def resend(self, delivery: str, *, actor: Actor = LOCAL) -> Delivery:
        """Let a dead (or waiting) delivery be tried again, at once and with all its attempts.

        Raises
        ------
        UnknownDeliveryError
            when there is none.
        UsageError
            when it arrived already.
        """
        one, now = self._one(delivery), utcnow()
        if one.state == "sent":
            raise UsageError(f"{delivery} arrived already.")
        with self._lineage.store.transaction() as cursor:
            cursor.execute(_AGAIN, {"id": delivery, "now": now})
            payload = {"route": one.route, "alert": one.alert}
            record(cursor, actor=actor.name, action="alert.resend", resource=delivery, payload=payload, at=now)
        return self._one(delivery)

    def test(self, route: str, *, environment: Mapping[str, str] | None = None, actor: Actor = LOCAL) -> Delivery:
        """Send a made-up alert by one route now; it is tried once.

        Raises
        ------
        UnknownDeliveryError
            when there is no such route.
        """
        from lineage.alerts.channels import DeliveryError, deliver

        found = next((one for one in self.routes() if one.id == route), None)
        if found is None:
            raise UnknownDeliveryError(f"There is no route “{route}”. meshline alerts routes names them.")
        now, name = utcnow(), f"d{secrets.token_hex(5)}"
        alert = Alert(
            "test", "test", "violation", "low", "", 0, "This is a test of Meshline", detail="Nothing is wrong."
        )
        error = None
        try:
            deliver(found, alert, name, 0, os.environ if environment is None else environment, (actor.name,))
        except DeliveryError as refusal:
            error = str(refusal)
        state = "dead" if error else "sent"
        return Delivery(name, "test", route, found.channel, "dead" if state == "dead" else "sent", 1, None, error,
                        None if error else now, now, alert.title, alert.severity)  # fmt: skip

    def _one(self, name: str) -> Delivery:
        for row in self._lineage.store.rows(_DELIVERIES):
            if row[0] == name:
                return Delivery(*row[:12])
        raise UnknownDeliveryError(f"There is no delivery “{name}”. meshline alerts list names them.")
