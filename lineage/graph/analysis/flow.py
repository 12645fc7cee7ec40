"""A directed graph as arrays, with what is computed once for it and kept.

All functions of this package take a :class:`Flow`. Its vertices are ``0 … n - 1``; for a level of a snapshot
(:func:`of_level`) they are the vertices of the level, which are not dense indices: see ``public``.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lineage.errors import UsageError
from lineage.graph.analysis.engine import engine
from lineage.graph.arrays import CLASS_SHIFT, NONE, U32, VERTEX_MASK, Bool
from lineage.graph.sorting import adjacency

if TYPE_CHECKING:
    from lineage.graph.analysis.order import Components, Condensation
    from lineage.graph.level import Adjacency, Csr, Level


class Flow:
    """A directed graph in compressed sparse rows, in both directions.

    Parameters
    ----------
    indptr, indices : uint32 arrays
        ``indices[indptr[v]:indptr[v + 1]]`` are the vertices that ``v`` leads to.
    public : uint32 array
        name of each vertex outside (dense indices of a snapshot); default: the vertex itself.
    weight : uint32 array
        what a vertex counts in sums; helpers such as rowsets count 0. Default: 1 each.
    kernels
        ``"compiled"``, ``"numpy"``, or ``None`` for the best one there is.

    Raises
    ------
    UsageError
        when the arrays do not fit together.

    Examples
    --------
    >>> flow = Flow.of_edges(3, [0, 1], [1, 2])
    >>> flow.successors(0).tolist(), flow.predecessors(2).tolist()
    ([1], [1])
    """

    def __init__(
        self,
        indptr: npt.ArrayLike,
        indices: npt.ArrayLike,
        *,
        public: U32 | None = None,
        weight: U32 | None = None,
        kernels: str | None = None,
    ) -> None:
        self.indptr: U32 = np.ascontiguousarray(indptr, dtype=np.uint32)
        self.indices: U32 = np.ascontiguousarray(indices, dtype=np.uint32)
        self.n = len(self.indptr) - 1
        self.engine: Any = engine(kernels)
        _check(self.n, self.indptr, self.indices)
        self.public: U32 = np.arange(self.n, dtype=np.uint32) if public is None else public
        self.weight: U32 = np.ones(self.n, np.uint32) if weight is None else np.ascontiguousarray(weight, np.uint32)
        if len(self.public) != self.n or len(self.weight) != self.n:
            raise UsageError(f"public and weight: one entry for each of the {self.n:,} vertices is needed.")

    @classmethod
    def of_edges(cls, n: int, src: npt.ArrayLike, dst: npt.ArrayLike, **options: Any) -> Flow:
        """Graph from edges ``src[k] → dst[k]`` between ``n`` vertices, neighbours in the order given."""
        try:
            return cls(*adjacency(n, _vertices(src), _vertices(dst)), **options)
        except ValueError as error:
            raise UsageError(f"edges: two arrays of one length with vertices below {n:,} are needed.") from error

    @cached_property
    def _reverse(self) -> tuple[U32, U32]:
        indptr, indices = self.engine.transpose(self.n, self.indptr, self.indices)
        return np.frombuffer(indptr, np.uint32), np.frombuffer(indices, np.uint32)

    @property
    def rindptr(self) -> U32:
        """Begin of the predecessors of each vertex in :attr:`rindices`."""
        return self._reverse[0]

    @property
    def rindices(self) -> U32:
        """Predecessors."""
        return self._reverse[1]

    @property
    def edges(self) -> int:
        """Number of edges."""
        return len(self.indices)

    def successors(self, v: int) -> U32:
        """Vertices that ``v`` leads to."""
        return self.indices[self.indptr[v] : self.indptr[v + 1]]

    def predecessors(self, v: int) -> U32:
        """Vertices that lead to ``v``."""
        return self.rindices[self.rindptr[v] : self.rindptr[v + 1]]

    @cached_property
    def turned(self) -> Flow:
        """The same graph with every edge turned round."""
        other = Flow.__new__(Flow)
        other.__dict__.update(
            indptr=self.rindptr, indices=self.rindices, _reverse=(self.indptr, self.indices), n=self.n
        )
        other.__dict__.update(engine=self.engine, public=self.public, weight=self.weight)
        return other

    def counting(self, weight: U32) -> Flow:
        """The same graph whose vertices count otherwise in sums.

        >>> Flow.of_edges(2, [0], [1]).counting(np.array([0, 3], np.uint32)).weight.tolist()
        [0, 3]
        """
        other = Flow.__new__(Flow)
        counted = ("turned", "condensation")  # these have weights of their own
        other.__dict__.update({name: value for name, value in self.__dict__.items() if name not in counted})
        other.weight = weight
        return other

    def among(self, kept: Bool) -> Flow:
        """The graph of some of the vertices and the edges between them, numbered anew in the same order.

        >>> small = Flow.of_edges(3, [0, 1, 0], [1, 2, 2]).among(np.array([True, False, True]))
        >>> small.public.tolist(), small.successors(0).tolist()
        ([0, 2], [1])
        """
        number = np.cumsum(kept) - 1
        src = np.repeat(np.arange(self.n), self.indptr[1:] - self.indptr[:-1])
        inside = kept[src] & kept[self.indices]
        ends = number[src[inside]], number[self.indices[inside]]
        return Flow.of_edges(int(kept.sum()), *ends, public=self.public[kept], weight=self.weight[kept])

    @cached_property
    def components(self) -> Components:
        """Strongly connected components, see :func:`lineage.graph.analysis.components`."""
        from lineage.graph.analysis.order import components

        return components(self)

    @cached_property
    def condensation(self) -> Condensation:
        """Acyclic graph of the components, see :func:`lineage.graph.analysis.condense`."""
        from lineage.graph.analysis.order import condense

        return condense(self)

    @cached_property
    def digraph(self) -> Any:
        """Searches over this graph (``bfs``, ``path``)."""
        return self.engine.Digraph(self.n, self.indptr, self.indices)

    @cached_property
    def failures(self) -> Any:
        """What-if questions to this graph (``removal``)."""
        found = self.components
        arrays = (self.indptr, self.indices, self.rindptr, self.rindices)
        return self.engine.Failures(found.component, found.order, found.start, *arrays)


def of_level(level: Level, mask: int = 0b111111, kernels: str | None = None) -> Flow:
    """Graph of one level of a snapshot (``snapshot.level("dataset")``), helpers included with weight 0.

    Parameters
    ----------
    level
        the level; ``public`` of the answer gives the dense index of each vertex. A job with two ports is two vertices.
    mask
        bit set of the admitted edge classes, see :func:`lineage.graph.arrays.class_mask`.
    """
    down: Adjacency = level.down
    parts = [_plain(part, down.n, mask) for part in (down.unit, down.zero) if part is not None]
    weight = (~level.is_helper(level.public)).astype(np.uint32)
    if len(parts) == 1:
        return Flow(*parts[0], public=level.public, weight=weight, kernels=kernels)
    src = np.concatenate([np.repeat(np.arange(down.n), np.diff(indptr)) for indptr, _ in parts])
    dst = np.concatenate([indices for _, indices in parts])
    return Flow.of_edges(down.n, src, dst, public=level.public, weight=weight, kernels=kernels)


def _plain(part: Csr, n: int, mask: int) -> tuple[U32, U32]:
    """Admitted edges of one adjacency, with a row for each vertex."""
    packed = part.indices[: part.edges]
    indptr = np.zeros(n + 1, dtype=np.uint32)
    indptr[part.first : part.first + len(part.indptr)] = part.indptr
    indptr[part.first + len(part.indptr) :] = part.edges
    heads = packed & np.uint32(VERTEX_MASK)
    if mask == 0b111111:
        return indptr, heads
    keep = (np.uint32(mask) >> (packed >> np.uint32(CLASS_SHIFT))) & np.uint32(1) == 1
    before = np.concatenate([[0], np.cumsum(keep)]).astype(np.uint32)
    return before[indptr], heads[keep]


def _vertices(numbers: npt.ArrayLike) -> U32:
    """Numbers as vertices; those that are none become one that no graph has."""
    found = np.asarray(numbers)
    if found.dtype == np.uint32:
        return found
    wide = found.astype(np.int64)
    return np.where((wide < 0) | (wide > NONE), NONE, wide).astype(np.uint32)


def _check(n: int, indptr: U32, indices: U32) -> None:
    if n < 0 or n > VERTEX_MASK or int(indptr[0]) != 0 or int(indptr[-1]) != len(indices):
        raise UsageError("adjacency: indptr has to begin with 0 and end with the number of edges.")
    if (indptr[1:] < indptr[:-1]).any():
        raise UsageError("adjacency: indptr has to ascend.")
    if len(indices) and int(indices.max()) >= n:
        raise UsageError(f"adjacency: vertex {int(indices.max()):,} in a graph of {n:,}.")
