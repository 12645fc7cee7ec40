"""What changes do to a graph, by dense indices: the calculation behind :mod:`lineage.change`.

Nothing is copied or altered: a rehearsal is the snapshot, a set of nodes and edges that are thought away, and the part
downstream of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from lineage.graph.arrays import COLUMN, DATASET, I64, NONE, STALE, U32, U64, class_mask, pair_keys, ranges
from lineage.graph.job_use import indirect_readers
from lineage.graph.loss import loss
from lineage.graph.rows import first_of_runs
from lineage.graph.search_numpy import gather

if TYPE_CHECKING:
    from lineage.graph import Snapshot
    from lineage.graph.level import Level

Action = Literal["drop", "rename", "retype", "retire", "late"]
Harm = Literal["all", "some", "unknown", "touched"]
HARMS: tuple[Harm, ...] = ("all", "some", "unknown", "touched")  # the worst first
_RANK = {harm: rank for rank, harm in enumerate(HARMS)}
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


class Hit(NamedTuple):
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

    Inputs of a column are those that its value is made of. It is ``all`` (unreachable) when every one of them is gone;
    filters do not keep it alive. Only a filter, join or group over something changed or gone makes a column and its
    dataset ``touched`` with ``indirect`` set: values stay, other rows arrive. The job that reads what is gone is
    ``some``.
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
    first = (_RANK[one.harm], one.hops, one.certainty) <= (_RANK[other.harm], other.hops, other.certainty)
    node, harm, hops, certainty, path, indirect = one if first else other
    hops, indirect = min(one.hops, other.hops), one.indirect and other.indirect
    return Hit(node, harm, hops, certainty, path, indirect)


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
    columns = [hit for hit in found.values() if hit.node >= level.offset]
    for hit, home in zip(columns, _homes(snapshot, [hit.node for hit in columns]), strict=True):
        _keep(found, Hit(home, "touched", hit.hops, hit.certainty, (*hit.path, home), hit.indirect))
    for dataset, worst in _of_datasets(snapshot, level, [i for i in found if i < level.offset], found):
        _, _, hops, certainty, path, indirect = found[dataset]
        found[dataset] = Hit(dataset, worst, hops, certainty, path, indirect)
    _walked(snapshot, list(plan.datasets) + list(plan.jobs), "column", harm, found, columns_only=True)
    own = {snapshot.dataset_of(c) for c in (*plan.columns, *moved)}
    sliced = {d: Hit(d, "some", 0, 0, (d,)) for d in own}
    sliced.update({i: hit for i, hit in found.items() if snapshot.kind[i] == DATASET and i not in hits})
    for hit in found.values():
        if hit.node not in own:
            _keep(hits, hit)
    _unknown(snapshot, sliced, hits)
    return set(sliced) - plan.datasets


def _homes(snapshot: Snapshot, nodes: Sequence[int]) -> list[int]:
    """Dataset of each of some columns."""
    found: list[int] = snapshot._nodes.datasets_of(np.asarray(nodes, dtype=np.uint32)).tolist()
    return found


def _columns_of(snapshot: Snapshot, datasets: Sequence[int]) -> tuple[U32, I64]:
    """Columns of some datasets, one dataset after the other, and how many each has."""
    nodes, at = snapshot._nodes, np.asarray(datasets, dtype=np.int64)
    count = (nodes.column_start[at + 1] - nodes.column_start[at]).astype(np.int64)
    columns = ranges(nodes.column_start[at], count) + nodes.first_column
    return columns.astype(np.uint32), count


def _of_datasets(
    snapshot: Snapshot, level: Level, datasets: Sequence[int], found: dict[int, Hit]
) -> Iterator[tuple[int, Harm]]:
    """Harm to datasets by that to their columns: all when no column that has a told origin keeps a value."""
    columns, count = _columns_of(snapshot, datasets)
    told = np.zeros(len(snapshot.kind), dtype=bool)
    told[list(_told(snapshot, level, datasets))] = True
    harm = np.zeros(len(snapshot.kind), dtype=np.int8)
    nodes = [i for i, hit in found.items() if hit.harm in ("all", "some")]
    harm[nodes] = [2 if found[i].harm == "all" else 1 for i in nodes]
    home = np.repeat(np.arange(len(count)), count)
    hurt, kept = (
        np.bincount(home[which], minlength=len(count)).tolist()
        for which in (harm[columns] > 0, told[columns] & (harm[columns] < 2))
    )
    for dataset, some, alive in zip(datasets, hurt, kept, strict=True):
        yield dataset, "touched" if not some else "some" if alive else "all"


def _told(snapshot: Snapshot, level: Level, datasets: Sequence[int]) -> set[int]:
    """Columns of some datasets whose value has a told origin: a direct edge to it, or to its dataset as a whole."""
    columns, _ = _columns_of(snapshot, datasets)
    whole = np.asarray(datasets, dtype=np.uint32)
    whole = whole[np.isin(whole, level.helper_key)]
    vertices = np.concatenate([level.vertices[columns - np.uint32(level.offset)], _vertices(level, whole.tolist())])
    _, at, _ = gather(level.up.unit, vertices.astype(np.uint32), 0, _DIRECT)
    reached = level.public[vertices[np.unique(at)]]
    own = set(reached[reached >= level.offset].tolist())
    for dataset in reached[reached < level.offset].tolist():
        own.update(snapshot.columns_of(dataset).tolist())
    return own


def _untold(snapshot: Snapshot, datasets: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Edges from some datasets (ascending) to others that do not tell which columns they use, with their certainty."""
    lineage, columns = snapshot._relations.lineage, snapshot._relations.columns
    rows = _rows_of(lineage.key, np.asarray(datasets, dtype=np.uint32))
    rows = rows[first_of_runs(lineage.key[rows])]
    src, dst = _ends(lineage.key[rows])
    keep = (src != dst) & (snapshot.kind[dst] == DATASET)
    rows, src, dst = rows[keep], src[keep], dst[keep]
    if columns.use is not None and len(rows):
        column, target = _ends(columns.key[_rows_of(columns.key, _columns_of(snapshot, datasets)[0])])
        used = pair_keys(snapshot._nodes.datasets_of(column), snapshot._nodes.datasets_of(target))
        keep = ~np.isin(pair_keys(src, dst), used)
        rows, src, dst = rows[keep], src[keep], dst[keep]
    yield from zip(src.tolist(), dst.tolist(), lineage.certainty[rows].tolist(), strict=True)


def _rows_of(key: U64, sources: U32) -> I64:
    """Positions of the sorted rows with one of some sources, source by source."""
    low = np.searchsorted(key, pair_keys(sources, np.zeros_like(sources)))
    high = np.searchsorted(key, pair_keys(sources.astype(np.uint64) + np.uint64(1), np.zeros_like(sources)))
    return ranges(low, high - low)


def _ends(key: U64) -> tuple[U32, U32]:
    return (key >> np.uint64(32)).astype(np.uint32), (key & np.uint64(NONE)).astype(np.uint32)


def _unknown(snapshot: Snapshot, sliced: dict[int, Hit], hits: dict[int, Hit]) -> None:
    """Readers of datasets hurt in some columns that tell no columns, and everything behind them."""
    first: dict[int, Hit] = {}
    for dataset, target, certainty in _untold(snapshot, sorted(sliced)):
        before = sliced[dataset]
        grade = max(before.certainty, certainty)
        _keep(first, Hit(target, "unknown", before.hops + 1, grade, (*before.path, target)))
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
    filtering = indirect_readers(snapshot, datasets.tolist())
    without: dict[int, bool] = {}  # jobs that lose an input: whether they lose all
    for at, job, certainty in zip(*(part.tolist() for part in snapshot.readers_of(datasets)), strict=True):
        hit = starts[int(datasets[at])]
        if hit.harm == "all":
            if job not in without:
                without[job] = dead.issuperset(snapshot.inputs(job).tolist())
            harm: Harm = "all" if without[job] else "some"
        else:
            harm = "unknown" if hit.harm == "unknown" else "touched"
        indirect = hit.indirect or job in filtering.get(hit.node, ())
        _keep(hits, Hit(job, harm, hit.hops + 1, max(hit.certainty, certainty), (*hit.path, job), indirect))
    changed: dict[int, Harm] = {**dict.fromkeys(plan.columns, "all"), **dict.fromkeys(plan.moved, "touched")}
    hurt = {c: Hit(c, harm, 0, 0, (c,)) for c, harm in changed.items() if snapshot.kind[c] == COLUMN}
    _column_readers(snapshot, sorted(sliced), hurt, hits)


def _column_readers(snapshot: Snapshot, datasets: Sequence[int], changed: dict[int, Hit], hits: dict[int, Hit]) -> None:
    """Jobs that read hurt columns of some datasets, and those that read these without telling columns."""
    rows = snapshot._relations.columns
    at = _rows_of(rows.key, _columns_of(snapshot, datasets)[0])
    key, job = rows.key[at], rows.job[at]
    src, dst = _ends(key)
    home = snapshot._nodes.datasets_of(src)
    keep = (job != NONE) & (src != dst)
    told = np.unique(pair_keys(home[keep], job[keep]))
    alone = rows.use.indirect[at].astype(bool) if rows.use is not None else np.zeros(len(at), dtype=bool)
    order = np.lexsort((job[keep], key[keep]))
    figures = (src[keep][order].tolist(), job[keep][order].tolist(), alone[keep][order].tolist())
    last = (-1, -1, False)
    for column, reader, indirect in zip(*figures, strict=True):
        hit = changed.get(column) or hits.get(column)
        if hit is None or (column, reader, indirect) == last:
            continue
        last = (column, reader, indirect)
        harm: Harm = "some" if hit.harm == "all" else "touched"
        way = (*hit.path, reader)
        _keep(hits, Hit(reader, harm, hit.hops + 1, hit.certainty, way, hit.indirect or indirect))
    some = np.asarray(datasets, dtype=np.uint32)
    place, jobs, certainty = snapshot.readers_of(some)
    silent = ~np.isin(pair_keys(some[place], jobs), told)
    figures = (some[place][silent].tolist(), jobs[silent].tolist(), certainty[silent].tolist())
    for dataset, reader, grade in zip(*figures, strict=True):
        before = hits.get(dataset, Hit(dataset, "some", 0, 0, (dataset,)))
        grade = max(grade, before.certainty)
        _keep(hits, Hit(reader, "unknown", before.hops + 1, grade, (*before.path, reader), before.indirect))


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
    first = snapshot.level("column").offset
    figures = (walk.nodes.tolist(), walk.hops.tolist(), walk.certainty.tolist(), walk.paths(), walk.indirect.tolist())
    for i, hops, certainty, path, indirect in zip(*figures, strict=True):
        if not columns_only or i >= first:
            _keep(hits, Hit(i, harm.get(i, "touched"), hops, certainty, tuple(path), indirect))


def _keep(hits: dict[int, Hit], hit: Hit) -> None:
    node = hit[0]
    before = hits.get(node)
    hits[node] = hit if before is None else worse(before, hit)
