"""``lx.quality``: scores, the gate, incidents; each question a method."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.asking import naive_time
from lineage.errors import UsageError
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.engine import Lineage
    from lineage.quality.answers import GateAnswer, Incident, IncidentDetail, Incidents, NodeQuality, QualityReport
    from lineage.quality.drill import Drill
    from lineage.quality.history import Control, Freshness, Metrics, Tests
    from lineage.quality.performance import Performance
    from lineage.quality.promises import Promises
    from lineage.view import View

BY = ("dataset", "column", "job", "domain", "product")


class Quality:
    """Questions about quality. ``now`` decides what is late; default: the time of the question.

    Examples
    --------
    >>> import lineage
    >>> from lineage.store import Store
    >>> with lineage.open(Store.open(":memory:")) as lx:
    ...     lx.quality.report().nodes
    ()
    """

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def report(
        self,
        by: str = "dataset",
        *,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> QualityReport:
        """Scores of all datasets, columns or jobs, or roll-ups of datasets by ``domain`` or ``product``.

        Raises
        ------
        UsageError
            for another grouping.
        """
        from lineage.quality.report import report

        if by not in BY:
            raise UsageError(f"--by: “{by}” is none of {', '.join(BY)}.")
        return report(self._view(as_of, known_at, actor), by, now)

    def explain(
        self,
        node: str,
        *,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> NodeQuality:
        """The score of one dataset, column or job, point by point."""
        from lineage.quality.report import explain
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self._view(as_of, known_at, actor)
        return explain(view, note_absent(view, resolve(view, node)), now)

    def gate(
        self,
        node: str,
        *,
        trust_sources: bool = False,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> GateAnswer:
        """May a pipeline go on with a node? See :func:`lineage.quality.gate.gate`."""
        from lineage.quality.gate import gate
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self._view(as_of, known_at, actor)
        return gate(view, note_absent(view, resolve(view, node)), trust_sources=trust_sources, now=now)

    def incidents(
        self,
        *,
        everything: bool = False,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Incidents:
        """Incidents that are not resolved, or all; see :func:`lineage.quality.incidents.incidents`."""
        from lineage.quality.incidents import incidents

        return incidents(self._view(as_of, known_at, actor), everything=everything, now=now)

    def incident(
        self,
        id: str,
        *,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> IncidentDetail:
        """One incident with its group, its blast radius and what people did about it."""
        from lineage.quality.incidents import incident

        view = self._view(as_of, known_at, actor)
        return incident(view, id, now=now, then=lambda at: self._view(at, known_at, actor))

    def acknowledge(self, id: str, *, note: str = "", now: datetime | None = None, actor: Actor = LOCAL) -> Incident:
        """Say that somebody knows of an incident."""
        return self._act(id, "acknowledge", note=note, now=now, actor=actor)

    def assign(
        self, id: str, to: str, *, note: str = "", now: datetime | None = None, actor: Actor = LOCAL
    ) -> Incident:
        """Say who takes care of an incident."""
        return self._act(id, "assign", assignee=to, note=note, now=now, actor=actor)

    def mute(
        self, id: str, until: When, *, note: str = "", now: datetime | None = None, actor: Actor = LOCAL
    ) -> Incident:
        """Leave an incident alone until a time; then it is open again."""
        return self._act(id, "mute", until=naive_time(until, "until"), note=note, now=now, actor=actor)

    def resolve(self, id: str, *, note: str = "", now: datetime | None = None, actor: Actor = LOCAL) -> Incident:
        """Say that an incident is over; a later failure of the same check is a new one."""
        return self._act(id, "resolve", note=note, now=now, actor=actor)

    def performance(
        self,
        job: str | None = None,
        *,
        days: int = 90,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Performance:
        """How jobs ran: durations, delay, failures, bytes; see :func:`lineage.quality.performance.performance`."""
        from lineage.quality.performance import performance
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self._view(as_of, known_at, actor)
        return performance(view, None if job is None else note_absent(view, resolve(view, job)), days=days)

    def promises(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Promises:
        """Promises of freshness against the history of runs: which cannot be kept, and the earliest that could."""
        from lineage.quality.promises import promises

        return promises(self._view(as_of, known_at, actor))

    def tests(
        self,
        node: str | None = None,
        *,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Tests:
        """Every test (or those of one dataset) with its newest results; what fails first."""
        from lineage.quality.history import tests
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self._view(as_of, known_at, actor)
        return tests(view, None if node is None else note_absent(view, resolve(view, node)), now)

    def metrics(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> Metrics:
        """Every series of row counts and metrics; what is odd first."""
        from lineage.quality.history import metrics

        return metrics(self._view(as_of, known_at, actor))

    def control(
        self,
        node: str,
        metric: str = "rowCount",
        column: str = "",
        *,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Control:
        """One series, each point with the band in which it was expected."""
        from lineage.quality.history import control
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self._view(as_of, known_at, actor)
        return control(view, note_absent(view, resolve(view, node)), metric, column)

    def freshness(
        self, *, now: datetime | None = None, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> Freshness:
        """How fresh every dataset is; what is late first."""
        from lineage.quality.history import freshness

        return freshness(self._view(as_of, known_at, actor), now)

    def drill(
        self,
        node: str,
        failure: str,
        *,
        now: datetime | None = None,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> Drill:
        """Play a failure (``late``, ``wrong``, ``missing``): who would be told, when and by what."""
        from lineage.quality.drill import drill
        from lineage.resolve import resolve
        from lineage.unknown_yet import note_absent

        view = self._view(as_of, known_at, actor)
        return drill(view, note_absent(view, resolve(view, node)), failure, now=now)

    def _act(self, id: str, what: str, *, now: datetime | None, actor: Actor, **said: Any) -> Incident:
        from lineage.quality.incidents import act

        return act(self._view(None, None, actor), id, what, now=now or utcnow(), **said)

    def _view(self, as_of: When, known_at: When, actor: Actor) -> View:
        return self._lineage.view(as_of, known_at, actor)
