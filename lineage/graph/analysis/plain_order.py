"""Orders that a queue or a depth-first search gives, without a compiler."""

from __future__ import annotations

import numpy as np

from lineage.graph.arrays import U32, ranges


def generations(indptr: U32, indices: U32) -> tuple[U32, U32]:
    """Vertices by the longest path to them, in the order in which a queue gets them (Kahn); begin of each level.

    What a cycle holds back is left out.
    """
    n = len(indptr) - 1
    open_ = np.bincount(indices, minlength=n)
    wave = np.flatnonzero(open_ == 0)
    order, levels = [wave], [0]
    while len(wave):
        levels.append(levels[-1] + len(wave))
        heads = indices[ranges(indptr[wave], indptr[wave + 1] - indptr[wave])]
        np.subtract.at(open_, heads, 1)
        last = len(heads) - 1 - np.unique(heads[::-1], return_index=True)[1]  # its last input frees a vertex
        last.sort()
        wave = heads[last][open_[heads[last]] == 0].astype(np.int64)
        order.append(wave)
    return np.concatenate(order).astype(np.uint32), np.array(levels, dtype=np.uint32)


def depth_first_components(n: int, starts: list[int], heads: list[int]) -> tuple[U32, U32, int]:
    """Components as one depth-first search from vertex 0, 1, … completes them, the last one first (Tarjan 1972)."""
    index, low, following = [-1] * n, [0] * n, starts[:n]
    done = [False] * n
    found: list[list[int]] = []
    clock = 0
    for root in range(n):
        if index[root] >= 0:
            continue
        path, own = [root], [root]
        index[root] = low[root] = clock
        clock += 1
        while path:
            v = path[-1]
            if following[v] < starts[v + 1]:
                w = heads[following[v]]
                following[v] += 1
                if index[w] < 0:
                    index[w] = low[w] = clock
                    clock += 1
                    path.append(w)
                    own.append(w)
                elif not done[w]:
                    low[v] = min(low[v], index[w])
                continue
            path.pop()
            if path:
                low[path[-1]] = min(low[path[-1]], low[v])
            if low[v] == index[v]:
                at = own.index(v)
                found.append(own[at:])
                for w in own[at:]:
                    done[w] = True
                del own[at:]
    found.reverse()
    component = np.zeros(n, dtype=np.uint32)
    for c, members in enumerate(found):
        component[members] = c
    return component, np.array([v for members in found for v in members], dtype=np.uint32), len(found)
