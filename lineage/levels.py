"""From columns to the datasets and jobs they belong to, for who asks a column which of these it touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.filters import LEVELS, Filters

if TYPE_CHECKING:
    from lineage.answers import Direction
    from lineage.view import View


@dataclass(frozen=True, slots=True)
class Found:
    """One node of an answer before it gets its labels. ``certainty`` is a position in ``LEVELS``."""

    index: int
    hops: int
    certainty: int
    path: tuple[int, ...]
    indirect: bool = False


def better(one: Found, other: Found) -> Found:
    """Smallest hops; certainty and path of the better path; direct when one of them is."""
    hops = min(one.hops, other.hops)
    best = min(one, other, key=lambda found: (found.certainty, len(found.path)))
    return Found(one.index, hops, best.certainty, best.path, one.indirect and other.indirect)


def roll_up(
    view: View, source: int, direction: Direction, depth: int | None, found: dict[int, Found], filters: Filters
) -> dict[int, Found]:
    """Datasets and jobs of the column edges of an answer, as far as the filters ask for them.

    A dataset has the hops and certainty of the best of its columns. A job that carries an edge from hop h downstream
    has hop h + 1, one that carries an edge to hop h upstream has hop h, as on the dataset level.

    Parameters
    ----------
    found
        columns, and datasets where a column affects all rows, by dense index.
    """
    result: dict[int, Found] = {}
    if filters.asks_for("dataset"):
        own = view.snapshot.dataset_of(source) if view.kind(source) == "column" else source
        for one in found.values():
            column = view.kind(one.index) == "column"
            dataset = view.snapshot.dataset_of(one.index) if column else one.index
            if dataset != own:
                path = (*one.path, dataset) if column else one.path
                _keep(result, Found(dataset, one.hops, one.certainty, path, one.indirect))
    if filters.asks_for("job"):
        for job in _carriers(view, source, direction, found):
            inside = (depth is None or job.hops <= depth) and job.certainty <= LEVELS.index(filters.worst)
            if inside:
                _keep(result, job)
    return result


def _carriers(view: View, source: int, direction: Direction, found: dict[int, Found]) -> list[Found]:
    """Jobs on the edges that leave (downstream) or enter (upstream) the nodes of an answer, one entry per edge."""
    down = direction == "downstream"
    jobs = []
    for one in (Found(source, 0, 0, (source,)), *found.values()):
        if view.kind(one.index) != "column":
            continue
        for edge in view.snapshot.neighbours(one.index, direction):
            certainty = max(one.certainty, LEVELS.index(edge.certainty))
            jobs += [
                Found(job, one.hops + down, certainty, (*one.path, job), one.indirect or edge.indirect)
                for job in edge.jobs
            ]
    return jobs


def _keep(result: dict[int, Found], one: Found) -> None:
    result[one.index] = better(result[one.index], one) if one.index in result else one
