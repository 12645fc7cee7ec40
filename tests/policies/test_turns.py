"""Policies at ingest time and by the clock: touched assets only, cheap when nothing came, error never pass."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.writer import Writer
from lineage.declared import apply
from lineage.engine import Lineage
from lineage.policies import turns
from lineage.policies.turns import GovernanceLoop, Turn, look, run_when_due
from lineage.store import Store
from lineage.times import utcnow
from tests.answers.builder import World

POLICY = """\
id: owned
title: Owned
severity: high
stage: ingest
scope_sql: SELECT id AS subject FROM asset WHERE kind = 'dataset'
violation_sql: SELECT id AS subject, 'nobody' AS message FROM asset WHERE kind = 'dataset' AND owner IS NULL
"""
EVENT = (
    '{{"eventType":"COMPLETE","eventTime":"2026-03-0{day}T00:00:00Z","run":{{"runId":"0192-{name}"}},'
    '"job":{{"namespace":"airflow","name":"{name}"}},"inputs":[{{"namespace":"pg","name":"{name}_in"}}],'
    '"outputs":[{{"namespace":"pg","name":"{name}_out"}}],"producer":"https://p","schemaURL":"https://s"}}'
)


def declare(store: Store, folder: Path, text: str = POLICY) -> Lineage:
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "p.yaml").write_text(text)
    apply(store, folder)
    return Lineage(store)


def take(store: Store, name: str, day: int = 1) -> None:
    Writer(store).ingest([EVENT.format(name=name, day=day).encode()], source="test", received_at=utcnow())


def kept(lx: Lineage) -> dict[str, str]:
    rows = lx.store.rows("SELECT subject, result FROM evaluation WHERE known_to = '9999-12-31' ORDER BY subject")
    return dict(rows)


def test_only_what_events_touched_is_kept_and_an_idle_look_asks_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, "a")
    lx = declare(store, tmp_path)
    assert look(lx).changed == 2
    assert kept(lx) == {"dataset:pg:a_in": "violation", "dataset:pg:a_out": "violation"}
    with monkeypatch.context() as nothing:
        nothing.setattr(turns, "touched_since", lambda *_: pytest.fail("it looked"))
        assert look(lx) == Turn(0, 0)
    before = lx.store.rows("SELECT policy, subject, known_from FROM evaluation ORDER BY ALL")
    take(store, "b", day=2)
    assert look(lx).changed == 2
    after = lx.store.rows("SELECT policy, subject, known_from FROM evaluation ORDER BY ALL")
    assert set(before) <= set(after) and len(after) == 4
    assert lx.store.rows("SELECT count(*) FROM policy_run") == [(0,)]  # a look is no run of all


def test_a_policy_that_fails_at_ingest_time_is_error_and_never_pass(store: Store, tmp_path: Path) -> None:
    take(store, "a")
    lx = declare(store, tmp_path, POLICY.replace("'nobody' AS message", "no_such_column AS message"))
    look(lx)
    assert set(kept(lx).values()) == {"error"}


def test_without_an_applied_policy_of_the_stage_nothing_runs(store: Store, tmp_path: Path) -> None:
    take(store, "a")
    assert look(Lineage(store)) == Turn(0, 0)
    assert not run_when_due(Lineage(store), timedelta(0))
    assert look(declare(store, tmp_path, POLICY.replace("stage: ingest", "stage: scheduled"))) == Turn(0, 0)


def test_all_policies_run_when_the_last_run_is_old_enough(store: Store, tmp_path: Path) -> None:
    take(store, "a")
    lx = declare(store, tmp_path, POLICY.replace("stage: ingest", "stage: scheduled"))
    day = timedelta(days=1)
    assert run_when_due(lx, day)
    assert not run_when_due(lx, day)
    assert run_when_due(lx, day, now=utcnow() + day)
    assert lx.store.rows("SELECT count(*) FROM policy_run") == [(2,)]


def test_the_thread_outlives_a_turn_that_fails_and_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lx = Lineage(World().store)
    called = threading.Event()

    def fail(_: Lineage) -> Turn:
        called.set()
        raise RuntimeError("broken")

    monkeypatch.setattr(turns, "look", fail)
    loop = GovernanceLoop(lx, None, look_every=0.001, environment={})
    loop.start()
    assert called.wait(10)
    loop.stop()
    assert loop.turns == 0


def test_a_clock_that_was_set_back_does_not_rewrite_the_past(store: Store, tmp_path: Path) -> None:
    take(store, "a")
    lx = declare(store, tmp_path)
    now = utcnow()
    lx.policies.record(at=now)
    with store.transaction() as cursor:  # as if the clock had been a day ahead
        cursor.execute("UPDATE evaluation SET known_from = known_from + INTERVAL 1 DAY")
    take(store, "b", day=2)
    lx.policies.record()
    late = store.rows("SELECT min(known_from), max(known_from) FROM evaluation")[0]
    assert late[0] == late[1]
    assert store.rows("SELECT count(*) FROM evaluation WHERE known_to < known_from") == [(0,)]
