"""Every shipped policy does what its tests say, on bad rows and on good ones."""

from __future__ import annotations

import pytest

from lineage.policies.evaluate import TestOutcome, run_tests
from lineage.policies.load import library


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
