"""Where a walk starts: the vertices that stand for the sources of a question (see ``Snapshot.walk``)."""

from __future__ import annotations

import numpy as np

from lineage.graph.arrays import COLUMN, DATASET, I64, JOB, U32, ranges
from lineage.graph.level import Level
from lineage.graph.nodes import Nodes
from lineage.graph.question import Question, Seeds
from lineage.graph.rows import Pairs

_NONE = np.zeros(0, np.uint32)
_NO_CERTAINTY = np.zeros(0, np.uint8)
_CERTAIN, _NO_REPORT = np.zeros(1, np.uint8), np.zeros(1, dtype=bool)


def sow(nodes: Nodes, level: Level, reads: Pairs, writes: Pairs, question: Question) -> Seeds:
    """Seeds of a question on one level.

    A job is what it writes (hop 0, part of the answer) or what it reads (hop 1). On the column level a dataset is its
    columns and, upstream, its rowset; on the dataset level a column is its dataset.
    """
    down = question.direction == "downstream"
    sources = question.sources
    if len(sources) == 1 and not level.offset and nodes.kind[sources[0]] == DATASET:
        return _one(level.vertices[sources], sources)
    jobs = sources[nodes.kind[sources] == JOB]
    plain = sources[nodes.kind[sources] != JOB]
    position, moved, certainty = writes.rights_of(jobs) if down else reads.lefts_of(jobs)
    order = np.argsort(certainty, kind="stable")  # where two jobs move one dataset the better step counts
    owner, moved, certainty = jobs[position[order]], moved[order], certainty[order]
    if level.offset:
        own, own_owner = _on_column_level(nodes, level, plain, down)
        moved, at = _columns_of_all(nodes, level, moved, down)
        owner, certainty = owner[at], certainty[at]
    else:
        own, own_owner = _on_dataset_level(nodes, level, plain, jobs)
        moved = level.vertices[moved]
    from_jobs, nothing = (moved, owner, certainty), (_NONE, _NONE, _NO_CERTAINTY)
    early, late = (from_jobs, nothing) if down else (nothing, from_jobs)
    return Seeds(
        vertices=np.concatenate([early[0], own]),
        owner=np.concatenate([early[1], own_owner]),
        certainty=np.concatenate([early[2], np.zeros(len(own), np.uint8)]),
        report=np.arange(len(early[0]) + len(own)) < len(early[0]),
        late=late[0],
        late_owner=late[1],
        late_certainty=late[2],
    )


def _one(vertices: U32, sources: U32) -> Seeds:
    """The commonest question: one dataset."""
    return Seeds(vertices, sources, _CERTAIN, _NO_REPORT, _NONE, _NONE, _NO_CERTAINTY)


def _on_dataset_level(nodes: Nodes, level: Level, plain: U32, jobs: U32) -> tuple[U32, U32]:
    """Vertices of datasets and of both ports of jobs, with the source of each."""
    datasets = level.vertices[nodes.datasets_of(plain)]
    ported = jobs[np.isin(jobs, level.helper_key)]
    entry = level.helper_vertex[np.searchsorted(level.helper_key, ported)]
    return np.concatenate([datasets, entry, level.twin[entry]]), np.concatenate([plain, ported, ported])


def _on_column_level(nodes: Nodes, level: Level, plain: U32, down: bool) -> tuple[U32, U32]:
    """Vertices of columns and of all columns of datasets, with the source of each."""
    columns = plain[nodes.kind[plain] == COLUMN]
    datasets = plain[nodes.kind[plain] == DATASET]
    spread, at = _columns_of_all(nodes, level, datasets, down)
    own = level.vertices[columns - np.uint32(nodes.first_column)]
    return np.concatenate([own, spread]), np.concatenate([columns, datasets[at]])


def _columns_of_all(nodes: Nodes, level: Level, datasets: U32, down: bool) -> tuple[U32, I64]:
    """Vertices of the columns of datasets, upstream also of their rowsets, and the position of each one's dataset."""
    low = nodes.column_start[datasets]
    count = nodes.column_start[datasets.astype(np.int64) + 1] - low
    vertices = level.vertices[ranges(low, count)]
    at = np.repeat(np.arange(len(datasets)), count)
    if down or not len(level.helper_key):
        return vertices, at
    has = np.flatnonzero(np.isin(datasets, level.helper_key))
    rowsets = level.helper_vertex[np.searchsorted(level.helper_key, datasets[has])]
    return np.concatenate([vertices, rowsets]), np.concatenate([at, has])
