"""Violations live: a row only when something changes, deadlines, reopening, causes, acts, and nothing for the blind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.policies.escalation import steps_of
from lineage.policies.ledger import UnknownViolationError
from lineage.policies.model import Finding, Policy, PolicyResult, read_policy
from lineage.policies.recording import keep
from lineage.policies.violations import Interval, ViolationAct, lives
from lineage.store import Store
from lineage.times import OPEN_END
from tests.answers.builder import T0, World

DAY = timedelta(days=1)
P = Policy("owner-present", "1", "Owned", "high", "scheduled", "*", "", "", remediation_days=6)


def result(day: int, subjects: str, bad: str = "", error: str | None = None) -> PolicyResult:
    findings = tuple(Finding(P.id, one, "violation", "no owner") for one in bad)
    return PolicyResult(P, T0 + day * DAY, tuple(subjects), findings, error)


def record(store: Store, one: PolicyResult) -> int:
    return keep(store, [one], actor="ann", now=one.evaluated_at).changed


def state(store: Store, at: datetime, known: datetime | None = None) -> dict[str, str]:
    rows = store.rows(
        "SELECT subject, result FROM evaluation WHERE valid_from <= $at AND valid_to > $at "
        "AND known_from <= $known AND known_to > $known",
        {"at": at, "known": known or OPEN_END - DAY},
    )
    return dict(rows)


def test_a_row_is_written_only_when_a_result_changes(store: Store) -> None:
    assert record(store, result(0, "ab", "a")) == 2
    assert record(store, result(1, "ab", "a")) == 0
    assert record(store, result(2, "ab", "")) == 1
    assert state(store, T0 + DAY) == {"a": "violation", "b": "pass"}
    assert state(store, T0 + 2 * DAY) == {"a": "pass", "b": "pass"}
    assert state(store, T0 + 9 * DAY, T0 + DAY) == {"a": "violation", "b": "pass"}  # what was believed on day 1
    assert store.rows("SELECT count(*), sum(violations) FROM policy_run") == [(3, 2)]
    assert store.rows("SELECT count(*) FROM audit WHERE action = 'policy.evaluate'") == [(3,)]


def test_an_asset_that_leaves_the_scope_is_closed(store: Store) -> None:
    record(store, result(0, "ab", "a"))
    assert record(store, result(1, "b")) == 1
    assert state(store, T0 + DAY) == {"b": "pass"}


def test_a_policy_in_error_passes_nothing_and_mends_nothing(store: Store) -> None:
    record(store, result(0, "ab", "a"))
    record(store, result(1, "ab", error="no such column"))
    assert state(store, T0 + DAY) == {"": "error", "a": "violation", "b": "error"}
    record(store, result(2, "ab", "a"))
    assert state(store, T0 + 2 * DAY) == {"a": "violation", "b": "pass"}


def intervals(*parts: tuple[str, int, int]) -> Sequence[Interval]:
    return [Interval(word, "m", None, T0 + a * DAY, T0 + b * DAY) for word, a, b in parts]


@pytest.mark.parametrize(
    ("parts", "day", "found", "opened", "deadline", "reopened"),
    [
        ([("violation", 0, 99)], 1, "open", 0, 6, 0),
        ([("violation", 0, 3), ("pass", 3, 99)], 5, "fixed", 0, 6, 0),
        ([("violation", 0, 3), ("pass", 3, 9), ("violation", 9, 99)], 9, "reopened", 0, 6, 1),
        ([("violation", 0, 3), ("pass", 3, 11), ("violation", 11, 99)], 12, "open", 11, 17, 0),
        ([("violation", 0, 2), ("waived", 2, 99)], 5, "waived", 0, 9, 0),
        ([("violation", 0, 2), ("waived", 2, 5), ("violation", 5, 99)], 7, "open", 0, 9, 0),
    ],
)
def test_what_comes_back_in_a_week_is_the_same_and_only_a_waiver_stops_the_clock(
    parts: list[tuple[str, int, int]], day: int, found: str, opened: int, deadline: int, reopened: int
) -> None:
    one = lives(P, "a", intervals(*parts), (), T0 + day * DAY)
    assert one is not None
    assert (one.state, one.reopened) == (found, reopened)
    assert (one.opened, one.deadline) == (T0 + opened * DAY, T0 + deadline * DAY)


def test_what_was_acknowledged_before_it_went_is_reopened_when_it_returns() -> None:
    back = intervals(("violation", 0, 3), ("pass", 3, 5), ("violation", 5, 99))
    acts = [ViolationAct(act, who, "", "ann", T0 + day * DAY) for act, who, day in
            (("assign", "bob", 1), ("acknowledge", None, 7))]  # fmt: skip
    told = [lives(P, "a", back, acts, T0 + day * DAY) for day in (2, 6, 8)]
    assert [one and (one.state, one.assignee) for one in told] == [
        ("acknowledged", "bob"), ("reopened", "bob"), ("acknowledged", "bob"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("severity", "days", "told"),
    [
        ("critical", (0, 1, 2, 3), ["owner 0", "owner 1", "domain owner 2", "central 3"]),
        ("high", (6, 7, 10, 14), ["owner 0", "owner 1", "domain owner 2", "central 3"]),
        ("medium", (29, 30, 45, 46), ["owner 0", "owner 1", "domain owner 2", "domain owner 2"]),
        ("low", (89, 90), ["owner 0", "owner 1"]),
    ],
)
def test_escalation_follows_the_deadlines_of_the_severity(
    severity: str, days: tuple[int, ...], told: list[str]
) -> None:
    policy = Policy("p", "1", "P", severity, "scheduled", "*", "", "")
    found = [lives(policy, "a", intervals(("violation", 0, 999)), (), T0 + day * DAY) for day in days]
    assert [one and f"{one.escalation} {one.level}" for one in found] == told


def test_a_step_may_name_its_own_days_and_a_waiver_stops_them() -> None:
    policy = read_policy(
        {"id": "p", "title": "P", "severity": "high", "stage": "ingest", "scope_sql": "", "violation_sql": "",
         "escalation": ["owner", {"to": "ciso", "after_days": 2}]}
    )  # fmt: skip
    assert [(step.to, step.after / DAY) for step in steps_of(policy)] == [("ciso", 2), ("owner", 7)]
    plain = lives(policy, "a", intervals(("violation", 0, 99)), (), T0 + DAY)
    waited = lives(policy, "a", intervals(("waived", 0, 5), ("violation", 5, 99)), (), T0 + 6 * DAY)
    assert plain is not None and waited is not None
    assert (plain.next_step, waited.next_step) == (T0 + 2 * DAY, T0 + 7 * DAY)


def test_a_deadline_passes_when_nobody_mends() -> None:
    told = [lives(P, "a", intervals(("violation", 0, 99)), (), T0 + day * DAY) for day in (6, 7)]
    assert [one and one.overdue for one in told] == [False, True]


def test_acts_before_a_violation_do_not_count_for_it() -> None:
    old = ViolationAct("assign", "bob", "", "ann", T0 - DAY)
    one = lives(P, "a", intervals(("violation", 0, 99)), (old,), T0 + DAY)
    assert one is not None and (one.state, one.assignee) == ("open", None)


@pytest.fixture
def lx() -> Lineage:
    world = World()
    world.flow(["orders"], "build", ["report"])
    lx = Lineage(world.store)
    lx.policies.record("owner-present", actor=Actor("ann"))
    return lx


def test_violations_stand_under_their_most_upstream_cause(lx: Lineage) -> None:
    found = {one.subject: one.cause for one in lx.policies.violations().violations}
    assert found["dataset:pg:orders"] is None
    assert found["dataset:pg:report"] == "dataset:pg:orders"


def test_people_acknowledge_and_assign_and_the_log_says_so(lx: Lineage) -> None:
    name = next(one.id for one in lx.policies.violations().violations if one.subject == "dataset:pg:orders")
    assert lx.policies.acknowledge(name, "on it", actor=Actor("bob")).state == "acknowledged"
    with pytest.raises(UsageError, match="Name somebody"):
        lx.policies.assign(name, " ", actor=Actor("bob"))
    assert lx.policies.assign(name, "carol", actor=Actor("bob")).assignee == "carol"
    assert [act.actor for act in lx.policies.violation(name).acts] == ["bob", "bob"]
    acts = lx.store.rows("SELECT action, actor, resource FROM audit WHERE action LIKE 'violation.%' ORDER BY seq")
    assert acts == [("violation.acknowledge", "bob", name), ("violation.assign", "bob", name)]
    with pytest.raises(UnknownViolationError):
        lx.policies.acknowledge("v000")


def test_a_fixed_violation_cannot_be_acknowledged(lx: Lineage) -> None:
    name = lx.policies.violations().violations[0].id
    fixed = Policy("owner-present", "2", "Owned", "medium", "scheduled", "*", "", "")
    keep(lx.store, [PolicyResult(fixed, T0, ())], actor="ann", now=lx.view().as_of)
    assert lx.policies.violations().violations == ()
    assert lx.policies.violation(name).state == "fixed"
    with pytest.raises(UsageError, match="fixed already"):
        lx.policies.acknowledge(name)


def test_violations_of_a_hidden_domain_are_unknown(lx: Lineage) -> None:
    blind = Actor("eve", frozenset({"unassigned"}))
    name = lx.policies.violations().violations[0].id
    assert lx.policies.violations(actor=blind).violations == ()
    with pytest.raises(UnknownViolationError):
        lx.policies.violation(name, actor=blind)
