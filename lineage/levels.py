"""From one level to another: columns to their datasets and jobs, and these to products, domains and applications."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lineage.answers import UNASSIGNED
from lineage.filters import LEVELS, Filters

if TYPE_CHECKING:
    from lineage.answers import Direction
    from lineage.graph import Snapshot
    from lineage.view import Instant, View


@dataclass(frozen=True, slots=True)
class Found:
    """One node of an answer before it gets its labels. ``certainty`` is a position in ``LEVELS``."""

    index: int
    hops: int
    certainty: int
    path: tuple[int, ...]
    indirect: bool = False
    bridge: tuple[int, ...] = ()  # temporary datasets that its path leads through and does not show
    whole: tuple[int, ...] = ()  # the path with them, where there are some


def better(one: Found, other: Found) -> Found:
    """Smallest hops; certainty and path of the better path; direct when one of them is."""
    hops = min(one.hops, other.hops)
    best = min(one, other, key=lambda found: (found.certainty, len(found.path)))
    return Found(one.index, hops, best.certainty, best.path, one.indirect and other.indirect, best.bridge, best.whole)


def roll_up(
    view: View,
    sources: Sequence[int],
    direction: Direction,
    depth: int | None,
    found: dict[int, Found],
    filters: Filters,
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
        own = {_home(view, source) for source in sources}
        for one in found.values():
            column = view.kind(one.index) == "column"
            dataset = view.snapshot.dataset_of(one.index) if column else one.index
            if dataset not in own:
                path = (*one.path, dataset) if column else one.path
                _keep(result, Found(dataset, one.hops, one.certainty, path, one.indirect))
    if filters.asks_for("job"):
        for job in _carriers(view, sources, direction, found):
            inside = (depth is None or job.hops <= depth) and job.certainty <= LEVELS.index(filters.worst)
            if inside:
                _keep(result, job)
    return result


def groups_of(instant: Instant, kind: str) -> Mapping[int, str]:
    """Name of the group of each dataset and job, by dense index; those without one are left out.

    Parameters
    ----------
    kind
        ``product``; ``domain``; ``application`` (the topmost job that contains a job; of a dataset, that of the jobs
        that write it when they have one in common); ``dag`` (the same with the job right above).
    """
    return instant.remember(f"groups {kind}", lambda: _GROUPS[kind](instant))


def lift(view: View, sources: Sequence[int], found: Mapping[int, Found], kind: str) -> dict[str, Found]:
    """The groups of one kind that the nodes of an answer belong to, each with its nearest node.

    A group is in it through its datasets, and through a job only when no dataset of it is reached; but a job of it that
    takes the value makes the use direct. What the asked nodes belong to is in it where another dataset of it is
    reached; a job of it alone is no reason. Nodes of hidden domains belong to nothing but their domain.
    """
    groups = groups_of(view.instant, kind)
    result: dict[str, Found] = {}
    asked = {_home(view, source) for source in sources}
    own = {groups.get(node) for node in asked}
    through_jobs: dict[str, Found] = {}
    for one in found.values():
        node = _home(view, one.index)
        name = groups.get(node)
        if name is None or node in asked or (kind != "domain" and view.hidden(node)):
            continue
        into = through_jobs if view.kind(node) == "job" else result
        into[name] = better(into[name], one) if name in into else one
    for name, one in result.items():
        if one.indirect and name in through_jobs and not through_jobs[name].indirect:
            result[name] = replace(one, indirect=False)
    return {**{name: one for name, one in through_jobs.items() if name not in own}, **result}


def _home(view: View, i: int) -> int:
    return view.snapshot.dataset_of(i) if view.kind(i) == "column" else i


def _products(instant: Instant) -> Mapping[int, str]:
    from lineage.products import membership

    return membership(instant)


def _domains(instant: Instant) -> Mapping[int, str]:
    kinds = instant.snapshot.kind.tolist()
    return {i: instant.domain(i) for i, kind in enumerate(kinds) if kind != 2 and instant.domain(i) != UNASSIGNED}


def _applications(instant: Instant) -> Mapping[int, str]:
    return _by_job(instant.snapshot, lambda job: _top(instant.snapshot, job))


def _dags(instant: Instant) -> Mapping[int, str]:
    def above(job: int) -> int:
        parents = instant.snapshot.parents(job).tolist()
        return min(parents) if parents else job

    return _by_job(instant.snapshot, above)


def _top(snapshot: Snapshot, job: int) -> int:
    """The topmost job above; of several the first, and in a circle the smallest."""
    seen = [job]
    while parents := [p for p in snapshot.parents(seen[-1]).tolist() if p not in seen]:
        seen.append(min(parents))
    return seen[-1]


def _by_job(snapshot: Snapshot, above: Callable[[int], int]) -> Mapping[int, str]:
    """Jobs by what ``above`` says; datasets by that of the jobs that write them, when there is only one."""
    kinds = snapshot.kind.tolist()
    found = {i: snapshot.text(above(i)).removeprefix("job:") for i, kind in enumerate(kinds) if kind == 1}
    for i, kind in enumerate(kinds):
        names = {found[job] for job in snapshot.writers(i).tolist()} if kind == 0 else set()
        if len(names) == 1:
            found[i] = names.pop()
    return found


_GROUPS: Mapping[str, Callable[[Instant], Mapping[int, str]]] = {
    "product": _products, "domain": _domains, "application": _applications, "dag": _dags,
}  # fmt: skip


def _carriers(view: View, sources: Sequence[int], direction: Direction, found: dict[int, Found]) -> list[Found]:
    """Jobs on the edges that leave (downstream) or enter (upstream) the nodes of an answer, one entry per edge."""
    down = direction == "downstream"
    jobs = []
    for one in (*(Found(i, 0, 0, (i,)) for i in sources), *found.values()):
        if view.kind(one.index) != "column":
            continue
        for edge in view.snapshot.neighbours(one.index, direction):
            certainty = max(one.certainty, LEVELS.index(edge.certainty))
            jobs += [
                Found(job, one.hops + down, certainty, (*one.path, job), one.indirect or job in edge.filtering)
                for job in edge.jobs
            ]
    return jobs


def _keep(result: dict[int, Found], one: Found) -> None:
    result[one.index] = better(result[one.index], one) if one.index in result else one
