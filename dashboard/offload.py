"""Run the requests of an ASGI application in threads, each with an event loop of its own.

Dash calls ordinary callbacks on the event loop that serves everybody. A callback that thinks for a second would hold
up every producer that waits for its 201. So a page's requests are answered in a thread; the loop stays free.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from dashboard.guard import App, Message, Receive, Scope, Send

log = logging.getLogger("meshline.server")

_PATIENCE = 1.0  # seconds that the end waits for answers nobody gets any more
_CALM = 3.0  # seconds between two requests of one page at most
_LEFT: list[Message] = [
    {"type": "http.response.start", "status": 503, "headers": [(b"connection", b"close"), (b"retry-after", b"5")]},
    {"type": "http.response.body", "body": b"The server is shutting down."},
]


class Offload:
    """ASGI middleware for short http requests; bodies of request and response are held in memory.

    Parameters
    ----------
    app
        the application whose requests may take long.
    threads
        how many run at once; the next ones wait. They are daemons: an answer that is still being worked out when the
        server ends holds up nobody.
    """

    def __init__(self, app: App, threads: int = 8) -> None:
        self.app = app
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._waiting: set[asyncio.Future[list[Message]]] = set()
        self._leaving = False
        self._asked = float("-inf")
        self._threads = [
            threading.Thread(target=self._run, name=f"meshline-page_{n}", daemon=True) for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one http request."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        for message in _LEFT if self._leaving else await self._answered(scope, bytes(body)):
            await send(message)

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer, or got one just now and is about to ask for more."""
        return bool(self._waiting) or time.monotonic() - self._asked < _CALM

    def leave(self) -> None:
        """Tell all who wait for an answer that there will be none; to be called on the event loop they wait on."""
        self._leaving = True
        for future in self._waiting:
            if not future.done():
                future.set_result(_LEFT)

    def close(self) -> None:
        """Free the threads; those that go on thinking are waited for a second at most."""
        self._leaving = True
        for _ in self._threads:
            self._work.put(None)
        until = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))

    async def _answered(self, scope: Scope, body: bytes) -> list[Message]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Message]] = loop.create_future()

        def settle(error: BaseException | None, sent: list[Message]) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(sent)
            else:
                future.set_exception(error)

        def work() -> None:
            error, sent = None, list[Message]()
            try:
                sent = self._answer(scope, body)
            except Exception as raised:  # whatever it was, who waits is told
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, error, sent)

        self._waiting.add(future)
        try:
            self._work.put(work)
            return await future
        finally:
            self._waiting.discard(future)
            self._asked = time.monotonic()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            if not self._leaving:
                work()

    def _answer(self, scope: Scope, body: bytes) -> list[Message]:
        sent: list[Message] = []
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        async def run() -> None:
            await self.app(scope, receive, send)

        asyncio.run(run())
        return sent
