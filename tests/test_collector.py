"""Pauses of the collector: what large pieces of work leave is not looked through, garbage is found all the same."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from lineage import collector
from lineage.collector import Ages, paused


class _Thing:
    """Something that can be part of a cycle."""


@pytest.fixture(params=[True, False])
def was_enabled(request: pytest.FixtureRequest) -> Iterator[bool]:
    was = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if was else gc.disable)()


def work(ages: Ages) -> tuple[weakref.ref[_Thing], list[list[int]]]:
    """A piece of work that leaves many objects and one cycle, which only the collector can free."""
    with paused(ages):
        assert not gc.isenabled()
        kept = [[number] for number in range(2 * collector._FEW)]
        thing = _Thing()
        thing.itself = thing  # type: ignore[attr-defined]
        seen = weakref.ref(thing)
        del thing
    return seen, kept


def test_a_pause_leaves_the_collector_as_it_was(was_enabled: bool) -> None:
    work(Ages())
    assert gc.isenabled() is was_enabled and gc.get_freeze_count() == 0


@pytest.mark.parametrize("was_enabled", [True], indirect=True)
def test_what_a_large_piece_of_work_left_joins_the_old_objects_unseen(was_enabled: bool) -> None:
    seen, kept = work(Ages())
    gc.collect(1)
    assert was_enabled and kept and seen() is not None
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize("was_enabled", [True], indirect=True)
def test_after_many_pieces_of_work_all_is_looked_through(was_enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_TIMES", 3)
    ages = Ages()
    done = [work(ages) for _ in range(3)]
    assert was_enabled and [seen() for seen, _ in done] == [None] * 3


@pytest.mark.parametrize("was_enabled", [True], indirect=True)
def test_what_somebody_froze_stays_frozen(was_enabled: bool) -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        work(Ages())
        assert was_enabled and gc.get_freeze_count() > 0.9 * frozen
    finally:
        gc.unfreeze()
