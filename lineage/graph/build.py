"""Build a snapshot from the store.

Rows come out of the database as Arrow, texts of edges as small codes; ids are mapped to dense indices with sorted
arrays. A row whose end the store does not know as a node is left out and counted (``Snapshot.dangling``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import array_of, coded
from lineage.graph import sql
from lineage.graph.arrays import (
    COLUMN,
    JOB,
    NONE,
    PROBABLE,
    PROVENANCES,
    STALE,
    U8,
    U32,
    U64,
    Bool,
    pair_halves,
    picked,
)
from lineage.graph.inflow import related
from lineage.graph.level import Edges, Level, build_level, column_level, dataset_level
from lineage.graph.nodes import Nodes
from lineage.graph.numbering import number, numpy_column
from lineage.graph.rows import ColumnUse, EdgeRows, Relations, first_of_runs
from lineage.graph.snapshot import LevelName, Snapshot
from lineage.graph.sorting import distinct, marked, sorted_pairs, unique
from lineage.times import utcnow

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.store.store import Store

PROBABLE_FROM = PROVENANCES.index("product")  # product, sql and anything unheard of are guesses
_SOFT_SHIFT = np.uint32(31)  # no graph has so many nodes that one of them would need this bit
Kinds = tuple[tuple[str | None, str | None], ...]

_BY_COLUMNS = PROVENANCES.index("column")


def load(
    store: Store, as_of: datetime | None = None, known_at: datetime | None = None, *, kernels: str | None = None
) -> Snapshot:
    """The graph as it was at ``as_of``, as far as was known at ``known_at``.

    Parameters
    ----------
    store
        an open store; all queries see one state of it.
    as_of
        valid time; default: now, or the newest event time when the clock of a producer runs ahead.
    known_at
        known time; default: now.
    kernels
        ``"compiled"`` or ``"numpy"``; default: the best there is.

    Examples
    --------
    >>> from lineage.store import Store
    >>> load(Store.open(":memory:")).n
    0
    """
    with store.reading() as cursor:
        at, known = instant(cursor, as_of, known_at)
        parts = tables(cursor, at, known)
    return assemble(at, known, *parts, kernels=kernels)


def tables(cursor: Any, at: datetime, known: datetime) -> tuple[pa.Table, ...]:
    """What a snapshot is made of, in the order of :func:`assemble`.

    Types and subtypes of column edges come as texts only where one of them is none of OpenLineage's; edges are compared
    with those that a person called wrong only where there are any.
    """
    refuted = bool(cursor.execute(sql.ANY_REFUTED).fetchall()[0][0])
    edges = (sql.EDGES, sql.COLUMN_EDGES_CODED) if refuted else (sql.EDGES_UNMARKED, sql.COLUMN_EDGES_UNMARKED)
    queries = (sql.ENTITIES, sql.COLUMNS, sql.ALIASES, *edges)
    *others, uses = (table(cursor, query, at=at, known=known) for query in queries)
    if (numpy_column(uses, "use", np.uint8) == sql.ODD_USE).any():
        uses = table(cursor, sql.COLUMN_EDGES, at=at, known=known)
    return *others, uses


def table(cursor: Any, query: str, **parameters: datetime) -> pa.Table:
    """Answer of a query as Arrow; parameters that it does not name are left out."""
    named = {name: value for name, value in parameters.items() if f"${name}" in query}
    found: pa.Table = cursor.sql(query, params=named).to_arrow_table()
    return found


def rows(cursor: Any, query: str, **parameters: datetime) -> list[tuple[Any, ...]]:
    """Answer of a query as tuples: for a few rows, of which the way to Arrow would cost more than the question."""
    named = {name: value for name, value in parameters.items() if f"${name}" in query}
    found: list[tuple[Any, ...]] = cursor.execute(query, named).fetchall()
    return found


def assemble(
    as_of: datetime,
    known_at: datetime,
    entities: pa.Table,
    columns: pa.Table,
    aliases: pa.Table,
    edges: pa.Table,
    column_edges: pa.Table,
    *,
    kernels: str | None = None,
) -> Snapshot:
    """Snapshot from the Arrow tables that the queries of :mod:`lineage.graph.sql` give."""
    nodes, soft = number(entities, columns, aliases)
    relations, left_out = relate(nodes, soft, edges, column_edges)
    return Snapshot(
        as_of, known_at, nodes, relations, levels(nodes, relations), self_loops(relations), left_out, kernels
    )


def relate(nodes: Nodes, soft: Bool, edges: pa.Table, column_edges: pa.Table) -> tuple[Relations, int]:
    """Edge rows by what they mean, and how many mean nothing or have an end that is no node.

    Parameters
    ----------
    nodes, soft
        as :func:`lineage.graph.numbering.number` gives them.
    edges, column_edges
        as the queries give them.
    """
    ends = _Ends(nodes, soft)
    found = _rows(column_edges, ends)
    keep = (ends.kind(found.src) == COLUMN) & (ends.kind(found.dst) != JOB)
    use = column_use(column_edges, found.known, ends.kind(found.dst) != COLUMN)
    columns, left_out = found.build(keep, use), found.dangling + int((~keep).sum())
    others = _rows(edges, ends)
    relations, misfits = _relations(others, ends, columns)
    return relations, others.dangling + left_out + misfits


def self_loops(relations: Relations) -> U32:
    """Nodes with an edge to themselves, ascending."""
    loops = [rows.src[rows.src == rows.dst] for rows in (relations.lineage, relations.columns)]
    return unique(np.concatenate(loops)).astype(np.uint32)


def now_of(store: Store) -> tuple[datetime, datetime]:
    """The instant that a question without times is about, on both clocks."""
    with store.reading() as cursor:
        return instant(cursor, None, None)


def naive(at: datetime) -> datetime:
    """The same instant as naive UTC."""
    return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)


def instant(cursor: Any, as_of: datetime | None, known_at: datetime | None) -> tuple[datetime, datetime]:
    """Both times of a question that may leave them out."""
    newest_event, newest_receipt = cursor.execute(sql.CLOCK).fetchall()[0]
    now = utcnow()
    at = naive(as_of) if as_of else max(now, newest_event or now)
    known = naive(known_at) if known_at else max(now, newest_receipt or now)
    return at, known


class _Ends:
    """Ids of the ends of edges to dense indices."""

    def __init__(self, nodes: Nodes, soft: Bool) -> None:
        self._nodes = nodes
        self.some_soft, self.datasets = bool(soft.any()), nodes.datasets
        told = nodes.dense | soft.astype(np.uint32) << _SOFT_SHIFT if self.some_soft else nodes.dense
        self._told = nodes.by_id.giving(told)

    def found(self, *ids: U64) -> tuple[list[U32], list[Bool]]:
        """Dense indices of ids, ``NONE`` where one is unknown; and which are soft, if any node is."""
        told = self._told.found(*ids)
        if not self.some_soft:
            return told, []
        known = [one != NONE for one in told]
        dense = [np.where(has, one & ~(np.uint32(1) << _SOFT_SHIFT), one) for has, one in zip(known, told, strict=True)]
        return dense, [has & (one >> _SOFT_SHIFT == 1) for has, one in zip(known, told, strict=True)]

    def kind(self, dense: U32) -> U8:
        found = (dense >= self._nodes.datasets).astype(np.uint8)
        found[dense >= self._nodes.datasets + self._nodes.jobs] = COLUMN
        return found


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """Edge rows with both ends known, in the order of the store. ``known`` tells which rows of the table they are."""

    known: Bool
    src: U32
    dst: U32
    job: U32
    kind: U8
    provenance: U8
    certainty: U8
    valid_from: Any
    dangling: int

    def build(self, keep: Bool, use: ColumnUse | None = None) -> EdgeRows:
        """Sorted rows of a selection."""
        some = None if keep.all() else np.flatnonzero(keep).astype(np.uint32)
        ends = self.src, self.dst, self.job
        return EdgeRows.build(*ends, self.provenance, self.certainty, self.valid_from, use, some)


def _rows(table: pa.Table, ends: _Ends) -> _Rows:
    (src, dst, job), soft = ends.found(*(numpy_column(table, name, np.uint64) for name in ("src", "dst", "job")))
    known = (src != NONE) & (dst != NONE)
    take = partial(picked, keep=known, everything=bool(known.all()))
    provenance: U8 = take(numpy_column(table, "provenance", np.uint8))
    certainty = (provenance >= PROBABLE_FROM).astype(np.uint8)
    if soft:
        certainty[take(soft[0] | soft[1])] = PROBABLE
    certainty[take(numpy_column(table, "stale", np.uint8)) == 1] = STALE
    kind = take(numpy_column(table, "kind", np.uint8)) if "kind" in table.column_names else None
    return _Rows(
        known=known,
        src=take(src),
        dst=take(dst),
        job=take(job),
        kind=np.zeros(len(provenance), np.uint8) if kind is None else kind,
        provenance=provenance,
        certainty=certainty,
        valid_from=take(numpy_column(table, "valid_from", np.int64)),
        dangling=int((~known).sum()),
    )


def column_use(table: pa.Table, known: Bool, whole: Bool) -> ColumnUse:
    """Type, subtype and masking of column edges; what affects a whole dataset is indirect use."""
    take = partial(picked, keep=known, everything=bool(known.all()))
    masking: U8 = take(numpy_column(table, "masking", np.uint8))
    if "use" not in table.column_names:
        kind, kinds = _kinds_of_texts(table if known.all() else table.filter(array_of(known)))
        indirect: U8 = take(numpy_column(table, "indirect", np.uint8))
        return ColumnUse(indirect | whole.astype(np.uint8), masking, kind, kinds)
    code: U8 = take(numpy_column(table, "use", np.uint8))
    some = np.flatnonzero(np.bincount(code, minlength=len(sql.USES)))
    place = np.zeros(len(sql.USES), dtype=np.uint32)
    place[some] = np.arange(len(some))
    filters = np.array([kind == "INDIRECT" for kind, _ in sql.USES], dtype=np.uint8)
    return ColumnUse(
        filters[code] | whole.astype(np.uint8), masking, place[code], tuple(sql.USES[c] for c in some.tolist())
    )


def _kinds_of_texts(rows: pa.Table) -> tuple[U32, Kinds]:
    (type_codes, types), (subtype_codes, subtypes) = (coded(rows.column(name)) for name in ("type", "subtype"))
    width = len(subtypes) + 1
    pair = (type_codes.astype(np.int64) * width + subtype_codes).astype(np.uint32)
    bound = width * (len(types) + 1)
    pairs, kind = distinct(pair, bound), (np.cumsum(marked(pair, bound)) - 1)[pair]
    return kind.astype(np.uint32), tuple((types[p // width], subtypes[p % width]) for p in pairs.tolist())


def _relations(rows: _Rows, ends: _Ends, columns: EdgeRows) -> tuple[Relations, int]:
    """Rows by what they mean, and how many mean nothing (a read that ends at a dataset)."""
    src, dst = ends.kind(rows.src), ends.kind(rows.dst)
    flow = (rows.kind == 0) & (src != COLUMN) & (dst != COLUMN)
    enter, leave = (src == 0) & (dst == JOB), (src == JOB) & (dst == 0)
    reads, writes = (rows.kind <= 1) & enter, ((rows.kind == 0) | (rows.kind == 2)) & leave
    between = (src == JOB) & (dst == JOB)
    control, contains = (rows.kind == 3) & between, (rows.kind == 4) & between
    used = flow | reads | writes | control | contains
    found = {
        "lineage": rows.build(flow),
        "columns": columns,
        "reads": rows.build(reads),
        "writes": rows.build(writes),
        "control": rows.build(control),
        "contains": rows.build(contains),
    }
    return related(found, ends.datasets), int((~used).sum())


def levels(nodes: Nodes, relations: Relations, column: Level | None = None) -> dict[LevelName, Level]:
    """What walks run on; ``column`` is the level of the same column edges, when there is one already."""
    return {
        "dataset": level_of_datasets(nodes, relations),
        "column": column or level_of_columns(nodes, relations),
    }


def level_of_datasets(nodes: Nodes, relations: Relations) -> Level:
    """The dataset level of some edge rows."""
    parts = relations.lineage, relations.writes, relations.columns, relations.inflow
    flow, moved = dataset_edges(nodes, *parts)
    return dataset_level(flow, moved, nodes.datasets, nodes.jobs, build_level)


def dataset_edges(
    nodes: Nodes, lineage: EdgeRows, writes: EdgeRows, columns: EdgeRows, inflow: EdgeRows
) -> tuple[Edges, Edges]:
    """Edges of the dataset level between dense indices, and from jobs to what they write.

    Of some pairs alone: from all their rows, and from all column rows between datasets among them.
    """
    first = first_of_runs(lineage.key)
    some = slice(None) if len(first) == len(lineage.key) else first
    keys = lineage.key[some]
    cls = lineage.certainty[some] + np.uint8(3) * _filters_only(nodes, lineage, columns, first).astype(np.uint8)
    edges = Edges(*pair_halves(keys), cls)
    if len(inflow.key):
        edges = Edges.joined(edges, Edges(inflow.src, inflow.dst, inflow.certainty))
    return edges, Edges(writes.src, writes.dst, writes.certainty)


def level_of_columns(nodes: Nodes, relations: Relations) -> Level:
    """The column level of some edge rows."""
    first, count = nodes.first_column, len(nodes.dataset_of)
    own = np.arange(first, first + count, dtype=np.uint32)
    home = Edges(nodes.dataset_of, own, np.zeros(count, np.uint8))
    return column_level(column_edges(relations.columns), home, first, count, build_level)


def column_edges(columns: EdgeRows) -> Edges:
    """Edges of the column level between dense indices."""
    assert columns.use is not None
    return Edges(columns.src, columns.dst, columns.certainty + np.uint8(3) * columns.use.indirect)


LEVELS: dict[LevelName, Callable[[Nodes, Relations], Level]] = {
    "dataset": level_of_datasets,
    "column": level_of_columns,
}


def _filters_only(nodes: Nodes, lineage: EdgeRows, columns: EdgeRows, first: Any) -> Bool:
    """Which pairs of datasets are joined by column lineage alone, and by indirect use alone."""
    if not len(first) or not len(columns.key):
        return np.zeros(len(first), dtype=bool)
    assert columns.use is not None
    by_columns = lineage.provenance == _BY_COLUMNS
    if not by_columns.any():
        return np.zeros(len(first), dtype=bool)
    found: Bool = np.logical_and.reduceat(by_columns, first)
    asked = np.flatnonzero(found)
    offset = nodes.datasets + nodes.jobs
    src, dst = nodes.datasets_of(columns.src), nodes.datasets_of(columns.dst)
    pairs, order = sorted_pairs(src, dst, offset)
    begin = first_of_runs(pairs)
    indirect_only = np.minimum.reduceat(columns.use.indirect[order], begin) == 1
    told, keys = pairs[begin], lineage.key[first[asked]]
    at = np.minimum(np.searchsorted(told, keys), len(told) - 1)
    found[asked] = (told[at] == keys) & indirect_only[at]
    return found
