"""The thread for what may wait while a process goes on taking events: reading SQL, logging batches, scorecards."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

from ingest.sql_step import SqlStep
from ingest.sql_worker import Reader
from lineage.actor import Actor
from lineage.audit.batches import log_batches
from lineage.engine import Lineage
from lineage.scorecards.history import due
from lineage.store import Store
from lineage.times import utcnow

log = logging.getLogger("meshline.ingest")

_EVERY = 1.0  # seconds between two looks; an idle look is two short queries
_PAUSE = 30.0  # after one that failed
_SCORES = 600.0  # seconds between two looks whether today's scorecards are kept


class SqlLoop:
    """Infers columns from SQL beside the writer, whose transactions it never holds up for longer than one of its own.

    When nothing has come between two looks, accepted batches that the audit log does not hold yet are logged. Once
    a day the figures of the scorecards are kept, first some minutes after the start: that is work of seconds.

    Parameters
    ----------
    store
        the open store; it must outlive the loop.
    every
        seconds between two looks.
    """

    def __init__(self, store: Store, every: float = _EVERY) -> None:
        self._store = store
        self._every = every
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._scored = time.monotonic()
        self._seen = self._logged = -1  # last projected block at the last look, and when batches were logged

    def start(self) -> None:
        """Start the thread; also after a stop."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="meshline-sql", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the receipt time it is at; the next start goes on there."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> SqlLoop:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        with Reader() as reader:
            step = SqlStep(self._store, reader)
            while not self._stopping.is_set():
                pause = self._every
                try:
                    step.run(self._stopping.is_set)
                    self._log_when_quiet()
                    self._keep_scorecards()
                except Exception:  # the thread must outlive whatever a look runs into
                    log.exception(
                        "Columns could not be read from SQL, or batches not logged, or scorecards not kept; again later"
                    )
                    step, pause = SqlStep(self._store, reader), _PAUSE
                self._stopping.wait(pause)

    def _log_when_quiet(self) -> None:
        """Hashing every event again would cost what is needed to take more of them, so it waits until none come."""
        newest = int(self._store.get_meta("projected_block") or 0)
        quiet, self._seen = newest == self._seen, newest
        if quiet and newest != self._logged:
            log_batches(self._store)
            self._logged = newest

    def _keep_scorecards(self) -> None:
        if time.monotonic() - self._scored < _SCORES:
            return
        self._scored = time.monotonic()
        now = utcnow()
        if due(self._store, now):
            Lineage(self._store).scorecards.snapshot(now=now, actor=Actor("meshline"))
