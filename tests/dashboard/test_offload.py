"""Requests of pages run in threads that hold up no end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dashboard import offload
from dashboard.guard import Message, Receive, Scope, Send
from dashboard.offload import Offload


async def asked(app: Offload, sent: list[Message]) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"question"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http"}, receive, send)


def test_an_answer_comes_from_a_thread_and_an_error_reaches_who_asked() -> None:
    async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        if threading.current_thread() is threading.main_thread():
            raise AssertionError("on the loop of everybody")
        await send({"type": "http.response.body", "body": body})

    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise OSError("no")

    sent: list[Message] = []
    good, bad = Offload(echo, 1), Offload(fail, 1)
    asyncio.run(asked(good, sent))
    assert sent == [{"type": "http.response.body", "body": b"question"}]
    with pytest.raises(OSError, match="no"):
        asyncio.run(asked(bad, sent))
    good.close()
    bad.close()


def test_who_waits_is_told_at_once_when_the_server_leaves_and_the_end_does_not_wait_for_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(offload, "_PATIENCE", 0.05)
    begun, never = threading.Event(), threading.Event()

    async def think(_scope: Scope, _receive: Receive, _send: Send) -> None:
        begun.set()
        never.wait(60)

    async def scene(app: Offload, sent: list[Message]) -> None:
        question: asyncio.Task[Any] = asyncio.create_task(asked(app, sent))
        await asyncio.to_thread(begun.wait, 10)
        app.leave()
        await question
        await asked(app, sent)  # and who asks now

    app, sent = Offload(think, 1), list[Message]()
    asyncio.run(scene(app, sent))
    assert [message.get("status") for message in sent] == [503, None, 503, None]
    app.close()
    assert any(thread.is_alive() for thread in app._threads)  # still thinking, and nobody waits
    never.set()
