"""Requests that wait until what they brought is on disk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from ingest.envelope import Envelope
from ingest.quarantine import Rejected


class Ticket:
    """One request: its events, what was refused of it, and who waits for it."""

    __slots__ = ("count", "events", "future", "loop", "rejected", "size")

    def __init__(self, events: Sequence[Envelope], rejected: Sequence[Rejected]) -> None:
        self.events = events
        self.rejected = rejected
        self.count = len(events) + len(rejected)
        self.size = sum(len(event.data) for event in events) + sum(len(item.data) for item in rejected)
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()


def wake(tickets: list[Ticket], error: Exception | None) -> None:
    """Settle the futures, with one call into each event loop rather than one per request."""
    loops: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
    for ticket in tickets:
        loops.setdefault(ticket.loop, []).append(ticket)
    for loop, waiting in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, waiting, error)


def _settle(tickets: list[Ticket], error: Exception | None) -> None:
    for ticket in tickets:
        if ticket.future.done():
            continue
        if error is None:
            ticket.future.set_result(None)
        else:
            ticket.future.set_exception(error)
