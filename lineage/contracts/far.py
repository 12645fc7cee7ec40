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
    picked = picked[homes[picked] != home]
    reached = {home, *homes.tolist()}
    silent = [e for e in snapshot.neighbours(home, "downstream") if snapshot.kind[e.dst] == 0 and e.dst not in reached]
    datasets = [*homes[picked].tolist(), *(edge.dst for edge in silent)]
    labels, domains, owners = view.many(datasets)
    own = view.label(column)
    # of the first hop the way may be longer than its ends: there may be better edges than the shortest one
    ends = view.many(nodes[picked].tolist())[0]
    near = {i: tuple(map(view.label, walk.path(i))) for i in nodes[picked][hops[picked] == 1].tolist()}
    figures = (nodes[picked], hops[picked], walk.certainty[picked], walk.indirect[picked])
    found = []
    for at, (node, hop, grade, indirect) in enumerate(zip(*(part.tolist() for part in figures), strict=True)):
        way = near.get(node) or (own, ends[at])
        harm: Harm = "some" if hop == 1 and not indirect else "touched"
        found.append(_effect(labels[at], domains[at], owners[at], harm, hop, grade, way, bool(indirect)))
    for at, edge in enumerate(silent, len(picked)):
        way, grade = (own, labels[at]), LEVELS.index(edge.certainty)
        found.append(_effect(labels[at], domains[at], owners[at], "unknown", 1, grade, way, False))
    return found


def _effect(
    label: str, domain: str, owner: str | None, harm: Harm, hops: int, grade: int, way: tuple[str, ...], indirect: bool
) -> Effect:
    return Effect(label, "dataset", harm, "direct" if hops <= 1 else "transitive", "indirect" if indirect else "direct",
                  hops, LEVELS[grade], way, domain, owner)  # fmt: skip
