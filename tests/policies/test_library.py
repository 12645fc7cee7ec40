"""Every shipped policy does what its tests say, on bad rows and on good ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lineage.policies.evaluate import TestOutcome, run_tests, sandbox_for
from lineage.policies.load import is_own, library
from lineage.policies.sandbox import Here


@pytest.fixture(scope="module")
def outcomes() -> tuple[TestOutcome, ...]:
    return run_tests(library())


def test_every_shipped_policy_passes_its_tests(outcomes: tuple[TestOutcome, ...]) -> None:
    assert [one for one in outcomes if not one.passed] == []


def test_at_least_fifteen_policies_are_shipped_each_with_a_failing_and_a_passing_test() -> None:
    assert len(library()) >= 15
    for policy in library():
        assert any(test.violations for test in policy.tests), policy.id
        assert any(not test.violations for test in policy.tests), policy.id


def test_only_sql_that_is_ours_word_for_word_runs_without_a_wall() -> None:
    for policy in library():
        assert is_own(replace(policy, shipped=False, severity="low", owner="ann"))
        assert not is_own(replace(policy, violation_sql=policy.violation_sql + " -- mine"))
        assert not is_own(replace(policy, scope_sql=policy.scope_sql.upper() + " "))
    with sandbox_for([replace(library()[0], scope_sql="SELECT 'a' AS subject")]) as sandbox:
        assert not isinstance(sandbox, Here)
