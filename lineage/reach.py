"""What impact and provenance have in common: the walk, with the jobs beside it and the limits on it.

Impact (:mod:`lineage.impact`) and provenance (:mod:`lineage.provenance`) call :func:`reach` with their direction; they
differ in which jobs belong to the answer and in what makes an empty answer a blind one. :mod:`lineage.answered` puts
into words what was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from lineage.answers import Direction
from lineage.filters import GROUPS, LEVELS, Filters
from lineage.graph.job_use import indirect_readers
from lineage.levels import Found, better, roll_up
from lineage.temporary import contract

if TYPE_CHECKING:
    from lineage.graph import Walk
    from lineage.group_question import Group
    from lineage.view import View

_NAMED = 20  # blind spots of one sort that are named one by one


@dataclass(frozen=True, slots=True)
class Reach:
    """What a walk found: nodes by dense index, and the nodes right behind when a limit cut it.

    ``sources`` is the asked node, or the datasets of the asked ``group``.
    """

    sources: tuple[int, ...]
    direction: Direction
    found: dict[int, Found]
    behind: frozenset[int]
    edges: int
    certain_edges: int
    level: Literal["dataset", "column"] = "dataset"
    group: Group | None = None

    @property
    def origin(self) -> int | Group:
        """What was asked about."""
        return self.group or self.sources[0]

    def label(self, view: View) -> str:
        """Text of what was asked about."""
        return self.group.label if self.group else view.label(self.sources[0])

    def home(self, view: View) -> str:
        """Its domain."""
        return self.group.domain if self.group else view.domain(self.sources[0])

    def of_kind(self, view: View, kind: str) -> list[int]:
        """Dense indices of the found nodes of one kind, the sources included when they are of it."""
        own = [i for i in self.sources if view.kind(i) == kind and i not in self.found]
        return [*own, *(i for i in self.found if view.kind(i) == kind)]


def reach(
    view: View,
    source: int | Group,
    direction: Direction,
    depth: int | None,
    filters: Filters | None = None,
    *,
    bridge: bool = False,
) -> Reach:
    """Everything up or down from a node, jobs included.

    Parameters
    ----------
    view
        the instant to walk in.
    source
        dense index of the asked node. A column is walked on the column level: columns, and datasets where a column
        affects all rows. Anything else on the dataset level: datasets, and the jobs that read (downstream) or wrote
        (upstream) them. A group is walked from all its datasets at once.
    depth
        greatest number of hops; ``None`` for no limit.
    filters
        their certainty is respected by the walk; kinds of another level are added (see :mod:`lineage.levels`).
    bridge
        leave temporary datasets out and count the way through them as one hop (see :mod:`lineage.temporary`).
    """
    filters = filters or Filters()
    group = None if isinstance(source, int) else source
    sources = (source,) if isinstance(source, int) else source.nodes
    if not sources:
        return Reach((), direction, {}, frozenset(), 0, 0, group=group)
    if bridge and isinstance(source, int):
        whole = reach(view, source, direction, None, filters)
        kept, cut = contract(view, source, direction, depth, whole.found, LEVELS.index(filters.worst))
        return replace(whole, found=kept, behind=cut)
    column = view.kind(sources[0]) == "column" or set(filters.kinds) - set(GROUPS) == {"column"}
    walk = view.walk(
        sources, direction, depth=depth, min_certainty=filters.worst, level="column" if column else "dataset"
    )
    found = _found(walk)
    behind = {int(i) for i in walk.cut}
    edges, certain = _edges(view, sources, walk, found)
    if not column:
        behind |= _add_jobs(view, sources, direction, depth, found, LEVELS.index(filters.worst))
        if filters.asks_for("column"):
            columns = view.walk(sources, direction, depth=depth, min_certainty=filters.worst, level="column")
            found.update((i, one) for i, one in _found(columns).items() if view.kind(i) == "column")
            behind |= {int(i) for i in columns.cut if view.kind(int(i)) == "column"}
    elif filters.asks_for("dataset") or filters.asks_for("job"):
        found.update(roll_up(view, sources, direction, depth, found, filters))
    level: Literal["dataset", "column"] = "column" if column else "dataset"
    return Reach(sources, direction, found, frozenset(behind), edges, certain, level, group)


def _found(walk: Walk) -> dict[int, Found]:
    figures = (walk.nodes.tolist(), walk.hops.tolist(), walk.certainty.tolist(), walk.paths(), walk.indirect.tolist())
    return {i: Found(i, *rest) for i, *rest in zip(*figures, strict=True)}


@dataclass(frozen=True, slots=True)
class Asked:
    """How an answer is wanted: how far the walk goes, its filters, whether its links and facts are wanted.

    ``hops`` lists what is exactly so many hops away, and walks no further; ``max_nodes`` is the greatest number of
    rows, the first ones of the answer without it. ``depth`` and ``hops`` are not given both.
    """

    depth: int | None = None
    filters: Filters = field(default_factory=Filters)
    links: bool = False
    bridge: bool = False
    facts: bool = True
    hops: int | None = None
    max_nodes: int | None = None

    @property
    def deepest(self) -> int | None:
        """Greatest number of hops that is walked; ``None`` for no limit."""
        return self.depth if self.hops is None else self.hops

    @property
    def limits(self) -> dict[str, int]:
        """The limits that were given, by name."""
        given = {"depth": self.depth, "hops": self.hops, "max_nodes": self.max_nodes}
        return {name: limit for name, limit in given.items() if limit is not None}


def named(view: View, nodes: Sequence[int], what: str) -> list[str]:
    """One blind spot per node, and one line for those beyond the first twenty."""
    labels = sorted({view.label(i) for i in nodes})
    spots = [f"{label}: {what}" for label in labels[:_NAMED]]
    if len(labels) > _NAMED:
        spots.append(f"{len(labels) - _NAMED} more: {what}")
    return spots


def cut(spots: Iterable[str]) -> list[str]:
    """Blind spots of the several nodes of a group: the first twenty, and how many more there are."""
    found = sorted(set(spots))
    more = len(found) - _NAMED
    return found if more <= 0 else [*found[:_NAMED], f"and {more} more"]


def without_writer(view: View, datasets: Iterable[int]) -> list[int]:
    """Datasets that nothing writes at the instant: no job, and no edge that was told without a job."""
    written = view.instant.written
    return [i for i in datasets if i not in written and not view.snapshot.neighbours(i, "upstream")]


def open_runs(view: View, jobs: Iterable[int]) -> int:
    """Number of runs of visible jobs that have not ended."""
    counts = view.instant.open_runs
    return sum(counts.get(job, 0) for job in jobs if not view.hidden(job)) if counts else 0


def _add_jobs(
    view: View, sources: Sequence[int], direction: Direction, depth: int | None, found: dict[int, Found], worst: int
) -> set[int]:
    """Add the jobs beside the datasets of an answer; the result is the jobs that the limit cut.

    Downstream, a job that reads a dataset at hop h has hop h + 1, as its outputs have. Upstream, a job that wrote a
    dataset at hop h has hop h, as the dataset has. A job that reads a dataset only to write the same one moves nothing
    on (semantics 16). Downstream, a job that only filters or joins by what it reads uses it indirectly; what it writes
    is as direct as the dataset is.
    """
    snapshot = view.snapshot
    down = direction == "downstream"
    datasets = [one for one in found.values() if snapshot.kind[one.index] == 0]
    datasets += [Found(i, 0, 0, (i,)) for i in sources if snapshot.kind[i] == 0]
    own = set(sources)
    cut: set[int] = set()
    best: dict[int, Found] = {}
    loops = {one.index for one in datasets if down and snapshot.self_loop(one.index)}
    arrows = snapshot.arrows([one.index for one in datasets], "read" if down else "write")
    direct = [one.index for one in datasets if not one.indirect] if down else []
    filtering = indirect_readers(snapshot, direct, worst)
    for at, job, certainty in zip(*(column.tolist() for column in arrows), strict=True):
        one = datasets[at]
        hops = one.hops + (1 if down else 0)
        if job in own or certainty > worst or (one.index in loops and only_back(view, one.index, job)):
            continue
        if depth is not None and hops > depth:
            cut.add(job)
            continue
        indirect = one.indirect or (bool(filtering) and job in filtering.get(one.index, ()))
        mine = Found(job, hops, max(one.certainty, certainty), (*one.path, job), indirect)
        known = best.get(job) or found.get(job)  # what a job hands on may be a guess, and that it reads none
        best[job] = better(known, mine) if known else mine
    found.update(best)
    return cut - set(found)


def only_back(view: View, dataset: int, job: int) -> bool:
    """Whether a job reads a dataset only to write it again."""
    return [int(i) for i in view.snapshot.outputs(job)] == [dataset]


def _edges(view: View, sources: Sequence[int], walk: Walk, found: dict[int, Found]) -> tuple[int, int]:
    """Number of edges of an answer and of certain ones; those at hidden nodes are not counted."""
    inside = {*sources, *found}
    if not view.restricted or not any(view.hidden(i) for i in inside):
        return walk.edges, walk.certain_edges
    edges = certain = 0
    for i in inside:
        if view.hidden(i) or view.kind(i) == "job":
            continue
        for edge in view.snapshot.neighbours(i, "downstream"):
            if edge.dst in inside and not view.hidden(edge.dst):
                edges += 1
                certain += edge.certainty == "certain"
    return edges, certain
