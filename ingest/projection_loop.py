"""The thread that makes archived events visible, a moment after they were acknowledged."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice

from ingest.archive import LONGEST_TICK, TICK
from lineage.times import utcnow

log = logging.getLogger("meshline.ingest")

_BACKOFF = (0.5, 30.0)  # first and longest pause in seconds after a failed projection
_PATIENCE = 10.0  # seconds a stop waits for projections; what is left then is projected by the next start
_LATE = timedelta(milliseconds=500)  # since the end of a tick; a projection follows within 150 ms when it keeps up
_IDLE = 3  # ticks are this many times as long as a projection takes, which leaves the rest of the time to readers
_LOOK_AGAIN = 30.0  # seconds; for blocks nobody told of, for instance after the clock was set back


class ProjectionLoop:
    """Calls ``project`` when events are due, never two at once, and keeps trying when it fails.

    Events received in one tick become known at its end, all at once; before that they are not due.

    Parameters
    ----------
    project
        turns due events into rows and returns how many it took; 0 when none is left.
    every
        seconds between two calls under load.
    visible
        told the receipt time of events that queries can see now, and how many there are.
    """

    def __init__(
        self,
        project: Callable[[], int],
        every: float,
        visible: Callable[[datetime, int], None] = lambda _at, _events: None,
    ) -> None:
        self._project = project
        self._every = every
        self._visible = visible
        self._changed = threading.Condition()
        self._pending: deque[tuple[datetime, int]] = deque()  # receipt time, events
        self._took = 0.0  # seconds of a projection, the last ones counting most
        self._problem: str | None = None
        self._stopping = False
        self._give_up = float("inf")
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; the first thing it does is to catch up."""
        self._thread = threading.Thread(target=self._run, name="meshline-projector", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Project what is left and stop."""
        with self._changed:
            self._stopping = True
            self._give_up = time.monotonic() + _PATIENCE
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        left, _, _ = self.state()
        if left:
            log.warning("%d events are safe but not visible yet; the next start makes them so", left)

    def add(self, events: int, at: datetime) -> None:
        """Tell that ``events`` more with receipt time ``at`` wait in the archive."""
        with self._changed:
            self._pending.append((at, events))
            self._changed.notify_all()

    def state(self) -> tuple[int, float, str | None]:
        """Events that wait, age of the oldest in seconds, and what is wrong (``None`` when nothing is)."""
        with self._changed:
            lag = (utcnow() - self._pending[0][0]).total_seconds() if self._pending else 0.0
            return sum(count for _, count in self._pending), max(0.0, round(lag, 3)), self._problem

    def tick(self) -> timedelta:
        """How long events are to be gathered into one batch.

        Most of what a small batch costs is not its events: 50 take three quarters of the time of 200. So a tick grows
        until projecting takes a third of the time, or to the longest one when events come faster than that.
        """
        with self._changed:
            late = bool(self._pending) and utcnow() - self._pending[0][0] > _LATE
            wanted = LONGEST_TICK if late else timedelta(seconds=_IDLE * self._took)
        tick = TICK
        while tick < min(wanted, LONGEST_TICK):
            tick *= 2
        return tick

    def _run(self) -> None:
        pause = _BACKOFF[0]
        while True:
            began = time.monotonic()
            well = self._catch_up()
            earliest = began + (self._every if well else pause)
            pause = _BACKOFF[0] if well else min(pause * 2, _BACKOFF[1])
            with self._changed:
                if self._stopping and not well:
                    return  # it is in the archive, and the next start tries again
                self._changed.wait_for(lambda: self._stopping, max(0.0, earliest - time.monotonic()))
                if well:
                    self._changed.wait_for(lambda: self._stopping or bool(self._pending), _LOOK_AGAIN)
                if self._stopping and not self._pending:
                    return
                due = (self._pending[0][0] - utcnow()).total_seconds() if self._pending else 0.0
            time.sleep(min(max(0.0, due), LONGEST_TICK.total_seconds()))

    def _catch_up(self) -> bool:
        """Project until nothing is left that was due at the start; whether that went well."""
        while True:
            began, clock = utcnow(), time.monotonic()
            with self._changed:
                told = len(self._pending)
            try:
                done = self._project()
            except Exception as error:  # the thread must outlive whatever a projection runs into
                log.exception("Projection failed; it is tried again")
                with self._changed:
                    self._problem = f"Events are safe but not visible: projection failed ({type(error).__name__})."
                return False
            if done:
                with self._changed:
                    self._took = (self._took + time.monotonic() - clock) / 2
            if time.monotonic() > self._give_up:
                return False
            if done == 0:
                with self._changed:
                    old = list(islice(self._pending, told))
                    kept = [entry for entry in old if entry[0] > began]
                    kept += islice(self._pending, told, None)
                    self._pending = deque(kept)
                    self._problem = None
                for at, events in old:
                    if at <= began:
                        self._visible(at, events)
                return True
