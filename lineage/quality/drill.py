"""An incident drill: a failure is played on a copy of what runs told, and what follows from it is shown.

*late*: the dataset, and all that is made of it, is not written any more. *wrong*: the next results of its tests, and of
those downstream, are failures. *missing*: its next write, and those downstream, have no rows, and tests of completeness
fail. The copy goes through the functions that open incidents, find their cause, make alerts and choose routes; nothing
is written. That values and gaps go on downstream is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.alerts.routes import Route, routes_of
from lineage.errors import UsageError
from lineage.quality.evidence import evidence
from lineage.quality.play import LEARNED, Noticed, play
from lineage.quality.tellings import Message, tellings
from lineage.shown import Shown
from lineage.times import EPOCH, iso

if TYPE_CHECKING:
    from lineage.view import View

FAILURES = ("late", "wrong", "missing")


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that would notice: where, how many hops downstream, when, by what and with which words.

    ``who`` is the owner. ``how`` names the routes of the first alert that tells it; empty when none does, as it stands
    in lists only. ``incident`` is the id of the incident, ``open`` whether it is open already.
    """

    at: datetime | None  # None: at a time that the past does not tell
    node: str
    hops: int
    by: str
    who: str
    how: tuple[str, ...] = ()
    detail: str = ""
    incident: str | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Drill(Shown):
    """Answer of ``drill``. ``messages`` are what would be sent, ``silent`` datasets where nothing would notice."""

    node: str
    failure: str
    alarms: tuple[Alarm, ...]
    messages: tuple[Message, ...]
    silent: tuple[str, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("at", "node", "hops", "by", "detail", "who", "how")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per alarm, the first one first."""
        return [
            (a.at, a.node, a.hops, a.by, a.detail + (f" (open already: {a.incident})" if a.open else ""), a.who,
             ", ".join(a.how))
            for a in self.alarms
        ]  # fmt: skip

    def title(self) -> str:
        """What is played, and the first alarm."""
        first = next((a for a in self.alarms if a.at is not None), None)
        words = f"first alarm {iso(first.at)} at {first.node}" if first else "nothing would notice at a known time"
        return f"{self.node} {self.failure}: {words}"

    def remarks(self) -> tuple[str, ...]:
        """What would be sent, and where nothing would notice."""
        found = [
            f"{iso(m.at) or 'at an unknown time'}: {m.severity}, {m.title} at {m.cause}, "
            f"{len(m.explains)} under it; told {', '.join(m.how) or 'to nobody: no route takes it'} (owner: {m.who})"
            for m in self.messages
        ] or ["no alert would be sent"]
        return (*found, *((f"nothing would notice at {', '.join(self.silent)}",) if self.silent else ()))


def drill(view: View, node: int, failure: str, *, now: datetime | None = None) -> Drill:
    """Play a failure of a dataset.

    Parameters
    ----------
    failure
        ``late``, ``wrong`` or ``missing``.

    Raises
    ------
    UsageError
        for another failure, or a node that is no dataset.
    HiddenNodeError
        when the actor may not see the node.
    """
    view.require(node)
    if failure not in FAILURES:
        raise UsageError(f"--failure: “{failure}” is none of {', '.join(FAILURES)}.")
    if view.kind(node) != "dataset":
        raise UsageError(f"{view.label(node)} is a {view.kind(node)}; a drill needs a dataset.")
    walk = view.walk([node], "downstream")
    reached = {int(i): int(h) for i, h in zip(walk.nodes.tolist(), walk.hops.tolist(), strict=True)}
    hops = {i: h for i, h in {**reached, node: 0}.items() if view.kind(i) == "dataset" and not view.hidden(i)}
    found = evidence(view, now)
    noticed = play(view, found, sorted(hops), failure)
    routes = routes_of(view.store, view.as_of, view.known_at)
    messages = tellings(view, noticed, routes, found.now)
    alarms = [_alarm(view, one, hops[one.node], messages, routes) for one in noticed]
    alarms.sort(key=lambda a: (a.at is None, a.at or EPOCH, a.hops, a.node, a.by))
    loud = {one.node for one in noticed}
    silent = [view.label(i) for i in sorted(hops, key=lambda i: (hops[i], i)) if i not in loud]
    return Drill(view.label(node), failure, tuple(alarms), messages, tuple(silent), view.as_of, view.known_at)


def _alarm(view: View, one: Noticed, far: int, messages: tuple[Message, ...], routes: tuple[Route, ...]) -> Alarm:
    from lineage.quality.tellings import owner_of

    first = next((m for m in messages if one.incident in m.incidents), None) if one.incident else None
    return Alarm(
        at=one.at,
        node=view.label(one.node),
        hops=far,
        by=one.by,
        who=owner_of(view, one.node),
        how=first.how if first else (),
        detail=one.detail if one.by != LEARNED else "stands in lists; opens no incident",
        incident=one.incident,
        open=one.open,
    )
