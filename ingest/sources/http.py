"""OpenLineage over HTTP: ``POST /api/v1/lineage`` and ``POST /api/v1/lineage/batch``.

A raw ASGI application, since routing and body models of a framework cost more than the durable write itself.

===== ==================================================================================
201   the event is on disk (empty body)
200   batch: status object of the OpenLineage specification, events on disk
400   no JSON, no UTF-8, damaged compression
413   larger than the limit after inflating
415   another Content-Type or Content-Encoding
422   JSON, but unusable as an event; kept in the quarantine
503   too much waits already, or the disk refused: nothing was kept, ``Retry-After`` says when
===== ==================================================================================

415 for another type, as Marquez answers; the OpenLineage clients send ``application/json``.

503 rather than 429 for a full queue: the OpenLineage clients repeat a request after 503, and give up after 429.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from ingest.envelope import Envelope, Refusal
from ingest.live import CommitError, LiveIngest, QueueFullError
from ingest.quarantine import Rejected
from ingest.scan import read, read_whole
from ingest.sources.bodies import BodyError, inflate, too_large

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SINGLE = "/api/v1/lineage"
BATCH = "/api/v1/lineage/batch"
ROUTES = {SINGLE: False, f"{SINGLE}/": False, BATCH: True, f"{BATCH}/": True}
"""Path → whether a batch is sent there. A slash at the end changes nothing: a redirect would lose the body."""
MAX_BODY = 64 * 1024 * 1024

_INLINE = 16 * 1024  # bytes on the wire; more is inflated and read in a thread, so that nobody waits for it
_CREATED: tuple[dict[str, Any], dict[str, Any]] = (
    {"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"0")]},
    {"type": "http.response.body", "body": b""},
)
_STATUS = {"not-json": 400, "not-utf8": 400, "too-large": 413}
_split_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class LineageReceiver:
    """ASGI application for the two POST routes; path and method were checked by the caller.

    Parameters
    ----------
    live
        where events become durable.
    max_body
        most bytes of a body after inflating.
    """

    def __init__(self, live: LiveIngest, *, max_body: int = MAX_BODY) -> None:
        self.live = live
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send, *, batch: bool) -> None:
        """Answer one request."""
        try:
            body = await self._body(scope, receive)
            if body is None:
                return  # the client has gone
            if batch:
                await self._batch(body, send)
            else:
                await self._single(body, send)
        except BodyError as error:
            await answer(send, error.status, {"error": error.code, "detail": str(error)})
        except (QueueFullError, CommitError) as error:
            code = "queue-full" if isinstance(error, QueueFullError) else "store-refused"
            await answer(
                send,
                503,
                {"error": code, "detail": str(error)},
                [(b"retry-after", str(error.retry_after).encode())],
            )

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """The inflated body; ``None`` when the client went away in the middle."""
        encoding = _check_headers(scope, self.max_body)
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self.max_body:
                raise too_large(self.max_body)
            chunks.append(chunk)
            if not message.get("more_body"):
                break
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        if not encoding:
            return body
        if size <= _INLINE:
            return inflate(body, encoding, self.max_body)
        return await asyncio.to_thread(inflate, body, encoding, self.max_body)

    async def _single(self, body: bytes, send: Send) -> None:
        found = read_whole(body) if len(body) <= _INLINE else await asyncio.to_thread(read_whole, body)
        if not isinstance(found, Refusal):
            await self.live.accept((found,))
            await send(_CREATED[0])
            await send(_CREATED[1])
            return
        if found.reason != "not-an-event":
            await self.live.accept((), (Rejected(body, found),))
        await answer(send, _STATUS.get(found.reason, 422), {"error": found.reason, "detail": found.detail})

    async def _batch(self, body: bytes, send: Send) -> None:
        events, failed = await asyncio.to_thread(_sort, body)
        rejected = [item for item in failed if item.refusal.reason != "not-an-event"]
        await self.live.accept(events, rejected)
        await answer(send, 200, batch_status(len(events), failed))


def batch_status(successful: int, failed: list[Rejected]) -> dict[str, Any]:
    """Status object of the OpenLineage specification for a batch; ``line`` of a failed one is its 0-based index.

    The specification knows two words for ``status``; a batch of which nothing was usable is ``partial_success`` with
    ``successful`` 0. What failed here fails again, so nothing is retriable: what could be retried is a 503 instead.
    """
    return {
        "status": "partial_success" if failed else "success",
        "summary": {
            "received": successful + len(failed),
            "successful": successful,
            "failed": len(failed),
            "retriable": 0,
            "non_retriable": len(failed),
        },
        "failed_events": [
            {
                "index": item.line,
                "reason": f"{item.refusal.reason}: {item.refusal.detail}",
                "retriable": False,
            }
            for item in failed
        ],
    }


async def answer(send: Send, status: int, content: object, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    """Send a JSON answer."""
    body = json.dumps(content, ensure_ascii=False).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                *(headers or []),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _sort(body: bytes) -> tuple[list[Envelope], list[Rejected]]:
    """Elements of a JSON array, byte for byte: the usable ones, and the others with their index."""
    try:
        items = _split_array(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BodyError(400, "not-an-array", f"A batch is one JSON array of events: {error}.") from None
    events: list[Envelope] = []
    failed: list[Rejected] = []
    for index, item in enumerate(items):
        data = bytes(item)
        found = read(data)
        if isinstance(found, Refusal):
            failed.append(Rejected(data, found, index))
        else:
            events.append(found)
    return events, failed


def _check_headers(scope: Scope, limit: int) -> str:
    """Content-Encoding of an acceptable request, empty for none."""
    encoding = ""
    for name, value in scope["headers"]:
        if name == b"content-encoding":
            encoding = f"{encoding},{value.decode('latin-1')}" if encoding else value.decode("latin-1")
        elif name == b"content-length":
            if value.isdigit() and int(value) > limit:
                raise too_large(limit)
        elif name == b"content-type" and value != b"application/json":
            _check_type(value.decode("latin-1"))
    return "" if encoding.strip().lower() == "identity" else encoding


def _check_type(value: str) -> None:
    kind, _, parameters = value.lower().partition(";")
    kind = kind.strip()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise BodyError(
            415,
            "unknown-type",
            f"Content-Type “{kind[:60]}” is not supported; send application/json. "
            "With curl: --json @event.json, or -d @event.json -H 'Content-Type: application/json'.",
        )
    charset = parameters.partition("charset=")[2].strip().strip('"')
    if charset and charset not in ("utf-8", "utf8", "us-ascii"):
        raise BodyError(415, "unknown-charset", f"Charset “{charset[:40]}” is not supported; send UTF-8.")
