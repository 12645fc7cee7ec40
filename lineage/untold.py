"""Edges between datasets of which nobody told the columns: where a question about columns goes blind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lineage.answers import Direction
    from lineage.graph import Snapshot


def untold(snapshot: Snapshot, dataset: int, direction: Direction) -> list[int]:
    """Datasets, and jobs that hand on, whose edge with a dataset tells no columns, in ascending order.

    An edge tells columns when column edges lie below it, whoever told these: ``columnLineage``, the fields of a lineage
    facet, or SQL that was read.

    Parameters
    ----------
    dataset
        its dense index.
    direction
        ``downstream``: those that come from it; ``upstream``: those it comes from.
    """
    down = direction == "downstream"
    edges = snapshot.neighbours(dataset, direction)
    others = [edge.dst if down else edge.src for edge in edges if edge.provenance != "column"]
    if not others:
        return []
    level = snapshot._levels["column"]
    beside = np.concatenate([level.beside(i, direction) for i in (dataset, *snapshot.columns_of(dataset).tolist())])
    told = set(snapshot._nodes.datasets_of(beside.astype(np.uint32)).tolist())
    return sorted({i for i in others if i not in told})
