"""Long work of the pages, in threads of this process: evidence packs, large files.

A worker in another process could not open the database, whose file one process owns. A job reports how far it is, can
be cancelled between its steps, and leaves a file for download. What is kept is bounded, and gone when the server ends;
what a server leaves that is killed goes when the next one starts (:mod:`dashboard.scratch`).
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from dashboard.scratch import Scratch
from lineage.errors import MeshlineError

log = logging.getLogger(__name__)

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ACTIVE = ("waiting", "running")
KEPT = 32  # finished jobs; the oldest goes first, with its file
_PATIENCE = 1.0  # seconds that the end waits for a job between two of its steps
WAITING = 16  # more than that are refused


class JobsFullError(MeshlineError):
    """Too much is waiting already."""

    status = 503


class Cancelled(BaseException):
    """Raised inside a job whose end was asked for; no error, so no handler of errors catches it."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a job leaves: a file, and lines that are told beside it (label, text)."""

    name: str
    data: bytes
    media_type: str = "application/octet-stream"
    notes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is shown. ``share`` is 0 … 1; ``error`` is for people, ``error_id`` stands in the log too."""

    id: str
    title: str
    state: State = "waiting"
    share: float = 0.0
    text: str = "waiting"
    error: str = ""
    error_id: str = ""
    file: str = ""
    size: int = 0
    media_type: str = ""
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.state in ACTIVE


Progress = Callable[[float, str], None]
Work = Callable[[Progress], Made]


@dataclass
class _Held:
    shown: Job
    work: Work
    stop: threading.Event = field(default_factory=threading.Event)
    path: Path | None = None
    future: Future[None] | None = None


class Jobs:
    """Jobs of one server. All methods may be called from any thread.

    Parameters
    ----------
    workers
        how many run at once; the next ones wait.

    Examples
    --------
    >>> jobs = Jobs()
    >>> job = jobs.start("Numbers", lambda progress: Made("n.txt", b"1 2 3"))
    >>> jobs.wait(job.id).state
    'done'
    >>> jobs.close()
    """

    def __init__(self, workers: int = 2) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="meshline-job")
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._again: dict[str, str] = {}  # what took the place of a job that was tried again
        self._lock = threading.Lock()
        self._retrying = threading.Lock()
        self._closed = False
        self._scratch = Scratch("meshline-jobs-")
        self._scratch.sweep()  # what a server that was killed left

    def start(self, title: str, work: Work) -> Job:
        """Begin a job, or queue it.

        ``work`` is called with a function that takes a share (0 … 1) and a text; that function ends the work when the
        job was cancelled.

        Raises
        ------
        JobsFullError
            when too many wait.
        """
        held = _Held(Job(uuid.uuid4().hex, title), work)
        with self._lock:
            if sum(1 for one in self._held.values() if one.shown.active) >= WAITING:
                raise JobsFullError("Too many jobs are waiting. Wait for one of them to end, or cancel it.")
            self._held[held.shown.id] = held
            self._forget_oldest()
            held.future = self._pool.submit(self._run, held)
        return held.shown

    def wait(self, id: str, timeout: float | None = None) -> Job | None:
        """One job once it has ended, or as it is after ``timeout`` seconds."""
        with self._lock:
            held = self._held.get(id)
        if held and held.future:
            wait([held.future], timeout)
        return self.get(id)

    def get(self, id: str) -> Job | None:
        """One job; ``None`` when there is none of this id, or not any more."""
        with self._lock:
            held = self._held.get(id)
            return held.shown if held else None

    def those(self, ids: Iterable[str]) -> list[Job]:
        """The jobs of some ids that are still known, in their order; one that was tried again is the new one."""
        with self._lock:
            now = dict.fromkeys(self._again.get(id, id) for id in ids)
        return [job for job in map(self.get, now) if job is not None]

    def all(self) -> list[Job]:
        """Every job that is still known, the newest first."""
        with self._lock:
            return [held.shown for held in reversed(self._held.values())]

    def cancel(self, id: str) -> None:
        """Ask a job to end; one that has ended stays as it is."""
        with self._lock:
            held = self._held.get(id)
            if held is None or not held.shown.active:
                return
            held.stop.set()
            if held.shown.state == "waiting":
                held.shown = replace(held.shown, state="cancelled", text="cancelled")

    def retry(self, id: str) -> Job | None:
        """Begin the work of an ended job anew, under an id that takes its place, also for who knows only the old one.

        Trying a job again twice begins it once. ``None`` when it is not known any more.
        """
        with self._retrying:
            with self._lock:
                held = self._held.get(self._again.get(id, id))
            if held is None or held.shown.id != id or held.shown.active:
                return held.shown if held else None
            again = self.start(held.shown.title, held.work)
            with self._lock:
                self._again = {old: again.id if new == id else new for old, new in self._again.items()}
                self._again[id] = again.id
            self.forget(id)
            return again

    def forget(self, id: str) -> None:
        """Cancel a job if it runs, and remove what it left."""
        self.cancel(id)
        with self._lock:
            self._drop(id)

    def file(self, id: str) -> tuple[Path, Job] | None:
        """The file of a finished job."""
        with self._lock:
            held = self._held.get(id)
            return (held.path, held.shown) if held and held.path else None

    def close(self) -> None:
        """Cancel what waits or can be cancelled, wait a second for the rest, remove all files."""
        with self._lock:
            self._closed = True
            for held in self._held.values():
                held.stop.set()
            left = [held.future for held in self._held.values() if held.future]
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(left, _PATIENCE)
        self._scratch.close()

    def _run(self, held: _Held) -> None:
        with self._lock:
            if held.stop.is_set():
                return
            held.shown = replace(held.shown, state="running", text="running")

        def progress(share: float, text: str) -> None:
            if held.stop.is_set():
                raise Cancelled
            with self._lock:
                held.shown = replace(held.shown, share=min(max(share, 0.0), 1.0), text=text)

        try:
            made = held.work(progress)
            progress(1.0, "done")
            self._keep(held, made)
        except Cancelled:
            self._end(held, state="cancelled", text="cancelled")
        except MeshlineError as error:
            self._end(held, state="failed", text="failed", error=str(error), error_id=uuid.uuid4().hex[:8])
        except Exception:  # a job must not take its thread along; people get a number, the log the rest
            number = uuid.uuid4().hex[:8]
            log.exception("error %s in job %s", number, held.shown.title)
            text = "Something went wrong; the log of the server has the details."
            self._end(held, state="failed", text="failed", error=text, error_id=number)

    def _keep(self, held: _Held, made: Made) -> None:
        with self._lock:
            if self._closed:
                raise Cancelled  # nobody can fetch it any more
            path = self._scratch.path() / held.shown.id
        path.write_bytes(made.data)
        with self._lock:
            held.path = path
            held.shown = replace(
                held.shown, state="done", share=1.0, text="done", file=made.name, size=len(made.data),
                media_type=made.media_type, notes=made.notes,
            )  # fmt: skip

    def _end(self, held: _Held, *, state: State, text: str, error: str = "", error_id: str = "") -> None:
        with self._lock:
            held.shown = replace(held.shown, state=state, text=text, error=error, error_id=error_id)

    def _forget_oldest(self) -> None:
        ended = [id for id, held in self._held.items() if not held.shown.active]
        for id in ended[: max(len(ended) - KEPT, 0)]:
            self._drop(id)

    def _drop(self, id: str) -> None:
        self._again = {old: new for old, new in self._again.items() if new != id}
        held = self._held.pop(id, None)
        if held and held.path:
            held.path.unlink(missing_ok=True)
