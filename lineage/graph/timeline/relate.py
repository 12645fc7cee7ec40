"""Edge rows of all of time by what they mean, cut where their ends become part of another node."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.graph.arrays import COLUMN, I64, JOB, NONE, PROBABLE, STALE, U8, U32, U64, Bool, pair_keys, ranges
from lineage.graph.build import PROBABLE_FROM, column_use
from lineage.graph.nodes import Nodes
from lineage.graph.numbering import Bases, numpy_column
from lineage.graph.rows import ColumnUse, EdgeRows
from lineage.graph.timeline.members import Stays, homes
from lineage.graph.timeline.rows import TimedRows

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of rows over which both ends belong to the same nodes; ``row`` is the row of the table.

    ``src``, ``dst``, ``job`` and the datasets of the ends, ``src_home`` and ``dst_home``, are dense indices of the
    timeline.
    """

    row: I64
    src: U32
    dst: U32
    job: U32
    kind: U8
    provenance: U8
    certainty: U8
    valid_from: I64
    begin: I64
    end: I64
    src_home: U32
    dst_home: U32

    def taken(self, some: Any) -> Pieces:
        """A selection of them."""
        return Pieces(*(getattr(self, one.name)[some] for one in fields(self)))

    @property
    def keys(self) -> U64:
        """src << 32 | dst of each."""
        return pair_keys(self.src, self.dst)

    def timed(self, use: ColumnUse | None = None) -> TimedRows:
        """As sorted rows; ``use`` has one entry per piece."""
        unsorted = EdgeRows(
            np.zeros(0, np.uint64), self.job, self.provenance, self.certainty, self.valid_from, use
        )  # fmt: skip
        return TimedRows.build(self.src, self.dst, unsorted, self.begin, self.end)


@dataclass(frozen=True, slots=True)
class Left:
    """Spans of rows that are left out: an end is no node, or they mean nothing."""

    begin: I64
    end: I64

    def at(self, moment: int) -> int:
        """How many there are at a moment."""
        return int(np.count_nonzero((self.begin <= moment) & (moment < self.end)))

    def and_of(self, pieces: Pieces) -> Left:
        """With some pieces."""
        return Left(np.append(self.begin, pieces.begin), np.append(self.end, pieces.end))


class Cutter:
    """Rows of the store into pieces.

    Parameters
    ----------
    bases
        identifiers of the store.
    nodes
        their indices in the timeline.
    stays
        which of them were one node at which times.
    refuted
        what a person called wrong: src, dst, valid_from, valid_to.
    """

    def __init__(self, bases: Bases, nodes: Nodes, stays: Stays, refuted: pa.Table) -> None:
        self._bases, self._nodes, self._stays = bases, nodes, stays
        src, dst = (nodes.by_id.positions(numpy_column(refuted, name, np.uint64)) for name in ("src", "dst"))
        times = (numpy_column(refuted, name, np.int64) for name in ("valid_from", "valid_to"))
        self._refuted = list(zip(src.tolist(), dst.tolist(), *(t.tolist() for t in times), strict=True))

    def cut(self, table: pa.Table) -> tuple[Pieces, Left]:
        """Pieces of the rows of a table of edges or column edges, and the rows with an end that is no node."""
        src, dst = (self._nodes.by_id.positions(numpy_column(table, name, np.uint64)) for name in ("src", "dst"))
        begin, end = (numpy_column(table, name, np.int64) for name in ("valid_from", "valid_to"))
        known = (src >= 0) & (dst >= 0)
        left = Left(begin[~known], end[~known])
        row = np.flatnonzero(known)
        kind = numpy_column(table, "kind", np.uint8) if "kind" in table.column_names else np.zeros(len(src), np.uint8)
        if self._refuted:
            row, begin, end = self._without_refuted(table, row, src, dst, begin, end)
        else:
            begin, end = begin[row], end[row]
        at, begin, end, new_src, soft, src_home = self._along(src[row], begin, end)
        row = row[at]
        back, begin, end, new_dst, other_soft, dst_home = self._along(dst[row], begin, end)
        row, new_src, soft, src_home = row[back], new_src[back], soft[back] | other_soft, src_home[back]
        provenance: U8 = numpy_column(table, "provenance", np.uint8)[row]
        certainty = (provenance >= PROBABLE_FROM).astype(np.uint8)
        certainty[soft] = PROBABLE
        certainty[numpy_column(table, "stale", np.uint8)[row] == 1] = STALE
        job = self._nodes.by_id.positions(numpy_column(table, "job", np.uint64)[row])
        dense = self._nodes.dense
        pieces = Pieces(
            row=row,
            src=dense[new_src],
            dst=dense[new_dst],
            job=np.where(job >= 0, dense[job], NONE).astype(np.uint32),
            kind=kind[row],
            provenance=provenance,
            certainty=certainty,
            valid_from=numpy_column(table, "valid_from", np.int64)[row],
            begin=begin,
            end=end,
            src_home=dense[src_home],
            dst_home=dense[dst_home],
        )
        return pieces, left

    def _along(self, bases: I64, begin: I64, end: I64) -> tuple[I64, I64, I64, I64, Bool, I64]:
        """Rows cut where one end begins or ceases to belong to a node.

        Returns the position of the row of each piece, its span, and of that end the node, whether it is soft, and the
        dataset.
        """
        low, count = self._stays.of(bases)
        still, moving = np.flatnonzero(count == 0), np.flatnonzero(count)
        own = bases[still]
        if not len(moving):
            return still, begin, end, own, np.zeros(len(own), dtype=bool), homes(self._bases, own)
        at, stay = np.repeat(moving, count[moving]), ranges(low[moving], count[moving])
        since = np.maximum(begin[at], self._stays.begin[stay])
        until = np.minimum(end[at], self._stays.end[stay])
        some = np.flatnonzero(since < until)
        at, stay = at[some], stay[some]
        return (
            np.append(still, at),
            np.append(begin[still], since[some]),
            np.append(end[still], until[some]),
            np.append(own, self._stays.member[stay]),
            np.append(np.zeros(len(own), dtype=bool), self._stays.soft[stay]),
            np.append(homes(self._bases, own), self._stays.home[stay]),
        )

    def _without_refuted(
        self, table: pa.Table, row: I64, src: I64, dst: I64, begin: I64, end: I64
    ) -> tuple[I64, I64, I64]:
        """Rows without the times over which they are called wrong: row and span of each rest.

        An edge that a person added stays; column edges are wrong together with that between their datasets.
        """
        of_columns = "by_hand" not in table.column_names
        ends = (homes(self._bases, bases[row]) if of_columns else bases[row] for bases in (src, dst))
        keys = pair_keys(*(bases.astype(np.uint32) for bases in ends))
        wrong: dict[int, list[tuple[int, int]]] = {}
        for a, b, since, until in self._refuted:
            if a >= 0 and b >= 0:
                wrong.setdefault(a << 32 | b, []).append((since, until))
        hit = np.isin(keys, np.array(list(wrong), dtype=np.uint64))
        if not of_columns:
            flow = (numpy_column(table, "kind", np.uint8) == 0) & (numpy_column(table, "by_hand", np.uint8) == 0)
            hit &= flow[row]
        rest: list[tuple[int, int, int]] = []
        for at, key in zip(row[hit].tolist(), keys[hit].tolist(), strict=True):
            spans = [(int(begin[at]), int(end[at]))]
            for since, until in wrong[key]:
                rests = [rest for b, e in spans for rest in ((b, min(e, since)), (max(b, until), e))]
                spans = [(b, e) for b, e in rests if b < e]
            rest += [(at, *span) for span in spans]
        more = np.array(rest, dtype=np.int64).reshape(-1, 3)
        kept = row[~hit]
        return (
            np.append(kept, more[:, 0]),
            np.append(begin[kept], more[:, 1]),
            np.append(end[kept], more[:, 2]),
        )


def relations_of(nodes: Nodes, pieces: Pieces, left: Left) -> tuple[dict[str, Pieces], Left]:
    """Pieces by what they mean, by the names of :data:`lineage.graph.rows.RELATIONS` but for columns."""
    src, dst = _kinds(nodes, pieces.src), _kinds(nodes, pieces.dst)
    kind = pieces.kind
    enter, leave, between = (src == 0) & (dst == JOB), (src == JOB) & (dst == 0), (src == JOB) & (dst == JOB)
    meaning = {
        "lineage": (kind == 0) & (src != COLUMN) & (dst != COLUMN),
        "reads": (kind <= 1) & enter,
        "writes": ((kind == 0) | (kind == 2)) & leave,
        "control": (kind == 3) & between,
        "contains": (kind == 4) & between,
    }
    used = np.logical_or.reduce(list(meaning.values()))
    return {name: pieces.taken(some) for name, some in meaning.items()}, left.and_of(pieces.taken(~used))


def columns_of(nodes: Nodes, table: pa.Table, pieces: Pieces, left: Left) -> tuple[Pieces, ColumnUse, Left]:
    """Pieces of column edges with their use."""
    keep = (_kinds(nodes, pieces.src) == COLUMN) & (_kinds(nodes, pieces.dst) != JOB)
    left = left.and_of(pieces.taken(~keep))
    pieces = pieces.taken(keep)
    every = np.ones(table.num_rows, dtype=bool)
    use = column_use(table, every, ~every)
    indirect = use.indirect[pieces.row]
    indirect[_kinds(nodes, pieces.dst) != COLUMN] = 1
    use = replace(use, indirect=indirect, masking=use.masking[pieces.row], kind=use.kind[pieces.row])
    return pieces, use, left


def _kinds(nodes: Nodes, dense: U32) -> U8:
    found = (dense >= nodes.datasets).astype(np.uint8)
    found[dense >= nodes.first_column] = COLUMN
    return found
