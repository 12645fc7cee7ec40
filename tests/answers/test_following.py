"""Readers keep the last instant while a server makes events visible, and say of when it is."""

from __future__ import annotations

import pytest

import lineage.engine
from lineage.engine import Lineage
from tests.answers.builder import World, at


def batch(world: World, name: str) -> None:
    """What the projector does for one batch of events."""
    world.flow(["a"], "load", [name], known_from=at("2026-01-02"))
    world.store.batches += 1


@pytest.fixture
def lx(world: World) -> Lineage:
    world.flow(["a"], "load", ["b"])
    return Lineage(world.store)


def below(lx: Lineage) -> set[str]:
    return {node.id for node in lx.impact("dataset:pg:a").nodes if node.kind == "dataset"}


def test_answers_stay_those_of_before_until_the_next_instant_is_ready(world: World, lx: Lineage) -> None:
    before = lx.view()
    with lx.following():
        batch(world, "c")
        inside = lx.view()
        assert inside.instant is before.instant
        assert inside.as_of == before.snapshot.as_of  # not now: something newer is there
        assert below(lx) == {"dataset:pg:b"}
        held = lx.state
    assert lx.state == held + 1
    assert below(lx) == {"dataset:pg:b", "dataset:pg:c"}


def test_the_next_instant_is_made_before_anybody_asks_where_somebody_asked_lately(world: World, lx: Lineage) -> None:
    lx.view()
    with lx.following():
        batch(world, "c")
    made = lx._now
    assert made is not None
    assert lx.view().instant is made


def test_nothing_is_made_where_nobody_asked(world: World, lx: Lineage) -> None:
    with lx.following():
        batch(world, "c")
    assert lx._now is None
    assert below(lx) == {"dataset:pg:b", "dataset:pg:c"}


def test_who_acts_meanwhile_sees_it_at_once(world: World, lx: Lineage) -> None:
    lx.view()
    with lx.following():
        batch(world, "c")
        lx.owners.set("dataset:pg:b", "ann", reason="she said so")
        assert lx.show("dataset:pg:b").owner == "ann"
        assert below(lx) == {"dataset:pg:b", "dataset:pg:c"}
    assert lx.show("dataset:pg:b").owner == "ann"


def test_a_projection_without_end_holds_nobody_up(world: World, lx: Lineage, monkeypatch: pytest.MonkeyPatch) -> None:
    lx.view()
    monkeypatch.setattr(lineage.engine, "_HELD", -1.0)
    with lx.following():
        batch(world, "c")
        assert below(lx) == {"dataset:pg:b", "dataset:pg:c"}


def test_a_failed_projection_leaves_answers_as_they_are(world: World, lx: Lineage) -> None:
    lx.view()
    with pytest.raises(OSError), lx.following():
        raise OSError
    batch(world, "c")
    assert below(lx) == {"dataset:pg:b", "dataset:pg:c"}


def test_a_comparison_with_the_past_works_while_events_become_visible(world: World, lx: Lineage) -> None:
    lx.view()
    with lx.following():
        batch(world, "c")
        found = lx.diff("2025-01-01", None)  # now is still the instant of before, the past is read from the store
        assert found.known_from == found.known_to
        assert "dataset:pg:c" not in {one.id for one in found.changes}
        assert lx.overlay("change", since="2025-01-01").marks
