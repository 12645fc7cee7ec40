"""An incident drill: a failure is played, and who would be told, when and by what is worked out. Nothing is written.

*late*: the dataset, and all that is made of it, is not written any more. *wrong*: its next write has wrong values.
*missing*: its next write has no rows. What would notice is what notices today: limits of freshness, tests that ran
before, row counts with enough past. Values and gaps downstream are assumed to follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.alerts.model import Alert
from lineage.alerts.routes import Route, routes_of
from lineage.errors import UsageError
from lineage.quality.evidence import TEST, VOLUME, Evidence, evidence
from lineage.quality.score import DIMENSIONS
from lineage.shown import Shown
from lineage.times import EPOCH, iso

if TYPE_CHECKING:
    from lineage.view import View

FAILURES = ("late", "wrong", "missing")
_COMPLETENESS = (DIMENSIONS.index("completeness"), DIMENSIONS.index("coverage"))


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that would notice: where, how many hops downstream, when, by what, who is told and how.

    ``how`` names the routes of alerts that take it; empty when none does, and it stands in lists only.
    """

    at: datetime | None  # None: at a time that the past does not tell
    node: str
    hops: int
    by: str
    who: str
    how: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drill(Shown):
    """Answer of ``drill``. ``silent`` are datasets downstream where nothing would notice."""

    node: str
    failure: str
    alarms: tuple[Alarm, ...]
    silent: tuple[str, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("at", "node", "hops", "by", "who", "how")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per alarm, the first one first."""
        return [(a.at, a.node, a.hops, a.by, a.who, ", ".join(a.how)) for a in self.alarms]

    def title(self) -> str:
        """What is played, and the first alarm."""
        first = next((a for a in self.alarms if a.at is not None), None)
        words = f"first alarm {iso(first.at)} at {first.node}" if first else "nobody would be told at a known time"
        return f"{self.node} {self.failure}: {words}"

    def remarks(self) -> tuple[str, ...]:
        """Where nothing would notice."""
        return (f"nothing would notice at {', '.join(self.silent)}",) if self.silent else ()


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
    found = evidence(view, now)
    walk = view.snapshot.walk([node], "downstream")
    hops = {int(i): int(h) for i, h in zip(walk.nodes.tolist(), walk.hops.tolist(), strict=True)}
    hops[node] = 0
    routes = routes_of(view.store, view.as_of, view.known_at)
    alarms: list[Alarm] = []
    silent = []
    for i, far in sorted(hops.items(), key=lambda item: (item[1], item[0])):
        if view.kind(i) != "dataset" or view.hidden(i):
            continue
        told = [
            Alarm(at, view.label(i), far, by, _who(view, i), _how(view, i, severity, routes))
            for at, by, severity in _notices(found, i, failure)
        ]
        alarms += told
        silent += [] if told else [view.label(i)]
    alarms.sort(key=lambda a: (a.at is None, a.at or EPOCH, a.hops, a.node, a.by))
    return Drill(view.label(node), failure, tuple(alarms), tuple(silent), view.as_of, view.known_at)


# -- inside


def _notices(found: Evidence, i: int, failure: str) -> list[tuple[datetime | None, str, str]]:
    """When something would notice at one dataset, what, and the severity of the alert (empty: it opens no incident)."""
    last, limit = float(found.last[i]), float(found.limit[i])
    if failure == "late":
        if np.isnan(last) or np.isnan(limit):
            return []
        basis, severity = ("freshness by contract", "high") if found.promised[i] else ("freshness, learned", "")
        return [(max(EPOCH + timedelta(seconds=last + limit), found.now), basis, severity)]
    notices: list[tuple[datetime | None, str, str]] = []
    for k in np.flatnonzero(found.checks.node == i).tolist():
        sort, kind, ref = int(found.checks.sort[k]), int(found.checks.kind[k]), int(found.checks.ref[k])
        known = not np.isnan(found.checks.result[k])
        if sort == TEST and found.checks.weight[k] > 0 and (failure == "wrong" or kind in _COMPLETENESS):
            severity = "high" if found.tests.column("severity")[ref].as_py() in (None, "error") else "medium"
            notices.append((_next_test(found, ref), f"test {found.tests.column('name')[ref].as_py()}", severity))
        elif sort == VOLUME and failure == "missing" and known:
            notices.append((_next_write(found, i), "row count", "medium"))
    return notices


def _next_test(found: Evidence, ref: int) -> datetime | None:
    """When a test runs next, by its mean gap; ``None`` when it ran once."""
    tested, gap = (float(found.tests.column(name)[ref].as_py()) for name in ("tested", "gap"))
    return max(EPOCH + timedelta(seconds=tested + gap), found.now) if gap > 0 else None


def _next_write(found: Evidence, i: int) -> datetime | None:
    """Latest time of the next write that is nothing unusual."""
    last, limit = float(found.last[i]), float(found.limit[i])
    return None if np.isnan(last + limit) else max(EPOCH + timedelta(seconds=last + limit), found.now)


def _who(view: View, i: int) -> str:
    """Owner of a dataset, else of its domain, else the domain."""
    domain = view.domain(i)
    known = view.instant.domains.domains.get(domain)
    return view.owner(i) or (known.owner if known and known.owner else f"domain {domain}")


def _how(view: View, i: int, severity: str, routes: tuple[Route, ...]) -> tuple[str, ...]:
    """Routes that would take the alert, as ``channel id``: the test that the notifier asks of each alert."""
    if not severity:
        return ()
    alert = Alert("", "drill", "incident", severity, view.domain(i), 0, "", view.label(i))
    return tuple(f"{route.channel} {route.id}" for route in routes if route.takes(alert))
