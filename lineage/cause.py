"""One cause for forty alerts: the smallest set of failing nodes that explains all of them.

Definition. A failing node *explains* itself and every failing node downstream of it. A cycle counts as one node. The
*causes* of a set of failing nodes are those that no other failing node explains; there is no smaller set of failing
nodes that explains all, and no other set as small, but for the choice within a cycle, where the member with the
smallest dense index stands for all. Every failing node belongs to the group of its nearest cause (fewest hops, then
smallest index); further causes that explain it are listed with it.

Failures pass nodes of which nothing is known, but not those that are known to be well (``passing``). A failing job
stands between what it reads and what it writes, and a failing job inside another one explains why that fails. Beyond
the failing nodes there may be a healthy-looking common ancestor of several causes that nobody tests: :func:`suspects`
lists these.

Time is the snapshot's: a caller that groups the failures of a window asks the snapshot of that time and gives the
nodes that failed in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lineage.graph.arrays import CERTAINTY_NAMES, COLUMN, JOB, U32, class_mask
from lineage.graph.search_numpy import gather

if TYPE_CHECKING:
    from lineage.graph import Snapshot, Walk
    from lineage.graph.snapshot import CertaintyName, LevelName

_SUSPECTED = 64  # causes that are followed upstream


@dataclass(frozen=True, slots=True)
class Explained:
    """One failing node, its way from the cause (dense indices), and further causes that explain it too."""

    node: int
    hops: int
    path: tuple[int, ...]
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """One cause; ``cycle`` are failing nodes in a cycle with it, ``members`` what it is the nearest cause of."""

    cause: int
    cycle: tuple[int, ...]
    members: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A node that does not fail and lies upstream of several causes; ``hops`` to the farthest of them."""

    node: int
    explains: tuple[int, ...]
    hops: int


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a graph downstream of the failing nodes: dense indices, and edges between their positions."""

    nodes: U32
    src: np.ndarray[tuple[int], np.dtype[np.int64]]
    dst: np.ndarray[tuple[int], np.dtype[np.int64]]


def causes(
    snapshot: Snapshot,
    failing: Collection[int],
    *,
    passing: Collection[int] = (),
    min_certainty: CertaintyName = "stale",
    indirect: bool = True,
) -> list[Group]:
    """Failing nodes under their most upstream failing causes, the largest group first.

    Parameters
    ----------
    failing
        dense indices of datasets and jobs, or of columns alone (then along column edges). Where columns stand among
        others, they count as their datasets.
    passing
        nodes that are known to be well: a failure does not pass them. One that also fails, fails.
    min_certainty, indirect
        which edges a failure may pass, as in :meth:`Snapshot.walk`.

    Examples
    --------
    >>> from lineage.graph import load
    >>> from lineage.store import Store
    >>> causes(load(Store.open(":memory:")), [])
    []
    """
    nodes, level = _level(snapshot, failing)
    if not nodes:
        return []
    mask = class_mask(CERTAINTY_NAMES.index(min_certainty), indirect=indirect)
    part = _downstream(snapshot, nodes, level, set(passing) - set(nodes), mask)
    at = {int(i): k for k, i in enumerate(part.nodes.tolist())}
    component = _components(part)
    roots, cycles = _roots(part, component, [at[i] for i in nodes])
    ways = _Ways(part, roots)
    members: dict[int, list[Explained]] = {root: [] for root in roots}
    for k in sorted(at[i] for i in nodes):
        if component[k] in cycles and k != cycles[component[k]]:
            continue  # in a cycle with a cause
        path = ways.to(k)
        others = ways.others(k, path[0])
        if len(path) > 1:
            steps = tuple(int(part.nodes[step]) for step in path)
            also = tuple(int(part.nodes[root]) for root in others)
            members[path[0]].append(Explained(int(part.nodes[k]), len(path) - 1, steps, also))
    groups = [
        Group(
            int(part.nodes[root]),
            tuple(i for i in nodes if component[at[i]] == component[root] and at[i] != root),
            tuple(sorted(found, key=lambda one: (one.hops, one.node))),
        )
        for root, found in members.items()
    ]
    return sorted(groups, key=lambda group: (-len(group.members) - len(group.cycle), group.cause))


def suspects(
    snapshot: Snapshot,
    groups: Sequence[Group],
    *,
    passing: Collection[int] = (),
    min_certainty: CertaintyName = "stale",
    limit: int = 10,
    walk: Callable[..., Walk] | None = None,
) -> list[Suspect]:
    """Nodes that do not fail and lie upstream of at least two causes: those of most causes and nearest to them first.

    At most the first 64 groups are followed, each by one search upstream: ``walk``, by default that of the snapshot.
    """
    failing = {i for group in groups for i in (group.cause, *group.cycle, *(one.node for one in group.members))}
    seen: dict[int, list[tuple[int, int]]] = {}
    for group in groups[:_SUSPECTED]:
        level: LevelName = "column" if snapshot.kind[group.cause] == COLUMN else "dataset"
        up = (walk or snapshot.walk)([group.cause], "upstream", level=level, min_certainty=min_certainty)
        for i, hops in zip(up.nodes.tolist(), up.hops.tolist(), strict=True):
            if i not in failing and i not in passing:
                seen.setdefault(i, []).append((group.cause, hops))
    found = [
        Suspect(i, tuple(cause for cause, _ in reached), max(hops for _, hops in reached))
        for i, reached in seen.items()
        if len(reached) > 1
    ]
    return sorted(found, key=lambda one: (-len(one.explains), one.hops, one.node))[:limit]


# -- inside


def _level(snapshot: Snapshot, failing: Collection[int]) -> tuple[list[int], LevelName]:
    """Failing nodes, each once, in order, and the level they are on."""
    given = set(map(int, failing))
    if given and all(snapshot.kind[i] == COLUMN for i in given):
        return sorted(given), "column"
    return sorted({snapshot.dataset_of(i) if snapshot.kind[i] == COLUMN else i for i in given}), "dataset"


def _downstream(snapshot: Snapshot, failing: list[int], level: LevelName, passing: set[int], mask: int) -> _Part:
    """Everything downstream of the failing nodes with the edges inside; what is passing is left out."""
    graph = snapshot.level(level)
    jobs = [i for i in failing if snapshot.kind[i] == JOB]
    starts = {*failing, *(int(d) for job in jobs for d in snapshot.outputs(job))} - passing
    front = np.array(sorted(v for v in map(graph.vertex, starts) if v is not None), dtype=np.uint32)
    front = np.union1d(front, graph.twin[front]).astype(np.uint32)
    closed = np.zeros(graph.down.n, dtype=bool)
    closed[[v for v in map(graph.vertex, passing) if v is not None]] = True
    seen = np.zeros(graph.down.n, dtype=bool)
    seen[front] = True
    edges: list[tuple[U32, U32]] = []
    while len(front):
        for part in (graph.down.unit, graph.down.zero):
            if part is not None:
                heads, tails, _ = gather(part, front, 0, mask)
                keep = ~closed[heads]
                edges.append((front[tails[keep]], heads[keep]))
        heads = np.unique(np.concatenate([dst for _, dst in edges[-2:]]))
        front = heads[~seen[heads]].astype(np.uint32)
        seen[front] = True
    found = [(graph.public[src], graph.public[dst]) for src, dst in edges]
    found += [_beside(snapshot, job, passing, set(jobs)) for job in jobs]
    src, dst = (np.concatenate([part[k] for part in found]).astype(np.uint32) for k in (0, 1))
    nodes = np.unique(np.concatenate([np.array(failing, np.uint32), graph.public[seen]])).astype(np.uint32)
    keep = np.isin(src, nodes) & (src != dst)
    order = np.lexsort((dst[keep], src[keep]))
    return _Part(nodes, np.searchsorted(nodes, src[keep])[order], np.searchsorted(nodes, dst[keep])[order])


def _beside(snapshot: Snapshot, job: int, passing: set[int], failing: set[int]) -> tuple[U32, U32]:
    """Edges from what a job reads, and from failing jobs inside it, to the job, and from it to what it writes."""
    inputs = [i for i in snapshot.inputs(job).tolist() if i not in passing]
    inputs += [i for i in snapshot.children(job).tolist() if i in failing]
    outputs = [i for i in snapshot.outputs(job).tolist() if i not in passing]
    src, dst = [*inputs, *[job] * len(outputs)], [*[job] * len(inputs), *outputs]
    return np.array(src, dtype=np.uint32), np.array(dst, dtype=np.uint32)


def _components(part: _Part) -> list[int]:
    """Number of the strongly connected component of each position."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(part.nodes)
    matrix = coo_array((np.ones(len(part.src), np.int8), (part.src, part.dst)), shape=(n, n)).tocsr()
    labels: list[int] = connected_components(matrix, connection="strong")[1].tolist()
    return labels


def _roots(part: _Part, component: list[int], failing: list[int]) -> tuple[list[int], dict[int, int]]:
    """Positions of the causes, ascending, and the cause of each component that has one."""
    out: dict[int, set[int]] = {}
    for src, dst in zip(part.src.tolist(), part.dst.tolist(), strict=True):
        if component[src] != component[dst]:
            out.setdefault(component[src], set()).add(component[dst])
    explained: set[int] = set()
    waiting = [component[k] for k in failing]
    while waiting:
        fresh = out.get(waiting.pop(), set()) - explained
        explained |= fresh
        waiting += fresh
    chosen: dict[int, int] = {}
    for k in sorted(failing):
        if component[k] not in explained:
            chosen.setdefault(component[k], k)
    return sorted(chosen.values()), chosen


class _Ways:
    """Shortest ways from the nearest of some roots, and which other roots reach a node too."""

    def __init__(self, part: _Part, roots: list[int]) -> None:
        self._out: dict[int, list[int]] = {}
        for src, dst in zip(part.src.tolist(), part.dst.tolist(), strict=True):
            self._out.setdefault(src, []).append(dst)
        self._roots = roots
        self._parent: dict[int, int] = dict.fromkeys(roots, -1)
        self._reach: dict[int, set[int]] = {}
        waiting = deque(roots)
        while waiting:
            k = waiting.popleft()
            for other in self._out.get(k, ()):
                if other not in self._parent:
                    self._parent[other] = k
                    waiting.append(other)

    def to(self, k: int) -> list[int]:
        """Positions from a root to ``k``."""
        steps = []
        while k >= 0:
            steps.append(k)
            k = self._parent[k]
        return steps[::-1]

    def others(self, k: int, root: int) -> list[int]:
        """Roots but one that reach ``k``."""
        return [other for other in self._roots if other != root and k in self._from(other)]

    def _from(self, root: int) -> set[int]:
        if root not in self._reach:
            seen, waiting = {root}, [root]
            while waiting:
                fresh = set(self._out.get(waiting.pop(), ())) - seen
                seen |= fresh
                waiting += fresh
            self._reach[root] = seen
        return self._reach[root]
