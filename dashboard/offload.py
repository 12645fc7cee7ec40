"""Run the requests of an ASGI application in threads, each with an event loop of its own.

Dash calls ordinary callbacks on the event loop that serves everybody. A callback that thinks for a second would hold
up every producer that waits for its 201. So a page's requests are answered in a thread; the loop stays free.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from dashboard.guard import App, Message, Receive, Scope, Send


class Offload:
    """ASGI middleware for short http requests; bodies of request and response are held in memory.

    Parameters
    ----------
    app
        the application whose requests may take long.
    threads
        how many run at once; the next ones wait.
    """

    def __init__(self, app: App, threads: int = 8) -> None:
        self.app = app
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="meshline-page")

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
        loop = asyncio.get_running_loop()
        for message in await loop.run_in_executor(self._pool, self._answer, scope, bytes(body)):
            await send(message)

    def close(self) -> None:
        """Let running requests end and free the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

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
