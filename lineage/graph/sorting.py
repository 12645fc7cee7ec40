"""Sorting, looking up and ordering: compiled where the kernels were built, else numpy (and scipy for components)."""

from __future__ import annotations

import os
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from lineage.graph.arrays import I64, NONE, U32, U64, VERTEX_MASK, Bool, pair_keys, ranges

if TYPE_CHECKING:
    from lineage.graph.level import Csr

Array = TypeVar("Array", bound=npt.NDArray[Any])

_kernels: Any = None
if os.environ.get("MESHLINE_KERNELS") != "numpy":
    try:
        from lineage.graph import _kernels
    except ImportError:  # not compiled at install time: numpy does it all
        _kernels = None


class IdMap:
    """Positions of node ids; of ids that occur twice, the first position.

    Ids are hashes, hence spread evenly: the compiled map finds one with two memory accesses.
    """

    def __init__(self, ids: U64) -> None:
        ids = np.ascontiguousarray(ids, dtype=np.uint64)
        if _kernels is None:
            self.order: U32 = np.argsort(ids, kind="stable").astype(np.uint32)
            self.sorted: U64 = ids[self.order]
            return
        in_order, order = _kernels.sort_ids(ids)
        self.sorted = np.frombuffer(in_order, np.uint64)
        self.order = np.frombuffer(order, np.uint32)

    @property
    def distinct(self) -> bool:
        """Whether no id occurs twice."""
        return not bool((self.sorted[1:] == self.sorted[:-1]).any())

    def giving(self, values: U32) -> IdMap:
        """A map that gives ``values[position]`` instead of the position of an id (see :meth:`found`)."""
        other = object.__new__(IdMap)
        other.sorted, other.order = self.sorted, gathered(np.ascontiguousarray(values), self.order)
        return other

    def found(self, *wanted: U64) -> list[U32]:
        """Position of each id of some arrays, ``NONE`` where it is unknown.

        >>> found = IdMap(np.array([30, 10], np.uint64)).found(np.array([10, 20], np.uint64), np.array([30], np.uint64))
        >>> [one.tolist() for one in found]
        [[1, 4294967295], [0]]
        """
        if not len(self.sorted):
            return [np.full(len(one), NONE, dtype=np.uint32) for one in wanted]
        if _kernels is None:
            places = [np.minimum(np.searchsorted(self.sorted, one), len(self.sorted) - 1) for one in wanted]
            return [
                np.where(self.sorted[at] == one, self.order[at], np.uint32(NONE))
                for at, one in zip(places, wanted, strict=True)
            ]
        found = _kernels.find_ids(self.sorted, self.order, *(np.ascontiguousarray(one, np.uint64) for one in wanted))
        return [np.frombuffer(one, np.uint32) for one in found]

    def positions(self, wanted: U64) -> I64:
        """Position of each id, -1 where it is unknown.

        >>> IdMap(np.array([30, 10], np.uint64)).positions(np.array([10, 20, 30], np.uint64)).tolist()
        [1, -1, 0]
        """
        return self.found(wanted)[0].view(np.int32).astype(np.int64)

    def position(self, wanted: int) -> int:
        """Position of one id, -1 when it is unknown."""
        ids = self.sorted.data  # Python's own bisection: half the time of numpy's for a single one
        at = bisect_left(ids, wanted)
        return int(self.order[at]) if at < len(ids) and ids[at] == wanted else -1


def sort_keys(keys: U32, bound: int, order: U32 | None = None) -> U32:
    """Stable order by keys below ``bound``; ``order`` is the order by lesser keys, if there are any.

    >>> sort_keys(np.array([2, 0, 2, 1], np.uint32), 3).tolist()
    [1, 3, 0, 2]
    """
    if _kernels is None or bound > 8 * len(keys) + 4096:
        if order is None:
            return np.argsort(keys, kind="stable").astype(np.uint32)
        return order[np.argsort(keys[order], kind="stable")]
    return np.frombuffer(_kernels.sort_keys(np.ascontiguousarray(keys), bound, order), np.uint32)


def gathered(values: Array, at: U32) -> Array:
    """``values[at]``, of an array with items of 1, 4 or 8 bytes; read-only where it is compiled.

    >>> gathered(np.array([7, 8, 9]), np.array([2, 0], np.uint32)).tolist()
    [9, 7]
    """
    if _kernels is None:
        return cast("Array", values[at])
    return cast("Array", np.frombuffer(_kernels.gather(np.ascontiguousarray(values), at), values.dtype))


def unique(values: Array) -> Array:
    """Distinct values, ascending: ``np.unique`` without masked arrays, whose module takes 10 ms to load.

    >>> unique(np.array([4, 1, 4])).tolist()
    [1, 4]
    """
    ordered = np.sort(values)
    fresh = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    return cast("Array", ordered[fresh])


def contained(values: Array, among: Array) -> Bool:
    """Which values are among some others: ``np.isin`` without masked arrays.

    >>> contained(np.array([4, 1, 5]), np.array([5, 9, 4])).tolist()
    [True, False, True]
    """
    if not len(among):
        return np.zeros(len(values), dtype=bool)
    ordered = np.sort(among)
    found: Bool = ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values
    return found


def distinct(values: U32, bound: int) -> U32:
    """Distinct values below ``bound``, ascending: one pass instead of the hashing or sorting of ``np.unique``.

    >>> distinct(np.array([4, 1, 4], np.uint32), 5).tolist()
    [1, 4]
    """
    return np.flatnonzero(marked(values, bound)).astype(np.uint32)


def marked(values: U32, bound: int) -> Bool:
    """Which of the numbers below ``bound`` are among the values."""
    found = np.zeros(bound, dtype=bool)
    found[values] = True
    return found


def sort_pairs(high: U32, low: U32, bound: int) -> U32:
    """Stable order by (high, low); both are below ``bound``.

    >>> sort_pairs(np.array([1, 0, 1], np.uint32), np.array([5, 9, 2], np.uint32), 10).tolist()
    [1, 2, 0]
    """
    return sort_keys(high, bound, sort_keys(low, bound))


def sorted_pairs(high: U32, low: U32, bound: int) -> tuple[U64, U32]:
    """Sorted keys ``high << 32 | low`` of pairs, and their stable order; ``high`` is below ``bound``.

    >>> keys, order = sorted_pairs(np.array([1, 0, 1], np.uint32), np.array([5, 9, 2], np.uint32), 2)
    >>> [(key >> 32, key & 15) for key in keys.tolist()], order.tolist()
    ([(0, 9), (1, 2), (1, 5)], [1, 2, 0])
    """
    if _kernels is None or bound > 8 * len(high) + 4096:
        keys = pair_keys(high, low)
        order = np.argsort(keys, kind="stable").astype(np.uint32)
        return keys[order], order
    found = _kernels.sort_rows(np.ascontiguousarray(high), np.ascontiguousarray(low), bound)
    return np.frombuffer(found[0], np.uint64), np.frombuffer(found[1], np.uint32)


def sort_inside(keys: U32, parts: U32) -> U32:
    """Order by key inside each part; ``parts`` has the begin of each part and the end of the last.

    >>> sort_inside(np.array([3, 1, 2, 0], np.uint32), np.array([0, 2, 4], np.uint32)).tolist()
    [1, 0, 3, 2]
    """
    if _kernels is None:
        part = np.repeat(np.arange(len(parts) - 1, dtype=np.uint32), np.diff(parts))
        return np.argsort(pair_keys(part, keys), kind="stable").astype(np.uint32)
    return np.frombuffer(_kernels.sort_inside(keys, parts), np.uint32)


def order_vertices(n: int, down: Csr, up: Csr) -> tuple[U32, U32, int]:
    """Vertices along the flow, the strongly connected component of each vertex, and how many there are.

    True sources come first and true sinks last; components ascend along the flow. An edge leads from a component to
    the same or a later one.
    """
    if _kernels is not None:
        order, component, count = _kernels.order_vertices(
            n, down.first, down.indptr, down.indices, up.first, up.indptr, up.indices
        )
        return np.frombuffer(order, np.uint32), np.frombuffer(component, np.uint32), count
    return _order_with_scipy(n, down, up)


def _order_with_scipy(n: int, down: Csr, up: Csr) -> tuple[U32, U32, int]:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    indptr = np.zeros(n + 1, dtype=np.int64)
    rows = len(down.indptr) - 1
    indptr[down.first : down.first + rows + 1] = down.indptr
    indptr[down.first + rows + 1 :] = down.edges
    targets = down.indices[: down.edges] & np.uint32(VERTEX_MASK)
    matrix = csr_array((np.ones(len(targets), np.uint8), targets.astype(np.int32), indptr), shape=(n, n))
    count, label = connected_components(matrix, directed=True, connection="strong")
    height = _heights(int(count), label, np.repeat(np.arange(n), np.diff(indptr)), targets)
    has_in, has_out = np.zeros(n, dtype=bool), np.diff(indptr) > 0
    has_in[targets] = True
    band = np.where(~has_out, 2, np.where(has_in, 1, 0))
    order = np.lexsort((label, height[label], band)).astype(np.uint32)
    seen, component = np.unique(label[order], return_index=True)
    rank = np.empty(int(count), dtype=np.uint32)
    rank[seen[np.argsort(component)]] = np.arange(int(count), dtype=np.uint32)
    return order, rank[label], int(count)


def _heights(count: int, label: I64, src: I64, dst: U32) -> I64:
    """Longest way from a source to each component, by waves (Kahn)."""
    a, b = label[src], label[dst]
    between = a != b
    a, b = a[between], b[between]
    order = np.argsort(a, kind="stable")
    a, b = a[order], b[order]
    start = np.searchsorted(a, np.arange(count + 1))
    open_ = np.bincount(b, minlength=count)
    height = np.zeros(count, dtype=np.int64)
    wave, k = np.flatnonzero(open_ == 0), 0
    while len(wave):
        height[wave] = k
        targets = b[ranges(start[wave], start[wave + 1] - start[wave])]
        np.subtract.at(open_, targets, 1)
        wave, k = np.unique(targets[open_[targets] == 0]), k + 1
    return height


def adjacency(n: int, src: U32, dst: U32, padding: int = 0) -> tuple[U32, U32]:
    """Row pointers and neighbours from edges in any order; the neighbours of a vertex keep their order.

    Parameters
    ----------
    n
        number of vertices.
    src, dst
        ends of each edge; above the vertex of ``dst`` its class may stand (:mod:`lineage.graph.arrays`).
    padding
        zeros behind the neighbours.

    Raises
    ------
    ValueError
        when the arrays are not of one length, or a vertex is not below ``n``.

    Examples
    --------
    >>> indptr, indices = adjacency(3, np.array([2, 0, 2], np.uint32), np.array([1, 1, 0], np.uint32))
    >>> indptr.tolist(), indices.tolist()
    ([0, 1, 1, 3], [1, 1, 0])
    """
    if _kernels is not None and n < VERTEX_MASK:
        found = _kernels.adjacency(n, np.ascontiguousarray(src), np.ascontiguousarray(dst), padding)
        return np.frombuffer(found[0], np.uint32), np.frombuffer(found[1], np.uint32)
    if src.shape != dst.shape or (len(src) and max(src.max(), (dst & np.uint32(VERTEX_MASK)).max()) >= n):
        raise ValueError(f"two arrays of one length with vertices below {n} expected")
    indptr = np.zeros(n + 1, dtype=np.uint32)
    np.cumsum(np.bincount(src, minlength=n), out=indptr[1:])
    indices = np.zeros(len(dst) + padding, dtype=np.uint32)
    indices[: len(dst)] = dst if (src[1:] >= src[:-1]).all() else dst[sort_keys(src, n)]
    return indptr, indices


def renumber(first: int, indptr: U32, indices: U32, order: U32, rank: U32) -> tuple[int, U32, U32]:
    """Adjacency (first vertex with a list, row pointers, padded neighbours) when vertex ``order[k]`` is called ``k``.

    ``rank`` is the inverse of ``order``; the neighbours in a list keep their order.
    """
    if _kernels is not None:
        begin, rows, packed = _kernels.renumber(first, indptr, indices, order, rank)
        return begin, np.frombuffer(rows, np.uint32), np.frombuffer(packed, np.uint32)
    counts = np.zeros(len(order), dtype=np.uint32)
    row = order.astype(np.int64) - first
    inside = (row >= 0) & (row < len(indptr) - 1)
    row = row[inside]
    start = indptr[row]
    counts[inside] = indptr[row + 1] - start
    found = indices[ranges(start, counts[inside])]
    vertex = np.uint32(VERTEX_MASK)
    padded = np.zeros(len(indices), dtype=np.uint32)
    padded[: len(found)] = rank[found & vertex] | (found & ~vertex)
    return (*trimmed(counts), padded)


def trimmed(counts: npt.NDArray[Any]) -> tuple[int, U32]:
    """First vertex with a neighbour, and row pointers from there to the last one with a neighbour.

    >>> first, indptr = trimmed(np.array([0, 2, 0, 1, 0]))
    >>> first, indptr.tolist()
    (1, [0, 2, 2, 3])
    """
    some = np.flatnonzero(counts)
    first, last = (int(some[0]), int(some[-1])) if len(some) else (0, -1)
    indptr = np.zeros(last - first + 2, dtype=np.uint32)
    np.cumsum(counts[first : last + 1], out=indptr[1:])
    return first, indptr
