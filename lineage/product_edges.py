"""Edges between data products: what flows from the datasets of one to those of another.

Between two products there mostly are staging tables and the like, which belong to none. So here, other than between
domains, an edge also stands for data that passes datasets of no product on its way; what passes a third product stands
for two edges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from lineage.filters import LEVELS
from lineage.graph.whole import classed_pairs

if TYPE_CHECKING:
    from lineage.view import View

Step = tuple[str, str, bool, int, bool]
"""From, to, whether values arrive, certainty (place in ``LEVELS``), whether it came through datasets of no product."""


def product_edges(view: View, groups: Mapping[int, str]) -> Iterator[Step]:
    """Every edge that leads into a dataset of a product and carries data of one: of another, or directly of its own.

    Parameters
    ----------
    view
        the instant and the actor.
    groups
        product of each dataset (dense index) that has one and may be seen; hidden datasets are passed through.

    Notes
    -----
    One closure for each product, of which the datasets of all others are kept out, and one look at what leads into
    each dataset of a product.
    """
    members: dict[str, list[int]] = {}
    for node, name in sorted(groups.items()):
        members.setdefault(name, []).append(node)
    into = {node: view.snapshot.neighbours(node, "upstream") for node in groups}
    uses = _uses(view, groups)
    for name, own in sorted(members.items()):
        reached = _reached(view, groups, name, own)
        for node, edges in into.items():
            for edge in edges:
                if edge.src == node or edge.src not in reached:
                    continue
                grade, indirect = reached[edge.src]
                through = groups.get(edge.src) != name
                if through and groups[node] == name:
                    continue  # it left and came back: nothing between its own datasets
                grade = max(grade, LEVELS.index(edge.certainty))
                yield name, groups[node], not (indirect or (edge.src, node) in uses), grade, through


def unbound(view: View, groups: Mapping[int, str]) -> list[str]:
    """Ids of the products the actor may see whose output ports bind no dataset."""
    from lineage.products import membership, products_of

    bound = set(membership(view.instant).values()) | set(groups.values())
    found = products_of(view.instant).values()
    return sorted(one.id for one in found if one.id not in bound and view.actor.may_see(one.domain))


def _uses(view: View, groups: Mapping[int, str]) -> set[tuple[int, int]]:
    """Edges into datasets of products that only filter, join or group."""
    src, dst, cls = (np.asarray(part) for part in classed_pairs(view.snapshot))
    at = np.flatnonzero((cls >= len(LEVELS)) & np.isin(dst, list(groups))) if len(src) else ()
    return {(int(src[k]), int(dst[k])) for k in at}


def _reached(view: View, groups: Mapping[int, str], name: str, own: list[int]) -> dict[int, tuple[int, bool]]:
    """What data of a product gets to before it meets another product, with certainty and whether only uses lead there.

    Its own datasets are among it, certain and direct.
    """
    others = np.zeros(len(view.snapshot.kind), dtype=bool)
    others[[node for node, product in groups.items() if product != name]] = True
    walk = view.snapshot.walk(own, "downstream", blocked=others)
    figures = (walk.nodes.tolist(), walk.certainty.tolist(), walk.indirect.tolist())
    found = {i: (grade, bool(indirect)) for i, grade, indirect in zip(*figures, strict=True)}
    return found | dict.fromkeys(own, (0, False))
