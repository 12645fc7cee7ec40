"""Answers that readers share."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from dashboard.memo import Memo


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
