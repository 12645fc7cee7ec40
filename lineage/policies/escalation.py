"""Whom a violation reaches, and when.

By default a critical violation goes back to its owner after one day, to the owner of the domain after two and to the
centre after three, which is its deadline; a high one after 7, 10 and 14 days; a medium one to the owner after 30 and to
the owner of the domain after 45 days; a low one waits for the next release: the owner, at its deadline. A policy with
other days to mend keeps these shares of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from lineage.policies.model import Policy

STEPS = {
    "critical": ("owner", "domain owner", "central"),
    "high": ("owner", "domain owner", "central"),
    "medium": ("owner", "domain owner"),
    "low": ("owner",),
}
"""Escalation of a policy that names none."""
_SHARES = {"critical": (1 / 3, 2 / 3, 1.0), "high": (7 / 14, 10 / 14, 1.0), "medium": (30 / 45, 1.0), "low": (1.0,)}


@dataclass(frozen=True, slots=True)
class Step:
    """Who is told, and how long after the opening (time under a waiver left out)."""

    to: str
    after: timedelta


def steps_of(policy: Policy) -> tuple[Step, ...]:
    """The steps of the escalation of a policy.

    A step that names its own days keeps them. Else the shares are those of the severity when it has as many steps, and
    even ones when not; the last step is the deadline.

    >>> from lineage.policies.model import Policy
    >>> high = Policy("p", "1", "P", "high", "scheduled", "*", "", "")
    >>> [(step.to, step.after.days) for step in steps_of(high)]
    [('owner', 7), ('domain owner', 10), ('central', 14)]
    """
    named = policy.escalation or STEPS[policy.severity]
    shares = _SHARES[policy.severity]
    if len(shares) != len(named):
        shares = tuple((place + 1) / len(named) for place in range(len(named)))
    days = dict(policy.escalation_days)
    steps = [
        Step(to, timedelta(days=days[place]) if place in days else timedelta(days=round(policy.days * share, 6)))
        for place, (to, share) in enumerate(zip(named, shares, strict=True))
    ]
    return tuple(sorted(steps, key=lambda step: step.after))


def reached(steps: Sequence[Step], age: timedelta) -> str:
    """Whom a violation of some age has reached: the first step has it from the start, until a later one is due."""
    return [steps[0], *(step for step in steps if step.after <= age)][-1].to
