"""Circles of one node: a job that reads a dataset and writes the same one.

Such a circle is no impact (semantics 16), for nothing else gets anything of it. But the job is there and stops working
when the dataset goes, so answers about the node name it instead of saying that nothing uses the node.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lineage.answers import Direction
    from lineage.view import View


def jobs_of_circles(view: View, nodes: Sequence[int]) -> tuple[str, ...]:
    """Jobs, in words of the actor, that make some nodes (dense indices) from themselves."""
    return tuple(sorted({job for jobs in _circles(view, nodes).values() for job in jobs}))


def circle_notes(view: View, nodes: Sequence[int], direction: Direction) -> list[str]:
    """What is to be said of each node that is made from itself.

    Parameters
    ----------
    nodes
        dense indices of what is asked about.
    direction
        ``downstream``: that this is use, and no impact; ``upstream``: that it is an origin that is not listed.
    """
    notes = []
    for i, jobs in _circles(view, nodes).items():
        label, by = view.label(i), " and ".join(jobs) or "an edge that names no job"
        reads = "read" if len(jobs) > 1 else "reads" if jobs else "leads from"
        again = "write it again" if jobs else "end at it"
        what = f"{by} {reads} it to {again}" if direction == "downstream" else f"is made from itself too, by {by}"
        end = ", a circle to itself: no impact on anything else by that" if direction == "downstream" else ""
        notes.append(f"{label}: {what}{end}")
    return sorted(notes)


def _circles(view: View, nodes: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Jobs by the node that they make from itself; none where none was told."""
    found: dict[int, tuple[str, ...]] = {}
    relations = view.snapshot._relations
    for i in nodes:
        if view.snapshot.self_loop(i) and not view.hidden(i):
            one = np.array([i], dtype=np.uint32)
            rows = relations.columns if view.kind(i) == "column" else relations.lineage
            jobs = {view.label(job) for edge in rows.views(one, one) for job in edge.jobs}
            found[i] = tuple(sorted(jobs))
    return found
