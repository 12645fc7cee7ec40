"""What questions about policies answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineage.policies.evaluate import TestOutcome
from lineage.policies.model import SEVERITIES
from lineage.shown import Shown

LIBRARY = "No policy was applied: these are those that Meshline ships (meshline policies library --write DIR)."


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One policy."""

    id: str
    version: str
    title: str
    severity: str
    stage: str
    domain: str
    owner: str | None
    days: int  # until a violation has to be gone
    tests: int
    shipped: bool


@dataclass(frozen=True, slots=True)
class Policies(Shown):
    """Answer of ``policies list``. ``library``: none was applied, so these are the shipped ones."""

    policies: tuple[PolicyRow, ...]
    library: bool

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "version", "severity", "stage", "domain", "owner", "days", "title")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per policy."""
        return [(p.id, p.version, p.severity, p.stage, p.domain, p.owner, p.days, p.title) for p in self.policies]

    def title(self) -> str:
        """How many."""
        return f"{len(self.policies)} policies"

    def remarks(self) -> tuple[str, ...]:
        """Where they come from."""
        return (LIBRARY,) if self.library else ()


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One policy and its counts. With ``error`` nothing is known of any asset; it is never a pass."""

    policy: str
    version: str
    severity: str
    title: str
    scope: int
    passed: int
    violations: int
    waived: int
    error: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One asset that does not pass. ``path`` holds node texts when the policy gave a witness."""

    policy: str
    severity: str
    subject: str
    outcome: str
    message: str
    domain: str
    path: tuple[str, ...] = ()
    evidence: str | None = None
    waiver: str | None = None
    expired_waiver: str | None = None


@dataclass(frozen=True, slots=True)
class Check(Shown):
    """Answer of ``check``: a count per policy, and every asset that does not pass, the gravest first."""

    as_of: datetime
    known_at: datetime
    library: bool
    policies: tuple[ResultRow, ...]
    findings: tuple[FindingRow, ...]
    generated_by: str = ""
    fingerprint: str = ""

    def fails(self, severity: str = "high") -> bool:
        """Whether a violation at or above a severity exists, or any policy is in error."""
        least = SEVERITIES.index(severity)
        broken = any(row.violations and SEVERITIES.index(row.severity) >= least for row in self.policies)
        return broken or any(row.error is not None for row in self.policies)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("severity", "policy", "outcome", "subject", "message", "path", "waiver")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per asset that does not pass."""
        return [
            (f.severity, f.policy, f.outcome, f.subject, f.message, list(f.path),
             f.waiver or (f"{f.expired_waiver} (expired)" if f.expired_waiver else None))
            for f in self.findings
        ]  # fmt: skip

    def title(self) -> str:
        """The sums."""
        passed, violations, waived = (
            sum(getattr(row, name) for row in self.policies) for name in ("passed", "violations", "waived")
        )
        errors = sum(row.error is not None for row in self.policies)
        return (
            f"{len(self.policies)} policies: {passed:,} pass, {violations:,} violations, {waived:,} waived, "
            f"{errors} policies in error"
        )

    def remarks(self) -> tuple[str, ...]:
        """Policies in error, and where the policies come from."""
        errors = tuple(f"{row.policy} is in error: {row.error}" for row in self.policies if row.error is not None)
        return (*errors, *((LIBRARY,) if self.library else ()))


@dataclass(frozen=True, slots=True)
class Tested(Shown):
    """Answer of ``policies test``. ``untested``: policies without a test that fails and one that passes."""

    outcomes: tuple[TestOutcome, ...]
    untested: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every test passes and none is missing."""
        return not self.untested and all(one.passed for one in self.outcomes)

    own_types = (("passed", "truth"), ("expected", "texts"), ("found", "texts"))

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("passed", "policy", "test", "expected", "found", "error")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per test."""
        return [(o.passed, o.policy, o.name, list(o.expected), list(o.found), o.error) for o in self.outcomes]

    def title(self) -> str:
        """How many pass."""
        return f"{sum(one.passed for one in self.outcomes)} of {len(self.outcomes)} tests pass"

    def remarks(self) -> tuple[str, ...]:
        """What lacks a test."""
        return tuple(f"{name} needs a test with violations and one without" for name in self.untested)
