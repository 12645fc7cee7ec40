"""The snapshot of now, kept up while the store changes.

Most of what arrives at a running server are runs of known jobs: they change no edge. Then the snapshot stays and only
its instant moves. When some edges came or went between known nodes, they are patched into the sorted rows of the last
snapshot and spliced into its levels; everything else (new nodes, new evidence that names are one) is built anew. Which
of these it is, is told by a digest of what the database holds now, so a change that escaped the search for changes
leads to a new build and never to a wrong graph. A snapshot is immutable: who still reads the last one is not disturbed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.graph import sql
from lineage.graph.arrays import Bool
from lineage.graph.build import LEVELS, instant, levels, relate, rows, self_loops, table, tables
from lineage.graph.inflow import related
from lineage.graph.level import Level
from lineage.graph.numbering import number
from lineage.graph.patch import patched, patched_loops, patched_pairs, regraded, touched
from lineage.graph.rows import RELATIONS, EdgeRows, Relations
from lineage.graph.snapshot import LevelName, Snapshot
from lineage.graph.splice import MAKING, Backs, spliced_levels
from lineage.times import EPOCH

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.store.store import Store

MANY = 20_000  # changed rows from which on a patch is no quicker than a new build


_EVIDENCE = frozenset({"alias", "alias_mark", "spelling", "alias_rule", "edge_mark"})


@dataclass(frozen=True, slots=True)
class _Marks:
    """What the tables hold in all, and in which of them time alone has changed what is visible."""

    tables: dict[str, tuple[int, int]]
    turned: frozenset[str]
    newest: datetime  # when the newest edge was learned or unlearned

    @classmethod
    def read(cls, cursor: Any, at: datetime, known: datetime, last: Snapshot | None) -> _Marks:
        before, learned = (last.as_of, last.known_at) if last else (at, known)
        found = rows(cursor, sql.MARKS, at=at, known=known, before=before, learned=learned)
        back = at < before or known < learned  # the clock of this machine was set back: everything may have turned
        return cls(
            tables={name: (count, total) for name, count, total, _, _ in found},
            turned=frozenset(name for name, _, _, turned, _ in found if turned or back),
            newest=max((newest for *_, newest in found if newest), default=EPOCH),
        )

    def changed(self, last: _Marks) -> frozenset[str]:
        """Tables of which something else may be visible than at the last look."""
        return self.turned | {name for name, mark in self.tables.items() if mark != last.tables[name]}


@dataclass(frozen=True, slots=True)
class _Digests:
    """(rows, sum of their hashes) of what a snapshot is made of."""

    nodes: tuple[int, int]
    evidence: tuple[int, int]
    edges: tuple[int, int]
    column_edges: tuple[int, int]

    @classmethod
    def read(
        cls, cursor: Any, at: datetime, known: datetime, last: _Digests | None, changed: frozenset[str]
    ) -> _Digests:
        """Of this instant; what no change can have touched is as it was ``last``."""

        def digest(query: str, kept: tuple[int, int] | None, *tables: str) -> tuple[int, int]:
            if kept is not None and changed.isdisjoint(tables):
                return kept
            count, total = rows(cursor, query, at=at, known=known)[0]
            return count, total

        return cls(
            digest(sql.NODE_DIGEST, None),
            digest(sql.EVIDENCE_DIGEST, last.evidence if last else None, *_EVIDENCE),
            digest(sql.EDGE_DIGEST, last.edges if last else None, "edge", "edge_mark"),
            digest(sql.COLUMN_EDGE_DIGEST, last.column_edges if last else None, "column_edge", "edge_mark"),
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """A snapshot with what is needed to follow the store from there."""

    snapshot: Snapshot
    soft: Bool
    digests: _Digests
    marks: _Marks
    backs: dict[LevelName, Backs]  # since each level was made


@dataclass(frozen=True, slots=True)
class _Change:
    """Rows of one kind of edge that came and went."""

    come: pa.Table
    gone: pa.Table

    @property
    def rows(self) -> int:
        return int(self.come.num_rows) + int(self.gone.num_rows)

    def applied_to(self, digest: tuple[int, int]) -> tuple[int, int]:
        """What the digest becomes."""
        count, total = digest
        for sign, some in ((1, self.come), (-1, self.gone)):
            count += sign * some.num_rows
            total += sign * sum(some.column("digest").to_pylist())
        return count, total


class Live:
    """The snapshot of now of one store.

    Parameters
    ----------
    store
        an open store.
    kernels
        as for :func:`lineage.graph.build.load`.

    Examples
    --------
    >>> from lineage.store import Store
    >>> live = Live(Store.open(":memory:"))
    >>> live.now().n, live.now().n
    (0, 0)
    >>> live.builds
    1
    """

    def __init__(self, store: Store, kernels: str | None = None) -> None:
        self._store, self._kernels = store, kernels
        self._kept: _Kept | None = None
        self._none: dict[str, pa.Table] = {}  # answers without rows
        self.builds = self.patches = self.reordered = 0  # reordered: patches with a level made anew

    def now(self) -> Snapshot:
        """The graph as it is; not to be called by two threads at once."""
        last = self._kept
        with self._store.reading() as cursor:
            at, known = instant(cursor, None, None)
            marks = _Marks.read(cursor, at, known, last.snapshot if last else None)
            changed = marks.changed(last.marks) if last else frozenset(marks.tables)
            digests = _Digests.read(cursor, at, known, last.digests if last else None, changed)
            kept = self._followed(last, cursor, at, known, digests, marks) if last else None
            if kept is None:
                kept = self._built(cursor, at, known, digests, marks)
        self._kept = kept
        return kept.snapshot

    def _built(self, cursor: Any, at: datetime, known: datetime, digests: _Digests, marks: _Marks) -> _Kept:
        self.builds += 1
        entities, columns, aliases, *edges = tables(cursor, at, known)
        nodes, soft = number(entities, columns, aliases)
        relations, left_out = relate(nodes, soft, *edges)
        snapshot = Snapshot(
            at,
            known,
            nodes,
            relations,
            levels(nodes, relations),
            self_loops(relations),
            left_out,
            self._kernels,
        )
        return _Kept(snapshot, soft, digests, marks, {name: Backs.none() for name in LEVELS})

    def _followed(
        self, kept: _Kept, cursor: Any, at: datetime, known: datetime, digests: _Digests, marks: _Marks
    ) -> _Kept | None:
        """The same state reached from the last one; ``None`` when it must be built."""
        if kept.digests == digests:
            return replace(kept, snapshot=kept.snapshot.moved(at, known), marks=marks)
        if (kept.digests.nodes, kept.digests.evidence) != (digests.nodes, digests.evidence):
            return None
        times = {"at": at, "known": known, "before": kept.snapshot.as_of, "floor": kept.marks.newest}
        edges = self._change(cursor, (sql.EDGES_COME, sql.EDGES_GONE), times, kept.digests.edges != digests.edges)
        columns = self._change(
            cursor,
            (sql.COLUMN_EDGES_COME, sql.COLUMN_EDGES_GONE),
            times,
            kept.digests.column_edges != digests.column_edges,
        )
        reached = (edges.applied_to(kept.digests.edges), columns.applied_to(kept.digests.column_edges))
        if reached != (digests.edges, digests.column_edges) or edges.rows + columns.rows > MANY:
            return None
        nodes = kept.snapshot.parts()["nodes"]
        come, strange = relate(nodes, kept.soft, edges.come, columns.come)
        gone, lost = relate(nodes, kept.soft, edges.gone, columns.gone)
        if strange or lost:
            return None
        found = patched_snapshot(kept.snapshot, gone, come, kept.backs, (at, known), self._kernels)
        if found is None:
            return None
        snapshot, backs, anew = found
        self.patches += 1
        self.reordered += anew > 0
        return _Kept(snapshot, kept.soft, digests, marks, backs)

    def _change(self, cursor: Any, queries: tuple[str, str], times: dict[str, datetime], changed: bool) -> _Change:
        """Rows that came and went; where nothing did, the database is not asked again for no rows."""
        if changed or any(query not in self._none for query in queries):
            found = [table(cursor, query, **times) for query in queries]
            self._none.update((query, one.schema.empty_table()) for query, one in zip(queries, found, strict=True))
            return _Change(*found)
        return _Change(*(self._none[query] for query in queries))


def patched_snapshot(
    last: Snapshot,
    gone: Relations,
    come: Relations,
    backs: dict[LevelName, Backs],
    times: tuple[datetime, datetime],
    kernels: str | None = None,
) -> tuple[Snapshot, dict[LevelName, Backs], int] | None:
    """The snapshot with some edge rows changed; what no change has touched is shared with the last one.

    Parameters
    ----------
    last
        the snapshot as it is.
    gone, come
        rows between its nodes that came and went.
    backs
        for each level what edges lead back over since it was made, see :class:`lineage.graph.splice.Backs`.
    times
        the instant of the new snapshot on both clocks.

    Returns
    -------
    tuple
        the new snapshot, what edges lead back over in it, and how many of its levels were made anew; ``None`` when a
        row of ``gone`` is not there.
    """
    parts = last.parts()
    nodes, old = parts["nodes"], parts["relations"]
    found: dict[str, EdgeRows] = {}
    for name in RELATIONS:
        rows = patched(getattr(old, name), getattr(gone, name), getattr(come, name))
        if rows is None:
            return None
        found[name] = rows
    changed = {name for name, rows in found.items() if rows is not getattr(old, name)}
    keys = {name: touched(getattr(gone, name), getattr(come, name)) for name in RELATIONS}
    follows = changed & {"lineage", "reads", "writes"}
    relations = related(found, nodes.datasets) if follows else replace(old, **found)
    keys["inflow"] = regraded(old.inflow, relations.inflow)
    anew: dict[LevelName, Level] = {}
    if any(len(keys[name]) for name in MAKING):
        spliced, backs = spliced_levels(nodes, parts["levels"], old, relations, keys, backs)
        anew = {name: LEVELS[name](nodes, relations) for name, level in spliced.items() if level is None}
        parts |= {"levels": spliced | anew, "self_loops": patched_loops(parts["self_loops"], relations, keys)}
    pairs = tuple(
        patched_pairs(before, found[name], keys[name]) if name in changed else before
        for name, before in zip(("reads", "writes", "contains"), parts["pairs"], strict=True)
    )
    parts |= {"relations": relations, "pairs": pairs}
    return Snapshot.of_parts(*times, parts, kernels, last), backs, len(anew)
