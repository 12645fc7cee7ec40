"""``lx.quality``: scores, the gate, incidents; each question a method."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from lineage.actor import LOCAL, Actor
from lineage.errors import UsageError

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.engine import Lineage
    from lineage.quality.answers import GateAnswer, NodeQuality, QualityReport
    from lineage.view import View

BY = ("dataset", "domain", "product")


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
        """Scores of all datasets, or their roll-ups by ``domain`` or ``product``.

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
        """The score of one dataset or column, point by point."""
        from lineage.quality.report import explain
        from lineage.resolve import resolve

        view = self._view(as_of, known_at, actor)
        return explain(view, resolve(view, node), now)

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

        view = self._view(as_of, known_at, actor)
        return gate(view, resolve(view, node), trust_sources=trust_sources, now=now)

    def _view(self, as_of: When, known_at: When, actor: Actor) -> View:
        return self._lineage.view(as_of, known_at, actor)
