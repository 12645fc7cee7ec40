"""The answer of ``diff``: what differs between two instants, each difference with its cause."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lineage.shown import Shown
from lineage.times import iso

What = Literal["node", "edge", "column_edge", "column", "owner", "stop"]
How = Literal["added", "removed", "changed"]
WHATS: tuple[What, ...] = ("node", "edge", "column_edge", "column", "owner", "stop")


@dataclass(frozen=True, slots=True)
class Cause:
    """What is behind a difference.

    ``reason`` is ``run`` (a run showed it), ``declared`` (an event without a run, or a file), ``manual`` (a person said
    so), ``rule`` (a rule joins the names), or why a fact ended: ``not seen``, ``dropped``, ``renamed``, ``redeclared``,
    ``deleted``, ``refuted``, ``taken back``, ``expired``, … ``learned otherwise``: what was received at ``at`` showed
    that it does not hold. ``unknown``: nobody can say. ``code`` is what the ``sourceCodeLocation`` facet of the run, or
    of its job at that time, says: type, url, path, version, branch; ``None`` when nobody told it. ``by`` is the person,
    ``file`` the declared file behind it, where there is one.
    """

    reason: str
    producer: str | None = None
    at: datetime | None = None
    job: str | None = None
    run_id: str | None = None
    code: dict[str, Any] | None = None
    by: str | None = None
    file: str | None = None

    @property
    def who(self) -> str:
        """The job behind it, else the person, else the file; empty when none of them is known."""
        return self.job or self.by or self.file or ""


UNKNOWN = Cause("unknown")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    ``what`` is a ``node``, an ``edge`` (``id`` → ``other``), a ``column_edge``, a ``column`` of a schema, an ``owner``
    or a ``stop`` of a tag; ``detail`` names the column, owner or tag, or what of a node changed. ``before`` and
    ``after`` describe it.
    """

    what: What
    change: How
    id: str
    other: str | None = None
    kind: str = ""
    detail: str = ""
    before: str | None = None
    after: str | None = None
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class DiffAnswer(Shown):
    """All differences between two instants, nodes first, then edges, column edges, columns, owners, stops of tags.

    ``verdict`` without any: ``same``, or ``unknown`` when at one of the times nothing was known yet (``notes`` say so).
    """

    from_time: datetime
    to_time: datetime
    known_from: datetime
    known_to: datetime
    node: str | None
    side: str
    changes: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
    verdict: Literal["differs", "same", "unknown"] = "differs"

    @property
    def totals(self) -> dict[str, dict[str, int]]:
        """Number of differences by what differs and how."""
        counts = Counter((d.what, d.change) for d in self.changes)
        return {
            what: {change: n for change in ("added", "removed", "changed") if (n := counts[what, change])}
            for what in WHATS
            if any(key[0] == what for key in counts)
        }

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return (
            "what", "change", "id", "other", "kind", "detail", "before", "after", "reason", "at", "job", "run_id",
            "producer", "code_version", "by", "file",
        )  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per difference."""
        return [
            (d.what, d.change, d.id, d.other, d.kind, d.detail, d.before, d.after, *_flat(d.cause))
            for d in self.changes
        ]

    def title(self) -> str:
        """What was asked."""
        where = f" for {self.node}" if self.node else ""
        return f"Differences from {iso(self.from_time)} to {iso(self.to_time)}{where}"

    def remarks(self) -> tuple[str, ...]:
        """Totals, one line each, and what is to be known of the answer."""
        return self.notes + tuple(
            f"{what.replace('_', ' ')}s: " + ", ".join(f"{n} {change}" for change, n in counts.items())
            for what, counts in self.totals.items()
        )


def _flat(cause: Cause | None) -> tuple[Any, ...]:
    if cause is None:
        return (UNKNOWN.reason, *(None,) * 7)
    version = (cause.code or {}).get("version")
    return (cause.reason, cause.at, cause.job, cause.run_id, cause.producer, version, cause.by, cause.file)
