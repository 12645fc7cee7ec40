"""Every edge of all of valid time, ready to be asked about any instant.

A :class:`lineage.graph.snapshot.Snapshot` holds the graph of one instant, and another instant costs another build. A
timeline is built once for a known time. Then an instant costs one bit for each distinct span, and a walk about it reads
that bit inside its loop.

*Identifiers* have indices of their own in a timeline, as if none were an alias. Over each span of time over which a
group of aliases stays as it is, edges hang on its preferred member, so rows are cut where groups change
(:mod:`lineage.graph.timeline.members`). An instant gives the nodes of its groups the dense indices that a snapshot of
that instant gives them; a *frame* holds these for all instants between two changes of groups.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.graph import sql
from lineage.graph.build import instant, naive, table
from lineage.graph.choice import searchers, searchers_at
from lineage.graph.level import Level
from lineage.graph.nodes import Nodes
from lineage.graph.numbering import Bases, identify, nodes_of, numpy_column
from lineage.graph.rows import RELATIONS
from lineage.graph.snapshot import LevelName
from lineage.graph.timeline.edges import TimedLevel
from lineage.graph.timeline.inflow import inflow_through_time
from lineage.graph.timeline.levels import columns_through_time, datasets_through_time
from lineage.graph.timeline.members import Stays, TooManyChangesError, stays
from lineage.graph.timeline.relate import Cutter, columns_of, relations_of
from lineage.graph.timeline.rows import Renumbering, TimedRows
from lineage.graph.timeline.snapshot import SnapshotAt
from lineage.times import microseconds

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.graph.search import Searcher
    from lineage.store.store import Store

MOST = 20_000_000  # edge rows of all times; more would take several GB
_FRAMES = 4  # kept; each is as large as the nodes


@dataclass(frozen=True, slots=True)
class Frame:
    """Nodes of all instants between two changes of alias groups, and what each level calls its vertices."""

    nodes: Nodes
    numbers: Renumbering
    levels: dict[LevelName, Level]


class Timeline:
    """The graph at every instant, as known at one time; any thread may ask it.

    Examples
    --------
    >>> from lineage.store import Store
    >>> timeline = Timeline.read(Store.open(":memory:"))
    >>> timeline.at(datetime(2024, 1, 1)).n
    0
    """

    def __init__(self, bases: Bases, found: Stays, tables: tuple[pa.Table, ...], kernels: str | None = None) -> None:
        edges, column_edges, refuted = tables
        self.kernels = kernels
        self.known_at: datetime | None = None
        self._bases, self._stays, self._turns = bases, found, found.turns
        self._by_id = bases.by_id
        self._nodes = nodes_of(bases.names, bases.ids, np.arange(len(bases.ids)), self._by_id)
        cutter = Cutter(bases, self._nodes, found, refuted)
        parts, left = relations_of(self._nodes, *cutter.cut(edges))
        parts["inflow"] = inflow_through_time(self._nodes, parts["lineage"], parts["reads"], parts["writes"])
        columns, use, others = columns_of(
            self._nodes, column_edges, *cutter.cut(column_edges)
        )  # fmt: skip
        self.left = replace(left, begin=np.append(left.begin, others.begin), end=np.append(left.end, others.end))
        self.rows: dict[str, TimedRows] = {name: pieces.timed() for name, pieces in parts.items()}
        self.rows["columns"] = columns.timed(use)
        assert set(self.rows) == {*RELATIONS, "inflow"}
        self.levels: dict[LevelName, TimedLevel] = {
            "dataset": datasets_through_time(
                self._nodes, parts["lineage"], parts["inflow"], parts["writes"], columns, use
            ),
            "column": columns_through_time(self._nodes, found, columns, use),
        }
        self._searchers = {name: searchers(t.level.down, t.level.up, kernels) for name, t in self.levels.items()}
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._lock = Lock()

    @classmethod
    def read(cls, store: Store, known_at: datetime | None = None, *, kernels: str | None = None) -> Timeline:
        """The timeline of a store as known at a time (default: now).

        Raises
        ------
        TooManyChangesError
            when aliases changed more often than can be worked out at once, or there are more than :data:`MOST` rows.
        """
        with store.reading() as cursor:
            known = instant(cursor, None, known_at)[1]
            tables = tables_at(cursor, known)
        found = cls.of_tables(*tables, kernels=kernels)
        found.known_at = known
        return found

    @classmethod
    def of_tables(
        cls,
        entities: pa.Table,
        columns: pa.Table,
        aliases: pa.Table,
        edges: pa.Table,
        column_edges: pa.Table,
        refuted: pa.Table,
        *,
        kernels: str | None = None,
    ) -> Timeline:
        """The timeline of the Arrow tables that the queries of :mod:`lineage.graph.sql` give."""
        many = edges.num_rows + column_edges.num_rows
        if many > MOST:
            raise TooManyChangesError(f"There are {many:,} edge rows of all times; a timeline takes {MOST:,} at most.")
        bases = identify(entities, columns)
        times = (numpy_column(aliases, name, np.int64) for name in ("valid_from", "valid_to"))
        return cls(bases, stays(bases, aliases, *times), (edges, column_edges, refuted), kernels)

    def at(self, as_of: datetime, known_at: datetime | None = None) -> SnapshotAt:
        """The graph at an instant.

        Parameters
        ----------
        as_of
            valid time; any.
        known_at
            what the answer calls its known time; default: that at which the timeline was read. It may be a later one up
            to which nothing was learned.
        """
        at = naive(as_of)
        known = naive(known_at) if known_at else self.known_at or at
        return SnapshotAt(self, at, known, microseconds(at))

    def frame(self, moment: int) -> Frame:
        """Nodes at a moment, in microseconds since 1970."""
        number = int(np.searchsorted(self._turns, moment, side="right"))
        with self._lock:
            found = self._frames.pop(number, None) or self._framed(moment)
            self._frames[number] = found
            while len(self._frames) > _FRAMES:
                self._frames.popitem(last=False)
        return found

    def seen(self, name: LevelName, frame: Frame, moment: int) -> tuple[Level, tuple[Searcher, Searcher]]:
        """A level at a moment with its searchers, downstream and upstream."""
        timed = self.levels[name]
        alive = timed.spans.at(moment)
        level = timed.seen(frame.levels[name], alive, moment)
        return level, searchers_at(self._searchers[name], level.down, level.up, alive)

    # -- inside

    def _framed(self, moment: int) -> Frame:
        own = self._nodes
        label = np.arange(len(self._bases.ids))
        at = self._stays.at(moment)
        label[self._stays.base[at]] = self._stays.member[at]
        if (label == np.arange(len(label))).all():
            return Frame(own, Renumbering(None, None), {name: t.level for name, t in self.levels.items()})
        nodes = nodes_of(self._bases.names, self._bases.ids, label, self._by_id)
        numbers = Renumbering(there=nodes.dense[own.preferred], back=own.dense[nodes.preferred])
        first: dict[LevelName, tuple[int, int, int]] = {
            "dataset": (0, nodes.datasets, 0),
            "column": (nodes.first_column, len(nodes.ids), own.first_column),
        }
        levels: dict[Any, Level] = {}
        for name, timed in self.levels.items():
            begin, end, shift = first[name]
            levels[name] = _renamed(timed.level, numbers, begin, end, shift)
        return Frame(nodes, numbers, levels)


def tables_at(cursor: Any, known: datetime) -> list[pa.Table]:
    """What :meth:`Timeline.of_tables` takes, as known at a time."""
    queries = (sql.ENTITIES, sql.COLUMNS, sql.ALIASES_EVER, sql.EDGES_EVER, sql.COLUMN_EDGES_EVER, sql.REFUTED_EVER)
    return [table(cursor, query, known=known) for query in queries]


def _renamed(level: Level, numbers: Renumbering, begin: int, end: int, shift: int) -> Level:
    """A level with the dense indices of another numbering, of which ``begin … end - 1`` are its nodes."""
    assert numbers.there is not None
    assert numbers.back is not None
    public = numbers.there[level.public]
    leads = numbers.back[numbers.there[level.helper_key]] == level.helper_key
    return replace(
        level,
        down=replace(level.down, public=public),
        up=replace(level.up, public=public),
        public=public,
        offset=begin,
        vertices=level.vertices[numbers.back[begin:end] - np.uint32(shift)],
        helper_key=numbers.there[level.helper_key[leads]],
        helper_vertex=level.helper_vertex[leads],
    )
