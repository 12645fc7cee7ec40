"""What depends on single vertices, without a compiler."""

from __future__ import annotations

import numpy as np

from lineage.graph.arrays import NONE, U8, U32, U64


def dominators(component: U32, order: U32, indptr: U32, indices: U32, rindptr: U32, rindices: U32) -> tuple[U32, U32]:
    """Immediate dominator of each vertex (``NONE``: the virtual root), and an order in which it comes before it.

    Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm" (2001), one component after the other along the
    flow: a component without a cycle needs one pass. The virtual root leads to the first vertex of each component that
    nothing leads into, and that one to its other members, as each of them stands and falls with all others.
    """
    n = len(order)
    comp, out, heads = component.tolist(), indptr.tolist(), indices.tolist()
    inn, tails = rindptr.tolist(), rindices.tolist()
    dominator, rank = [-2] * n, [0] * n  # -2 unknown, -1 virtual root
    sequence: list[int] = []
    vertices = order.tolist()
    begin = 0
    while begin < n:
        end = begin + 1
        while end < n and comp[vertices[end]] == comp[vertices[begin]]:
            end += 1
        own = vertices[begin:end]
        c = comp[own[0]]
        entries = [v for v in own if any(comp[u] != c for u in tails[inn[v] : inn[v + 1]])]
        origin = not entries
        local = own if origin or end - begin == 1 else _reverse_postorder(entries, c, comp, out, heads)
        for k, v in enumerate(local):
            rank[v] = begin + k
        sequence += local
        changed = True
        while changed:
            changed = False
            for v in local:
                if origin:
                    found = -1 if v == local[0] else local[0]
                else:
                    found = _common(tails[inn[v] : inn[v + 1]], dominator, rank)
                if found != dominator[v]:
                    dominator[v] = found
                    changed = end - begin > 1
        begin = end
    answer = np.array(dominator, dtype=np.int64)
    return np.where(answer < 0, NONE, answer).astype(np.uint32), np.array(sequence, dtype=np.uint32)


def subtree_sums(parent: U32, order: U32, weight: U32) -> U64:
    """Sum of the weights below each vertex of a tree, itself included; parents come first in ``order``."""
    above, total = parent.tolist(), weight.tolist()
    for v in reversed(order.tolist()):
        if above[v] != NONE:
            total[above[v]] += total[v]
    return np.array(total, dtype=np.uint64)


def _reverse_postorder(entries: list[int], c: int, comp: list[int], out: list[int], heads: list[int]) -> list[int]:
    seen: set[int] = set()
    post: list[int] = []
    for entry in entries:
        if entry in seen:
            continue
        seen.add(entry)
        stack = [(entry, out[entry])]
        while stack:
            v, e = stack.pop()
            if e < out[v + 1]:
                stack.append((v, e + 1))
                w = heads[e]
                if comp[w] == c and w not in seen:
                    seen.add(w)
                    stack.append((w, out[w]))
            else:
                post.append(v)
    return post[::-1]


def _common(tails: list[int], dominator: list[int], rank: list[int]) -> int:
    found = -2
    for u in tails:
        if dominator[u] == -2:
            continue
        found = u if found == -2 else _meet(found, u, dominator, rank)
        if found == -1:
            break
    return found


def _meet(a: int, b: int, dominator: list[int], rank: list[int]) -> int:
    while a != b:
        if a == -1 or b == -1:
            return -1
        if rank[a] > rank[b]:
            a = dominator[a]
        else:
            b = dominator[b]
    return a


def articulation(indptr: U32, indices: U32, rindptr: U32, rindices: U32) -> U8:
    """Which vertices cut the graph apart when they go, directions ignored (Hopcroft and Tarjan 1973)."""
    n = len(indptr) - 1
    out, heads, inn, tails = indptr.tolist(), indices.tolist(), rindptr.tolist(), rindices.tolist()
    beside = [heads[out[v] : out[v + 1]] + tails[inn[v] : inn[v + 1]] for v in range(n)]
    index, low, cut = [-1] * n, [0] * n, np.zeros(n, dtype=np.uint8)
    clock = 0
    for root in range(n):
        if index[root] >= 0:
            continue
        index[root] = low[root] = clock
        clock += 1
        children, stack = 0, [(root, -1, 0)]
        while stack:
            v, parent, k = stack.pop()
            if k < len(beside[v]):
                stack.append((v, parent, k + 1))
                w = beside[v][k]
                if index[w] < 0:
                    index[w] = low[w] = clock
                    clock += 1
                    children += v == root
                    stack.append((w, v, 0))
                elif w != parent:
                    low[v] = min(low[v], index[w])
            elif parent >= 0:
                low[parent] = min(low[parent], low[v])
                if parent != root and low[v] >= index[parent]:
                    cut[parent] = 1
        cut[root] = children > 1
    return cut


class Failures:
    """Who loses inputs when vertices go; see the compiled type of the same name."""

    def __init__(
        self, component: U32, order: U32, start: U32, indptr: U32, indices: U32, rindptr: U32, rindices: U32
    ) -> None:
        self._component, self._order, self._start = component, order, start
        self._arrays = (indptr, indices, rindptr, rindices)

    def removal(self, removed: U32) -> tuple[U32, U32]:
        """Who loses all inputs and who some, when vertices go; both ascending, without the removed ones."""
        indptr, indices, rindptr, rindices = self._arrays
        gone = set(removed.tolist())
        lost, touched, todo = set(gone), set(), list(gone)
        dirty: set[int] = {int(c) for c in self._component[removed]}
        while todo or dirty:
            while todo:
                v = todo.pop()
                for w in indices[indptr[v] : indptr[v + 1]].tolist():
                    if w in lost:
                        continue
                    touched.add(w)
                    c = int(self._component[w])
                    if int(self._start[c + 1] - self._start[c]) > 1:
                        dirty.add(c)
                    elif all(u in lost for u in rindices[rindptr[w] : rindptr[w + 1]].tolist() if u != w):
                        lost.add(w)
                        todo.append(w)
            for c in dirty:
                own = self._order[self._start[c] : self._start[c + 1]].tolist()
                dead = _dead(own, c, self._component, self._arrays, lost) if len(own) > 1 else set()
                lost |= dead
                todo += dead
            dirty = set()
        return _sorted(lost - gone), _sorted(touched - lost)


def _dead(own: list[int], c: int, component: U32, arrays: tuple[U32, U32, U32, U32], lost: set[int]) -> set[int]:
    """Vertices of a component that nothing alive outside of it reaches any more, not yet known to be lost."""
    indptr, indices, rindptr, rindices = arrays
    inputs = {v: [u for u in rindices[rindptr[v] : rindptr[v + 1]].tolist() if component[u] != c] for v in own}
    alive = {v for v in own if v not in lost and any(u not in lost for u in inputs[v])}
    waiting = list(alive)
    while waiting:
        v = waiting.pop()
        for w in indices[indptr[v] : indptr[v + 1]].tolist():
            if component[w] == c and w not in lost and w not in alive:
                alive.add(w)
                waiting.append(w)
    return {v for v in own if v not in lost and v not in alive}


def _sorted(vertices: set[int]) -> U32:
    return np.array(sorted(vertices), dtype=np.uint32)
