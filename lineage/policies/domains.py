"""What the policies say per domain: one run, counted for every policy and domain, with the assets that do not pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.policies.answers import LIBRARY, FindingRow, ResultRow
from lineage.policies.load import policies_of
from lineage.policies.model import SEVERITIES, PolicyResult
from lineage.policies.moment import moment
from lineage.policies.questions import run
from lineage.policies.showing import Sieve
from lineage.shown import Shown

if TYPE_CHECKING:
    from lineage.asking import When
    from lineage.engine import Lineage


@dataclass(frozen=True, slots=True)
class DomainResult:
    """One policy in one domain. In error nothing is known: ``passed`` and ``violations`` are ``None``, not zero."""

    policy: str
    severity: str
    domain: str  # empty: the assets have none
    scope: int
    passed: int | None
    violations: int | None
    waived: int | None
    error: str | None

    @property
    def state(self) -> str:
        """The gravest that is known: error, violation, waived or pass.

        >>> DomainResult("p", "low", "sales", 3, None, None, None, "no such column").state
        'error'
        """
        if self.error is not None:
            return "error"
        return "violation" if self.violations else "waived" if self.waived else "pass"


@dataclass(frozen=True, slots=True)
class DomainResults(Shown):
    """Results by policy and domain, their sums per policy, and what does not pass; ``library``: none was applied."""

    as_of: datetime
    known_at: datetime
    library: bool
    policies: tuple[ResultRow, ...]
    domains: tuple[DomainResult, ...]
    findings: tuple[FindingRow, ...]

    own_types = (("scope", "whole"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("policy", "severity", "domain", "state", "scope", "passed", "violations", "waived", "error")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per policy and domain."""
        return [tuple(getattr(one, head) for head in self.heads()) for one in self.domains]

    def title(self) -> str:
        """How many."""
        return f"{len(self.policies)} policies in {len({one.domain for one in self.domains})} domains"

    def remarks(self) -> tuple[str, ...]:
        """Where the policies come from."""
        return (LIBRARY,) if self.library else ()


def by_domain(lineage: Lineage, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> DomainResults:
    """Run the policies that hold once, and count what they say for every domain that the actor may see.

    Parameters
    ----------
    lineage
        the engine.
    as_of, known_at, actor
        as for :meth:`lineage.policies.questions.PolicyQuestions.check`, whose counts are the sums of these.
    """
    view = lineage.view(as_of, known_at, actor)
    held = policies_of(view.store, moment(view), view.known_at)
    chosen = tuple(one for one in held.policies if one.domain == "*" or view.actor.may_see(one.domain))
    results, sieve = run(view, chosen)
    findings = [row for result in results for row in sieve.findings(result)]
    findings.sort(key=lambda row: (-SEVERITIES.index(row.severity), row.policy, row.outcome, row.subject))
    return DomainResults(
        as_of=view.as_of,
        known_at=view.known_at,
        library=held.shipped,
        policies=tuple(sieve.result(result) for result in results),
        domains=tuple(cell for result in results for cell in _cells(result, sieve)),
        findings=tuple(findings),
    )


def _cells(result: PolicyResult, sieve: Sieve) -> Iterator[DomainResult]:
    whole = sieve.result(result)
    scope = Counter(sieve.domain(one) for one in result.subjects if not sieve.hides(one))
    found = Counter((row.domain, row.outcome) for row in sieve.findings(result))
    for domain in sorted(scope):
        violations, waived = found[domain, "violation"], found[domain, "waived"]
        if whole.error is not None:
            yield DomainResult(whole.policy, whole.severity, domain, scope[domain], None, None, None, whole.error)
        else:
            passed = scope[domain] - violations - waived
            yield DomainResult(
                whole.policy, whole.severity, domain, scope[domain], passed, violations, waived, None
            )  # fmt: skip
