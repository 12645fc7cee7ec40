"""How much lies up and down from a node, without saying what: the figures of an answer for the details panel.

The same totals as those of impact and provenance, from arrays alone: no path, label or row is made.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from lineage.answers import Direction, Totals
from lineage.filters import LEVELS

if TYPE_CHECKING:
    from lineage.view import View


@dataclass(frozen=True, slots=True)
class ImpactCounts:
    """Answer of ``impact_counts``: totals of everything downstream and upstream of a node."""

    node: str
    as_of: datetime
    known_at: datetime
    downstream: Totals
    upstream: Totals


def impact_counts(view: View, source: int) -> ImpactCounts:
    """Totals of impact and provenance of a node, without filters.

    Raises
    ------
    HiddenNodeError
        when the actor may not see the node.
    """
    view.require(source)
    down, up = _totals(view, source, "downstream"), _totals(view, source, "upstream")
    return ImpactCounts(view.label(source), view.as_of, view.known_at, down, up)


def _totals(view: View, source: int, direction: Direction) -> Totals:
    column = view.kind(source) == "column"
    walk = view.walk([source], direction, level="column" if column else "dataset")
    nodes, hops, certainty = walk.nodes.tolist(), walk.hops.tolist(), walk.certainty.tolist()
    if not column:
        beside = _jobs(view, source, direction, nodes, hops, certainty)
        for job, (far, grade) in beside.items():
            nodes.append(job)
            hops.append(far)
            certainty.append(grade)
    if view.restricted:
        nodes, hops, certainty = _rows(view, nodes, hops, certainty)
    grades = Counter(certainty)
    domains = Counter(map(view.domain, nodes))
    return Totals(
        nodes=len(nodes),
        by_domain=dict(sorted(domains.items(), key=lambda item: (-item[1], item[0]))),
        by_hop=dict(sorted(Counter(hops).items())),
        by_kind=dict(sorted(Counter(map(view.kind, nodes)).items())),
        by_certainty={name: grades[k] for k, name in enumerate(LEVELS) if grades[k]},
    )


def _rows(
    view: View, nodes: list[int], hops: list[int], certainty: list[int]
) -> tuple[list[int], list[int], list[int]]:
    """One node for each row that the answer has (:meth:`lineage.view.View.row_of`), with its best figures."""
    rows: dict[int | tuple[str, str], tuple[int, int, int]] = {}
    for i, far, grade in zip(nodes, hops, certainty, strict=True):
        known = rows.get(view.row_of(i), (i, far, grade))
        rows[view.row_of(i)] = (known[0], min(known[1], far), min(known[2], grade))
    found = list(rows.values())
    return [i for i, _, _ in found], [far for _, far, _ in found], [grade for _, _, grade in found]


def _jobs(
    view: View, source: int, direction: Direction, nodes: list[int], hops: list[int], certainty: list[int]
) -> dict[int, tuple[int, int]]:
    """Hops and certainty of the jobs beside the datasets of a walk; the rules are those of :mod:`lineage.reach`."""
    snapshot, down = view.snapshot, direction == "downstream"
    datasets = [(i, far, grade) for i, far, grade in zip(nodes, hops, certainty, strict=True) if snapshot.kind[i] == 0]
    if snapshot.kind[source] == 0:
        datasets.append((source, 0, 0))
    listed = {source, *nodes}
    found: dict[int, tuple[int, int]] = {}
    wanted = np.array([i for i, _, _ in datasets], dtype=np.uint32)
    for at, job, grade in zip(
        *(part.tolist() for part in snapshot.arrows(wanted, "read" if down else "write")), strict=True
    ):
        i, far, worst = datasets[at]
        if job in listed or (down and snapshot.self_loop(i) and snapshot.outputs(job).tolist() == [i]):
            continue
        mine = (far + down, max(grade, worst))
        before = found.get(job, mine)
        found[job] = (min(before[0], mine[0]), min(before[1], mine[1]))
    return found
