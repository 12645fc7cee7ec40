"""Live ingest: a committer that makes events durable and a projector that turns them into rows behind it.

:meth:`LiveIngest.accept` returns once its events are on disk. The committer takes whatever is queued, writes it as one
compressed block with one INSERT and one commit, and wakes all who wait: under load a hundred requests share one
``fdatasync``, alone a request pays for its own. The projector follows every 150 ms, or at once after a quiet time.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ingest import altered
from ingest.archive import BLOCK_EVENTS, append_block, pad, receipt_time, tail, tick_after
from ingest.envelope import Envelope
from ingest.metrics import LiveMetrics
from ingest.projection_loop import ProjectionLoop
from ingest.quarantine import Rejected, put
from ingest.sql_loop import SqlLoop
from ingest.tickets import Ticket, wake
from ingest.writer import Writer
from lineage.errors import MeshlineError
from lineage.store import Store
from lineage.store.version import bump_version
from lineage.times import utcnow

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("meshline.ingest")

SOURCE = "http"
_GATHER = 0.008  # seconds; 64 clients come back within 5 to 10 ms
_PAD_AFTER = 8 * 1024 * 1024  # bytes of blocks
_FRESH_BYTES = 32 * 1024 * 1024  # of events that wait for the projector in memory; raw slices point into them


class QueueFullError(MeshlineError):
    """More events wait for the disk than may wait; worth another try in ``retry_after`` seconds."""

    status = 503

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CommitError(MeshlineError):
    """The store refused to write; nothing of the request was kept, so it may be sent again."""

    status = 503
    retry_after = 5


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Bounds of live ingest.

    Parameters
    ----------
    queue_events, queue_bytes
        how much may wait for the disk, what is being written included; one request always fits an empty queue.
    commit_events, commit_bytes
        how much goes into one commit.
    project_every
        seconds between two projections under load.
    """

    queue_events: int = 20_000
    queue_bytes: int = 256 * 1024 * 1024
    commit_events: int = 1_024
    commit_bytes: int = 16 * 1024 * 1024
    project_every: float = 0.15


@dataclass(frozen=True, slots=True)
class LiveHealth:
    """What live ingest is doing right now; ``lag_seconds`` is the age of the oldest event no query can see yet."""

    status: Literal["ok", "degraded", "failing", "stopped"]
    queued_events: int
    queue_limit: int
    committed_events: int
    rejected_events: int
    pending_events: int
    lag_seconds: float
    problem: str | None


class LiveIngest:
    """The writing side of a server.

    Parameters
    ----------
    store
        the database, or the path of one; a store that was opened here is closed by :meth:`stop`.
    settings
        bounds of queue and blocks.
    """

    def __init__(self, store: Store | Path | str, settings: LiveSettings | None = None) -> None:
        self._owns_store = not isinstance(store, Store)
        self.store = store if isinstance(store, Store) else Store.open(store)
        self.around: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        """Entered around each projection: readers may want to go on with what they have until it is done."""
        self.settings = settings or LiveSettings()
        self.metrics = LiveMetrics(self)
        self.projector = ProjectionLoop(self._project, self.settings.project_every, self.metrics.visible)
        self._writer = Writer(self.store)
        self._sql = SqlLoop(self.store)
        self._queue: deque[Ticket] = deque()
        self._queued_events = 0
        self._queued_bytes = 0
        self._answered = 1  # requests in the last commit: about as many come back at once
        self._wanted = 1  # requests that the committer waits for
        self._committed = 0
        self._rejected = 0
        self._told_rejected = 0
        with self.store.cursor() as cursor:
            self._masks = altered.is_on(cursor)
        self._unpadded = 0  # bytes of blocks since the archive was padded last
        self._place: tuple[int, datetime | None] | None = None  # next block, receipt time of the last one
        self._fresh: dict[int, Sequence[Envelope]] = {}  # read events of committed blocks, for the projector
        self._fresh_sizes: dict[int, int] = {}
        self._problem: str | None = None
        self._stopping = False
        self._changed = threading.Condition()
        self._committing = threading.Lock()
        self._thread: threading.Thread | None = None

    # -- life

    def start(self) -> None:
        """Start both threads; what was archived but not yet projected is projected first."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="meshline-committer", daemon=True)
        self._thread.start()
        self.projector.start()
        self._sql.start()

    def stop(self) -> None:
        """Write everything that waits, project it, stop the threads."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._sql.stop()
        self.projector.stop()
        if self._owns_store:
            self.store.close()

    @property
    def stopping(self) -> bool:
        """Whether nothing more is taken."""
        return self._stopping

    # -- work

    async def accept(self, events: Sequence[Envelope], rejected: Sequence[Rejected] = ()) -> None:
        """Return when all of it is on disk.

        Parameters
        ----------
        events
            events as they were read.
        rejected
            what could not be accepted, for the quarantine.

        Raises
        ------
        QueueFullError
            when too much waits already; nothing was taken.
        CommitError
            when the store refused; nothing was kept.
        """
        ticket = Ticket(events, rejected)
        if not ticket.count:
            return
        self._enqueue(ticket)
        await ticket.future

    def _enqueue(self, ticket: Ticket) -> None:
        settings = self.settings
        with self._changed:
            if self._stopping:
                raise QueueFullError("The server is shutting down. Send this request again when it is back.", 5)
            if self._queued_events and (
                self._queued_events + ticket.count > settings.queue_events
                or self._queued_bytes + ticket.size > settings.queue_bytes
            ):
                self.metrics.turned_away(ticket.count)
                raise QueueFullError("Too many events wait to be written. Send this request again in a moment.")
            self._queue.append(ticket)
            self._queued_events += ticket.count
            self._queued_bytes += ticket.size
            if len(self._queue) >= self._wanted:
                self._changed.notify()

    def _run(self) -> None:
        while tickets := self._take():
            events = [event for ticket in tickets for event in ticket.events]
            rejected = [item for ticket in tickets for item in ticket.rejected]
            error: CommitError | None = None
            began = time.perf_counter()
            try:
                with self._committing:
                    at = self._write(events, rejected)
                self.metrics.committed(time.perf_counter() - began, len(events) + len(rejected))
                self.projector.add(len(events), at)
            except Exception as refusal:  # whatever it was, those who wait must be told
                # DuckDB's text names files of this machine: it goes to the log, never to a client
                log.error("Could not write %d events: %s", len(events), refusal)
                self.metrics.failed(len(events) + len(rejected))
                error = CommitError(f"The database refused to write ({type(refusal).__name__}); nothing was kept.")
            with self._changed:
                self._problem = str(error) if error else None
                self._committed += 0 if error else len(events)
                self._rejected += 0 if error else len(rejected)
                self._queued_events -= len(events) + len(rejected)
                self._queued_bytes -= sum(ticket.size for ticket in tickets)
            wake(tickets, error)

    def _take(self) -> list[Ticket]:
        """Whatever is queued, up to one commit; empty when the end has come."""
        settings = self.settings
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping)
            self._gather()
            tickets: list[Ticket] = []
            events = size = 0
            while self._queue:
                ticket = self._queue[0]
                events += ticket.count
                size += ticket.size
                if tickets and (events > settings.commit_events or size > settings.commit_bytes):
                    break
                tickets.append(self._queue.popleft())
            self._answered = len(tickets)
            return tickets

    def _gather(self) -> None:
        """Wait a moment for those who were answered together: a commit costs a request alone what it costs sixty.

        Nobody waits who is alone, nor for more than a full commit.
        """
        self._wanted = min(self._answered, self.settings.commit_events)
        self._changed.wait_for(lambda: len(self._queue) >= self._wanted or self._stopping, _GATHER)
        self._wanted = 1

    def _write(self, events: Sequence[Envelope], rejected: Sequence[Rejected]) -> datetime:
        """Commit all of it at once; the receipt time it got.

        Where the next block goes is kept in memory, since asking the table costs as much as the commit: in a process
        that serves, nobody else appends to the archive.
        """
        place, self._place = self._place, None
        blocks = [events[start : start + BLOCK_EVENTS] for start in range(0, len(events), BLOCK_EVENTS)]
        pads = self._unpadded >= _PAD_AFTER
        with self.store.cursor() as cursor:
            block, last = place or tail(cursor)
            at = receipt_time(last, tick_after(utcnow(), self.projector.tick()))
            with self._one_commit(cursor, len(blocks) + bool(rejected) + self._masks + pads):
                originals: dict[bytes, tuple[bytes, bytes]] = {}
                if self._masks:
                    events, originals = altered.mask(cursor, events)
                    blocks = [events[start : start + BLOCK_EVENTS] for start in range(0, len(events), BLOCK_EVENTS)]
                    rejected = altered.mask_rejected(rejected)
                for number, part in enumerate(blocks, block):
                    self._hand_over(number, part)
                for number, part in enumerate(blocks, block):
                    data = [event.data for event in part]
                    self._unpadded += append_block(cursor, number, data, at, SOURCE, originals)
                put(cursor, rejected, at, SOURCE)
                if pads:
                    pad(cursor, self._unpadded)
                    self._unpadded = 0
        self._place = (block + len(blocks), at if events else last)
        return at

    @contextlib.contextmanager
    def _one_commit(self, cursor: duckdb.DuckDBPyConnection, statements: int) -> Iterator[None]:
        """A transaction around several statements; one alone commits by itself, which saves a fifth of its CPU."""
        try:
            if statements > 1:
                cursor.execute("BEGIN TRANSACTION")
            yield
            if statements > 1:
                cursor.execute("COMMIT")
        except BaseException:
            self._fresh, self._fresh_sizes = {}, {}  # their blocks may not be there
            with contextlib.suppress(Exception):  # the first error tells more
                cursor.execute("ROLLBACK")
            raise

    def _hand_over(self, block: int, events: Sequence[Envelope]) -> None:
        """Keep read events for the projector, so many bytes at most; it reads others back from the archive."""
        sizes = {number: size for number, size in self._fresh_sizes.items() if number in self._fresh}
        size = sum(len(event.data) for event in events)
        if sum(sizes.values()) + size <= _FRESH_BYTES:
            sizes[block] = size
            self._fresh[block] = events
        self._fresh_sizes = sizes

    def _project(self) -> int:
        """Events into rows; a changed quarantine is told to readers here, where the only writer of ``meta`` is.

        A commit that takes longer than the rest of its tick must not find the tick projected: what is due is decided
        at an instant at which nothing is being written.
        """
        with self._committing:
            now = utcnow()
        with self.around():
            done = self._writer.project_pending(now, self._fresh)
        with self._changed:
            rejected = self._rejected
        if rejected > self._told_rejected:
            with self.store.transaction() as cursor:
                bump_version(cursor)
            self._told_rejected = rejected
        return done

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """No commit while inside: for a consistent copy of the file. Requests wait, none is refused."""
        with self._committing:
            yield

    @contextlib.contextmanager
    def resting(self, patience: float = 60.0) -> Iterator[None]:
        """Nothing is written while inside, and all that was committed is visible: for retention.

        Requests wait, none is refused; SQL is read again afterwards.

        Raises
        ------
        CommitError
            when events come faster than they become visible for ``patience`` seconds.
        """
        until = time.monotonic() + patience
        self._sql.stop()
        try:
            while True:
                with self._committing:
                    if self.projector.state()[0] == 0:
                        yield
                        return
                if time.monotonic() > until:
                    raise CommitError("Too many events are arriving; try again when it is quieter.")
                time.sleep(0.05)  # the projector looks at the clock between two commits
        finally:
            if not self._stopping:
                self._sql.start()

    def mask(self, on: bool) -> None:
        """Secrets are masked before storage from now on, or not any more (:func:`ingest.altered.switch`)."""
        with self._committing:
            self._masks = on

    def health(self) -> LiveHealth:
        """Figures and state of both threads."""
        pending, lag, behind = self.projector.state()
        with self._changed:
            alive = self._thread is not None and self._thread.is_alive()
            status: Literal["ok", "degraded", "failing", "stopped"] = "ok"
            if not alive:
                status = "stopped"
            elif self._problem:
                status = "failing"
            elif behind:
                status = "degraded"
            return LiveHealth(
                status=status,
                queued_events=self._queued_events,
                queue_limit=self.settings.queue_events,
                committed_events=self._committed,
                rejected_events=self._rejected,
                pending_events=pending,
                lag_seconds=lag,
                problem=self._problem or behind,
            )
