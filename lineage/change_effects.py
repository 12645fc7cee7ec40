"""What changes do to a graph, by dense indices: the calculation behind :mod:`lineage.change`.

Nothing is copied or altered: a rehearsal is the snapshot, a set of nodes and edges that are thought away, and the part
downstream of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from lineage.graph.arrays import COLUMN, DATASET, STALE, U32, U64, class_mask, pair_keys
from lineage.graph.loss import loss
from lineage.graph.uses import uses

if TYPE_CHECKING:
    from lineage.graph import Snapshot
    from lineage.graph.level import Level
    from lineage.graph.rows import EdgeView

Action = Literal["drop", "rename", "retype", "retire", "late"]
Harm = Literal["all", "some", "unknown", "touched"]
HARMS: tuple[Harm, ...] = ("all", "some", "unknown", "touched")  # the worst first
REMOVING = ("drop", "rename", "retire")
_DIRECT = class_mask(STALE, indirect=False)
_EVERY = class_mask(STALE, indirect=True)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is to happen to a node (dense index). ``to`` is the new name or type, ``hours`` the delay."""

    action: Action
    node: int
    to: str | None = None
    hours: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One node that changes hurt. ``certainty`` is 0 certain, 1 probable, 2 stale; ``path`` begins with the cause."""

    node: int
    harm: Harm
    hops: int
    certainty: int
    path: tuple[int, ...]
    indirect: bool = False


@dataclass(slots=True)
class _Plan:
    """Changes by what they take away; ``moved`` are nodes whose data changes but stays."""

    datasets: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    jobs: set[int] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)


def effects(snapshot: Snapshot, changes: Sequence[Change]) -> dict[int, Hit]:
    """Who is hurt by some changes together, by dense index; the changed nodes themselves are not among them.

    ``all``
        every input is gone or cannot be made any more: the node gets nothing.
    ``some``
        at least one input is gone; for a job that uses a changed column, the column.
    ``unknown``
        it reads a dataset of which a column goes, without telling which columns it uses.
    ``touched``
        no input is gone, but what it gets is made from less, or is later, or of another type.

    A column is ``all`` (unreachable) when every column that its value is made of is gone; filters do not keep it alive.
    Only a filter, join or group over something changed makes a node ``touched`` with ``indirect`` set.
    """
    plan = _planned(snapshot, changes)
    hits: dict[int, Hit] = {}
    _datasets(snapshot, plan, hits)
    sliced = _columns(snapshot, plan, hits)
    for node in (*plan.datasets, *plan.columns, *plan.jobs, *plan.moved):
        hits.pop(node, None)
    _jobs(snapshot, plan, hits, sliced)
    for node in (*plan.jobs, *plan.moved):
        hits.pop(node, None)
    return hits


def worse(one: Hit | None, other: Hit) -> Hit:
    """Two effects on one node: the greater harm, the smaller distance, direct use when one of them is."""
    if one is None:
        return other
    worst = min(one, other, key=lambda hit: (HARMS.index(hit.harm), hit.hops, hit.certainty))
    return replace(worst, hops=min(one.hops, other.hops), indirect=one.indirect and other.indirect)


# -- inside


def _planned(snapshot: Snapshot, changes: Sequence[Change]) -> _Plan:
    plan = _Plan()
    for change in changes:
        kind = int(snapshot.kind[change.node])
        if change.action not in REMOVING:
            plan.moved.add(change.node)
        elif kind == DATASET:
            plan.datasets.add(change.node)
        elif kind == COLUMN:
            plan.columns.add(change.node)
        elif change.action != "rename":  # another name of a job changes no data
            plan.jobs.add(change.node)
    plan.columns -= {c for d in plan.datasets for c in snapshot.columns_of(d).tolist()}
    return plan


def _datasets(snapshot: Snapshot, plan: _Plan, hits: dict[int, Hit]) -> None:
    """Datasets downstream of datasets and jobs that go or move."""
    level = snapshot.level("dataset")
    cut, dead, fewer = _unwritten(snapshot, plan.jobs)
    gone = _vertices(level, [*plan.datasets, *plan.jobs, *dead])
    lost = loss(level, np.union1d(gone, level.twin[gone]).astype(np.uint32), _pairs(level, cut), _EVERY)
    harm: dict[int, Harm] = dict.fromkeys(level.public[lost.some].tolist(), "some")
    harm.update(dict.fromkeys(fewer, "some"))
    harm.update(dict.fromkeys(level.public[lost.all].tolist(), "all"))
    harm.update(dict.fromkeys(dead, "all"))
    sources = [*plan.datasets, *plan.jobs, *(i for i in plan.moved if snapshot.kind[i] != COLUMN)]
    _walked(snapshot, sources, "dataset", harm, hits)


def _unwritten(snapshot: Snapshot, jobs: set[int]) -> tuple[list[tuple[int, int]], set[int], set[int]]:
    """Without some jobs: dataset edges that only they carried, datasets nothing makes, datasets with fewer writers."""
    cut: list[tuple[int, int]] = []
    dead, fewer = set(), set()
    for dataset in {int(d) for job in jobs for d in snapshot.outputs(job)}:
        inputs = snapshot.neighbours(dataset, "upstream")
        gone = [edge for edge in inputs if edge.jobs and jobs.issuperset(edge.jobs)]
        cut += [(edge.src, edge.dst) for edge in gone if snapshot.kind[edge.src] == DATASET]
        sole = jobs.issuperset(snapshot.writers(dataset).tolist())
        if sole and len(gone) == len(inputs):
            dead.add(dataset)
        else:
            fewer.add(dataset)
    return cut, dead, fewer


def _columns(snapshot: Snapshot, plan: _Plan, hits: dict[int, Hit]) -> set[int]:
    """Columns downstream of columns that go or move, and what that means for their datasets.

    The result is the datasets that are hurt in some columns only, those of changed columns included.
    """
    level = snapshot.level("column")
    whole = [c for d in plan.datasets for c in snapshot.columns_of(d).tolist()]
    removed = _vertices(level, [*plan.columns, *whole])
    lost = loss(level, removed, _column_cuts(snapshot, plan.jobs), _DIRECT, rowsets=False)
    harm: dict[int, Harm] = dict.fromkeys(level.public[lost.some].tolist(), "some")
    harm.update(dict.fromkeys(level.public[lost.all].tolist(), "all"))
    moved = [i for i in plan.moved if snapshot.kind[i] == COLUMN]
    found: dict[int, Hit] = {}
    _walked(snapshot, [*plan.columns, *moved], "column", harm, found)
    for hit in list(found.values()):
        if snapshot.kind[hit.node] == COLUMN:
            home = snapshot.dataset_of(hit.node)
            _keep(found, replace(hit, node=home, path=(*hit.path, home), harm="touched"))
    for dataset in [i for i in found if snapshot.kind[i] == DATASET]:
        found[dataset] = replace(found[dataset], harm=_of_dataset(snapshot, dataset, found))
    _walked(snapshot, list(plan.datasets) + list(plan.jobs), "column", harm, found, columns_only=True)
    own = {snapshot.dataset_of(c) for c in (*plan.columns, *moved)}
    sliced = {d: Hit(d, "some", 0, 0, (d,)) for d in own}
    sliced.update({i: hit for i, hit in found.items() if snapshot.kind[i] == DATASET and i not in hits})
    for hit in found.values():
        if hit.node not in own:
            _keep(hits, hit)
    _unknown(snapshot, sliced, hits)
    return set(sliced) - plan.datasets


def _of_dataset(snapshot: Snapshot, dataset: int, found: dict[int, Hit]) -> Harm:
    """Harm to a dataset by that to its columns: all when no column that has a told origin keeps a value."""
    columns = snapshot.columns_of(dataset).tolist()
    harmed = [found[c].harm for c in columns if c in found and found[c].harm in ("all", "some")]
    if not harmed:
        return "touched"
    told = [c for c in columns if any(not edge.indirect for edge in snapshot.neighbours(c, "upstream"))]
    return "all" if all(c in found and found[c].harm == "all" for c in told) else "some"


def _untold(snapshot: Snapshot, dataset: int) -> list[EdgeView]:
    """Edges to datasets that do not tell which columns they use."""
    edges = snapshot.neighbours(dataset, "downstream")
    return [edge for edge in edges if snapshot.kind[edge.dst] == DATASET and not uses(snapshot, dataset, edge.dst)]


def _unknown(snapshot: Snapshot, sliced: dict[int, Hit], hits: dict[int, Hit]) -> None:
    """Readers of datasets hurt in some columns that tell no columns, and everything behind them."""
    grades = ("certain", "probable", "stale")
    first: dict[int, Hit] = {}
    for dataset, before in sorted(sliced.items()):
        for edge in _untold(snapshot, dataset):
            grade = max(before.certainty, grades.index(edge.certainty))
            _keep(first, Hit(edge.dst, "unknown", before.hops + 1, grade, (*before.path, edge.dst)))
    behind: dict[int, Hit] = {}
    _walked(snapshot, list(first), "dataset", {}, behind)
    for hit in behind.values():
        start = first[hit.path[0]]
        path = (*start.path, *hit.path[1:])
        grade = max(hit.certainty, start.certainty)
        _keep(first, Hit(hit.node, "unknown", hit.hops + start.hops, grade, path))
    for hit in first.values():
        if sliced.get(hit.node, hit).hops:  # not the dataset of a changed column
            _keep(hits, hit)


def _jobs(snapshot: Snapshot, plan: _Plan, hits: dict[int, Hit], sliced: set[int]) -> None:
    """Jobs that read what is hurt or gone; of a dataset hurt in some columns, those that use one of these."""
    starts = {d: Hit(d, "all", 0, 0, (d,)) for d in plan.datasets}
    starts.update({d: Hit(d, "touched", 0, 0, (d,)) for d in plan.moved if snapshot.kind[d] == DATASET})
    starts.update({i: hit for i, hit in hits.items() if snapshot.kind[i] == DATASET and i not in sliced})
    dead = {i for i, hit in (*starts.items(), *hits.items()) if hit.harm == "all"}
    datasets = np.array(sorted(starts), dtype=np.uint32)
    for at, job, certainty in zip(*(part.tolist() for part in snapshot.readers_of(datasets)), strict=True):
        hit = starts[int(datasets[at])]
        if hit.harm == "all":
            harm: Harm = "all" if dead.issuperset(snapshot.inputs(job).tolist()) else "some"
        else:
            harm = "unknown" if hit.harm == "unknown" else "touched"
        _keep(hits, Hit(job, harm, hit.hops + 1, max(hit.certainty, certainty), (*hit.path, job), hit.indirect))
    changed: dict[int, Harm] = {**dict.fromkeys(plan.columns, "all"), **dict.fromkeys(plan.moved, "touched")}
    hurt = {c: Hit(c, harm, 0, 0, (c,)) for c, harm in changed.items() if snapshot.kind[c] == COLUMN}
    for dataset in sliced:
        _column_readers(snapshot, dataset, hurt, hits)


def _column_readers(snapshot: Snapshot, dataset: int, changed: dict[int, Hit], hits: dict[int, Hit]) -> None:
    """Jobs that read hurt columns of a dataset, and those that read it without telling columns."""
    told: set[int] = set()
    for column in snapshot.columns_of(dataset).tolist():
        hit = changed.get(column) or hits.get(column)
        for edge in snapshot.neighbours(column, "downstream"):
            told.update(edge.jobs)
            if hit is None:
                continue
            for job in edge.jobs:
                harm: Harm = "some" if hit.harm == "all" else "touched"
                indirect = hit.indirect or edge.indirect
                _keep(hits, Hit(job, harm, hit.hops + 1, hit.certainty, (*hit.path, job), indirect))
    before = hits.get(dataset, Hit(dataset, "some", 0, 0, (dataset,)))
    _, jobs, certainty = snapshot.readers_of(np.array([dataset], dtype=np.uint32))
    for job, grade in zip(jobs.tolist(), certainty.tolist(), strict=True):
        if job not in told:
            grade = max(grade, before.certainty)
            _keep(hits, Hit(job, "unknown", before.hops + 1, grade, (*before.path, job), before.indirect))


def _column_cuts(snapshot: Snapshot, jobs: Iterable[int]) -> U64:
    """Column edges that only some jobs carry, as pairs of vertices."""
    own = set(jobs)
    level = snapshot.level("column")
    cut = [
        (edge.src, edge.dst)
        for dataset in {int(d) for job in own for d in snapshot.outputs(job)}
        for column in snapshot.columns_of(dataset).tolist()
        for edge in snapshot.neighbours(column, "upstream")
        if edge.jobs and own.issuperset(edge.jobs)
    ]
    return _pairs(level, cut)


def _vertices(level: Level, nodes: Iterable[int]) -> U32:
    """Vertices of nodes; a job without explicit flow has none."""
    found = [level.vertex(i) for i in nodes]
    return np.array([v for v in found if v is not None], dtype=np.uint32)


def _pairs(level: Level, edges: Sequence[tuple[int, int]]) -> U64:
    """Edges as ``src << 32 | dst`` of vertices."""
    ends = [(level.vertex(src), level.vertex(dst)) for src, dst in edges]
    known = [(src, dst) for src, dst in ends if src is not None and dst is not None]
    return pair_keys([src for src, _ in known], [dst for _, dst in known])


def _walked(
    snapshot: Snapshot,
    sources: Sequence[int],
    level: Literal["dataset", "column"],
    harm: dict[int, Harm],
    hits: dict[int, Hit],
    *,
    columns_only: bool = False,
) -> None:
    """Add everything downstream of the sources, with the harm that is known of it."""
    if not sources:
        return
    walk = snapshot.walk(sorted(sources), "downstream", level=level)
    figures = (walk.nodes.tolist(), walk.hops.tolist(), walk.certainty.tolist(), walk.paths(), walk.indirect.tolist())
    for i, hops, certainty, path, indirect in zip(*figures, strict=True):
        if not columns_only or snapshot.kind[i] == COLUMN:
            _keep(hits, Hit(i, harm.get(i, "touched"), hops, certainty, tuple(path), indirect))


def _keep(hits: dict[int, Hit], hit: Hit) -> None:
    hits[hit.node] = worse(hits.get(hit.node), hit)
