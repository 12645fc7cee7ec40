"""Outcomes per asset: error is never pass, a waiver holds until it expires, a domain's policy speaks of that domain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineage.engine import Lineage
from lineage.errors import DeclarationError
from lineage.policies.evaluate import evaluate
from lineage.policies.load import library, parse_policy
from lineage.policies.model import Policy, PolicyResult, Waiver
from lineage.policies.schema import VIEWS, table_of_rows
from lineage.policies.views import fill
from tests.answers.builder import T0, World

DAY = timedelta(days=1)
ROWS = [
    {"id": "a", "kind": "dataset", "domain": "x"},
    {"id": "b", "kind": "dataset", "domain": "y", "owner": "ann"},
    {"id": "c", "kind": "dataset", "domain": "y"},
]
TABLES = {"asset": table_of_rows("asset", ROWS)}
SCOPE = "SELECT id AS subject FROM asset"
BAD = "SELECT id AS subject, 'no owner' AS message FROM asset WHERE owner IS NULL"


def policy(violations: str = BAD, scope: str = SCOPE, **more: Any) -> Policy:
    base = {"id": "p", "version": "1", "title": "t", "severity": "high", "stage": "scheduled", "domain": "*"}
    return Policy(**{**base, **more}, scope_sql=scope, violation_sql=violations)


def run(one: Policy, *waivers: Waiver, days: int = 0) -> PolicyResult:
    return evaluate(TABLES, [one], waivers, at=T0 + days * DAY)[0]


def waiver(expires_after: int, subject: str = "a", name: str = "w") -> Waiver:
    return Waiver(name, "p", subject, "grace", "moves", T0 + expires_after * DAY)


def test_each_asset_of_the_scope_passes_or_violates() -> None:
    found = run(policy())
    assert (found.count("pass"), [f.subject for f in found.findings]) == (1, ["a", "c"])
    assert found.findings[0].message == "no owner"


@pytest.mark.parametrize(
    ("violations", "scope", "why"),
    [
        ("SELECT id AS subject FROM asset", SCOPE, "subject and message"),
        ("SELECT id AS subject, 'x' AS message, 1 AS score FROM asset", SCOPE, "subject and message"),
        ("SELECT id, 'x' AS message FROM asset", SCOPE, "subject and message"),
        (BAD, "SELECT id FROM asset", "one column “subject”"),
        (BAD, "SELECT NULL AS subject", "no text"),
        (BAD, "SELECT id AS subject FROM asset WHERE domain = 'y'", "outside the scope"),
        ("SELECT 1 AS subject, 'x' AS message", SCOPE, "no text"),
        ("DELETE FROM asset", SCOPE, "Only SELECT"),
        ("SELECT * FROM nowhere", SCOPE, "does not exist"),
    ],
)
def test_a_policy_that_fails_is_in_error_and_passes_nothing(violations: str, scope: str, why: str) -> None:
    found = run(policy(violations, scope))
    assert found.error is not None and why in found.error
    assert (found.count("pass"), found.count("error"), found.findings) == (0, found.scope, ())


def test_a_waiver_holds_until_it_expires_and_is_told_afterwards() -> None:
    held = run(policy(), waiver(5), days=4).findings[0]
    assert (held.outcome, held.waiver) == ("waived", "w")
    ended = run(policy(), waiver(5), days=5).findings[0]
    assert (ended.outcome, ended.waiver, ended.expired_waiver) == ("violation", None, "w")
    again = run(policy(), waiver(5), waiver(9, name="w2"), days=6).findings[0]
    assert (again.outcome, again.waiver) == ("waived", "w2")


def test_a_policy_of_a_domain_speaks_of_that_domain_only() -> None:
    found = run(policy(domain="y"))
    assert (found.subjects, [f.subject for f in found.findings]) == (("b", "c"), ["c"])


def test_several_rows_about_one_subject_are_one_finding() -> None:
    twice = "SELECT 'a' AS subject, unnest(['z', 'k']) AS message"
    assert [f.message for f in run(policy(twice)).findings] == ["k (and 1 more)"]


def test_the_views_hold_what_was_observed() -> None:
    world = World()
    world.flow(["orders"], "build", ["report"])
    world.column_edge(("orders", "mail"), ("report", "mail"), "build", masking=True)
    world.assertion(world.dataset("report"), "not_null", "pass", column="mail")
    tables = fill(Lineage(world.store).view())
    assert set(tables) == set(VIEWS)
    for name, table in tables.items():
        assert table.column_names == list(VIEWS[name])
    assets = {row["id"]: row for row in tables["asset"].to_pylist()}
    assert (assets["dataset:pg:orders"]["readers"], assets["dataset:pg:report"]["writers"]) == (1, 1)
    assert (assets["dataset:pg:orders"]["reach"], assets["dataset:pg:report"]["tests"]) == (1, 1)
    (edge,) = tables["edge"].to_pylist()
    assert (edge["src"], edge["dst"], edge["crosses"]) == ("dataset:pg:orders", "dataset:pg:report", False)
    (flow,) = tables["column_edge"].to_pylist()
    assert (flow["src"], flow["dst_dataset"]) == ("column:pg:orders:mail", "dataset:pg:report")
    assert (flow["type"], flow["masking"]) == ("direct", True)


def test_the_library_runs_on_an_empty_store_without_an_error() -> None:
    results = evaluate(fill(Lineage(World().store).view()), library(), at=T0)
    assert [(r.policy.id, r.error) for r in results if r.error or r.scope] == []


@pytest.mark.parametrize(
    "line",
    ["ttl_hours: .nan", "ttl_hours: .inf", "remediation_days: 99999999", "escalation: [{to: x, after_days: .inf}]"],
)
def test_a_time_that_no_clock_can_hold_is_refused_before_it_stops_every_question(line: str) -> None:
    body = "id: p\ntitle: P\nseverity: low\nstage: scheduled\nscope_sql: SELECT 1\nviolation_sql: SELECT 1\n"
    with pytest.raises(DeclarationError, match="more than 0"):
        parse_policy(body + line, "p.yaml")
