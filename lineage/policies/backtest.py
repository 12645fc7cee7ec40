"""Back-test: what a proposed policy would have said over past states of the mesh, beside what was recorded then.

The policy runs in the same sandbox as ever, once an instant. An instant at which it fails is in error and tells
nothing: whatever violated before counts as open until an instant shows that it does not any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.asking import When, naive_time
from lineage.errors import UsageError
from lineage.policies.evaluate import evaluate_in, sandbox_for
from lineage.policies.load import waivers_of
from lineage.policies.model import Policy, PolicyResult
from lineage.policies.recording import WHOLE
from lineage.policies.showing import Sieve, needed_for
from lineage.policies.views import fill
from lineage.shown import Shown
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.actor import Actor
    from lineage.engine import Lineage
    from lineage.store import Store

_WIDTH = re.compile(r"(\d{1,4})([hdw])")
MOST = 400  # instants of one back-test; each is one state of the mesh
_RECORDED = """
-- assets that the recorded policy of this id found in violation at T, as known now
SELECT subject FROM evaluation
WHERE policy = $policy AND result IN ('violation', 'waived') AND subject <> $whole
  AND valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
"""
_EVER = """
-- first run of the recorded policy of this id: one row
SELECT min(evaluated_at) FROM policy_run WHERE policy = $policy AND evaluated_at <= $known
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One instant. ``recorded`` counts violations that were kept then; ``None`` when the policy was not run yet."""

    at: datetime
    scope: int
    passed: int
    violations: int
    waived: int
    error: str | None
    recorded: int | None
    only_now: int  # violations by the proposed policy that were not recorded
    only_then: int  # recorded ones that it does not find


@dataclass(frozen=True, slots=True)
class Spell:
    """One asset from its first violation to the instant that shows it mended; ``until`` is ``None`` while it is not."""

    subject: str
    domain: str
    first: datetime
    until: datetime | None
    days: float  # how long it would have been open, until the end of the back-test at most
    overdue: bool  # longer than the policy gives
    message: str


@dataclass(frozen=True, slots=True)
class Backtest(Shown):
    """Answer of ``policies backtest``."""

    policy: str
    version: str
    steps: tuple[Step, ...]
    spells: tuple[Spell, ...]
    first_violation: datetime | None
    days_allowed: int

    own_types = (("scope", "whole"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("at", "scope", "passed", "violations", "waived", "recorded", "only_now", "only_then", "error")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per instant."""
        return [tuple(getattr(one, head) for head in self.heads()) for one in self.steps]

    def title(self) -> str:
        """What came of it."""
        errors = sum(one.error is not None for one in self.steps)
        first = f"first on {self.first_violation:%Y-%m-%d}" if self.first_violation else "no violation"
        return (
            f"{self.policy} {self.version} at {len(self.steps)} instants: {first}, {len(self.spells)} assets for a "
            f"while, {sum(one.overdue for one in self.spells)} longer than {self.days_allowed} days, {errors} in error"
        )

    def remarks(self) -> tuple[str, ...]:
        """Each asset with how long it would have been open."""
        return tuple(
            f"{one.subject}: {one.first:%Y-%m-%d} to {f'{one.until:%Y-%m-%d}' if one.until else 'the end'}, "
            f"{one.days:g} days{', overdue' if one.overdue else ''}: {one.message}"
            for one in self.spells
        )


def instants(start: When, end: When, step: str, now: datetime) -> tuple[datetime, ...]:
    """The instants of a back-test; both ends are among them.

    Raises
    ------
    UsageError
        when a time or the step is none, or they are too many.

    Examples
    --------
    >>> len(instants("2026-01-01", "2026-01-03", "1d", datetime(2026, 2, 1)))
    3
    """
    first, last = naive_time(start, "from"), min(naive_time(end, "to") or now, now)
    width = _step(step)
    if first is None or first > last:
        raise UsageError("from, to: a back-test wants a beginning before its end.")
    count = (last - first) // width + 1
    if count > MOST:
        raise UsageError(f"step: {count:,} instants are more than {MOST}; take longer steps.")
    found = [first + width * k for k in range(count)]
    return tuple(found if found[-1] == last else [*found, last])


def backtest(lineage: Lineage, policy: Policy, at: Sequence[datetime], actor: Actor) -> Backtest:
    """What a policy would have said at some instants.

    Parameters
    ----------
    policy
        the proposed one; nothing is stored.
    at
        naive UTC, in order; the mesh as it was then and as it is known now.
    actor
        subjects that this one may not see are neither listed nor counted.
    """
    known, ran = utcnow(), _ever(lineage.store, policy.id)
    steps: list[Step] = []
    found: list[tuple[datetime, dict[str, tuple[str, str]] | None]] = []
    for moment, result, sieve in _results(lineage, policy, at, actor):
        shown = {one.subject: (one.message, one.domain) for one in sieve.findings(result)}
        counts = sieve.result(result)
        held = None if ran is None or ran > moment else _recorded(lineage.store, policy.id, moment, known, sieve)
        told = set(shown) if result.error is None else set()
        compared = (len(told - held), len(held - told)) if held is not None and result.error is None else (0, 0)
        steps.append(
            Step(moment, counts.scope, counts.passed, counts.violations, counts.waived, counts.error,
                 None if held is None else len(held), *compared)
        )  # fmt: skip
        found.append((moment, None if result.error is not None else shown))
    spells = tuple(_spells(found, policy.days))
    first = min((one.first for one in spells), default=None)
    return Backtest(policy.id, policy.version, tuple(steps), spells, first, policy.days)


# -- inside


def _results(
    lineage: Lineage, policy: Policy, at: Sequence[datetime], actor: Actor
) -> Iterator[tuple[datetime, PolicyResult, Sieve]]:
    with sandbox_for([policy]) as sandbox:
        for moment in at:
            view = lineage.view(moment, None, actor)
            tables = fill(view, needed_for(view, [policy]))
            sandbox.load(tables)
            waivers = [one for one in waivers_of(view.store, view.as_of, view.known_at) if one.policy == policy.id]
            yield moment, evaluate_in(sandbox, tables, [policy], waivers, view.as_of)[0], Sieve(view, tables)


def _step(text: str) -> timedelta:
    match = _WIDTH.fullmatch(text.strip().lower())
    if match is None or not int(match[1]):
        raise UsageError(f"step: “{text}” is no step. Write it like 12h, 1d or 2w.")
    return timedelta(hours=int(match[1]) * {"h": 1, "d": 24, "w": 168}[match[2]])


def _ever(store: Store, policy: str) -> datetime | None:
    found: datetime | None = store.rows(_EVER, {"policy": policy, "known": utcnow()})[0][0]
    return found


def _recorded(store: Store, policy: str, at: datetime, known: datetime, sieve: Sieve) -> set[str]:
    asked = {"policy": policy, "at": at, "known": known, "whole": WHOLE}
    return {row[0] for row in store.rows(_RECORDED, asked) if not sieve.hides(row[0])}


def _spells(found: Sequence[tuple[datetime, dict[str, tuple[str, str]] | None]], days: int) -> Iterator[Spell]:
    """From instants to spells; the longest first."""
    running: dict[str, tuple[datetime, str, str]] = {}
    spells: list[Spell] = []

    def end(subject: str, until: datetime | None, last: datetime) -> None:
        first, message, domain = running.pop(subject)
        age = ((until or last) - first) / timedelta(days=1)
        spells.append(Spell(subject, domain, first, until, age, age > days, message))

    for moment, shown in found:
        if shown is None:
            continue
        for subject in [one for one in running if one not in shown]:
            end(subject, moment, moment)
        for subject, (message, domain) in shown.items():
            running.setdefault(subject, (moment, message, domain))
    for subject in list(running):
        end(subject, None, found[-1][0])
    yield from sorted(spells, key=lambda one: (-one.days, one.subject, one.first))
