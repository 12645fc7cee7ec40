"""What of the results of policies an actor may see (semantics 19).

The views hold everything, so what comes out of them is sifted here. A subject of a hidden domain is neither listed nor
counted. Somebody who may not see everything is told nothing of grants to teams either, and reads the title of a policy
in place of its message and its error, because these are texts made by SQL that may name anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from lineage.policies.answers import FindingRow, ResultRow
from lineage.policies.evaluate import domains_of
from lineage.policies.model import Finding, Policy, PolicyResult
from lineage.policies.views import fill, named

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.view import View

_SUBJECTS = frozenset({"asset", "asset_column", "contract", "product", "access", "domain"})  # they tell its domain
ARROW = " → "  # between the nodes of a path


def needed_for(view: View, policies: Sequence[Policy]) -> frozenset[str]:
    """Views that some policies need: those of their SQL and, where it matters, those that tell the domain of a subject.

    For somebody who may see everything these are filled when a subject is shown whose domain the others do not tell.
    """
    if view.restricted or any(policy.domain != "*" for policy in policies):
        return named(policies) | _SUBJECTS
    return named(policies)


class Sieve:
    """Who may see which subject of one instant."""

    def __init__(self, view: View, tables: Mapping[str, pa.Table]) -> None:
        self._view = view
        self._tables = tables
        self._hidden: dict[str, str] = {}
        if view.restricted:
            self._hide(tables)

    @cached_property
    def _domains(self) -> dict[str, str | None]:
        return domains_of(self._tables)

    def _hide(self, tables: Mapping[str, pa.Table]) -> None:
        """Every subject that may not be named, with the domain that hides it."""
        snapshot, hidden = self._view.snapshot, self._hidden
        nodes = [(i, domain) for i in range(snapshot.n) if (domain := self._view.hidden_domain(i)) is not None]
        hidden.update(zip(snapshot.texts([i for i, _ in nodes]), (domain for _, domain in nodes), strict=True))
        for subject, domain in self._domains.items():
            if domain is not None and not self._view.actor.may_see(domain):
                hidden.setdefault(subject, domain)
        for view, owner, home in (
            ("asset_column", "id", "dataset"), ("contract", "id", "dataset"), ("asset", "product", "id"),
            ("access", "id", "product"),
        ):  # fmt: skip
            pairs = zip(tables[view][owner].to_pylist(), tables[view][home].to_pylist(), strict=True)
            hidden.update({one: hidden[other] for one, other in pairs if one and other in hidden})
        self._hide_grants(tables["access"])

    def _hide_grants(self, access: pa.Table) -> None:
        """Grants to a hidden consumer, and all to teams: whether they are used follows from what hidden domains read.

        A team is in no domain, so that of all of them nothing is told: what may be seen and what is told of a grant
        would together say whether the team reads where nobody may look.
        """
        columns = (access[name].to_pylist() for name in ("id", "consumer_kind", "consumer"))
        for grant, kind, consumer in zip(*columns, strict=True):
            if kind == "domain" and not self._view.actor.may_see(consumer):
                self._hidden.setdefault(grant, consumer)
            elif kind == "product" and consumer in self._hidden:
                self._hidden.setdefault(grant, self._hidden[consumer])
            elif kind == "team":
                self._hidden.setdefault(grant, "unassigned")

    def hides(self, subject: str) -> bool:
        """Whether nothing may be said of a subject."""
        return subject in self._hidden

    def knows(self, subject: str) -> bool:
        """Whether a text is a subject, so that it can be shown or masked."""
        return subject in self._domains or subject in self._hidden

    def label(self, subject: str) -> str:
        """A subject as it may be named."""
        domain = self._hidden.get(subject)
        return subject if domain is None else f"hidden (domain {domain})"

    def domain(self, subject: str) -> str:
        """Domain of a subject; empty when it has none."""
        if subject not in self._domains and not self._view.restricted:
            return self._others.get(subject) or ""
        return self._domains.get(subject) or ""

    @cached_property
    def _others(self) -> dict[str, str | None]:
        """Domain of every subject, also of those that no filled view names."""
        return domains_of(fill(self._view, _SUBJECTS))

    def may_read(self, policy: Policy) -> bool:
        """Whether a policy may be shown at all."""
        return policy.domain == "*" or self._view.actor.may_see(policy.domain)

    def result(self, result: PolicyResult) -> ResultRow:
        """The counts of what may be seen."""
        policy = result.policy
        scope = sum(not self.hides(one) for one in result.subjects)
        seen = [one.outcome for one in result.findings if not self.hides(one.subject)]
        error = result.error and ("It could not be evaluated." if self._view.restricted else result.error)
        passed = 0 if error else scope - len(seen)
        return ResultRow(
            policy.id, policy.version, policy.severity, policy.title, scope, passed, seen.count("violation"),
            seen.count("waived"), error, round(result.seconds, 4),
        )  # fmt: skip

    def findings(self, result: PolicyResult) -> list[FindingRow]:
        """The assets that may be named and do not pass."""
        return [self._finding(result.policy, one) for one in result.findings if not self.hides(one.subject)]

    def _finding(self, policy: Policy, one: Finding) -> FindingRow:
        steps = tuple(one.path.split(ARROW)) if one.path else ()
        restricted = self._view.restricted
        if restricted and not all(map(self.knows, steps)):
            steps = ()
        return FindingRow(
            policy=policy.id,
            severity=policy.severity,
            subject=one.subject,
            outcome=one.outcome,
            message=policy.title if restricted else one.message,
            domain=self.domain(one.subject),
            path=tuple(self.label(step) for step in steps),
            evidence=None if restricted else one.evidence,
            waiver=one.waiver,
            expired_waiver=one.expired_waiver,
        )
