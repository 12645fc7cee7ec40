"""The writer: archived blocks become rows, memory stays bounded, clocks may misbehave."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingest import archive, derive, entities, jobs
from ingest.writer import Writer
from lineage.store import Store
from lineage.times import utcnow
from tests.ingest.build import dataset_event, edges, empty_store, loaded, run_event
from tests.ingest.history import days, stamp
from tests.ingest.state import difference, state
from tests.ingest.test_order import awkward


def _append(store: Store, events: list[bytes], at: datetime) -> None:
    with store.transaction() as cursor:
        archive.append_block(cursor, archive.next_block(cursor), events, at, "http")


def test_archived_blocks_are_projected_once() -> None:
    with empty_store() as store:
        _append(store, [run_event(inputs=["a"], outputs=["b"])], utcnow() - timedelta(seconds=1))
        writer = Writer(store)
        assert (writer.project_pending(), writer.project_pending()) == (1, 0)
        assert Writer(store).project_pending() == 0
        assert edges(store) == {("a", "b", "product", "current")}


def test_a_tick_that_still_runs_is_not_projected_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    now = utcnow()
    monkeypatch.setattr("ingest.writer.utcnow", lambda: now)
    with empty_store() as store:
        _append(store, [run_event("r1")], now + archive.TICK / 2)
        assert Writer(store).project_pending() == 0
        now += archive.TICK * 2
        assert Writer(store).project_pending() == 1


def test_receipts_from_before_the_clock_was_set_back_are_projected() -> None:
    with empty_store() as store:
        _append(store, [run_event()], utcnow() + timedelta(days=2))
        assert Writer(store).project_pending() == 1


def test_blocks_of_one_tick_and_their_repetitions_are_one_state() -> None:
    with empty_store() as store, empty_store() as expected:
        at = utcnow() - timedelta(seconds=5)
        with store.transaction() as cursor:
            for event in (*awkward(), *awkward()):
                archive.append_block(cursor, archive.next_block(cursor), [event], at, "http")
        writer = Writer(store)
        while writer.project_pending():
            pass
        Writer(expected).ingest(awkward(), source="test")
        assert difference(state(expected), state(store)) == {}


def test_receipts_never_go_back() -> None:
    now = utcnow()
    with empty_store() as store:
        writer = Writer(store)
        writer.ingest([run_event("r1")], source="test", received_at=now)
        writer.ingest([run_event("r2")], source="test", received_at=now - timedelta(days=1))
        assert store.rows("SELECT count(DISTINCT received_at) FROM raw") == [(1,)]


@pytest.mark.parametrize("kept", [0, 1])
def test_what_memory_forgot_is_read_back(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    for module in (jobs, entities):
        monkeypatch.setattr(module, "_KEPT", kept)
    monkeypatch.setattr(entities, "_SPANS_KEPT", 20 * kept)
    monkeypatch.setattr(entities, "_COUNT_EVERY", 1)
    monkeypatch.setattr(derive, "_RUNS_KEPT", kept)
    monkeypatch.setattr(derive, "_SETS_KEPT", 5 if kept else 500)
    with empty_store() as store, empty_store() as expected:
        writer = Writer(store)
        for event in awkward():
            writer.ingest([event], source="test")
        Writer(expected).ingest(awkward(), source="test")
        assert difference(state(expected), state(store)) == {}


@pytest.mark.parametrize("late", [False, True], ids=["in order", "late"])
def test_a_past_that_was_folded_gives_the_same_edges(monkeypatch: pytest.MonkeyPatch, late: bool) -> None:
    history = [event for day in days(4, 12) for event in day if b"RENAME" not in event and b"DROP" not in event]
    if late:
        history = history[20:] + history[:20]
    with empty_store() as store, empty_store() as expected:
        Writer(expected).ingest(history, source="test")
        monkeypatch.setattr(jobs, "_TAIL", 1)
        writer = Writer(store)
        for start in range(0, len(history), 7):
            writer.ingest(history[start : start + 7], source="test")
        assert any(unit.past for unit in writer._derivation._jobs._units.values())
        assert difference(state(expected), state(store)) == {}


def test_a_drop_reopens_a_past_that_was_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_TAIL", 1)
    drop = dataset_event("a", stamp(3.5), lifecycleStateChange={"lifecycleStateChange": "DROP"})
    events = [*(run_event(f"r{day}", at=stamp(day), inputs=["a"], outputs=["b"]) for day in range(8)), drop]
    with loaded(*events) as expected, loaded(*events, one_by_one=True) as store:
        assert difference(state(expected), state(store)) == {}


def test_what_a_batch_looks_at_does_not_grow_with_the_history_of_its_job() -> None:
    with empty_store() as store:
        writer = Writer(store)
        for day in range(5):
            runs = (run_event(f"r{day}.{i}", at=stamp(day + i / 100), inputs=["a"], outputs=["b"]) for i in range(90))
            writer.ingest(list(runs), source="test")
        (unit,) = writer._derivation._jobs._units.values()
        assert len(unit.evidence) < 2 * jobs._TAIL < 5 * 90
        assert edges(store) == {("a", "b", "product", "current")}


def test_a_checkpoint_does_not_write_the_archive_again(tmp_path: Path) -> None:
    noise = random.Random(1)  # nothing that compression could make smaller
    with Store.open(tmp_path / "large.duckdb") as store:
        for turn in range(4):
            with store.transaction() as cursor:
                blocks = [[noise.randbytes(1_000_000)] for _ in range(9)]
                archive.append_blocks(cursor, turn * 9 + 1, blocks, utcnow(), "test")
            store.checkpoint()
        sizes = "SELECT used_blocks * block_size, free_blocks * block_size FROM pragma_database_size()"
        ((used, free),) = store.rows(sizes)
        assert used > 36_000_000
        assert free < 3_000_000
        with store.cursor() as cursor:
            assert len(archive.read_blocks(cursor, range(1, 37))) == 36
            assert archive.next_block(cursor) == 37
