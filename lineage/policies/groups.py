"""Violations under their most upstream cause: one row for what one repair may mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineage.policies.model import SEVERITIES
from lineage.policies.violations import Violation, Violations
from lineage.shown import Shown


@dataclass(frozen=True, slots=True)
class ViolationGroup:
    """Violations of one policy with one cause.

    ``id`` is that of the violation of the cause, ``members`` are all of the group with that one first, ``overdue`` how
    many are past their deadline, ``deadline`` the earliest, ``level`` and ``escalation`` the farthest.
    """

    id: str
    policy: str
    severity: str
    cause: str
    domain: str
    message: str
    state: str
    opened: datetime
    deadline: datetime
    overdue: int
    level: int
    escalation: str
    members: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class ViolationGroups(Shown):
    """Answer of ``violations groups``: the gravest first, among them those past their deadline."""

    groups: tuple[ViolationGroup, ...]
    as_of: datetime
    known_at: datetime

    own_types = (("overdue", "whole"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "severity", "policy", "cause", "domain", "violations", "overdue", "deadline", "escalation",
                "message")  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per cause."""
        return [
            (g.id, g.severity, g.policy, g.cause, g.domain, len(g.members), g.overdue, g.deadline, g.escalation,
             g.message)
            for g in self.groups
        ]  # fmt: skip

    def title(self) -> str:
        """How many."""
        return f"{len(self.groups)} causes of {sum(len(one.members) for one in self.groups)} violations"


def grouped(found: Violations, *, waived: bool = True) -> ViolationGroups:
    """The same violations under their causes.

    Parameters
    ----------
    found
        what ``violations list`` answers.
    waived
        also those that are waived.
    """
    by_cause: dict[tuple[str, str], list[Violation]] = {}
    for one in found.violations:
        if waived or one.state != "waived":
            by_cause.setdefault((one.policy, one.cause or one.subject), []).append(one)
    groups = [_group(cause, members) for (_, cause), members in by_cause.items()]
    groups.sort(key=lambda g: (-SEVERITIES.index(g.severity), not g.overdue, g.deadline, g.policy, g.cause))
    return ViolationGroups(tuple(groups), found.as_of, found.known_at)


def _group(cause: str, found: Iterable[Violation]) -> ViolationGroup:
    members = sorted(found, key=lambda one: (one.subject != cause, one.opened, one.subject))
    head, farthest = members[0], max(members, key=lambda one: (one.level, one.subject == cause))
    return ViolationGroup(
        id=head.id,
        policy=head.policy,
        severity=head.severity,
        cause=cause,
        domain=head.domain,
        message=head.message,
        state=head.state,
        opened=min(one.opened for one in members),
        deadline=min(one.deadline for one in members),
        overdue=sum(one.overdue for one in members),
        level=farthest.level,
        escalation=farthest.escalation,
        members=tuple(members),
    )
