"""Back-test: what a proposed policy would have said over past states of the mesh."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.errors import UsageError
from lineage.policies.backtest import instants
from lineage.policies.load import parse_policy
from lineage.times import parse_instant
from tests.answers.builder import World, at
from tests.policies.people import people

TEXT = """\
id: alone
title: A dataset is read
severity: high
stage: scheduled
remediation_days: 2
scope_sql: SELECT id AS subject FROM asset WHERE kind = 'dataset'
violation_sql: |
  SELECT id AS subject, 'nobody reads it' AS message FROM asset
  WHERE kind = 'dataset' AND name = 'a' AND id NOT IN (SELECT src FROM edge)
tests:
  - {name: unread, rows: {asset: [{id: "dataset:pg:a", name: a, kind: dataset}]}, violations: ["dataset:pg:a"]}
  - {name: none, rows: {asset: []}, violations: []}
"""


@pytest.fixture
def lx() -> Lineage:
    """Nobody reads a until 5 January."""
    world = World()
    a, b = world.dataset("a"), world.dataset("b")
    world.edge(b, a, valid_from=at("2026-01-01"))
    world.edge(a, b, valid_from=at("2026-01-05"))
    return Lineage(world.store)


def ask(lx: Lineage, text: str = TEXT, **more: Any) -> Any:
    return lx.policies.backtest(parse_policy(text, "p"), start="2026-01-02", end="2026-01-06", **more)


def test_an_asset_is_open_from_its_first_violation_until_it_is_mended(lx: Lineage) -> None:
    found = ask(lx)
    assert [one.violations for one in found.steps] == [1, 1, 1, 0, 0]
    assert [one.recorded for one in found.steps] == [None] * 5
    (spell,) = found.spells
    assert (spell.subject, spell.first, spell.until) == ("dataset:pg:a", at("2026-01-02"), at("2026-01-05"))
    assert (spell.days, spell.overdue, found.first_violation) == (3.0, True, at("2026-01-02"))


def test_it_is_compared_with_what_was_recorded(lx: Lineage) -> None:
    rows = [("alone", "1.0.0", "dataset:pg:b", "violation", "m", at("2026-01-03"))]
    with lx.store.transaction() as cursor:
        for policy, version, subject, result, message, start in rows:
            cursor.execute(
                "INSERT INTO evaluation VALUES (?, ?, ?, ?, ?, NULL, NULL, ?, TIMESTAMP '9999-12-31', ?, "
                "TIMESTAMP '9999-12-31')",
                [policy, version, subject, result, message, start, start],
            )
        cursor.execute("INSERT INTO policy_run VALUES ('alone', '1.0.0', ?, 2, 1, 1, 0, NULL, 0.0)", [at("2026-01-03")])
    told = [(one.recorded, one.only_now, one.only_then) for one in ask(lx).steps]
    assert told == [(None, 0, 0), (1, 1, 1), (1, 1, 1), (1, 0, 1), (1, 0, 1)]


def test_a_policy_that_fails_is_in_error_at_every_instant_and_never_passes(lx: Lineage) -> None:
    found = ask(lx, TEXT.replace("nobody reads it' AS message FROM", "x' AS message, 1 AS odd FROM"))
    assert all(one.error and not one.passed for one in found.steps)
    assert found.spells == ()


@pytest.mark.parametrize("sql", ["COPY (SELECT 1) TO '/tmp/x'", "SELECT * FROM read_text('/etc/passwd')"])
def test_it_runs_in_the_sandbox(lx: Lineage, sql: str) -> None:
    found = ask(lx, TEXT.replace("SELECT id AS subject FROM asset WHERE kind = 'dataset'", sql, 1), step="4d")
    assert all(one.error for one in found.steps)


def test_the_route_takes_the_text_of_a_policy(lx: Lineage) -> None:
    body = {"policy": TEXT, "from": "2026-01-02", "to": "2026-01-06", "step": "2d"}
    told = people(lx).post("/api/v2/policies/backtest", json=body).json()
    assert [one["violations"] for one in told["steps"]] == [1, 1, 0]
    assert people(lx).post("/api/v2/policies/backtest", json={**body, "step": "often"}).status_code == 400


def test_a_hidden_asset_is_neither_listed_nor_counted(lx: Lineage) -> None:
    found = ask(lx, actor=Actor("eve", frozenset({"unassigned"})), step="4d")
    assert found.spells == ()
    assert [one.scope for one in found.steps] == [0, 0]


def test_both_ends_are_among_the_instants() -> None:
    now = parse_instant("2026-02-01")
    assert instants("2026-01-01", "2026-01-04", "2d", now)[-1] == at("2026-01-04")
    for start, end, step in (
        ("2026-01-02", "2026-01-01", "1d"),
        ("2020-01-01", None, "1h"),
        ("2026-01-01", None, "0d"),
    ):
        with pytest.raises(UsageError):
            instants(start, end, step, now)
