"""Snapshots of past instants of one store.

The first few are loaded one by one: who asks about one instant, or compares two, need not pay for all of time. Who goes
on asking gets a timeline, in which every further instant costs next to nothing. It stays as long as the store holds the
same edges, whatever else arrives; what was known at a past time stays the same for good.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.graph import sql
from lineage.graph.build import instant, load, naive, rows
from lineage.graph.timeline.members import TooManyChangesError
from lineage.graph.timeline.timeline import MOST, Timeline, tables_at

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.graph.snapshot import Snapshot
    from lineage.store.store import Store

FEW = 2  # instants that are loaded one by one
KEPT = 2  # known times of which a timeline is kept

_log = logging.getLogger(__name__)


@dataclass
class _Known:
    """What is held of one known time, and the state of the store it was made of."""

    version: object = None
    state: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked: set[datetime] = field(default_factory=set)  # as long as that decides something
    timeline: Timeline | None = None
    refused: bool = False  # there is too much for a timeline

    def wanted(self, moment: datetime) -> bool:
        """Whether a timeline is to be built for a further instant."""
        many = sum(self.state[name][0] for name in ("edge", "column_edge"))
        if self.timeline is not None or self.refused or many > MOST:
            return False
        self.asked.add(moment)
        return len(self.asked) > FEW


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
        self._known: OrderedDict[datetime | None, _Known] = OrderedDict()
        self.builds = 0

    def at(self, as_of: datetime, known_at: datetime | None = None, *, version: object = None) -> Snapshot:
        """The graph as it was at ``as_of``, as far as was known at ``known_at`` (default: now).

        Parameters
        ----------
        version
            names the state of the store: at the same one it is not looked at again. ``None``: it is always.
        """
        moment, known = naive(as_of), naive(known_at) if known_at else None
        held = self._known.pop(known, None) or _Known()
        self._known[known] = held
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        with self._store.reading() as cursor:
            _, learned = instant(cursor, moment, known)
            self._follow(held, cursor, learned, version)
            tables = tables_at(cursor, learned) if held.wanted(moment) else None
        if tables is not None:
            self._build(held, tables)
        if held.timeline is not None:
            return held.timeline.at(moment, learned)
        return load(self._store, moment, known, kernels=self._kernels)

    def _follow(self, held: _Known, cursor: Any, known: datetime, version: object) -> None:
        """Let go of what the store has outgrown."""
        if version is not None and version == held.version:
            return
        state = {name: (count, total) for name, count, total in rows(cursor, sql.EVER_DIGEST, known=known)}
        if state != held.state:
            held.state, held.asked, held.timeline, held.refused = state, set(), None, False
        held.version = version

    def _build(self, held: _Known, tables: list[pa.Table]) -> None:
        try:
            held.timeline = Timeline.of_tables(*tables, kernels=self._kernels)
            self.builds += 1
        except TooManyChangesError as error:
            _log.info("%s Past instants are loaded one by one instead.", error)
            held.refused = True
