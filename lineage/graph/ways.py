"""Everything on any way from one set of nodes to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lineage.graph.arrays import I64, U8, U32, Bool
from lineage.graph.barred import Barred
from lineage.graph.search_numpy import gather
from lineage.graph.snapshot import CertaintyName, LevelName, Snapshot


@dataclass(frozen=True, slots=True)
class Between:
    """The part of a graph that lies between sources and targets.

    ``nodes`` are dense indices in ascending order, the sources and targets that are joined by a way included; empty
    when there is no way. Edges lead from ``src[k]`` to ``dst[k]`` and are ``certainty[k]`` (0 certain, 1 probable, 2
    stale). On the column level a dataset stands among them where a column affects all of its rows.
    """

    nodes: U32
    src: U32
    dst: U32
    certainty: U8

    def __bool__(self) -> bool:
        return len(self.nodes) > 0


def between(
    snapshot: Snapshot,
    sources: Sequence[int],
    targets: Sequence[int],
    *,
    min_certainty: CertaintyName = "stale",
    level: LevelName = "dataset",
    indirect: bool = True,
    blocked: Bool | Barred | None = None,
) -> Between:
    """All nodes and edges on any way downstream from the sources to the targets.

    What is reached from the sources, met with what the targets are reached from: two searches, however many ways there
    are (there can be exponentially many, so they are not listed one by one). Ways may pass a cycle.

    Parameters
    ----------
    sources, targets
        dense indices; a job stands for its outputs as a source, for its inputs as a target.
    min_certainty, level, indirect, blocked
        as in :meth:`Snapshot.walk`.

    Raises
    ------
    UsageError
        as :meth:`Snapshot.walk`.
    """
    options = {"min_certainty": min_certainty, "level": level, "indirect": indirect, "blocked": blocked}
    down = snapshot.walk(sources, "downstream", **options)  # type: ignore[arg-type]
    up = snapshot.walk(targets, "upstream", **options)  # type: ignore[arg-type]
    vertices = np.intersect1d(down.vertices, up.vertices, assume_unique=True)
    graph = down.level
    parts = [g for g in (graph.down.unit, graph.down.zero) if g is not None]
    found = [_inside(vertices, *gather(g, vertices, 0, down.mask)) for g in parts]
    src, dst, cls = (np.concatenate([part[k] for part in found]) for k in range(3))
    src, dst = graph.public[vertices[src]], graph.public[dst]
    between_two = src != dst
    keys = np.stack([src, dst, cls % np.uint32(3)])[:, between_two]
    keys = keys[:, np.lexsort(keys[::-1])]
    fresh = np.ones(keys.shape[1], dtype=bool)
    fresh[1:] = (keys[:2, 1:] != keys[:2, :-1]).any(axis=0)
    src, dst, certainty = keys[:, fresh]
    return Between(np.unique(graph.public[vertices]), src, dst, certainty.astype(np.uint8))


def _inside(vertices: U32, heads: U32, tails: U32, classes: U32) -> tuple[I64, U32, U32]:
    """Edges whose head is one of the (ascending) vertices: position of the tail, head, class."""
    at = np.minimum(np.searchsorted(vertices, heads), max(len(vertices) - 1, 0))
    keep = vertices[at] == heads if len(vertices) else np.zeros(0, dtype=bool)
    return tails[keep].astype(np.int64), heads[keep], classes[keep]
