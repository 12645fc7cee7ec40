"""What a process that takes events does about governance: policies at ingest time, the daily run, alerts.

At ingest time only policies of stage ``ingest`` run, and only what they say of assets that new events touched is kept:
results of everything else wait for the daily run of all. Policies run by themselves only when some were applied. The
thread of a server holds no transaction while policies are evaluated or alerts delivered, so that the committer never
waits for either; a policy that fails is in error and the next turn comes as it would have.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lineage.actor import Actor
from lineage.policies.load import policies_of
from lineage.times import EPOCH, iso, parse_instant, utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.store import Store

log = logging.getLogger("meshline.governance")

SYSTEM = Actor("meshline")
EVERY = timedelta(days=1)
_LOOK = 2.0  # seconds between two looks; an idle look is two short queries
_REST = 20.0  # a turn that took a second is followed by this many seconds of rest
_ALERTS = 60.0  # seconds between two passes of the notifier
_PAUSE = 60.0  # after a turn that failed
_PATIENCE = 2.0  # that the end waits for a turn
_SEEN = "policies_seen"  # setting: until when touched assets were looked at
_NEWEST = "SELECT max(known_from) FROM run_io"
_TOUCHED = """
-- one dataset or job that events known since then speak of
SELECT DISTINCT n.kind, n.namespace, n.name FROM (
  SELECT dataset AS id FROM run_io WHERE known_from > $since
  UNION SELECT entity FROM facet WHERE known_from > $since
  UNION SELECT src FROM edge WHERE known_from > $since
  UNION SELECT dst FROM edge WHERE known_from > $since
) t JOIN node n ON n.id = t.id WHERE n.kind IN ('dataset', 'job')
"""
_LAST_RUN = "SELECT max(evaluated_at) FROM policy_run"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look at new events did."""

    assets: int  # that events touched
    changed: int  # results that are other than before


def look(lx: Lineage, *, now: datetime | None = None) -> Turn:
    """Run the policies of stage ``ingest`` over what new events touched, and keep what they say.

    Nothing is asked when no event came since the last look or no such policy was applied.
    """
    at = now or utcnow()
    found = policies_of(lx.store, at, at)
    if found.shipped or not any(one.stage == "ingest" for one in found.policies):
        return Turn(0, 0)
    since = parse_instant(lx.store.get_meta(_SEEN) or str(iso(EPOCH)))
    newest = lx.store.rows(_NEWEST)[0][0]
    if newest is None or newest <= since:
        return Turn(0, 0)
    touched = touched_since(lx.store, since)
    changed = lx.policies.record(stage="ingest", subjects=subjects_of(lx, touched), actor=SYSTEM).changed
    with lx.store.transaction() as cursor:
        lx.store.set_meta(cursor, _SEEN, str(iso(newest)))
    return Turn(len(touched), changed)


def touched_since(store: Store, since: datetime) -> frozenset[str]:
    """Node texts of the datasets and jobs that events known since then speak of."""
    return frozenset(f"{kind}:{space}:{name}" for kind, space, name in store.rows(_TOUCHED, {"since": since}))


def subjects_of(lx: Lineage, touched: Collection[str]) -> frozenset[str]:
    """What may be said of touched assets: they themselves, their columns, the names that they go by."""
    import numpy as np

    from lineage.graph.arrays import COLUMN, DATASET, JOB

    snapshot = lx.view().snapshot
    nodes = np.flatnonzero((snapshot.kind == DATASET) | (snapshot.kind == JOB)).tolist()
    homes = {i for i, text in zip(nodes, snapshot.texts(nodes), strict=True) if text in touched}
    columns = [c for c in np.flatnonzero(snapshot.kind == COLUMN).tolist() if snapshot.dataset_of(c) in homes]
    return frozenset({*touched, *snapshot.texts(columns)})


def run_when_due(lx: Lineage, every: timedelta, *, now: datetime | None = None) -> bool:
    """Run all policies when the last run is older than ``every``; whether they ran."""
    at = now or utcnow()
    if policies_of(lx.store, at, at).shipped:
        return False
    last = lx.store.rows(_LAST_RUN)[0][0]
    if last is not None and at - last < every:
        return False
    lx.policies.record(actor=SYSTEM)
    return True


class GovernanceLoop:
    """The thread of a server that does all of this.

    Parameters
    ----------
    lineage
        the engine of the server; its store must outlive the loop.
    every
        time between two runs of all policies; ``None``: none.
    look_every
        seconds between two looks at new events.
    """

    def __init__(
        self,
        lineage: Lineage,
        every: timedelta | None = EVERY,
        *,
        look_every: float = _LOOK,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._lineage, self._every, self._look_every = lineage, every, look_every
        self._environment = os.environ if environment is None else environment
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._alerts_at = 0.0  # when the next pass of the notifier is due
        self.turns = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="meshline-governance", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after what it is at, or leave it: what it has not written yet is found anew after the next start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def turn(self) -> None:
        """One look, the run of all when it is due, one pass of the notifier when it is due."""
        look(self._lineage)
        if self._every is not None and not self._stopping.is_set():
            run_when_due(self._lineage, self._every)
        if time.monotonic() >= self._alerts_at and not self._stopping.is_set():
            self._lineage.alerts.send(environment=self._environment)
            self._alerts_at = time.monotonic() + _ALERTS
        self.turns += 1

    def _run(self) -> None:
        while not self._stopping.wait(self._look_every):
            began = time.monotonic()
            try:
                self.turn()
            except Exception:  # the thread must outlive whatever a turn runs into
                if self._stopping.is_set():
                    return  # the store is closed
                log.exception("Policies could not be run or alerts not be sent; it is tried again")
                self._stopping.wait(_PAUSE)
                continue
            spent = time.monotonic() - began
            if spent > 0.5:  # a turn that cost something: leave the machine to those who send events
                self._stopping.wait(spent * _REST)
