"""Recorded violations as one actor may see them, under their most upstream cause, and acts upon them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from lineage.audit import record
from lineage.cause import causes
from lineage.errors import MeshlineError, UsageError
from lineage.policies.load import library, waivers_of
from lineage.policies.model import SEVERITIES, Policy, Waiver, read_policy
from lineage.policies.moment import moment
from lineage.policies.recording import WHOLE
from lineage.policies.showing import Sieve
from lineage.policies.views import fill
from lineage.policies.violations import Interval, Violation, ViolationAct, Violations, lives
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.store import Store
    from lineage.view import View

INTERVALS = """
-- one result over one interval of every asset that ever violated, as known at K
SELECT policy, subject, result, coalesce(message, ''), path, valid_from, valid_to FROM evaluation e
WHERE known_from <= $known AND known_to > $known AND valid_from <= $at AND subject <> $whole AND EXISTS (
  SELECT 1 FROM evaluation v WHERE v.policy = e.policy AND v.subject = e.subject AND v.result IN ('violation', 'waived')
)
ORDER BY policy, subject, valid_from
"""
_ACTS = """
-- what people did until T
SELECT policy, subject, act, assignee, coalesce(reason, ''), actor, acted_at FROM violation_act
WHERE acted_at <= $at AND acted_at <= $known ORDER BY acted_at
"""
_POLICIES = """
-- the version of each policy that held at T as known at K; of one that was taken back, the last that held
SELECT arg_max(document, valid_from) FROM policy
WHERE valid_from <= $at AND known_from <= $known AND known_to > $known GROUP BY name
"""


class UnknownViolationError(MeshlineError):
    """No violation has this id."""

    exit_code = 2
    status = 404


def violations(view: View, *, everything: bool = False) -> Violations:
    """Violations at one instant, those past their deadline first; ``everything``: also the fixed ones."""
    found = [one for one in _caused(view, _read(view)) if everything or one.state != "fixed"]
    found.sort(
        key=lambda one: (not one.overdue, -SEVERITIES.index(one.severity), one.deadline, one.policy, one.subject)
    )
    return Violations(tuple(found), moment(view), view.known_at)


def lives_of(view: View) -> tuple[Violation, ...]:
    """Every violation there ever was until an instant, without cause and domain: what figures are counted from."""
    return tuple(_read(view))


def find(view: View, name: str) -> Violation:
    """One violation by its id.

    Raises
    ------
    UnknownViolationError
        when there is none, or none that the actor may see.
    """
    for one in _caused(view, _read(view)):
        if one.id == name:
            return one
    raise UnknownViolationError(f"There is no violation “{name}”. meshline violations list --all names them.")


def act(view: View, name: str, what: Literal["acknowledge", "assign"], assignee: str | None, reason: str) -> None:
    """Write down what somebody does about a violation, with an entry in the audit log.

    Raises
    ------
    UnknownViolationError
        when there is no such violation.
    UsageError
        when it was fixed already, or is assigned to nobody.
    """
    if what == "assign" and not (assignee or "").strip():
        raise UsageError("Name somebody to assign it to.")
    one = find(view, name)
    if one.state == "fixed":
        raise UsageError(f"Violation {name} was fixed already.")
    now, who = utcnow(), view.actor.name
    with view.store.transaction() as cursor:
        cursor.execute(
            "INSERT INTO violation_act VALUES (?, ?, ?, ?, ?, ?, ?)",
            [one.policy, one.subject, what, assignee, reason, who, now],
        )
        payload = {"policy": one.policy, "subject": one.subject, "assignee": assignee, "reason": reason}
        record(cursor, actor=who, action=f"violation.{what}", resource=one.id, payload=payload, at=now)


def policies_until(view: View, read: Callable[[str], Policy] | None = None) -> dict[str, Policy]:
    """Every policy that there was until this instant, and those of the library; ``read`` makes one of its document."""
    read = read or (lambda document: read_policy(json.loads(document)))
    documents = view.store.rows(_POLICIES, {"at": moment(view), "known": view.known_at})
    return {one.id: one for one in (*library(), *(read(row[0]) for row in documents))}


# -- inside


def _read(view: View) -> list[Violation]:
    when = {"at": moment(view), "known": view.known_at}
    policies = policies_until(view)
    acts = acts_until(view.store, when)
    intervals: dict[tuple[str, str], list[Interval]] = {}
    for policy, subject, *rest in view.store.rows(INTERVALS, {**when, "whole": WHOLE}):
        intervals.setdefault((policy, subject), []).append(Interval(*rest))
    waivers = waivers_until(view)
    sieve = Sieve(view, fill(view) if view.restricted else {})
    found = []
    for (name, subject), held in intervals.items():
        policy = policies.get(name)
        if policy is None or not sieve.may_read(policy) or sieve.hides(subject):
            continue
        waived = waivers.get((name, subject), ())
        one = lives(policy, subject, ended(held, waived, moment(view)), acts.get((name, subject), ()), moment(view))
        if one is not None:
            found.append(_shown(view, sieve, policy, waived_by(one, waived, moment(view))))
    return found


def acts_until(store: Store, when: dict[str, datetime]) -> dict[tuple[str, str], list[ViolationAct]]:
    """What people did about violations until T, by policy and asset."""
    found: dict[tuple[str, str], list[ViolationAct]] = {}
    for policy, subject, *rest in store.rows(_ACTS, when):
        found.setdefault((policy, subject), []).append(ViolationAct(*rest))
    return found


def waivers_until(view: View) -> dict[tuple[str, str], list[Waiver]]:
    """Waivers that hold or held, by policy and asset."""
    found: dict[tuple[str, str], list[Waiver]] = {}
    for one in waivers_of(view.store, moment(view), view.known_at):
        found.setdefault((one.policy, one.subject), []).append(one)
    return found


def ended(held: Sequence[Interval], waivers: Sequence[Waiver], now: datetime) -> list[Interval]:
    """A waiver ends at its own time, not when the policies run next: from then on the asset violates again."""
    last = held[-1]
    ends = [one.expires for one in waivers]
    if last.result != "waived" or last.end <= now or not ends or max(ends) > now or max(ends) <= last.start:
        return list(held)
    over = max(ends)
    return [*held[:-1], replace(last, end=over), replace(last, result="violation", start=over)]


def waived_by(one: Violation, waivers: Sequence[Waiver], now: datetime) -> Violation:
    """The violation with the waiver that holds."""
    holding = max((w for w in waivers if w.expires > now), key=lambda w: (w.expires, w.id), default=None)
    if one.state != "waived" or holding is None:
        return one
    return replace(one, waiver=holding.id, waived_until=holding.expires)


def _shown(view: View, sieve: Sieve, policy: Policy, one: Violation) -> Violation:
    if not view.restricted:
        return one
    return replace(one, message=policy.title, path=tuple(sieve.label(step) for step in one.path if sieve.knows(step)))


def _caused(view: View, found: Sequence[Violation]) -> list[Violation]:
    """Each violation with its domain and with the most upstream asset that violates the same policy."""
    snapshot = view.snapshot
    places = {text: i for i, text in enumerate(snapshot.texts(range(snapshot.n)))} if found else {}
    failing: dict[str, list[int]] = {}
    for one in found:
        if one.state != "fixed" and one.subject in places:
            failing.setdefault(one.policy, []).append(places[one.subject])
    cause = {name: _nearest(view, nodes) for name, nodes in failing.items()}
    shown = []
    for one in found:
        i = places.get(one.subject)
        over = cause.get(one.policy, {}).get(i) if i is not None else None
        label = view.label(over) if over is not None and over != i else None
        shown.append(replace(one, cause=label, domain=view.domain(i) if i is not None else ""))
    return shown


def _nearest(view: View, nodes: Sequence[int]) -> Mapping[int | None, int]:
    return {
        member: group.cause
        for group in causes(view.snapshot, nodes)
        for member in (*group.cycle, *(one.node for one in group.members))
    }
