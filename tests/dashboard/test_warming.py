"""The first page's figures are worked out after a start, and the server says how far it is."""

from __future__ import annotations

import threading

from dashboard.warming import LEAST, Warming, steps
from lineage.engine import Lineage
from tests.answers.builder import World


def test_it_says_what_it_is_at_and_asks_nothing_more_after_a_stop() -> None:
    asked: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def first() -> None:
        asked.append("first")
        begun.set()
        go.wait(10)

    warming = Warming(lambda: [("quality", first), ("runs", lambda: asked.append("second"))])
    assert warming.text == ""
    warming.start()
    assert begun.wait(10)
    assert warming.text.endswith("quality (1 of 2).")
    warming.stop(0.0)
    go.set()
    warming.stop(10)
    assert (asked, warming.text) == (["first"], "")


def test_no_question_is_begun_while_people_wait_for_answers() -> None:
    waiting, looked, asked = [True, True, False], threading.Event(), threading.Event()

    def busy() -> bool:
        looked.set()
        assert not asked.is_set()
        return waiting.pop(0)

    warming = Warming(lambda: [("quality", asked.set)], busy)
    warming.start()
    assert looked.wait(10)
    assert asked.wait(10)
    warming.stop(10)
    assert waiting == []


def test_of_a_small_mesh_nothing_is_asked_ahead() -> None:
    world = World()
    world.flow(["a"], "load", ["b"])
    lx = Lineage(world.store)
    warming = Warming.of(lx)
    warming.start()
    warming.stop(10)
    assert lx._now is None
    assert LEAST > 2


def test_every_question_can_be_asked() -> None:
    world = World()
    world.flow(["a"], "load", ["b"])
    for _, ask in steps(Lineage(world.store)):
        ask()
