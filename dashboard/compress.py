"""Gzip for texts, off the event loop, and once only for files whose address changes with their content.

Compressing plotly's 4.8 MB takes 120 ms; on the event loop every producer would wait for it, on every first visit.
"""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections import OrderedDict

from dashboard.guard import App, Message, Receive, Scope, Send

SMALLEST = 1_000  # bytes; less is not worth the work
LARGEST = 32 * 1024 * 1024  # bytes held in memory; a longer answer goes out as it is
_LEVEL = 6
_INLINE = 32 * 1024  # compressed in 1 ms; handing it to a thread would take as long
_CACHE = 64 * 1024 * 1024
_TEXTS = (b"text/", b"application/json", b"application/javascript", b"image/svg+xml", b"application/xml")


class Compress:
    """ASGI middleware.

    Parameters
    ----------
    app
        the application whose answers are compressed.
    lasting
        parts of paths; a file under one of them is kept compressed under its path and query.
    """

    def __init__(self, app: App, lasting: tuple[str, ...] = ()) -> None:
        self.app = app
        self.lasting = lasting
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, compressed when the client can read it."""
        if scope["type"] != "http" or not _accepts(scope):
            await self.app(scope, receive, send)
            return
        plain = [header for header in scope["headers"] if header[0] != b"accept-encoding"]  # nobody inside compresses
        await self.app({**scope, "headers": plain}, receive, _Answer(self, scope, send))

    async def pack(self, scope: Scope, body: bytes) -> bytes:
        """The compressed body, from memory when it was packed before."""
        path = scope["path"]
        key = f"{path}?{scope['query_string'].decode('latin-1')}"
        lasts = any(part in path for part in self.lasting)
        with self._lock:
            if lasts and key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        if len(body) <= _INLINE:
            packed = gzip.compress(body, _LEVEL, mtime=0)
        else:
            packed = await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)
        if lasts:
            self._keep(key, packed)
        return packed

    def _keep(self, key: str, packed: bytes) -> None:
        with self._lock:
            self._size += len(packed) - len(self._kept.pop(key, b""))
            self._kept[key] = packed
            while self._size > _CACHE:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped)


class _Answer:
    """Holds one answer back until it is whole, then sends it compressed."""

    def __init__(self, owner: Compress, scope: Scope, send: Send) -> None:
        self._owner = owner
        self._scope = scope
        self._send = send
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self._size = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_text(message):
            self._start = message
            return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._parts.append(message.get("body", b""))
        self._size += len(self._parts[-1])
        more = message.get("more_body", False)
        if more and self._size <= LARGEST:
            return
        start, self._start = self._start, None
        body = b"".join(self._parts)
        self._parts = []
        if more or self._size < SMALLEST:
            await self._send(start)
        else:
            body = await self._owner.pack(self._scope, body)
            await self._send({**start, "headers": _packed_headers(start, len(body))})
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _accepts(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value.lower() for name, value in scope["headers"])


def _is_text(start: Message) -> bool:
    headers = dict(start.get("headers", ()))
    kind = headers.get(b"content-type", b"application/json")  # Dash answers callbacks without a type
    return start["status"] == 200 and kind.startswith(_TEXTS) and b"content-encoding" not in headers


def _packed_headers(start: Message, size: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in start["headers"] if name not in (b"content-length", b"vary")]
    return [
        *kept,
        (b"content-encoding", b"gzip"),
        (b"vary", b"accept-encoding"),
        (b"content-length", str(size).encode()),
    ]
