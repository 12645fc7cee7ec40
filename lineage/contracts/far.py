"""Readers of a column of which very much hangs: one compiled walk instead of a rehearsal of every node behind it.

A rehearsal tells for each node which of its inputs are lost; over thousands of nodes that takes a minute and nobody
reads it. Here the first hop is judged (who uses the column, who does not tell); what lies behind is listed as reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lineage.change import Effect
from lineage.filters import LEVELS
from lineage.graph.arrays import COLUMN

if TYPE_CHECKING:
    from lineage.change_effects import Harm
    from lineage.graph.walk import Walk
    from lineage.view import View

LIMIT = 400  # columns and datasets reached, up to which every one is rehearsed


def far_effects(view: View, column: int, walk: Walk) -> list[Effect]:
    """Datasets that a column reaches, nearest first, and direct readers that do not tell which columns they use.

    Parameters
    ----------
    column
        dense index.
    walk
        everything downstream of it on the column level.
    """
    snapshot = view.snapshot
    home = snapshot.dataset_of(column)
    nodes, hops = walk.nodes, walk.hops
    homes = np.where(snapshot.kind[nodes] == COLUMN, snapshot._nodes.datasets_of(nodes), nodes)
    order = np.lexsort((walk.certainty, hops))
    _, first = np.unique(homes[order], return_index=True)
    picked = order[np.sort(first)]
    figures = (homes[picked], nodes[picked], hops[picked], walk.certainty[picked], walk.indirect[picked])
    view.prepare(np.unique(np.concatenate([homes[picked], nodes[picked], [column, home]])).tolist())
    found = []
    for dataset, node, hop, grade, indirect in zip(*(part.tolist() for part in figures), strict=True):
        if dataset != home:
            path = walk.path(node) if hop == 1 else (column, node)
            harm: Harm = "some" if hop == 1 and not indirect else "touched"
            found.append(_effect(view, dataset, harm, hop, grade, tuple(path), bool(indirect)))
    reached = {int(i) for i in homes}
    for edge in snapshot.neighbours(home, "downstream"):
        if snapshot.kind[edge.dst] == 0 and edge.dst not in reached and edge.dst != home:
            grade = LEVELS.index(edge.certainty)
            found.append(_effect(view, edge.dst, "unknown", 1, grade, (column, edge.dst), False))
    return found


def _effect(view: View, node: int, harm: Harm, hops: int, grade: int, path: tuple[int, ...], indirect: bool) -> Effect:
    return Effect(
        id=view.label(node),
        kind="dataset",
        harm=harm,
        reader="direct" if hops <= 1 else "transitive",
        use="indirect" if indirect else "direct",
        hops=hops,
        certainty=LEVELS[grade],
        path=tuple(view.label(step) for step in path),
        domain=view.domain(node),
        owner=view.owner(node),
    )
