"""Snapshots of past instants of one store, as known now.

The first few are loaded one by one: who asks about one instant, or compares two, need not pay for all of time. Who goes
on asking gets a timeline, in which every further instant costs next to nothing. It stays as long as the store holds the
same edges, whatever else arrives.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.graph import sql
from lineage.graph.build import instant, load, naive, rows
from lineage.graph.timeline.members import TooManyChangesError
from lineage.graph.timeline.timeline import Timeline

if TYPE_CHECKING:
    from lineage.graph.snapshot import Snapshot
    from lineage.store.store import Store

FEW = 2  # instants that are loaded one by one
MOST = 20_000_000  # edge rows of all times from which on a timeline would need too much memory

_log = logging.getLogger(__name__)
State = tuple[Any, ...]


class Past:
    """Past instants of one store; not to be asked by two threads at once.

    Parameters
    ----------
    store
        an open store.
    kernels
        as for :func:`lineage.graph.build.load`.

    Examples
    --------
    >>> from lineage.store import Store
    >>> past = Past(Store.open(":memory:"))
    >>> [past.at(datetime(2024, month, 1)).n for month in (1, 2, 3, 4)], past.builds
    ([0, 0, 0, 0], 1)
    """

    def __init__(self, store: Store, kernels: str | None = None) -> None:
        self._store, self._kernels = store, kernels
        self._timeline: Timeline | None = None
        self._state: State = ()
        self._since: datetime | None = None  # known time at which the state was read
        self._asked: set[datetime] = set()
        self.builds = 0

    def at(self, as_of: datetime) -> Snapshot:
        """The graph as it was at ``as_of``, as far as is known now."""
        moment = naive(as_of)
        with self._store.reading() as cursor:
            _, known = instant(cursor, moment, None)
            state, turned = self._state_of(cursor, known)
            if turned or state != self._state:
                self._state, self._timeline, self._asked = state, None, set()
            self._since = known
            if self._timeline is None and self._wanted(moment):
                self._timeline = self._read(known)
        if self._timeline is not None:
            return self._timeline.at(moment, known)
        return load(self._store, moment, kernels=self._kernels)

    def _wanted(self, moment: datetime) -> bool:
        self._asked.add(moment)
        many = sum(count for name, count, _ in self._state[1:] if name in ("edge", "column_edge"))
        return len(self._asked) > FEW and many <= MOST

    def _read(self, known: datetime) -> Timeline | None:
        try:
            found = Timeline.read(self._store, known, kernels=self._kernels)
        except TooManyChangesError as error:
            _log.info("%s Past instants are loaded one by one instead.", error)
            self._asked.clear()  # asked again after some more
            return None
        self.builds += 1
        return found

    def _state_of(self, cursor: Any, known: datetime) -> tuple[State, bool]:
        """What a timeline is made of, nodes and all other rows; and whether time alone made some of it known."""
        times = {"at": known, "known": known, "before": known, "learned": self._since or known}
        marks = rows(cursor, sql.MARKS, **times)
        state = rows(cursor, sql.NODE_DIGEST, known=known)[0], *((name, n, total) for name, n, total, _, _ in marks)
        return state, any(turn for *_, turn, _ in marks)
