"""Answers that readers share."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from dashboard.memo import YOUNG, Memo, noticing, oldest


class Changing:
    """An engine whose state is a number."""

    state = 1


def test_twenty_who_ask_the_same_at_once_get_one_answer() -> None:
    memo, asked, go = Memo(Changing()), [], threading.Event()  # type: ignore[arg-type]

    def find() -> object:
        asked.append(1)
        go.wait(5)
        return object()

    with ThreadPoolExecutor(20) as pool:
        found = [pool.submit(memo.at_once, "picture", find) for _ in range(20)]
        go.set()
    assert len({id(one.result()) for one in found}) == len(asked) == 1


def test_what_a_click_shows_is_asked_anew_as_soon_as_the_store_has_changed() -> None:
    lx, clock = Changing(), [0.0]
    memo = Memo(lx, clock=lambda: clock[0])  # type: ignore[arg-type]
    assert memo.at_once("picture", lambda: "old") == "old"
    assert memo.at_once("picture", lambda: "new") == "old"
    lx.state = 2
    assert memo.at_once("picture", lambda: "new") == "new"
    clock[0] = 61.0  # what is late depends on now
    assert memo.at_once("picture", lambda: "later") == "later"


def test_who_gets_an_answer_from_before_the_store_changed_is_told_of_when_it_is_and_when_to_ask_again() -> None:
    lx, clock = Changing(), [0.0]
    memo = Memo(lx, clock=lambda: clock[0])  # type: ignore[arg-type]
    with noticing() as held:
        memo.get("figure", lambda: "old")
        memo.get("figure", lambda: "new")
    assert held == []
    lx.state, clock[0] = 2, 2.0
    with noticing() as held:
        assert memo.get("figure", lambda: "new") == "old"
    (told,) = held
    assert 0.0 < told.left <= YOUNG - 2.0
    assert abs(told.of - time.time()) < 60.0
    clock[0] += told.left
    with noticing() as held:
        assert memo.get("figure", lambda: "new") == "new"
    assert held == []


def test_an_answer_made_of_a_held_one_is_as_old_and_lasts_no_longer() -> None:
    lx, clock = Changing(), [0.0]
    memo = Memo(lx, clock=lambda: clock[0])  # type: ignore[arg-type]

    def table(word: str) -> str:
        return memo.get("table", lambda: f"table of {memo.get('figure', lambda: word)}")

    memo.get("figure", lambda: "old")
    lx.state, clock[0] = 2, 1.0
    for _ in range(2):  # made, and given again
        with noticing() as held:
            assert table("new") == "table of old"
        assert oldest(held) is not None
    clock[0] = YOUNG
    with noticing() as held:
        assert table("new") == "table of new"
    assert held == []
