"""Answers about quality."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineage.shown import Shown


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of a node. ``result`` is 0 … 1, ``None`` = unknown; ``lost`` are the points of the score it costs."""

    name: str
    sort: str  # test, freshness, volume, contract, key, run or duration
    dimension: str
    column: str
    weight: float
    result: float | None
    lost: float
    expected: str
    observed: str
    at: datetime | None = None
    blocking: bool = False


@dataclass(frozen=True, slots=True)
class NodeQuality(Shown):
    """Answer of ``quality NODE``: the score, what it is made of, and what is upstream of it.

    The points lost of ``checks`` sum to 100 − ``score``. ``quality`` is ``None`` where too little is covered; ``grade``
    is capped at “at risk” by ``gate``. ``limited_by`` is the ancestor (or the node) that makes ``upstream_risk``.
    """

    node: str
    kind: str
    domain: str
    quality: float | None
    score: float | None
    coverage: float | None
    known: int
    expected: int
    grade: str
    gate: tuple[str, ...]
    upstream_risk: float | None
    limited_by: str | None
    checks: tuple[CheckRow, ...]
    as_of: datetime
    known_at: datetime
    generated_by: str = ""
    fingerprint: str = ""
    notes: tuple[str, ...] = ()

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("lost", "dimension", "check", "column", "result", "weight", "expected", "observed", "at")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per check, the dearest first."""
        return [
            (c.lost, c.dimension, c.name, c.column, c.result, c.weight, c.expected, c.observed, c.at)
            for c in self.checks
        ]

    def title(self) -> str:
        """The numbers in one line."""
        return f"{self.node}: {points(self.quality)} ({self.grade}), coverage {self.known} of {self.expected} checks"

    def remarks(self) -> tuple[str, ...]:
        """Gate and upstream risk."""
        found = [f"shown as at risk at most: {why}" for why in self.gate]
        if self.upstream_risk is not None and self.limited_by not in (None, self.node):
            found.append(f"upstream risk {points(self.upstream_risk)}, limited by {self.limited_by}")
        return (*found, *self.notes)


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One dataset, domain or product. ``lowest`` is the worst dataset of a group, ``unknown`` counts those without."""

    id: str
    kind: str
    domain: str
    quality: float | None
    grade: str
    coverage: float | None
    upstream_risk: float | None = None
    limited_by: str | None = None
    datasets: int = 1
    unknown: int = 0
    minimum: float | None = None
    lowest: str | None = None


@dataclass(frozen=True, slots=True)
class QualityReport(Shown):
    """Answer of ``quality``: all datasets, columns or jobs, or roll-ups by domain or product."""

    by: str
    nodes: tuple[QualityRow, ...]
    as_of: datetime
    known_at: datetime
    generated_by: str = ""
    fingerprint: str = ""
    notes: tuple[str, ...] = ()

    own_types = (("datasets", "whole"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        if self.by in ("dataset", "column", "job"):
            return ("id", "domain", "quality", "grade", "coverage", "upstream_risk", "limited_by")
        return ("id", "quality", "grade", "minimum", "lowest", "coverage", "datasets", "unknown")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row each, the worst first."""
        if self.by in ("dataset", "column", "job"):
            return [(r.id, r.domain, r.quality, r.grade, r.coverage, r.upstream_risk, r.limited_by) for r in self.nodes]
        return [(r.id, r.quality, r.grade, r.minimum, r.lowest, r.coverage, r.datasets, r.unknown) for r in self.nodes]

    def title(self) -> str:
        """What is listed."""
        return f"Quality by {self.by}: {len(self.nodes)}"

    def remarks(self) -> tuple[str, ...]:
        """What is to be known of the answer."""
        return self.notes


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing that is not right, or not known, at a node or upstream of it."""

    node: str
    hops: int
    what: str  # late, failing, outside contract, unknown
    detail: str


@dataclass(frozen=True, slots=True)
class GateAnswer(Shown):
    """Answer of ``gate``: ``open`` (go), ``closed`` (something is wrong) or ``unknown`` (something cannot be told)."""

    node: str
    state: str
    looked_at: int
    blockers: tuple[Blocker, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("node", "hops", "what", "detail")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per blocker, the nearest first."""
        return [(b.node, b.hops, b.what, b.detail) for b in self.blockers]

    def title(self) -> str:
        """The state."""
        return f"{self.node}: gate {self.state} ({self.looked_at} datasets looked at)"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. Times to detect, acknowledge and repair are seconds, ``None`` = not yet or unknown."""

    id: str
    node: str
    domain: str
    owner: str | None
    sort: str  # test, freshness, volume, contract
    what: str
    severity: str
    state: str  # open, acknowledged, muted, resolved
    cause: str
    began_at: datetime
    detected_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    resolved_by: str
    assignee: str | None
    muted_until: datetime | None
    failures: int
    runs: tuple[str, ...]
    detail: str
    time_to_detect: float | None
    time_to_acknowledge: float | None
    time_to_repair: float | None


@dataclass(frozen=True, slots=True)
class Incidents(Shown):
    """Answer of ``incidents list``."""

    incidents: tuple[Incident, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "state", "severity", "node", "what", "cause", "began_at", "failures", "assignee")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per incident."""
        return [
            (i.id, i.state, i.severity, i.node, i.what, i.cause, i.began_at, i.failures, i.assignee)
            for i in self.incidents
        ]

    def title(self) -> str:
        """How many, under how many causes."""
        causes = len({i.cause for i in self.incidents if i.state != "resolved"})
        still = sum(i.state != "resolved" for i in self.incidents)
        return f"{len(self.incidents)} incidents, {still} not resolved, {causes} causes"


@dataclass(frozen=True, slots=True)
class Blast:
    """Who is hit by an incident: consumers, products, promises of freshness, and full cost of what is hit."""

    datasets: tuple[str, ...]
    jobs: int
    products: tuple[str, ...]
    domains: tuple[str, ...]
    owners: tuple[str, ...]
    promises: tuple[str, ...]
    cost: str | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class IncidentAct:
    """What somebody did to an incident."""

    at: datetime
    actor: str
    act: str
    note: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class IncidentDetail(Shown):
    """Answer of ``incidents show``."""

    incident: Incident
    group: tuple[str, ...]  # other incidents under the same cause
    blast: Blast
    acts: tuple[IncidentAct, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("at", "actor", "act", "note", "until")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per act."""
        return [(a.at, a.actor, a.act, a.note, a.until) for a in self.acts]

    def title(self) -> str:
        """The incident in one line."""
        i = self.incident
        return f"{i.id} {i.state}: {i.node}: {i.what}"

    def remarks(self) -> tuple[str, ...]:
        """Detail, cause and blast radius."""
        i, b = self.incident, self.blast
        return (
            i.detail,
            f"cause: {i.cause}",
            f"hits {len(b.datasets)} datasets, {b.jobs} jobs; products: {', '.join(b.products) or 'none'}; "
            f"domains: {', '.join(b.domains) or 'none'}",
            *(f"promise at stake: {text}" for text in b.promises),
            *((f"full cost of what is hit: {b.cost} {b.currency}",) if b.cost is not None else ()),
        )


def points(value: float | None, decimals: int = 1) -> str:
    """A score for people, never rounded up to 100.

    >>> points(99.97), points(100.0), points(None), points(99.6, 0)
    ('99.9', '100.0', 'unknown', '99')
    """
    if value is None:
        return "unknown"
    highest = 100 if value >= 100 else 100 - 10**-decimals
    return f"{min(value, highest):.{decimals}f}"
