"""What is told, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lineage.shown import Shown

DeliveryState = Literal["waiting", "sent", "dead"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One cause in one state. ``members`` are what it explains, ``level`` how far its escalation has come.

    ``resolved``: the cause, which had been told, is gone.
    """

    id: str
    cause: str  # 'violation:v…', 'incident:…', 'contract:…', 'budget:…'
    kind: str
    severity: str
    domain: str
    level: int
    title: str
    node: str = ""
    detail: str = ""
    escalation: str = ""
    since: datetime | None = None
    deadline: datetime | None = None
    members: tuple[str, ...] = ()
    raised_at: datetime | None = None
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of one alert by one route; ``error`` is that of the last attempt."""

    id: str
    alert: str
    route: str
    channel: str
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    error: str | None
    sent_at: datetime | None
    made_at: datetime
    title: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True)
class AlertList(Shown):
    """Answer of ``alerts list``: alerts and their deliveries, the newest first."""

    alerts: tuple[Alert, ...]
    deliveries: tuple[Delivery, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "severity", "title", "route", "channel", "state", "attempts", "next_at", "sent_at", "error")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per delivery."""
        return [tuple(getattr(one, head) for head in self.heads()) for one in self.deliveries]

    def title(self) -> str:
        """How many."""
        counts = {state: sum(one.state == state for one in self.deliveries) for state in ("sent", "waiting", "dead")}
        told = ", ".join(f"{count} {state}" for state, count in counts.items())
        return f"{len(self.alerts)} alerts, {len(self.deliveries)} deliveries: {told}"


@dataclass(frozen=True, slots=True)
class Sent:
    """What one pass of the notifier did. ``problems`` are sources that could not be asked."""

    raised: int
    delivered: int
    failed: int
    waiting: int
    problems: tuple[str, ...] = ()
