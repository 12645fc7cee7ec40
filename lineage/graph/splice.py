"""The levels of a snapshot with a few edges taken out and a few put in, at the speed of copying memory.

To make a level anew sorts all its edges, turns them round and orders its vertices along the flow: a tenth of a second
for each million edges. A change of some edge rows touches the edges of some pairs of nodes. What these pairs made
before and what they make now is worked out with the functions that build a whole level; the difference is put into the
four compressed adjacencies (both directions, unit and zero edges), of which all else is copied in one piece each.
Vertices keep their numbers, so everything about them is shared with the old level, which its readers keep.

Two things call for a level made anew. The *helper vertices* are others: a job came into explicit job flow or left it,
a dataset got its first rowset or lost it. Or the numbers do not follow the flow well any more: where an edge leads back
over other vertices, searches that use the order look at all vertices between (``kernels/cuts.h``), see :class:`Backs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from lineage.graph.arrays import CLASS_SHIFT, I64, LANE, NONE, U32, U64, VERTEX_MASK, pair_halves, pair_keys, ranges
from lineage.graph.build import column_edges, dataset_edges
from lineage.graph.level import Csr, Edges, Level, dataset_level
from lineage.graph.nodes import Nodes
from lineage.graph.patch import taken
from lineage.graph.rows import EdgeRows, Relations
from lineage.graph.snapshot import LevelName

# Changed edges up to which a splice is tried at any size of a level, and the share of its edges beyond: then a level is
# made anew as quickly.
FEW, SHARE = 1_000, 1 / 16

# Share of the vertices of a level over which edges lead back that came since, from which on it is made anew. At this
# share counting the closures of many sources takes about three times as long as in a good order, a path two to three
# times, a search from a hub no longer (benchmarks/README.md). Some thirty edges between new pairs reach it in a lineage
# graph; edges that end or change their class never do.
BACK = 1 / 4

# Edge rows that levels are made of.
MAKING = ("lineage", "writes", "columns", "inflow")

Place = Callable[[U32], I64]
Keys = dict[str, U64]


@dataclass(frozen=True, slots=True)
class Backs:
    """Stretches of vertices over which edges lead back that came since the vertices of a level were numbered."""

    low: U32
    high: U32

    @classmethod
    def none(cls) -> Self:
        """Of a level just made."""
        return cls(np.zeros(0, np.uint32), np.zeros(0, np.uint32))

    def more(self, edges: U64) -> Backs:
        """With those of some edges (source << 32 | class and target)."""
        src, dst = _ends(edges)
        back = src > dst
        return Backs(np.append(self.low, dst[back]), np.append(self.high, src[back])) if back.any() else self

    @property
    def vertices(self) -> int:
        """How many vertices lie in them.

        >>> Backs(np.array([5, 1, 2], np.uint32), np.array([6, 4, 3], np.uint32)).vertices
        6
        """
        order = np.argsort(self.low)
        low, high = self.low[order].astype(np.int64), self.high[order].astype(np.int64) + 1
        done = np.concatenate([[0], np.maximum.accumulate(high)[:-1]]) if len(high) else high
        return int(np.maximum(high - np.maximum(low, done), 0).sum())


@dataclass(frozen=True, slots=True)
class Change:
    """Edges between vertices that go and that come, as source << 32 | class << 29 | target, ascending.

    An edge whose class changes does both.
    """

    gone: U64
    come: U64

    @classmethod
    def between(cls, before: Edges, after: Edges) -> Change:
        """The difference of distinct edges."""
        one, other = (pair_keys(e.src, _packed(e.dst, e.cls)) for e in (before, after))
        return cls(np.setdiff1d(one, other, assume_unique=True), np.setdiff1d(other, one, assume_unique=True))

    def __len__(self) -> int:
        return len(self.gone) + len(self.come)

    def fresh(self) -> U64:
        """Edges between vertices that none of those that go joins: a class that changes is no new edge."""
        there = np.isin(pair_keys(*_ends(self.come)), pair_keys(*_ends(self.gone)))
        return self.come[~there]

    def turned(self) -> Change:
        """The same edges backwards."""
        return Change(*(np.sort(_turned(edges)) for edges in (self.gone, self.come)))


def spliced_levels(
    nodes: Nodes,
    levels: dict[LevelName, Level],
    old: Relations,
    new: Relations,
    keys: Keys,
    backs: dict[LevelName, Backs],
) -> tuple[dict[LevelName, Level | None], dict[LevelName, Backs]]:
    """The levels of other edge rows between the same nodes; ``None`` for one that must be made anew.

    Parameters
    ----------
    nodes, levels, old
        of the snapshot as it is.
    new
        its edge rows after the change.
    keys
        pairs (source << 32 | target) with a row that came, went or changed, of each of :data:`MAKING`, distinct and
        ascending.
    backs
        for each level, what edges lead back over since it was made.

    Returns
    -------
    tuple
        the levels, one that did not change being the old one; and what edges lead back over now.
    """
    found: dict[LevelName, Level | None] = dict(levels)
    behind = dict(backs)
    parts: dict[LevelName, Callable[..., tuple[Change, Change] | None]] = {
        "dataset": _of_datasets,
        "column": _of_columns,
    }
    for name, changes_of in parts.items():
        level = levels[name]
        changes = changes_of(nodes, level, old, new, keys)
        back = backs[name].more(np.concatenate([c.fresh() for c in changes])) if changes else backs[name]
        after = spliced_level(level, *changes) if changes and _worth(level, changes, back) else None
        if after is not None and _useless_helper(nodes, after, new, keys):
            after = None
        found[name], behind[name] = after, back if after else Backs.none()
    return found, behind


def spliced_level(level: Level, unit: Change, zero: Change) -> Level | None:
    """A level with some edges changed; ``None`` when one that goes is not there.

    Edges that count as a hop and those that do not; see :class:`Change`.
    """
    if not len(unit) and not len(zero):
        return level
    place = _place(level)
    sides = []
    for side, some in ((level.down, (unit, zero)), (level.up, (unit.turned(), zero.turned()))):
        first = spliced(side.unit, some[0], place)
        nothing = Csr(0, np.zeros(1, np.uint32), np.zeros(LANE, np.uint32))
        second = spliced(side.zero or nothing, some[1], place)
        if first is None or second is None:
            return None
        sides.append(replace(side, unit=first, zero=second if second.edges else None))
    return replace(level, down=sides[0], up=sides[1])


def spliced(part: Csr, change: Change, place: Place) -> Csr | None:
    """An adjacency with some edges changed; ``None`` when one that goes is not there.

    Parameters
    ----------
    part
        the adjacency; not touched.
    change
        the edges, from the vertex whose list it is.
    place
        a number for each neighbour with its class, by which lists ascend.

    Examples
    --------
    >>> part = Csr(1, np.array([0, 2], np.uint32), np.array([2, 3, *[0] * LANE], np.uint32))
    >>> def edges(*pairs):
    ...     return np.array([(src << 32) + dst for src, dst in pairs], np.uint64)
    >>> after = spliced(part, Change(edges((1, 2)), edges((0, 3), (1, 4))), lambda entry: entry.astype(np.int64))
    >>> after.first, after.indptr.tolist(), after.indices[: after.edges].tolist()
    (0, [0, 1, 3], [3, 3, 4])
    """
    if not len(change):
        return part
    cut = _positions(part, change.gone, place)
    gone = pair_halves(change.gone)
    if len(cut) and ((cut >= part.edges) | (part.indices[cut] != gone[1])).any():
        return None
    come = pair_halves(change.come)
    order = np.lexsort((place(come[1]), come[0]))
    put = _positions(part, change.come[order], place)
    first, indptr = _pointers(part, gone[0], come[0])
    return Csr(first, indptr, _copied(part.indices, np.sort(cut), put, come[1][order]))


def _copied(values: U32, cut: I64, put: I64, fresh: U32) -> U32:
    """``values`` without those at ``cut`` and with ``fresh`` before the positions ``put``, both ascending."""
    at = np.concatenate([put, cut])
    order = np.argsort(at, kind="stable")  # what is put before a value that is cut goes first
    pieces, begin, puts = [], 0, len(put)
    for k, position in zip(order.tolist(), at[order].tolist(), strict=True):
        if begin < position:
            pieces.append(values[begin:position])
        begin = position
        if k < puts:
            pieces.append(fresh[k : k + 1])
        else:
            begin += 1
    return np.concatenate([*pieces, values[begin:]])


def _pointers(part: Csr, less: U32, more: U32) -> tuple[int, U32]:
    """First vertex with a list and row pointers when each of ``less`` loses an edge and each of ``more`` gets one."""
    rows = len(part.indptr) - 1
    first = part.first if rows else int(more[0])
    low, high = (int(f(more, initial=first)) for f in (np.min, np.max))
    before, behind = first - low, max(high - (first + rows) + 1, 0)
    row, count = np.unique(np.concatenate([more, less]), return_inverse=True)
    net = np.bincount(count[: len(more)], minlength=len(row)) - np.bincount(count[len(more) :], minlength=len(row))
    stretch = np.diff(row.astype(np.int64) - low + 1, prepend=0, append=before + rows + behind + 1)
    shift = np.concatenate([[0], np.cumsum(net)]).astype(np.uint32)  # wraps around where lists get shorter
    pointers = np.repeat(shift, stretch)
    pointers[before : before + rows + 1] += part.indptr
    pointers[before + rows + 1 :] += part.indptr[-1]
    if not pointers[-1]:
        return 0, np.zeros(1, np.uint32)
    begin = int(np.searchsorted(pointers, 0, side="right")) - 1
    end = int(np.searchsorted(pointers, pointers[-1]))
    return low + begin, pointers[begin : end + 1]


def _positions(part: Csr, edges: U64, place: Place) -> I64:
    """Where in the lists the edges are, or belong: a bisection of all lists at once."""
    owner, entry = pair_halves(edges)
    wanted, row, rows = place(entry), owner.astype(np.int64) - part.first, len(part.indptr) - 1
    low = part.indptr[np.clip(row, 0, rows)].astype(np.int64)
    high = np.where((row >= 0) & (row < rows), part.indptr[np.clip(row + 1, 0, rows)], low).astype(np.int64)
    while (todo := np.flatnonzero(low < high)).size:
        middle = (low[todo] + high[todo]) // 2
        less = place(part.indices[middle]) < wanted[todo]
        low[todo] = np.where(less, middle + 1, low[todo])
        high[todo] = np.where(less, high[todo], middle)
    return low


def _place(level: Level) -> Place:
    """The number that a neighbour had when the lists were sorted: its node's, helpers behind; direct use first."""
    count = np.int64(len(level.vertices))

    def place(entry: U32) -> I64:
        vertex = entry & np.uint32(VERTEX_MASK)
        dense = level.public[vertex]
        number = dense.astype(np.int64) - level.offset
        helper = level.is_helper(dense)
        if helper.any():
            at = np.searchsorted(level.helper_key, dense[helper])
            number[helper] = count + 2 * at + (level.helper_vertex[at] != vertex[helper])
        found: I64 = number * 2 + (entry >> np.uint32(CLASS_SHIFT)) // np.uint32(3)
        return found

    return place


# -- what edges some pairs of nodes make


def _of_datasets(
    nodes: Nodes, level: Level, old: Relations, new: Relations, keys: Keys
) -> tuple[Change, Change] | None:
    """Unit and zero edges of the dataset level; column rows tell of some whether they are direct."""
    homes = pair_keys(*(nodes.datasets_of(end) for end in pair_halves(keys["columns"])))
    pairs = np.unique(np.concatenate([keys["lineage"], keys["writes"], keys["inflow"], homes]))
    before, after = (_edges_of_pairs(nodes, level, relations, pairs) for relations in (old, new))
    if before is None or after is None:
        return None
    return Change.between(before[0], after[0]), Change.between(before[1], after[1])


def _edges_of_pairs(nodes: Nodes, level: Level, relations: Relations, pairs: U64) -> tuple[Edges, Edges] | None:
    """What pairs of datasets and jobs make; ``None`` when it takes other helper vertices than there are.

    Every job with ports is given an edge to itself, which makes its ports, in the same order, and no edge.
    """
    told = relations.lineage, relations.writes, relations.inflow
    lineage, writes, inflow = (rows_of(rows, pairs) for rows in told)
    columns = _columns_of(nodes, relations.columns, np.unique(pair_halves(lineage.key)[0]))
    flow, moved = dataset_edges(nodes, lineage, writes, columns, inflow)
    jobs = level.helper_key

    def build(unit: Edges, zero: Edges, public: U32, *others: Any) -> tuple[Edges, Edges] | None:
        if len(public) != len(level.public):
            return None
        ports = np.column_stack([level.helper_vertex, level.twin[level.helper_vertex]]).ravel()
        vertex = np.concatenate([level.vertices, ports]) if len(jobs) else level.vertices
        first, second = (e.between(vertex[e.src], vertex[e.dst]).distinct(len(public)) for e in (unit, zero))
        return first, second

    ported = Edges.joined(flow, Edges(jobs, jobs, np.zeros(len(jobs), np.uint8)))
    return dataset_level(ported, moved, nodes.datasets, nodes.jobs, build)


def _of_columns(nodes: Nodes, level: Level, old: Relations, new: Relations, keys: Keys) -> tuple[Change, Change] | None:
    """Unit edges of the column level; zero edges are the same as long as there are the same rowsets."""
    before, after = (_edges_of_columns(level, rows_of(r.columns, keys["columns"])) for r in (old, new))
    if before is None or after is None:
        return None
    return Change.between(before, after), Change(keys["columns"][:0], keys["columns"][:0])


def _edges_of_columns(level: Level, rows: EdgeRows) -> Edges | None:
    edges = column_edges(rows)
    offset = np.uint32(level.offset)
    whole = edges.dst < offset
    datasets = edges.dst[whole]
    at = np.searchsorted(level.helper_key, datasets)
    if (np.append(level.helper_key, np.uint32(NONE))[at] != datasets).any():
        return None
    target = np.empty(len(whole), dtype=np.uint32)
    target[whole] = level.helper_vertex[at]
    target[~whole] = level.vertices[edges.dst[~whole] - offset]
    return edges.between(level.vertices[edges.src - offset], target).distinct(level.down.n)


def rows_of(rows: EdgeRows, pairs: U64) -> EdgeRows:
    """All rows of some pairs, ascending."""
    low, high = np.searchsorted(rows.key, pairs, side="left"), np.searchsorted(rows.key, pairs, side="right")
    return taken(rows, ranges(low, high - low))


def _columns_of(nodes: Nodes, columns: EdgeRows, sources: U32) -> EdgeRows:
    """All rows whose source is a column of some datasets; jobs have none."""
    datasets = sources[sources < nodes.datasets]
    begin, end = (nodes.column_start[datasets + np.uint32(k)] + nodes.first_column for k in (0, 1))
    low, high = (np.searchsorted(columns.key, pair_keys(at, np.zeros_like(at))) for at in (begin, end))
    return taken(columns, ranges(low, high - low))


# -- whether a splice will do


def _worth(level: Level, changes: tuple[Change, Change], backs: Backs) -> bool:
    """Whether so many changes are put in more quickly than a level is made, and its order would still be good."""
    edges = level.down.unit.edges + (level.down.zero.edges if level.down.zero else 0)
    return sum(map(len, changes)) <= max(FEW, SHARE * edges) and backs.vertices <= BACK * level.down.n


def _useless_helper(nodes: Nodes, level: Level, relations: Relations, keys: Keys) -> bool:
    """Whether a helper vertex has lost what it was there for: all explicit flow of a job, all use of a rowset."""
    ends = np.concatenate(pair_halves(keys["lineage" if level.offset == 0 else "columns"]))
    for i in np.intersect1d(ends, level.helper_key).tolist():
        v = level.vertex(i)
        assert v is not None
        led_to = any(len(level.up.unit.neighbours(w)) for w in (v, int(level.twin[v])))
        rows = relations.lineage.out_of(i)
        if not led_to and (i < nodes.datasets or rows.start == rows.stop):
            return True
    return False


def _packed(vertex: U32, cls: Any) -> U32:
    found: U32 = vertex | cls.astype(np.uint32) << np.uint32(CLASS_SHIFT)
    return found


def _ends(edges: U64) -> tuple[U32, U32]:
    src, entry = pair_halves(edges)
    return src, entry & np.uint32(VERTEX_MASK)


def _turned(edges: U64) -> U64:
    src, entry = pair_halves(edges)
    return pair_keys(entry & np.uint32(VERTEX_MASK), src | entry & ~np.uint32(VERTEX_MASK))
