"""One level of a snapshot (datasets, or columns) as a graph that the kernels walk.

Vertices are not dense indices: ``public[v]`` is the dense index of vertex ``v``. They are numbered along the flow, true
sources first and true sinks last, because what a search visits then lies close together and most rows (the sinks) need
no pointer. Two kinds of helper vertex exist.

*Job ports.* A job that takes part in explicit job flow is two vertices. Its *in-port* is reached from datasets, its
*flow-port* from other jobs; in-port and flow-port lead to the flow-ports of other jobs, only the flow-port leads on to
the datasets the job writes. So what a dataset brought into a job cannot leave through the same job as a product of
inputs and outputs that the producer has ruled out, while data handed from job to job does arrive. Into the in-port
leads what was told to go into the job, and what it reads and may hand on (:mod:`lineage.graph.inflow`).

*Rowsets.* A column that affects all rows of a dataset (a join or filter key) points to one rowset vertex of that
dataset, which leads to all its columns: the same closure with a fraction of the edges.

Steps from a flow-port to a dataset and from a rowset to a column are *zero edges*: they do not count as a hop,
because a job counts as its outputs and a rowset as its columns. No zero edge follows on another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from lineage.errors import MeshlineError
from lineage.graph.arrays import CLASS_SHIFT, LANE, U8, U32, VERTEX_MASK, Bool, pair_halves, pair_keys, picked
from lineage.graph.rows import first_of_runs
from lineage.graph.sorting import (
    adjacency,
    distinct,
    gathered,
    marked,
    order_vertices,
    renumber,
    sort_keys,
    sorted_pairs,
    trimmed,
    unique,
)
from lineage.graph.spans import Alive

Built = TypeVar("Built")


@dataclass(frozen=True, eq=False, slots=True)
class Csr:
    """Adjacency of the vertices ``first … first + len(indptr) - 2``; all others have no neighbour.

    ``indices`` holds vertex | class << 29, for each list ascending by dense index of the neighbour, so that an answer
    does not depend on the numbering of the vertices; ``LANE`` entries of padding follow, which the compiled kernels
    may read.
    """

    first: int
    indptr: U32
    indices: U32

    @property
    def edges(self) -> int:
        """Number of edges."""
        return int(self.indptr[-1])

    def renumbered(self, order: U32, rank: U32) -> Csr:
        """The same lists when vertex ``order[k]`` is called ``k``; ``rank`` is the inverse of ``order``."""
        return Csr(*renumber(self.first, self.indptr, self.indices, order, rank))

    def neighbours(self, v: int) -> U32:
        """Neighbours of one vertex."""
        row = v - self.first
        if not 0 <= row < len(self.indptr) - 1:
            return self.indices[:0]
        return self.indices[self.indptr[row] : self.indptr[row + 1]] & np.uint32(VERTEX_MASK)


@dataclass(frozen=True, eq=False, slots=True)
class TimedCsr(Csr):
    """Adjacency through time, seen at one instant.

    Each row of ``entries`` is a neighbour and the number of the span over which the edge holds, so a list may name a
    neighbour for several spans; ``indices`` is a view of its first column. ``alive`` has one bool per span.
    """

    entries: U32
    alive: Alive

    @classmethod
    def of(cls, first: int, indptr: U32, entries: U32, alive: Alive) -> TimedCsr:
        """Adjacency of padded entries."""
        return cls(first, indptr, entries[:, 0], entries, alive)

    def at(self, alive: Alive) -> TimedCsr:
        """The same through time, at another instant."""
        return replace(self, alive=alive)

    def holds(self, at: npt.NDArray[np.integer]) -> Bool:
        """Which of the entries at some places hold at the instant."""
        found: Bool = self.alive.flags[self.entries[at, 1]]
        return found

    def neighbours(self, v: int) -> U32:
        """Neighbours of one vertex at the instant."""
        row = v - self.first
        if not 0 <= row < len(self.indptr) - 1:
            return self.indices[:0]
        at = np.arange(self.indptr[row], self.indptr[row + 1])
        return self.indices[at[self.holds(at)]] & np.uint32(VERTEX_MASK)


@dataclass(frozen=True, eq=False, slots=True)
class Adjacency:
    """One direction of a level: unit edges and zero edges. ``backwards``: they lead to smaller vertices (upstream)."""

    n: int
    unit: Csr
    zero: Csr | None
    public: U32
    backwards: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Level:
    """Both directions of a level and the way between vertices and dense indices."""

    down: Adjacency
    up: Adjacency
    public: U32  # vertex -> dense index
    offset: int  # dense index of the first node of the level
    vertices: U32  # dense index - offset -> vertex
    twin: U32  # vertex -> the other port of the same job, else itself
    helper_key: U32  # sorted dense indices of jobs with ports, or of datasets with a rowset
    helper_vertex: U32  # their vertex (in-port of a job)

    def vertex(self, i: int) -> int | None:
        """Vertex of a node; for a job its in-port; ``None`` when the node has none on this level."""
        k = i - self.offset
        if 0 <= k < len(self.vertices):
            return int(self.vertices[k])
        at = int(np.searchsorted(self.helper_key, i))
        if at < len(self.helper_key) and self.helper_key[at] == i:
            return int(self.helper_vertex[at])
        return None

    def is_helper(self, dense: U32) -> Bool:
        """Which dense indices are those of helper vertices: jobs on the dataset level, datasets on the column level."""
        return (dense - np.uint32(self.offset)) >= len(self.vertices)  # wraps around below the offset

    def beside(self, i: int, direction: str) -> U32:
        """Dense indices of all direct neighbours of ``i``, helpers included, ascending."""
        v = self.vertex(i)
        if v is None:
            return np.zeros(0, np.uint32)
        graph = self.adjacency(direction)
        own = unique(np.array([v, self.twin[v]], dtype=np.uint32))
        found = [part.neighbours(w) for part in (graph.unit, graph.zero) if part is not None for w in own.tolist()]
        return unique(self.public[np.concatenate(found)])

    def adjacency(self, direction: str) -> Adjacency:
        """The adjacency of one direction."""
        return self.down if direction == "downstream" else self.up


@dataclass(frozen=True, eq=False, slots=True)
class Edges:
    """Edges between vertices with their classes."""

    src: U32
    dst: U32
    cls: U8

    def distinct(self, n: int) -> Edges:
        """One edge for each pair and kind of use, the most certain one; without self-loops; sorted.

        ``n`` is the number of vertices.
        """
        keep = self.src != self.dst
        whole = bool(keep.all())
        src, dst, cls = (picked(values, keep, everything=whole) for values in (self.src, self.dst, self.cls))
        low: U32 = dst * np.uint32(2) + cls // np.uint8(3)
        key = pair_keys(src, low)
        if (key[1:] > key[:-1]).all():
            return Edges(src, dst, cls)
        key, order = sorted_pairs(src, low, n)
        cls = gathered(cls, order)
        first = first_of_runs(key)
        src, low = pair_halves(key[first])
        return Edges(src, low // np.uint32(2), np.minimum.reduceat(cls, first) if len(first) else cls)

    def turned(self, n: int) -> Edges:
        """The same edges backwards, sorted, when they are sorted themselves."""
        order = sort_keys(self.dst, n)
        return Edges(self.dst[order], self.src[order], self.cls[order])

    def taken(self, some: npt.NDArray[Any] | slice) -> Self:
        """A selection of them."""
        return replace(self, **{one.name: getattr(self, one.name)[some] for one in fields(self)})

    def between(self, src: U32, dst: U32) -> Self:
        """The same edges between other vertices."""
        return replace(self, src=src, dst=dst)

    @staticmethod
    def joined(first: Any, *others: Any) -> Any:
        """All edges of several lists of one kind."""
        parts = [first, *others]
        names = [one.name for one in fields(first)]
        return replace(first, **{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def csr(edges: Edges) -> Csr:
    """Adjacency of sorted edges."""
    if not len(edges.src):
        return Csr(0, np.zeros(1, np.uint32), np.zeros(LANE, np.uint32))
    first, indptr = trimmed(np.bincount(edges.src))
    indices = np.zeros(len(edges.dst) + LANE, dtype=np.uint32)
    np.bitwise_or(edges.dst, edges.cls.astype(np.uint32) << np.uint32(CLASS_SHIFT), out=indices[:-LANE])
    return Csr(first, indptr, indices)


def turned_csr(edges: Edges, n: int) -> Csr:
    """Adjacency of sorted edges backwards: what ``csr(edges.turned(n))`` gives, without their lists."""
    packed = edges.src | edges.cls.astype(np.uint32) << np.uint32(CLASS_SHIFT)
    pointers, indices = adjacency(n, edges.dst, packed, LANE)
    sizes = np.flatnonzero(pointers[1:] != pointers[:-1])
    if not len(sizes):
        return csr(edges)
    first, last = int(sizes[0]), int(sizes[-1])
    return Csr(first, pointers[first : last + 2].copy(), indices)


def build_level(
    unit: Edges,
    zero: Edges,
    public: U32,
    offset: int,
    count: int,
    helpers: tuple[U32, U32],
    twin: U32 | None = None,
) -> Level:
    """Level from edges between vertices ``0 … len(public) - 1``.

    Parameters
    ----------
    unit, zero
        edges that count as a hop, and those that do not.
    public
        dense index of each vertex.
    offset, count
        the nodes of the level are the dense indices ``offset … offset + count - 1``, and vertices in this order.
    helpers
        dense indices (sorted) and vertices of jobs with ports or datasets with a rowset.
    twin
        the other port of each vertex; default: itself.
    """
    n = len(public)
    if n > VERTEX_MASK:
        raise MeshlineError(f"The graph has {n:,} nodes on one level; this engine holds {VERTEX_MASK:,}.")
    unit, zero = unit.distinct(n), zero.distinct(n)
    down, up = csr(unit), turned_csr(unit, n)
    zero_down, zero_up = (csr(zero), turned_csr(zero, n)) if len(zero.src) else (None, None)
    flow = Edges.joined(unit, zero).distinct(n) if len(zero.src) else unit
    order, _, _ = order_vertices(n, *((csr(flow), turned_csr(flow, n)) if len(zero.src) else (down, up)))
    rank = np.empty(n, dtype=np.uint32)
    rank[order] = np.arange(n, dtype=np.uint32)
    public = public[order]
    twin = np.arange(n, dtype=np.uint32) if twin is None else rank[twin[order]]
    return Level(
        down=Adjacency(n, down.renumbered(order, rank), zero_down and zero_down.renumbered(order, rank), public),
        up=Adjacency(n, up.renumbered(order, rank), zero_up and zero_up.renumbered(order, rank), public, True),
        public=public,
        offset=offset,
        vertices=rank[:count],
        twin=twin,
        helper_key=helpers[0],
        helper_vertex=rank[helpers[1]],
    )


def dataset_level(lineage: Edges, writes: Edges, datasets: int, jobs: int, build: Callable[..., Built]) -> Built:
    """Dataset level, with two ports for each job in explicit job flow.

    Parameters
    ----------
    lineage
        edges between dense indices; an end at or above ``datasets`` is a job.
    writes
        edges from a job to a dataset.
    datasets, jobs
        how many there are; dense indices are datasets first, then jobs.
    build
        what makes a level of edges between vertices, such as :func:`build_level`.
    """
    src, dst = lineage.src, lineage.dst
    job_ends = np.concatenate([src[src >= datasets], dst[dst >= datasets]])
    ports = distinct(job_ends, datasets + jobs)
    if not len(ports):
        everybody, nobody = np.arange(datasets, dtype=np.uint32), np.zeros(0, np.uint32)
        return build(lineage, lineage.taken(slice(0)), everybody, 0, datasets, (nobody, nobody))

    def in_port(job: U32) -> U32:
        return (datasets + 2 * np.searchsorted(ports, job)).astype(np.uint32)

    src_job, dst_job = src >= datasets, dst >= datasets
    enter, flow, leave = (lineage.taken(some) for some in (~src_job & dst_job, src_job & dst_job, src_job & ~dst_job))
    one = np.uint32(1)
    unit = Edges.joined(
        lineage.taken(~src_job & ~dst_job),
        enter.between(enter.src, in_port(enter.dst)),
        *[flow.between(in_port(flow.src) + side, in_port(flow.dst) + one) for side in (one * 0, one)],
    )
    unit = _without_job_loops(unit, datasets)
    ported = writes.taken(marked(ports, datasets + jobs)[writes.src])
    zero = Edges.joined(
        leave.between(in_port(leave.src) + one, leave.dst), ported.between(in_port(ported.src) + one, ported.dst)
    )
    helper_vertex = in_port(ports)
    public = np.concatenate([np.arange(datasets), np.repeat(ports, 2)]).astype(np.uint32)
    twin = np.arange(len(public), dtype=np.uint32)
    twin[helper_vertex], twin[helper_vertex + one] = helper_vertex + one, helper_vertex
    return build(unit, zero, public, 0, datasets, (ports, helper_vertex), twin)


def column_level(edges: Edges, home: Edges, first: int, columns: int, build: Callable[..., Built]) -> Built:
    """Column level, with a rowset for each dataset that some column affects as a whole.

    Parameters
    ----------
    edges
        edges from a column to a column or a dataset, of dense indices.
    home
        certain edges from a dataset to its columns; only those of datasets with a rowset are used.
    first, columns
        the columns are the dense indices ``first … first + columns - 1``.
    build
        as for :func:`dataset_level`.
    """
    to_rows = edges.dst < first
    rowsets = distinct(edges.dst[to_rows], first)
    shift = np.uint32(first)

    places = np.zeros(first, dtype=np.uint32)
    places[rowsets] = np.arange(columns, columns + len(rowsets), dtype=np.uint32)

    def rowset(dataset: U32) -> U32:
        return places[dataset]

    target = edges.dst.copy()
    target[~to_rows] -= shift
    target[to_rows] = rowset(edges.dst[to_rows])
    covered = home.taken(np.flatnonzero(marked(rowsets, first)[home.src]))
    public = np.concatenate([np.arange(first, first + columns), rowsets]).astype(np.uint32)
    return build(
        edges.between((edges.src - shift).astype(np.uint32), target.astype(np.uint32)),
        covered.between(rowset(covered.src), (covered.dst - shift).astype(np.uint32)),
        public,
        first,
        columns,
        (rowsets, rowset(rowsets)),
    )


def _without_job_loops(edges: Edges, datasets: int) -> Edges:
    """Without edges from a job to itself (in-port to its own flow-port)."""
    both = (edges.src >= datasets) & (edges.dst >= datasets)
    loop = both & ((edges.src - np.uint32(datasets)) // 2 == (edges.dst - np.uint32(datasets)) // 2)
    return edges.taken(~loop)
