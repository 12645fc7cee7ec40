"""What a policy is, and what can come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

SEVERITIES = ("low", "medium", "high", "critical")  # from mild to grave
STAGES = ("ingest", "processing", "publication", "scheduled")
Outcome = Literal["pass", "violation", "waived", "error"]
DEADLINES = {"critical": 3, "high": 14, "medium": 45, "low": 90}
"""Days until a violation has to be gone when its policy does not say."""


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """Rows in, subjects out."""

    name: str
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of one policy."""

    id: str
    version: str
    title: str
    severity: str
    stage: str
    domain: str
    scope_sql: str
    violation_sql: str
    description: str = ""
    owner: str | None = None
    ttl_hours: float = 24.0
    remediation_days: int | None = None
    escalation: tuple[str, ...] = ()
    escalation_days: tuple[tuple[int, float], ...] = ()  # (place in escalation, days) of steps that name their own
    tests: tuple[PolicyTest, ...] = ()
    shipped: bool = False  # from the library of Meshline, not from a file that was applied

    @property
    def days(self) -> int:
        """Days until a violation has to be gone."""
        return self.remediation_days or DEADLINES[self.severity]

    @property
    def weight(self) -> int:
        """0 low … 3 critical."""
        return SEVERITIES.index(self.severity)


@dataclass(frozen=True, slots=True)
class Waiver:
    """One approved exception."""

    id: str
    policy: str
    subject: str
    approver: str
    reason: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """What a policy says of one asset. ``path`` and ``evidence`` are what its SQL gave; ``None`` when it gave none."""

    policy: str
    subject: str
    outcome: Outcome
    message: str = ""
    path: str | None = None
    evidence: str | None = None
    waiver: str | None = None  # the waiver that holds
    expired_waiver: str | None = None  # a waiver that held and ended


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """One evaluation of one policy. With ``error`` nothing is known of any asset: it is never a pass."""

    policy: Policy
    evaluated_at: datetime
    subjects: tuple[str, ...]  # of the scope, in order
    findings: tuple[Finding, ...] = field(default=())
    error: str | None = None
    seconds: float = 0.0

    @property
    def scope(self) -> int:
        """Assets that the policy speaks of."""
        return len(self.subjects)

    def count(self, outcome: Outcome) -> int:
        """Assets with this outcome."""
        if self.error is not None:
            return self.scope if outcome == "error" else 0
        if outcome == "pass":
            return self.scope - len(self.findings)
        return sum(1 for finding in self.findings if finding.outcome == outcome)


def read_policy(document: str | Mapping[str, Any], *, shipped: bool = False) -> Policy:
    """A policy from its canonical JSON, or from the mapping of a file that was checked."""
    value: Mapping[str, Any] = json.loads(document) if isinstance(document, str) else document
    return Policy(
        id=value["id"],
        version=value.get("version") or "1.0.0",
        title=value["title"],
        severity=value["severity"],
        stage=value["stage"],
        domain=value.get("domain") or "*",
        scope_sql=value["scope_sql"],
        violation_sql=value["violation_sql"],
        description=value.get("description") or "",
        owner=value.get("owner"),
        ttl_hours=float(value.get("ttl_hours") or 24),
        remediation_days=value.get("remediation_days"),
        escalation=tuple(
            str(step["to"]) if isinstance(step, Mapping) else str(step) for step in value.get("escalation") or ()
        ),
        escalation_days=tuple(
            (place, float(step["after_days"]))
            for place, step in enumerate(value.get("escalation") or ())
            if isinstance(step, Mapping)
        ),
        tests=tuple(
            PolicyTest(str(test.get("name") or number), test["rows"], tuple(str(one) for one in test["violations"]))
            for number, test in enumerate(value.get("tests") or (), 1)
        ),
        shipped=shipped,
    )
