"""What the first page needs, worked out after a start before anybody asks: one question after the other, in a thread.

Over a large mesh the first answers after a start take seconds each. Who opens a page meanwhile waits for the same
answer (:class:`dashboard.memo.Memo` gives it to both), and is told how far it is (``_live``, ``assets/live.js``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from dashboard.memo import shared
from dashboard.pages.overview_facts import Facts
from dashboard.pages.overview_state import HealthState
from dashboard.pages.overview_trend import instants, quality_then, scores_then

if TYPE_CHECKING:
    from lineage.engine import Lineage

log = logging.getLogger("meshline.server")

LEAST = 1_000
"""Datasets below which the first answers take no time that anybody would notice."""
_PAUSE = 0.2  # seconds
_DATASETS = "SELECT count(*) FROM node WHERE kind = 'dataset'"
Step = tuple[str, Callable[[], object]]


def steps(lx: Lineage) -> list[Step]:
    """The questions of the first page with what each is about, those first that it shows first."""
    facts = Facts(lx, shared(lx), HealthState.parse(""))
    found: list[Step] = [
        ("quality", lambda: [facts.quality("domain"), facts.quality()]),
        ("incidents", facts.incidents),
        ("contracts and products", lambda: [facts.conformance(), facts.products()]),
        ("scorecards", lambda: [facts.scorecard("domain"), facts.scorecard("mesh")]),
        ("policies and what needs attention", facts.attention),
        ("runs", facts.runs_per_day),
    ]
    for at in reversed(instants(facts.summary().as_of, facts.state.days)):
        found.append((f"figures of {at:%d %B}", partial(_then, facts, at)))
    return found


def _then(facts: Facts, at: datetime) -> None:
    scores_then(facts, at)
    quality_then(facts, at)


class Warming:
    """A thread that asks the questions of the first page once.

    Parameters
    ----------
    find
        the questions, see :func:`steps`; called in the thread.
    busy
        whether people wait for answers: then no further question is begun.
    """

    def __init__(self, find: Callable[[], Sequence[Step]], busy: Callable[[], bool] = lambda: False) -> None:
        self._find, self._busy = find, busy
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.text = ""
        """What it is at, for people; empty when it is at nothing."""

    @classmethod
    def of(cls, lx: Lineage, busy: Callable[[], bool] = lambda: False) -> Warming:
        """For the pages over one engine; of a small mesh nothing is asked ahead."""
        return cls(lambda: steps(lx) if int(lx.store.rows(_DATASETS)[0][0]) >= LEAST else (), busy)

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="meshline-warming", daemon=True)
        self._thread.start()

    def stop(self, patience: float = 1.0) -> None:
        """Ask nothing more; the answer that is being worked out is waited for some seconds at most."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(patience)

    def _run(self) -> None:
        try:
            todo = self._find()
            for number, (what, ask) in enumerate(todo, 1):
                self.text = f"The first figures since the start are being worked out: {what} ({number} of {len(todo)})."
                while self._busy() and not self._stopping.wait(_PAUSE):
                    pass
                if self._stopping.is_set():
                    return
                ask()
        except Exception as error:  # who asks for the figure itself is told what is wrong
            if not self._stopping.is_set():
                log.warning("Figures could not be worked out ahead: %s", error)
        finally:
            self.text = ""
