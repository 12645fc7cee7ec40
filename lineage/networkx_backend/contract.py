"""Vertices that are to be passed through and not shown: job ports, rowsets, hidden nodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineage.graph.arrays import CLASS_SHIFT, U8, U32, VERTEX_MASK, Bool, pair_keys, ranges
from lineage.graph.level import Level

Triples = tuple[U32, U32, U8]  # src, dst, class of each edge


def level_edges(level: Level) -> Triples:
    """All edges between the vertices of a level, helpers included."""
    parts = [part for part in (level.down.unit, level.down.zero) if part is not None]
    src, dst = [], []
    for part in parts:
        counts = part.indptr[1:] - part.indptr[:-1]
        src.append(np.repeat(np.arange(part.first, part.first + len(counts), dtype=np.uint32), counts))
        dst.append(part.indices[: part.edges])
    packed = np.concatenate(dst)
    return (
        np.concatenate(src),
        packed & np.uint32(VERTEX_MASK),
        (packed >> np.uint32(CLASS_SHIFT)).astype(np.uint8),
    )


def distinct(edges: Triples) -> Triples:
    """One edge for each pair, the direct one before the indirect and the certain before the probable; sorted."""
    src, dst, cls = edges
    order = np.lexsort((cls, dst, src))
    src, dst, cls = src[order], dst[order], cls[order]
    keys = pair_keys(src, dst)
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return src[first], dst[first], cls[first]


def contract(n: int, edges: Triples, inside: Bool) -> Triples:
    """Edges between the vertices that are not ``inside``, those through the inside ones joined to one each.

    What is joined is as certain as its weakest part, and indirect when one part is.

    >>> one = np.zeros(2, np.uint8)
    >>> u32 = lambda *v: np.array(v, np.uint32)
    >>> contract(3, (u32(0, 1), u32(1, 2), one), np.array([False, True, False]))[:2]
    (array([0], dtype=uint32), array([2], dtype=uint32))
    """
    src, dst, cls = edges
    leaves = inside[src]
    stay = ~leaves & ~inside[dst]
    found = [(src[stay], dst[stay], cls[stay])]
    order = np.argsort(src[leaves], kind="stable")
    steps = (src[leaves][order], dst[leaves][order], cls[leaves][order])
    start = np.searchsorted(steps[0], np.arange(n + 1))
    enter = ~leaves & inside[dst]
    front = distinct((src[enter], dst[enter], cls[enter]))
    seen: dict[int, int] = {}
    while len(front[0]):
        tail, middle, grade = front
        counts = start[middle.astype(np.int64) + 1] - start[middle]
        place = ranges(start[middle], counts)
        tail, head = np.repeat(tail, counts), steps[1][place]
        grade = _weakest(np.repeat(grade, counts), steps[2][place])
        out = ~inside[head] & (tail != head)
        found.append((tail[out], head[out], grade[out]))
        front = _better(distinct((tail[inside[head]], head[inside[head]], grade[inside[head]])), seen)
    return distinct(joined(found))


def joined(parts: Sequence[Triples]) -> Triples:
    """All edges of several lists."""
    src, dst, cls = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return src, dst, cls


def _weakest(a: U8, b: U8) -> U8:
    three = np.uint8(3)
    worst: U8 = (np.maximum(a % three, b % three) + three * np.maximum(a // three, b // three)).astype(np.uint8)
    return worst


def _better(front: Triples, seen: dict[int, int]) -> Triples:
    """Those of the pairs that are new, or of a better class than before."""
    keep = np.zeros(len(front[0]), dtype=bool)
    for k, (key, grade) in enumerate(zip(pair_keys(*front[:2]).tolist(), front[2].tolist(), strict=True)):
        if grade < seen.get(key, 9):
            seen[key] = grade
            keep[k] = True
    return front[0][keep], front[1][keep], front[2][keep]
