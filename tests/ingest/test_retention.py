"""Retention lets go only what it is asked to, and says so in the audit log (docs/retention.md)."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from ingest.retention import Rule, retain_quarantine
from ingest.writer import Writer
from lineage.errors import UsageError
from lineage.fingerprint import fingerprint
from lineage.store import Store
from lineage.times import utcnow
from tests.ingest.build import empty_store, run_event
from tests.ingest.cli import Cli

NOW = utcnow()


def filled() -> Store:
    """Three refused inputs, ten days apart, and one event."""
    store = empty_store()
    for days in (20, 10, 0):
        at = NOW - timedelta(days=days)
        Writer(store).ingest([b"{%d" % days, run_event()], source="test", received_at=at)
    return store


def refused(store: Store) -> int:
    return int(store.rows("SELECT count(*) FROM quarantine")[0][0])


def test_a_dry_run_changes_nothing_and_apply_does_what_it_said() -> None:
    with filled() as store:
        rule = Rule(days=5, keep=1)
        plan = retain_quarantine(store, rule, now=NOW, actor="ann", apply=False)
        assert (plan.rows, plan.kept, plan.applied, refused(store)) == (2, 1, False, 3)
        assert store.rows("SELECT * FROM audit") == []
        before = fingerprint(store)
        done = retain_quarantine(store, rule, now=NOW, actor="ann", apply=True)
        assert (done.rows, done.kept, done.applied, refused(store)) == (2, 1, True, 1)
        assert fingerprint(store) == before
        assert store.rows("SELECT actor, action, resource FROM audit") == [("ann", "retention.apply", "quarantine")]
        assert retain_quarantine(store, rule, now=NOW, actor="ann", apply=True).rows == 0


def test_the_newest_stay_whatever_their_age_and_only_replayed_ones_go_if_wanted() -> None:
    with filled() as store:
        assert retain_quarantine(store, Rule(days=0, keep=2), now=NOW, actor="a", apply=False).rows == 1
        assert retain_quarantine(store, Rule(days=5, replayed=True), now=NOW, actor="a", apply=False).rows == 0


@pytest.mark.parametrize(
    "rule", [Rule(), Rule(replayed=True), Rule(days=-1), Rule(keep=-1), Rule(days=math.nan), Rule(days=1e9)]
)
def test_a_rule_has_to_limit_something_and_to_name_a_time(rule: Rule) -> None:
    with filled() as store, pytest.raises(UsageError):
        retain_quarantine(store, rule, now=NOW, actor="a", apply=True)


def test_the_command_only_says_what_would_go(meshline: Cli) -> None:
    meshline("ingest", meshline.write("events.ndjson", run_event() + b"\n{broken\n"))
    code, out, _ = meshline("retention", "quarantine", "--keep", "0")
    assert code == 0 and b"1 rows" in out and b"say --apply" in out
    assert meshline("retention", "quarantine", "--keep", "0", "--apply", "--actor", "ann")[0] == 0
    assert b"0 rows" in meshline("retention", "quarantine", "--keep", "0")[1]
