"""``lx.reports``: the report as an object and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.actor import LOCAL, Actor
from lineage.report.contents import ExecutiveReport, executive
from lineage.report.questions import text_of

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.engine import Lineage


class Reports:
    """Questions for reports."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def executive(
        self, domain: str | None = None, *, start: When = None, end: When = None, actor: Actor = LOCAL
    ) -> ExecutiveReport:
        """See :func:`lineage.report.contents.executive`."""
        return executive(self._lineage, domain, start=start, end=end, actor=actor)

    def text(
        self,
        format: str = "html",
        domain: str | None = None,
        *,
        start: When = None,
        end: When = None,
        actor: Actor = LOCAL,
    ) -> str:
        """See :func:`lineage.report.questions.text_of`."""
        return text_of(self._lineage, format, domain, start=start, end=end, actor=actor)
