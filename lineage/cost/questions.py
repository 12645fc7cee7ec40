"""``lx.cost``: the questions about money, each a method."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.actor import LOCAL, Actor
from lineage.errors import UsageError
from lineage.times import OPEN_END, utcnow

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.cost.allocation import Allocation
    from lineage.cost.answers import BudgetAnswer, CostReport, Explanation, ShowbackAnswer, WasteAnswer
    from lineage.cost.columns import NodeCosts
    from lineage.cost.importing import ImportSummary
    from lineage.cost.periods import Period
    from lineage.engine import Lineage
    from lineage.view import View

METRICS = ("billed", "effective", "contracted", "listed")
_KEPT = 6  # allocations kept in memory


class Cost:
    """Questions about money. ``period`` is like ``2026-06``; default: the newest billed month that has begun.

    Examples
    --------
    >>> import lineage
    >>> from lineage.store import Store
    >>> with lineage.open(Store.open(":memory:")) as lx:
    ...     lx.cost.report(period="2026-06").currencies
    ()
    """

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage
        self._cache: OrderedDict[tuple[object, ...], Allocation] = OrderedDict()

    def add_bills(
        self,
        files: Sequence[str | Path],
        *,
        force: bool = False,
        strict: bool = False,
        actor: Actor = LOCAL,
        progress: Callable[[int], None] = lambda _: None,
    ) -> ImportSummary:
        """Import bills; see :func:`lineage.cost.importing.import_files`."""
        from lineage.cost.importing import import_files

        paths = [Path(file) for file in files]
        return import_files(self._lineage.store, paths, actor=actor, force=force, strict=strict, progress=progress)

    def report(
        self,
        by: str = "domain",
        *,
        period: str | None = None,
        metric: str = "billed",
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> CostReport:
        """What a period cost, by ``domain``, ``product``, ``dataset``, ``job``, ``consumer`` or ``service``.

        Raises
        ------
        UsageError
            for an unknown group, period or metric.
        """
        from lineage.cost.report import report

        view = self._lineage.view(as_of, known_at, actor)
        return report(view, self.allocation(view, period, metric), by)

    def explain(
        self,
        node: str,
        *,
        period: str | None = None,
        metric: str = "billed",
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Explanation:
        """Which bills, runs and neighbours make up the cost of a node."""
        from lineage.cost.explain import explain
        from lineage.resolve import resolve

        view = self._lineage.view(as_of, known_at, actor)
        return explain(view, self.allocation(view, period, metric), resolve(view, node))

    def showback(
        self,
        *,
        period: str | None = None,
        metric: str = "billed",
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> ShowbackAnswer:
        """What each domain pays, and which domain pays for which."""
        from lineage.cost.showback import showback

        view = self._lineage.view(as_of, known_at, actor)
        return showback(view, self.allocation(view, period, metric))

    def budgets(
        self,
        *,
        period: str | None = None,
        metric: str = "effective",
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> BudgetAnswer:
        """Budgets with forecast and alerts, and what was odd.

        ``now`` decides which days are complete; default: ``as_of``, without it our clock.
        """
        from lineage.cost.budgets import budgets

        view = self._lineage.view(as_of, known_at, actor)
        moment = now or (view.as_of if view.instant.dated else utcnow())
        return budgets(view, self.period(view, period), _metric(metric), moment)

    def waste(
        self,
        *,
        days: int = 60,
        period: str | None = None,
        metric: str = "effective",
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> WasteAnswer:
        """What costs and is of no use: datasets nobody read for ``days`` days, jobs that repeat themselves.

        The days are counted back from ``now``; default: the newest event (until ``as_of``), for a store that hears
        nothing any more must not say that nobody reads.
        """
        from lineage.cost.waste import newest_event, waste

        if days < 1:
            raise UsageError(f"--days: {days} is no number of days; give 1 or more.")
        view = self._lineage.view(as_of, known_at, actor)
        moment = now or newest_event(view)
        return waste(view, self.allocation(view, period, metric), timedelta(days=days), moment)

    def watch(self, node: str, *, days: int = 30, now: datetime | None = None, actor: Actor = LOCAL) -> datetime:
        """Watch a dataset that is to be removed: :meth:`waste` then tells if somebody reads it. Returns the end."""
        from lineage.cost.waste import watch
        from lineage.resolve import resolve

        if days < 1:
            raise UsageError(f"--days: {days} is no number of days; give 1 or more.")
        view = self._lineage.view(actor=actor)
        return watch(view, resolve(view, node), timedelta(days=days), now or utcnow())

    def of_nodes(self, view: View) -> NodeCosts | None:
        """Own and full cost of every node in the month of the newest bill; see :mod:`lineage.cost.columns`."""
        from lineage.cost.columns import node_costs

        return node_costs(view)

    def period(self, view: View, text: str | None) -> Period:
        """The period that was asked for, else the newest month that was billed until the instant, else its own month.

        At another instant than now it ends there: what is billed of the month later was not known of then.
        """
        from lineage.cost.periods import month_of, newest_billed, read_period, seen_at

        if text is not None:
            wanted = read_period(text)
        else:
            newest = newest_billed(view.store, view.known_at, view.as_of)
            wanted = newest or month_of(min(view.as_of, OPEN_END))
        return seen_at(wanted, view.as_of) if view.instant.dated else wanted

    def allocation(self, view: View, period: str | None, metric: str) -> Allocation:
        """Everything about a period; kept in memory until the store changes."""
        from lineage.cost.allocation import allocate

        wanted = self.period(view, period)
        instant = view.instant
        snapshot = instant.snapshot
        key = (instant.version, snapshot.as_of, snapshot.known_at, wanted, _metric(metric))
        found = self._cache.pop(key, None) or allocate(view, wanted, metric)
        self._cache[key] = found
        while len(self._cache) > _KEPT:
            self._cache.popitem(last=False)
        return found


def _metric(name: str) -> str:
    if name not in METRICS:
        raise UsageError(f"--metric: “{name}” is none of {', '.join(METRICS)}.")
    return name
