"""Sources that a running server reads by itself: folders and topics, beside what is posted to it.

One process owns the database, so ``follow`` and ``consume`` cannot run beside a server on the same file. Inside the
server the same code reads them; its events take the way of posted ones. Positions are saved once the events are on
disk: what a crash lets it read again is known by its hash, so each event counts exactly once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.envelope import Envelope, Refusal, decode
from ingest.live import LiveIngest, QueueFullError
from ingest.outcome import Line, Outcome
from ingest.quarantine import Rejected
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("meshline.feeds")

_PAUSE = 1.0  # seconds between two looks into a folder
_LONGEST = 60.0  # seconds between two tries at a source that fails


class LiveWriter:
    """Writes through the queue of a server; stands where a :class:`ingest.writer.Writer` stands.

    ``accepted`` of its outcomes counts what is on disk; which of it was known already shows when it is projected.
    """

    def __init__(self, live: LiveIngest) -> None:
        self._live = live

    def ingest(
        self,
        lines: Iterable[bytes | Line],
        *,
        source: str,
        together: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    ) -> Outcome:
        """Return when all of it is on disk; see :meth:`ingest.writer.Writer.ingest`."""
        outcome = Outcome()
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for item in lines:
            line = item if isinstance(item, Line) else Line(item)
            found = decode(line.data)
            if isinstance(found, Refusal):
                rejected.append(Rejected(line.data, found, line.number, line.source or source))
                outcome.reasons[found.reason] += 1
            else:
                events.append(found)
        asyncio.run(self._accept(events, rejected))
        if together is not None:
            with self._live.store.transaction() as cursor:
                together(cursor)
        outcome.accepted, outcome.quarantined = len(events), len(rejected)
        outcome.read = len(events) + len(rejected)
        return outcome

    async def _accept(self, events: list[Envelope], rejected: list[Rejected]) -> None:
        while True:
            try:
                return await self._live.accept(events, rejected)
            except QueueFullError as full:
                if self._live.stopping:
                    raise
                await asyncio.sleep(full.retry_after)


class Feeds:
    """Threads that read sources until they are told to stop.

    Parameters
    ----------
    live
        where events go.
    folders
        folders to follow.
    topics
        addresses of topics to consume, ``kafka://host:port/topic``.
    """

    def __init__(self, live: LiveIngest, folders: Iterable[Path] = (), topics: Iterable[str] = ()) -> None:
        self._live = live
        self._stopping = threading.Event()
        self._sources = [
            *((str(folder), lambda folder=folder: self._folder(folder)) for folder in folders),
            *((topic, lambda topic=topic: self._topic(topic)) for topic in topics),
        ]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start one thread per source."""
        for name, look in self._sources:
            thread = threading.Thread(target=self._run, args=(name, look), name=f"meshline-feed {name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop between two batches."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, name: str, looks: Callable[[], contextlib.AbstractContextManager[Callable[[], Outcome]]]) -> None:
        pause = _PAUSE
        while not self._stopping.is_set():
            try:
                with looks() as look:
                    while not self._stopping.is_set():
                        outcome = look()
                        pause = _PAUSE
                        self._live.metrics.fed(name, outcome)
                        if not outcome.read:
                            self._stopping.wait(_PAUSE)
            except MeshlineError as error:  # a broker that is away, a folder that is gone: both may come back
                if not self._stopping.is_set():
                    log.error("%s: %s It is tried again in %d s.", name, error, pause)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST)

    @contextlib.contextmanager
    def _folder(self, path: Path) -> Iterator[Callable[[], Outcome]]:
        from ingest.sources.folder import Folder

        yield Folder(path, self._live.store, LiveWriter(self._live)).look

    @contextlib.contextmanager
    def _topic(self, url: str) -> Iterator[Callable[[], Outcome]]:
        from ingest.sources.kafka import Topic, address

        with contextlib.closing(Topic(address(url), self._live.store, LiveWriter(self._live))) as topic:
            yield topic.look
