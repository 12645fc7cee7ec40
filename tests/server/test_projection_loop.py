"""When events become visible, without a server around it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

import ingest.projection_loop
from ingest.archive import LONGEST_TICK, TICK
from ingest.projection_loop import ProjectionLoop
from lineage.times import utcnow
from tests.server.running import until


def test_the_first_thing_it_does_is_to_catch_up() -> None:
    left = [3, 2, 0]
    loop = ProjectionLoop(lambda: left.pop(0), every=0.0)
    loop.start()
    until(lambda: not left)
    loop.stop()


def test_events_wait_until_their_tick_is_over_and_count_as_pending_until_then() -> None:
    calls: list[bool] = []
    at = utcnow() + timedelta(milliseconds=300)

    def project() -> int:
        calls.append(utcnow() >= at)
        return 0

    loop = ProjectionLoop(project, every=0.0)
    loop.add(5, at)
    loop.start()
    until(lambda: loop.state()[0] == 0)
    loop.stop()
    assert calls[-1] is True


def test_a_tick_is_short_until_projecting_would_take_more_than_a_third_of_the_time() -> None:
    loop = ProjectionLoop(lambda: 0, every=0.0)
    assert loop.tick() == TICK
    for took, ticks in ((0.03, 1), (0.05, 2), (0.12, 4), (5.0, 8)):
        loop._took = took
        assert loop.tick() == ticks * TICK


def test_a_tick_is_the_longest_while_events_come_faster_than_they_become_visible() -> None:
    loop = ProjectionLoop(lambda: 0, every=0.0)
    loop.add(5, utcnow() - timedelta(seconds=2))
    assert loop.tick() == LONGEST_TICK


def test_a_stop_projects_what_was_told_of_just_before() -> None:
    done = 0
    waiting = 0

    def project() -> int:
        nonlocal done, waiting
        took, waiting = waiting, 0
        done += took
        return took

    loop = ProjectionLoop(project, every=0.0)
    loop.start()
    waiting = 7
    loop.add(7, utcnow())
    loop.stop()
    assert done == 7


def test_a_stop_gives_up_on_work_without_end_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ingest.projection_loop, "_PATIENCE", 0.0)
    called = threading.Event()

    def endless() -> int:
        called.set()
        return 1

    loop = ProjectionLoop(endless, every=0.0)
    loop.add(9, utcnow())
    loop.start()
    until(called.is_set)
    loop.stop()
    assert "9 events are safe" in caplog.text


def test_a_failure_is_told_until_it_is_over() -> None:
    broken = threading.Event()
    broken.set()

    def project() -> int:
        if broken.is_set():
            raise RuntimeError("a defect")
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest.projection_loop, "_BACKOFF", (0.001, 0.01))
        loop = ProjectionLoop(project, every=0.0)
        loop.add(1, utcnow())
        loop.start()
        until(lambda: loop.state()[2])
        assert loop.state()[0] == 1
        broken.clear()
        until(lambda: loop.state() == (0, 0.0, None))
        loop.stop()
