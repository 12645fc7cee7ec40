"""Tags that travel with the data: from the columns that carry them along column edges to a fixpoint.

A tag passes a DIRECT transformation and is stopped by a masking one; with ``indirect`` it passes filters, joins and
groups too. It does not enter a node where somebody approved that it stops. Nothing is stored: the state of a tag is
computed from its sources in the graph of the asked instant, so that a tag goes everywhere its source goes and leaves
with it.

All tags spread at once, 64 in one machine word: a breadth-first search whose frontier holds, for each node, the tags
that are new there. The hop at which a tag first arrives is its shortest distance, and the edge that brought it there
the last step of its *witness*, a shortest path from a source. Of several, the one over the smallest dense indices is
taken, so that an answer does not depend on the order of anything.

The functions here know arrays only; :mod:`lineage.tags` reads sources from the store and words the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lineage.graph.arrays import I64, NONE, U32, U64, Bool, ranges
from lineage.graph.column_flow import ColumnFlow

_WORD = 64


@dataclass(frozen=True, slots=True)
class Seed:
    """A node (column, or dataset and with it all its columns) that carries a tag by itself.

    ``node`` is a dense index; ``source`` says who told: ``facet``, ``contract``, …
    """

    node: int
    tag: str
    source: str = "facet"


@dataclass(frozen=True, slots=True)
class Stop:
    """A node (column, or dataset with all its columns) that a tag does not enter because somebody approved it.

    ``tag`` is a whole tag (``pii:email``), a key (``pii``: every value of it) or ``None`` for every tag. ``id`` is that
    of the approved stop; empty for a rehearsal.
    """

    node: int
    tag: str | None
    approved_by: str
    reason: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """Where one tag is: nodes in ascending order of dense index, their hops, and the step before each.

    ``parent`` is ``NONE`` at a source. A dataset stands among the nodes where all its rows are affected or where it is
    a source itself; it is then the parent of its columns.
    """

    nodes: U32
    hops: U32
    parent: U32

    def place(self, node: int) -> int:
        """Position of a node, -1 when the tag is not there."""
        at = int(np.searchsorted(self.nodes, node))
        return at if at < len(self.nodes) and int(self.nodes[at]) == node else -1

    def path(self, node: int) -> tuple[int, ...]:
        """Witness: dense indices from a source to the node.

        Raises
        ------
        KeyError
            when the tag is not there.
        """
        steps: list[int] = []
        while node != NONE:
            at = self.place(node)
            if at < 0:
                raise KeyError(node)
            steps.append(node)
            node = int(self.parent[at])
        return tuple(reversed(steps))

    def origins(self) -> U32:
        """Source of each node: the beginning of its path."""
        at = np.arange(len(self.nodes))
        while True:
            above = self.parent[at] != NONE
            if not above.any():
                return self.nodes[at]
            at[above] = np.searchsorted(self.nodes, self.parent[at[above]])


@dataclass(frozen=True, slots=True)
class _Wave:
    """One hop of one word of tags: steps (src → dst) that brought new tags, sorted by (dst, src)."""

    src: U32
    dst: U32
    bits: U64


class Spread:
    """Where every tag is. ``tags`` are in order of their text."""

    def __init__(self, tags: tuple[str, ...], waves: Sequence[Sequence[_Wave]], seen: Sequence[U64]) -> None:
        self.tags = tags
        self._waves, self._seen = waves, seen
        self._carried: dict[int, Carried] = {}

    @cached_property
    def _number(self) -> dict[str, int]:
        return {tag: k for k, tag in enumerate(self.tags)}

    def carried(self, tag: str) -> Carried:
        """Where one tag is; nowhere when no seed has it."""
        k = self._number.get(tag)
        if k is None:
            none = np.zeros(0, np.uint32)
            return Carried(none, none, none)
        if k not in self._carried:
            self._carried[k] = _collect(self._waves[k // _WORD], k % _WORD)
        return self._carried[k]

    def here(self, tag: str, nodes: U32) -> Bool:
        """Which of some nodes carry a tag."""
        k = self._number.get(tag)
        if k is None:
            return np.zeros(len(nodes), dtype=bool)
        found: Bool = (self._seen[k // _WORD][nodes] >> np.uint64(k % _WORD)) & np.uint64(1) != 0
        return found

    def of(self, node: int) -> tuple[str, ...]:
        """Tags of one node."""
        words = [int(seen[node]) for seen in self._seen]
        return tuple(tag for k, tag in enumerate(self.tags) if words[k // _WORD] >> (k % _WORD) & 1)


def propagate(flow: ColumnFlow, seeds: Sequence[Seed], stops: Sequence[Stop] = (), *, indirect: bool = False) -> Spread:
    """Everything the tags of some seeds reach.

    Parameters
    ----------
    flow
        the column edges of one instant, see :func:`lineage.graph.column_flow.column_flow`.
    seeds
        who carries which tag by itself, in any order, repeated or not. A seed keeps its tag whatever stops there are.
    stops
        where tags do not enter.
    indirect
        whether a tag also passes edges that only filter, join, group or sort.

    Examples
    --------
    >>> import numpy as np
    >>> two = np.array([1, 2], np.uint32)  # one dataset (0) with columns 1, 2, 3; 1 → 2 → 3
    >>> yes = np.ones(2, bool)
    >>> flow = ColumnFlow(4, two, two + np.uint32(1), yes, ~yes, np.array([1, 4]))
    >>> propagate(flow, [Seed(1, "pii")]).carried("pii").path(3)
    (1, 2, 3)
    """
    tags = tuple(sorted({seed.tag for seed in seeds}))
    graph = flow.carrying(indirect=indirect)
    waves: list[list[_Wave]] = []
    words: list[U64] = []
    for low in range(0, len(tags), _WORD):
        bit = {tag: k for k, tag in enumerate(tags[low : low + _WORD])}
        wave, seen = _spread(flow, graph, _seeded(flow, seeds, bit), _blocked(flow, stops, bit))
        waves.append(wave)
        words.append(seen)
    return Spread(tags, waves, words)


def matches(wanted: str, tag: str) -> bool:
    """Whether a tag is the wanted one, or has the wanted key.

    >>> matches("pii", "pii:email"), matches("pii:email", "pii:email"), matches("pi", "pii")
    (True, True, False)
    """
    return tag == wanted or tag.partition(":")[0] == wanted


# -- inside


def _seeded(flow: ColumnFlow, seeds: Sequence[Seed], bit: dict[str, int]) -> U64:
    word = np.zeros(flow.n, dtype=np.uint64)
    for seed in seeds:
        if seed.tag in bit:
            word[seed.node] |= np.uint64(1 << bit[seed.tag])
    return word


def _blocked(flow: ColumnFlow, stops: Sequence[Stop], bit: dict[str, int]) -> U64:
    word = np.zeros(flow.n, dtype=np.uint64)
    for stop in stops:
        mask = sum(1 << k for tag, k in bit.items() if stop.tag is None or matches(stop.tag, tag))
        word[stop.node] |= np.uint64(mask)
        if stop.node < flow.datasets:
            word[flow.columns[stop.node] : flow.columns[stop.node + 1]] |= np.uint64(mask)
    return word


def _spread(flow: ColumnFlow, graph: tuple[I64, U32], seeds: U64, blocked: U64) -> tuple[list[_Wave], U64]:
    """Breadth-first search with a word of tags at each node."""
    pointers, neighbours = graph
    seen = seeds.copy()
    nodes = np.flatnonzero(seeds).astype(np.uint32)
    bits = seeds[nodes]
    waves = [_Wave(np.full(len(nodes), NONE, np.uint32), nodes, bits)]
    while len(nodes):
        rows = _rows_hit(flow, nodes, bits, seen, blocked)
        if len(rows.dst):
            waves[-1] = _joined(waves[-1], rows)
            nodes, bits = _frontier(np.concatenate([nodes, rows.dst]), np.concatenate([bits, rows.bits]))
        counts = pointers[nodes.astype(np.int64) + 1] - pointers[nodes]
        at = ranges(pointers[nodes], counts)
        step = _step(np.repeat(nodes, counts), neighbours[at], np.repeat(bits, counts), seen, blocked)
        nodes, bits = _frontier(step.dst, step.bits)
        if len(nodes):
            waves.append(step)
    return waves, seen


def _rows_hit(flow: ColumnFlow, nodes: U32, bits: U64, seen: U64, blocked: U64) -> _Wave:
    """Columns of the datasets in a frontier: what affects all rows is in each column, without a hop."""
    inside = nodes < flow.datasets
    datasets = nodes[inside]
    begin = flow.columns[datasets]
    counts = flow.columns[datasets.astype(np.int64) + 1] - begin
    columns = ranges(begin, counts).astype(np.uint32)
    return _step(np.repeat(datasets, counts), columns, np.repeat(bits[inside], counts), seen, blocked)


def _step(src: U32, dst: U32, bits: U64, seen: U64, blocked: U64) -> _Wave:
    """The steps that bring a new tag; they are noted in ``seen``."""
    fresh = bits & ~seen[dst] & ~blocked[dst]
    keep = fresh != 0
    src, dst, fresh = src[keep], dst[keep], fresh[keep]
    order = np.lexsort((src, dst))
    src, dst, fresh = src[order], dst[order], fresh[order]
    nodes, union = _frontier(dst, fresh)
    seen[nodes] |= union
    return _Wave(src, dst, fresh)


def _frontier(nodes: U32, bits: U64) -> tuple[U32, U64]:
    """Each node once, with the union of its bits."""
    if not len(nodes):
        return nodes, bits
    order = np.argsort(nodes, kind="stable")
    nodes, bits = nodes[order], bits[order]
    first = np.flatnonzero(np.concatenate([[True], nodes[1:] != nodes[:-1]]))
    return nodes[first], np.bitwise_or.reduceat(bits, first)


def _joined(one: _Wave, rows: _Wave) -> _Wave:
    return _Wave(
        np.concatenate([one.src, rows.src]), np.concatenate([one.dst, rows.dst]), np.concatenate([one.bits, rows.bits])
    )


def _collect(waves: Sequence[_Wave], bit: int) -> Carried:
    """Nodes, hops and parents of one tag; of several steps at one hop the one over the smallest index counts."""
    parts: list[tuple[U32, U32, U32]] = []
    for hops, wave in enumerate(waves):
        mine = (wave.bits >> np.uint64(bit)) & np.uint64(1) != 0
        dst, src = wave.dst[mine], wave.src[mine]
        dst, first = np.unique(dst, return_index=True)
        parts.append((dst, np.full(len(dst), hops, np.uint32), src[first]))
    nodes, hops_, parent = (np.concatenate([part[k] for part in parts]) for k in range(3))
    order = np.argsort(nodes)
    return Carried(nodes[order], hops_[order], parent[order])
