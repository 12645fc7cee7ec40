"""The thread that reads SQL while a process goes on taking events."""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from ingest.sql_step import SqlStep
from ingest.sql_worker import Reader
from lineage.store import Store

log = logging.getLogger("meshline.ingest")

_EVERY = 1.0  # seconds between two looks; an idle look is two short queries
_PAUSE = 30.0  # after one that failed


class SqlLoop:
    """Infers columns from SQL beside the writer, whose transactions it never holds up for longer than one of its own.

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

    def start(self) -> None:
        """Start the thread."""
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
                except Exception:  # the thread must outlive whatever a look runs into
                    log.exception("Columns could not be read from SQL; it is tried again")
                    step, pause = SqlStep(self._store, reader), _PAUSE
                self._stopping.wait(pause)
