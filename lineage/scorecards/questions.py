"""``lx.scorecards``: figures of governance at any instant, the rows behind them, and how they went."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from lineage.actor import LOCAL, Actor
from lineage.errors import UsageError
from lineage.scorecards import acts, state
from lineage.scorecards.answers import SORTS, Behind, Drilled, History, Row, Score, Scorecards, Sort, Taken
from lineage.scorecards.base import Base
from lineage.scorecards.maturity import maturity
from lineage.scorecards.metrics import BY_ID, METRICS, Metric, metric, score
from lineage.scorecards.risk import Risk, UnknownProductError, risk, risks
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.engine import Lineage
    from lineage.view import View

Rows = Mapping[str, Sequence[Row]]
T = TypeVar("T")
_GOOD = timedelta(minutes=1)
PARTS: tuple[tuple[Callable[[Base], dict[str, list[Row]]], tuple[str, ...]], ...] = (
    (state.policies, ("policy-coverage", "full-coverage", "compliance-strict", "compliance", "waiver-load",
                      "overdue-waivers")),
    (state.contracts, ("contract-coverage", "contract-edges", "conformance")),
    (state.ownership, ("ownership",)),
    (state.columns, ("classification", "masking")),
    (state.lineage, ("lineage-datasets", "lineage-columns", "lineage-jobs", "consumers", "reads", "unread")),
    (acts.velocity, ("mttr", "mova", "time-to-remediate", "deadline-attainment", "burn-down", "weeks-to-zero")),
    (acts.roll_out, ("roll-out",)),
    (acts.access, ("access-p50", "access-p90", "access-auto")),
    (acts.delivery, ("delivery", "contract-delivery", "breaking-discipline")),
    (acts.failures, ("detect", "acknowledge", "repair", "repeats")),
)  # fmt: skip
"""What works out which metrics; maturity needs others and comes last."""


class ScorecardQuestions:
    """Questions about scorecards."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def report(
        self,
        by: str = "mesh",
        *,
        domain: str | None = None,
        metrics: Sequence[str] = (),
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Scorecards:
        """All figures of one instant.

        Parameters
        ----------
        by
            ``mesh``, ``domain``, ``product`` or ``tier``: one figure a metric for each of them.
        domain
            count only what belongs to this domain.
        metrics
            only these; default: all.

        Raises
        ------
        UsageError
            when a metric or a way to group is unknown.
        """
        from lineage import __version__

        sort = _sort(by)
        wanted = [metric(name) for name in metrics] or METRICS
        view = self._lineage.view(as_of, known_at, actor)
        rows = self._rows(view, domain, wanted)
        scores = [
            score(of, grouped.get(of.id, ()), sort, scope)
            for scope, grouped in _grouped(rows, sort).items()
            for of in wanted
        ]
        return Scorecards(
            sort, tuple(scores), view.as_of, view.known_at, f"meshline {__version__}", view.instant.fingerprint
        )

    def rows(
        self,
        name: str,
        *,
        by: str = "mesh",
        scope: str = "",
        domain: str | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Behind:
        """One figure with the rows behind it.

        Parameters
        ----------
        name
            the metric.
        by, scope
            of which domain, product or tier; default: of the mesh.

        Raises
        ------
        UsageError
            when a metric or a way to group is unknown.
        """
        of, sort = metric(name), _sort(by)
        view = self._lineage.view(as_of, known_at, actor)
        found = _grouped(self._rows(view, domain, [of]), sort).get(scope, {}).get(of.id, ())
        items = sorted(found, key=lambda row: (row.counted is not False, -(row.value or 0.0), row.id))
        return Behind(score(of, found, sort, scope), tuple(items), view.as_of, view.known_at)

    def history(
        self,
        by: str = "mesh",
        *,
        start: When,
        end: When = None,
        domain: str | None = None,
        metrics: Sequence[str] = (),
        actor: Actor = LOCAL,
    ) -> History:
        """Figures at the end of each day of a period; see :func:`lineage.scorecards.history.history`."""
        from lineage.scorecards.history import history

        names = tuple(metric(name).id for name in metrics) or tuple(BY_ID)
        return history(self._lineage, _sort(by), start, end, domain, names, actor)

    def values_at(
        self, moments: Sequence[datetime], *, domain: str | None = None, actor: Actor = LOCAL
    ) -> list[dict[str, float | None]]:
        """Figures of the mesh, or of one domain, at several instants: those of :meth:`report`, without the rows.

        Counted with arrays in one go over all instants, at a tenth of the time of a report for each.

        Parameters
        ----------
        moments
            rising instants of valid time, naive UTC, as known now.

        Returns
        -------
        list of dict
            for each instant the value of every metric by its id; ``None`` is unknown.
        """
        from lineage.collector import paused
        from lineage.graph.build import now_of
        from lineage.scorecards.counted import each

        if not moments:
            return []
        _, known = now_of(self._lineage.store)
        with paused():
            told = list(each(self._lineage, moments, known, "mesh", domain, tuple(BY_ID), actor))
        return [{name: figures[2] for name, _, figures in row} for row in told]

    def snapshot(self, *, now: datetime | None = None, actor: Actor = LOCAL) -> Taken:
        """Keep the figures of today, for mesh, domains, products and tiers; what was kept today before is replaced.

        Parameters
        ----------
        now
            naive UTC; default: now.
        actor
            who lets it be taken; everything is counted, whoever it is.
        """
        from lineage.scorecards.history import keep

        moment = now or utcnow()
        view = self._lineage.view(now, None, LOCAL)
        rows = self._rows(view, None, METRICS)
        scores = [
            score(of, grouped.get(of.id, ()), sort, scope)
            for sort in SORTS
            for scope, grouped in _grouped(rows, sort).items()
            for of in METRICS
        ]
        return keep(self._lineage.store, scores, moment, actor.name)

    def drill(self, product: str, note: str, *, now: datetime | None = None, actor: Actor = LOCAL) -> Drilled:
        """Write down that a product held a drill: an incident that was played through, for its maturity.

        Parameters
        ----------
        note
            what was played and what came of it; it stays in the audit log.

        Raises
        ------
        UnknownProductError
            when there is no such product.
        UsageError
            when the note says nothing.
        """
        from lineage.audit import record
        from lineage.audit.log import check_reason

        check_reason(note)
        if product not in Base.visible_products(self._lineage.view(None, None, actor)):
            raise UnknownProductError(f"There is no product “{product}”. meshline products list names them.")
        with self._lineage.store.transaction() as cursor:
            record(cursor, actor=actor.name, action="drill.hold", resource=product, payload={"note": note}, at=now)
        return Drilled(product, note, actor.name)

    def risk(self, product: str, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Risk:
        """Risk of one product, explained; see :mod:`lineage.scorecards.risk`.

        Raises
        ------
        UnknownProductError
            when there is no such product.
        """
        view = self._lineage.view(as_of, known_at, actor)
        return risk(view, base_of(view), product)

    def risks(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> tuple[Risk, ...]:
        """Risks of all products, the greatest first."""
        view = self._lineage.view(as_of, known_at, actor)
        return risks(view, base_of(view))

    def _rows(self, view: View, domain: str | None, wanted: Sequence[Metric]) -> Rows:
        found = gather(view, self._lineage, wanted)
        if domain is None:
            return found
        return {name: [row for row in rows if row.domain == domain] for name, rows in found.items()}


def gather(view: View, lineage: Lineage, wanted: Sequence[Metric]) -> Rows:
    """The rows of some metrics; each group of metrics is worked out once for an instant."""
    base, once = base_of(view), partial(_once, view)
    names = {one.id for one in wanted} | ({"consumers"} if any(one.id == "maturity" for one in wanted) else set())
    found: dict[str, list[Row]] = {}
    for part, metrics in PARTS:
        if names & set(metrics):
            found.update(once(part.__name__, partial(part, base)))
    if "maturity" in names:
        cost = None if view.restricted else lineage.cost  # a bill is of the whole mesh
        found["maturity"] = once("maturity", lambda: maturity(base, found["consumers"], cost))
    return {name: rows for name, rows in found.items() if name in names}


def base_of(view: View) -> Base:
    """What all metrics of an instant look at, made once."""
    return _once(view, "base", lambda: Base(view))


def _once(view: View, name: str, find: Callable[[], T]) -> T:
    """What an actor was told of this instant before; what depends on the clock may be a minute old."""
    hidden = ",".join(sorted(view.actor.hidden_domains))
    return view.instant.remember(f"scorecards {hidden}", _Kept).ask(view.as_of, name, find)


class _Kept:
    """Parts of the scorecards of one moment: the base and what was made of it belong together.

    They are good for a minute after they were made, so that what takes long is not made anew while it is being made,
    and then let go. Who asks meanwhile waits.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._at: datetime | None = None
        self._good = _GOOD
        self._parts: dict[str, Any] = {}

    def ask(self, at: datetime, name: str, find: Callable[[], T]) -> T:
        """A part, made if there is none of about this moment."""
        with self._lock:
            if self._at is None or abs(at - self._at) >= self._good:
                self._at, self._good, self._parts = at, _GOOD, {}
            if name not in self._parts:
                parts, begun = self._parts, time.monotonic()
                parts[name] = find()
                self._good += timedelta(seconds=time.monotonic() - begun)
            found: T = self._parts[name]
            return found


def _grouped(rows: Rows, sort: Sort) -> dict[str, dict[str, list[Row]]]:
    """Scope → metric → rows. What belongs to no product or tier is counted in none."""
    if sort == "mesh":
        return {"": {name: list(of) for name, of in rows.items()}}
    found: dict[str, dict[str, list[Row]]] = {}
    for name, of in rows.items():
        for row in of:
            scope: str = getattr(row, sort)
            if scope:
                found.setdefault(scope, {}).setdefault(name, []).append(row)
    return dict(sorted(found.items()))


def _sort(by: str) -> Sort:
    if by not in SORTS:
        raise UsageError(f"by: “{by}” is none of {', '.join(SORTS)}.")
    return by


__all__ = ["Behind", "History", "Row", "Score", "ScorecardQuestions", "Scorecards", "Taken", "gather"]
