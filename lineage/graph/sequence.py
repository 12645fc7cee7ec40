"""Snapshots of one store at rising instants as known at one time: what holds at several of them is read once.

Nodes do not depend on valid time, so they are numbered anew only when alias evidence begins or ends to hold; edges come
out of the store once with the interval over which they hold. Every snapshot equals what
:func:`lineage.graph.build.load` gives for its instant.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.graph import sql
from lineage.graph.build import levels, load, relate_columns, relate_edges, self_loops, table
from lineage.graph.nodes import Nodes
from lineage.graph.numbering import number
from lineage.graph.snapshot import Snapshot
from lineage.times import microseconds

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.graph.arrays import Bool
    from lineage.graph.level import Level
    from lineage.graph.rows import EdgeRows
    from lineage.store.store import Store


class Sequence:
    """Snapshots between two instants.

    Parameters
    ----------
    first, last
        naive UTC; no snapshot before or after them can be had.
    known
        known time of all of them.
    """

    def __init__(self, store: Store, first: datetime, last: datetime, known: datetime) -> None:
        self._store, self._known = store, known
        with store.reading() as cursor:
            when = {"at": first, "last": last, "known": known}
            self._marked = cursor.execute(sql.MARKED).fetchall()[0][0] > 0
            self._fixed = [table(cursor, query, known=known) for query in (sql.ENTITIES, sql.COLUMNS)]
            queries = () if self._marked else (sql.EDGES_DURING, sql.COLUMN_EDGES_DURING)
            self._edges = [table(cursor, query, **when) for query in queries]
        self._until = [tuple(one.column(name).to_numpy() for name in ("valid_from", "valid_to")) for one in self._edges]
        self._numbered: tuple[Nodes, Bool] | None = None
        self._columns: tuple[EdgeRows, int] | None = None
        self._column_level: Level | None = None

    def at(self, moment: datetime, before: Snapshot | None, *, names: bool, edges: bool, columns: bool) -> Snapshot:
        """Snapshot of an instant.

        Parameters
        ----------
        before
            that of an earlier instant of this sequence, if there is one.
        names, edges, columns
            whether alias evidence, an edge, or an edge between columns, began or ended to hold since then.
        """
        if before is not None and not names and not edges and not columns:
            return before.moved(moment, self._known)
        if self._marked:
            return load(self._store, moment, self._known)
        if self._numbered is None or names:
            with self._store.reading() as cursor:
                evidence = table(cursor, sql.ALIASES, at=moment, known=self._known)
            self._numbered = number(self._fixed[0], self._fixed[1], evidence)
        nodes, soft = self._numbered
        if self._columns is None or names or columns:
            self._columns, self._column_level = relate_columns(nodes, soft, self._held(1, moment)), None
        relations, left_out = relate_edges(nodes, soft, self._held(0, moment), *self._columns)
        parts = levels(nodes, relations, self._column_level)
        self._column_level = parts["column"]
        return Snapshot(moment, self._known, nodes, relations, parts, self_loops(relations), left_out)

    def _held(self, k: int, moment: datetime) -> pa.Table:
        import pyarrow as pa

        begin, end = self._until[k]
        at = microseconds(moment)
        held: Any = pa.array(np.asarray((begin <= at) & (end > at)))
        return self._edges[k].filter(held)
