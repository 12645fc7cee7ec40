"""Ranks of a layered drawing: cut cycles, longest paths, chains of dummies for edges that jump over ranks.

Everything here works on nodes 0..n-1 and on sorted edge lists, and is therefore deterministic.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Chains:
    """Dummies and links. Items are the nodes 0..n-1 followed by the dummies n, n+1, …

    ``owner[d]`` is the node whose line dummy ``n + d`` carries, ``rank[d]`` its rank; ``paths`` gives the
    dummies of every edge in drawing order; ``links`` are the pairs of items in neighbouring ranks that a
    line joins.
    """

    owner: list[int]
    rank: list[int]
    paths: dict[Edge, tuple[int, ...]]
    links: list[Edge]
    back: frozenset[Edge]


def _successors(n: int, edges: Sequence[Edge]) -> list[list[int]]:
    out: list[list[int]] = [[] for _ in range(n)]
    for a, b in edges:
        out[a].append(b)
    return out


def cut_cycles(n: int, edges: Sequence[Edge]) -> frozenset[Edge]:
    """Edges to leave out so that the rest has no cycle.

    They are the back edges of a depth-first search that starts at the sources. A back edge leads to an
    ancestor, so it lies inside a strongly connected component: no edge between two components is ever
    turned round.

    >>> sorted(cut_cycles(3, [(0, 1), (1, 2), (2, 0)]))
    [(2, 0)]
    """
    out = _successors(n, edges)
    has_input = [False] * n
    for _, b in edges:
        has_input[b] = True
    state = [0] * n  # 0 new, 1 on the path, 2 done
    back: set[Edge] = set()
    for root in sorted(range(n), key=lambda i: (has_input[i], i)):
        if state[root]:
            continue
        state[root] = 1
        path = [(root, iter(out[root]))]
        while path:
            node, rest = path[-1]
            following = next(rest, None)
            if following is None:
                state[node] = 2
                path.pop()
            elif state[following] == 0:
                state[following] = 1
                path.append((following, iter(out[following])))
            elif state[following] == 1:
                back.add((node, following))
    return frozenset(back)


def ranks(n: int, edges: Sequence[Edge]) -> list[int]:
    """Rank of each node of an acyclic graph: longest path from a source; sources stand right before their
    reader.

    >>> ranks(4, [(0, 1), (1, 2), (3, 2)])
    [0, 1, 2, 1]
    """
    out = _successors(n, edges)
    missing = [0] * n
    for _, b in edges:
        missing[b] += 1
    source = [count == 0 for count in missing]
    rank = [0] * n
    ready = [i for i in range(n) if source[i]]
    while ready:
        node = ready.pop()
        for following in out[node]:
            rank[following] = max(rank[following], rank[node] + 1)
            missing[following] -= 1
            if not missing[following]:
                ready.append(following)
    for i in range(n):
        if source[i] and out[i]:
            rank[i] = min(rank[j] for j in out[i]) - 1
    return rank


def chains(rank: Sequence[int], forward: Sequence[Edge], back: Sequence[Edge]) -> Chains:
    """Give every edge that jumps over ranks its dummies.

    Edges of one source share one chain, which leaves the fewest lines. A backward edge has its own, which
    also passes beside both of its ends.
    """
    n = len(rank)
    result = Chains([], [], {}, [], frozenset(back))
    links: set[Edge] = set()
    shared: dict[int, list[int]] = {}

    def dummy(owner: int, at: int) -> int:
        result.owner.append(owner)
        result.rank.append(at)
        return n + len(result.owner) - 1

    for a, targets in _targets(forward).items():
        chain = shared.setdefault(a, [])
        for at in range(rank[a] + 1, max(rank[b] for b in targets)):
            chain.append(dummy(a, at))
        for b in targets:
            path = chain[: rank[b] - rank[a] - 1]
            result.paths[(a, b)] = tuple(path)
            steps = [a, *path, b]
            links.update(itertools.pairwise(steps))
    for a, b in back:
        path = [dummy(a, at) for at in range(rank[a], rank[b] - 1, -1)]
        result.paths[(a, b)] = tuple(path)
        links.update((right, left) for left, right in itertools.pairwise(path))
    result.links.extend(sorted(links))
    return result


def _targets(edges: Sequence[Edge]) -> dict[int, list[int]]:
    targets: dict[int, list[int]] = {}
    for a, b in edges:
        targets.setdefault(a, []).append(b)
    return targets
