"""The life of violations: opened, acknowledged, assigned, waived, fixed, reopened; deadlines and escalation.

It is read from what :mod:`lineage.policies.recording` kept and from the acts of people; nothing of it is stored. What
comes back within seven days continues the same violation, with its old start and deadline. Only a waiver stops the
clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from lineage.policies.escalation import Step, reached, steps_of
from lineage.policies.model import Policy
from lineage.shown import Shown

REOPENS = timedelta(days=7)  # what comes back sooner is the same violation
State = Literal["open", "acknowledged", "reopened", "waived", "fixed"]


@dataclass(frozen=True, slots=True)
class Interval:
    """One result over one interval, as known at some time."""

    result: str
    message: str
    path: str | None
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class ViolationAct:
    """What somebody did about a violation."""

    act: str
    assignee: str | None
    reason: str
    actor: str
    acted_at: datetime


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation.

    ``cause`` is the most upstream asset that violates the same policy, when it is another one. ``escalation`` is whom
    it has reached, ``level`` how many steps of its escalation are past, ``next_step`` when the next one is.
    ``waived_until`` and ``waiver`` are set while a waiver holds.
    """

    id: str
    policy: str
    severity: str
    subject: str
    state: State
    message: str
    opened: datetime
    deadline: datetime
    overdue: bool
    escalation: str  # whom it has reached
    domain: str = ""
    fixed: datetime | None = None
    reopened: int = 0
    assignee: str | None = None
    path: tuple[str, ...] = ()
    cause: str | None = None
    acts: tuple[ViolationAct, ...] = ()
    level: int = 0
    next_step: datetime | None = None
    waiver: str | None = None
    waived_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Violations(Shown):
    """Answer of ``violations list``: those past their deadline first."""

    violations: tuple[Violation, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "severity", "policy", "subject", "state", "opened", "deadline", "overdue", "escalation",
                "assignee", "cause")  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per violation."""
        return [tuple(getattr(one, head) for head in self.heads()) for one in self.violations]

    def title(self) -> str:
        """How many."""
        return f"{len(self.violations)} violations, {sum(one.overdue for one in self.violations)} past their deadline"


def violation_id(policy: str, subject: str) -> str:
    """Id of a violation: the same for the same policy and asset, whenever it comes back.

    >>> violation_id("owner-present", "dataset:pg:a")
    'v10392f13d5'
    """
    return "v" + hashlib.sha256(f"{len(policy)}:{policy}{subject}".encode()).hexdigest()[:10]


def lives(
    policy: Policy, subject: str, intervals: Sequence[Interval], acts: Sequence[ViolationAct], now: datetime
) -> Violation | None:
    """The newest violation of one policy by one asset; ``None`` when it never violated.

    Parameters
    ----------
    intervals
        results in order of time, not overlapping.
    acts
        what people did, in order of time.
    now
        naive UTC.
    """
    episodes = list(_episodes([one for one in intervals if one.start <= now]))
    if not episodes:
        return None
    last = episodes[-1]
    opened = last[0].start
    mine = tuple(act for act in acts if opened <= act.acted_at <= now)
    current = last[-1]
    fixed = current.end if current.end <= now else None
    waived = sum((min(one.end, now) - one.start for one in last if one.result == "waived"), timedelta())
    deadline = opened + timedelta(days=policy.days) + waived
    returns = [after.start for before, after in pairwise(last) if after.start > before.end]
    newest = [act for act in mine if not returns or act.acted_at >= returns[-1]]  # who saw it go has not seen it return
    state = _state(current, fixed, len(returns), newest)
    live = state not in ("fixed", "waived")
    steps = steps_of(policy)
    age = now - opened - waived
    level = sum(age >= step.after for step in steps)
    return Violation(
        id=violation_id(policy.id, subject),
        policy=policy.id,
        severity=policy.severity,
        subject=subject,
        state=state,
        message=current.message,
        opened=opened,
        deadline=deadline,
        overdue=live and now > deadline,
        escalation=reached(steps, age) if live else "",
        fixed=fixed,
        reopened=len(returns),
        assignee=next((act.assignee for act in reversed(mine) if act.act == "assign"), None),
        path=tuple(current.path.split(" → ")) if current.path else (),
        acts=mine,
        level=level if live else 0,
        next_step=_next(steps, level, opened + waived) if live else None,
    )


# -- inside


def _episodes(intervals: Sequence[Interval]) -> Iterator[list[Interval]]:
    """Runs of violation and waiver; a gap of less than a week does not end one."""
    episode: list[Interval] = []
    for one in intervals:
        if one.result not in ("violation", "waived"):
            continue
        if episode and one.start - episode[-1].end > REOPENS:
            yield episode
            episode = []
        episode.append(one)
    if episode:
        yield episode


def _state(current: Interval, fixed: datetime | None, reopened: int, acts: Sequence[ViolationAct]) -> State:
    if fixed is not None:
        return "fixed"
    if current.result == "waived":
        return "waived"
    if any(act.act in ("acknowledge", "assign") for act in acts):
        return "acknowledged"
    return "reopened" if reopened else "open"


def _next(steps: Sequence[Step], level: int, start: datetime) -> datetime | None:
    """When the next step of an escalation is due; ``start`` is the opening plus the time under waivers."""
    return start + steps[level].after if level < len(steps) else None
