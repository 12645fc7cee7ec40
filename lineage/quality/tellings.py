"""What the notifier would send while a played failure goes on: one alert for one cause in one state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from lineage.times import EPOCH

if TYPE_CHECKING:
    from lineage.alerts.model import Alert
    from lineage.alerts.routes import Route
    from lineage.quality.play import Noticed
    from lineage.view import View


@dataclass(frozen=True, slots=True)
class Message:
    """One alert: when it is sent, its cause, the routes (with addresses of a mail), and what it explains by then.

    ``incidents`` are all that it stands for, those included that open later under the same cause.
    """

    at: datetime | None
    cause: str
    title: str
    severity: str
    who: str
    how: tuple[str, ...]
    explains: tuple[str, ...]
    incidents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Open:
    """An incident as alerts are made of it."""

    node: str
    index: int
    what: str
    severity: str
    began_at: datetime
    id: str
    domain: str
    detail: str


def tellings(view: View, noticed: Sequence[Noticed], routes: tuple[Route, ...], now: datetime) -> tuple[Message, ...]:
    """The alerts that a play adds to those of now, in the order in which they would be sent.

    What is noticed opens one after another, and each time it is asked what the notifier would say: a downstream check
    that notices first is told first, and again when its cause is known.
    """
    from lineage.alerts.notify import escalations

    opened = [one for one in noticed if one.incident and not one.open]
    going = _open_now(view, now)
    failing = _failing_jobs(view)
    told = {(alert.cause, alert.severity) for alert, _ in _alerts(view, going, failing)}
    people = escalations(view.store, view.as_of)
    messages: dict[tuple[str, str], Message] = {}
    ordered = sorted(opened, key=lambda one: (one.at is None, one.at or EPOCH, one.node, one.by))
    for when, group in groupby(ordered, key=lambda one: one.at):
        going += [_of(view, one, when or now) for one in group]
        for alert, members in _alerts(view, going, failing):
            key = alert.cause, alert.severity
            if key in messages:
                held = messages[key]
                messages[key] = replace(held, incidents=tuple({*held.incidents, *(one.id for one in members)}))
            elif key not in told:
                messages[key] = _message(view, when, alert, members, routes, people.get(alert.domain, ()))
    return tuple(replace(one, incidents=tuple(sorted(one.incidents))) for one in messages.values())


def owner_of(view: View, i: int) -> str:
    """Owner of a node, else of its domain, else the domain."""
    domain = view.domain(i)
    known = view.instant.domains.domains.get(domain)
    return view.owner(i) or (known.owner if known and known.owner else f"domain {domain}")


# -- inside


def _open_now(view: View, now: datetime) -> list[_Open]:
    from lineage.quality.incidents import incidents
    from lineage.resolve import resolve

    return [
        _Open(one.node, resolve(view, one.node), one.what, one.severity, one.began_at, one.id, one.domain, one.detail)
        for one in incidents(view, now=now).incidents
        if one.state in ("open", "acknowledged")
    ]


def _of(view: View, one: Noticed, at: datetime) -> _Open:
    name = one.by.removeprefix("test ")
    return _Open(
        view.label(one.node), one.node, name, one.severity, at, one.incident or "", view.domain(one.node), one.detail
    )


def _failing_jobs(view: View) -> set[int]:
    from lineage.cause_answer import failing_now

    return {i for i in failing_now(view) if view.kind(i) == "job"}


def _alerts(view: View, going: Sequence[_Open], failing: set[int]) -> list[tuple[Alert, list[_Open]]]:
    """The alerts of some open incidents, each with its members."""
    from lineage.alerts.gather import incident_alerts
    from lineage.cause import causes

    cause_of = {
        node: view.label(group.cause)
        for group in causes(view.snapshot, sorted({one.index for one in going} | failing))
        for node in (group.cause, *group.cycle, *(member.node for member in group.members))
    }
    groups: dict[str, list[_Open]] = defaultdict(list)
    for one in going:
        groups[cause_of[one.index]].append(one)
    return list(zip(incident_alerts(groups, []), groups.values(), strict=True))


def _message(
    view: View,
    at: datetime | None,
    alert: Alert,
    members: Sequence[_Open],
    routes: tuple[Route, ...],
    people: tuple[str, ...],
) -> Message:
    first = next(one for one in members if f"incident:{one.id}" == alert.cause)
    how = []
    for route in routes:
        if route.takes(alert):
            to = ", ".join(route.to or people) if route.channel == "mail" else ""
            how.append(f"{route.channel} {route.id}" + (f" to {to}" if to else ""))
    return Message(
        at, alert.node, alert.title, alert.severity, owner_of(view, first.index), tuple(how), alert.members,
        tuple(one.id for one in members),
    )  # fmt: skip
