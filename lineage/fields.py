"""The fields of questions that have an object of their own: ``lx.audit``, …

A part of :class:`lineage.engine.Lineage`, in a file of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.audit.questions import Audit
    from lineage.store import Store


class Fields:
    """One property per field."""

    store: Store

    @property
    def audit(self) -> Audit:
        """Who did what: the log, its check, its signed checkpoints."""
        from lineage.audit.questions import Audit

        return Audit(self.store)
