"""The two levels through time, of pieces of edge rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from lineage.graph.arrays import I64, PROVENANCES, U8, U64, pair_halves, pair_keys, ranges
from lineage.graph.level import Edges, column_level, dataset_level
from lineage.graph.nodes import Nodes
from lineage.graph.rows import ColumnUse
from lineage.graph.timeline.edges import ALWAYS, NOTHING, Presence, TimedEdges, TimedLevel, best, swept
from lineage.graph.timeline.members import Stays
from lineage.graph.timeline.relate import Pieces

_BY_COLUMNS = PROVENANCES.index("column")


def datasets_through_time(
    nodes: Nodes, lineage: Pieces, inflow: Pieces, writes: Pieces, columns: Pieces, use: ColumnUse
) -> TimedLevel:
    """The dataset level; an edge that column lineage alone tells of is indirect while all of that is indirect use."""
    keys, homes = lineage.keys, pair_keys(columns.src_home, columns.dst_home)
    told = np.unique(keys[lineage.provenance == _BY_COLUMNS])
    told = told[np.isin(told, homes[use.indirect == 1])]
    among, of_columns = np.isin(keys, told), np.isin(homes, told)
    plain = _edges(lineage.taken(~among), lineage.certainty[~among])
    plain = Edges.joined(plain, _edges(inflow, inflow.certainty))
    edges = Edges.joined(plain, _swept(lineage.taken(among), columns.taken(of_columns), use.indirect[of_columns]))
    ports = _in_flow(nodes, lineage)
    moved = _while_in_flow(ports, writes)
    return dataset_level(edges, moved, nodes.datasets, nodes.jobs, partial(TimedLevel.build, ports=ports))


def columns_through_time(nodes: Nodes, stays: Stays, columns: Pieces, use: ColumnUse) -> TimedLevel:
    """The column level."""
    first, count = nodes.first_column, len(nodes.dataset_of)
    edges = _edges(columns, columns.certainty + np.uint8(3) * use.indirect)
    own = np.arange(first, first + count, dtype=np.uint32)
    staying = nodes.dense[stays.base]
    alone = np.ones(count, dtype=bool)
    alone[staying[staying >= first] - np.uint32(first)] = False
    leads = np.flatnonzero((stays.member == stays.base) & (staying >= first))
    home = TimedEdges(
        src=np.append(nodes.dataset_of[alone], nodes.dense[stays.home[leads]]),
        dst=np.append(own[alone], staying[leads]),
        cls=np.zeros(int(alone.sum()) + len(leads), np.uint8),
        begin=np.append(np.full(int(alone.sum()), ALWAYS[0]), stays.begin[leads]),
        end=np.append(np.full(int(alone.sum()), ALWAYS[1]), stays.end[leads]),
    )
    return column_level(edges, home, first, count, TimedLevel.build)


def _edges(pieces: Pieces, cls: U8) -> TimedEdges:
    return TimedEdges(pieces.src, pieces.dst, cls.astype(np.uint8), pieces.begin, pieces.end)


def _swept(lineage: Pieces, columns: Pieces, indirect: U8) -> TimedEdges:
    """Edges between datasets of which some rows come from column lineage, with their class at every moment."""
    others = lineage.taken(lineage.provenance != _BY_COLUMNS)
    key = np.concatenate([lineage.keys, others.keys, pair_keys(columns.src_home, columns.dst_home)])
    counter = np.concatenate([lineage.certainty, np.full(len(others.row), 3), 4 + indirect]).astype(np.uint8)
    begin = np.concatenate([lineage.begin, others.begin, columns.begin])
    end = np.concatenate([lineage.end, others.end, columns.end])
    return _of(*swept(key, counter, begin, end, 6, _class))


def _class(counts: Sequence[I64]) -> U8:
    """Rows by certainty, rows that column lineage did not tell, direct and indirect column edges."""
    certainty, others, direct, indirect = best(counts[:3]), *counts[3:]
    filters = (others == 0) & (direct == 0) & (indirect > 0)
    return np.where(certainty == NOTHING, NOTHING, certainty + np.uint8(3) * filters).astype(np.uint8)


def _in_flow(nodes: Nodes, lineage: Pieces) -> Presence:
    """When jobs are in explicit job flow: only then they have ports."""
    ends = np.concatenate([lineage.src, lineage.dst])
    some = ends >= nodes.datasets
    since, until = (np.concatenate([values, values])[some] for values in (lineage.begin, lineage.end))
    return Presence.of(ends[some], since, until)


def _while_in_flow(ports: Presence, writes: Pieces) -> TimedEdges:
    """What jobs write over the times at which they have ports."""
    job = ports.key
    writes = writes.taken(np.isin(writes.src, job))
    key = writes.keys
    pairs = np.unique(key)
    low = np.searchsorted(job, pairs >> np.uint64(32), side="left")
    size = np.searchsorted(job, pairs >> np.uint64(32), side="right") - low
    at = ranges(low, size)
    return _of(
        *swept(
            np.append(key, np.repeat(pairs, size)),
            np.append(writes.certainty, np.full(len(at), 3)).astype(np.uint8),
            np.append(writes.begin, ports.begin[at]),
            np.append(writes.end, ports.end[at]),
            4,
            lambda counts: np.where(counts[3] > 0, best(counts[:3]), NOTHING).astype(np.uint8),
        )
    )


def _of(key: U64, cls: U8, begin: I64, end: I64) -> TimedEdges:
    src, dst = pair_halves(key)
    return TimedEdges(src, dst, cls, begin, end)
