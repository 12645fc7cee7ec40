"""Which jobs use what they read for its values, and which only to filter, join, group or sort by it.

A read says nothing of it; the edges do that a job carries from what it reads. A job uses a dataset *indirectly* when
every edge of the dataset that it carries comes from column lineage and all of this is indirect use. A job that carries
none, or one of which no column is told, is not known to do so little, and counts as direct use (semantics 11 and
``docs/semantics.md``, "Where edges come from").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from lineage.graph.arrays import COLUMN, NONE, PROVENANCES, STALE, U32, U64, Bool, pair_halves, pair_keys
from lineage.graph.sorting import contained, unique

if TYPE_CHECKING:
    from lineage.graph.rows import EdgeRows
    from lineage.graph.snapshot import Snapshot

_BY_COLUMNS: Final = PROVENANCES.index("column")
Readers = dict[int, frozenset[int]]
_NOBODY: Final[frozenset[int]] = frozenset()


def indirect_readers(snapshot: Snapshot, datasets: Sequence[int], certainty: int = STALE) -> Readers:
    """Jobs that only filter, join, group or sort by some datasets.

    Parameters
    ----------
    snapshot
        the graph.
    datasets
        dense indices.
    certainty
        edges that are less certain are not looked at (0 certain, 1 probable, 2 stale).

    Returns
    -------
    dict
        dense indices of the jobs by dataset; datasets without such a job are left out.

    Notes
    -----
    What was found is kept with the snapshot. New datasets cost one look at the edges that leave them.
    """
    known = snapshot._indirect_readers
    fresh = [i for i in datasets if (certainty, i) not in known]
    if fresh:
        found = _found(snapshot, np.array(sorted(fresh), dtype=np.uint32), certainty)
        known.update({(certainty, i): found.get(i, _NOBODY) for i in fresh})
    return {i: jobs for i in datasets if (jobs := known[certainty, i])}


def only_indirectly(snapshot: Snapshot, jobs: U32, nodes: U32, certainty: int) -> Bool:
    """Whether each of some jobs only filters, joins, groups or sorts by a node that it reads, a dataset or a column.

    ``jobs`` and ``nodes`` are dense indices in parallel.
    """
    readers = indirect_readers(snapshot, nodes[snapshot.kind[nodes] != COLUMN].tolist(), certainty)
    return np.array(
        [
            _of_column(snapshot, job, node) if snapshot.kind[node] == COLUMN else job in readers.get(node, _NOBODY)
            for job, node in zip(jobs.tolist(), nodes.tolist(), strict=True)
        ],
        dtype=bool,
    )


# -- inside


def _of_column(snapshot: Snapshot, job: int, column: int) -> bool:
    rows = snapshot._relations.columns
    out = rows.out_of(column)
    flags = rows.use.indirect[out][rows.job[out] == job] if rows.use is not None else ()
    return bool(len(flags) and np.all(flags))


def _found(snapshot: Snapshot, datasets: U32, certainty: int) -> Readers:
    nodes, relations = snapshot._nodes, snapshot._relations
    start = nodes.column_start[datasets]
    count = nodes.column_start[datasets.astype(np.int64) + 1] - start
    columns = relations.columns.leaving(start + nodes.first_column, count)
    if columns.use is None or not columns.use.indirect.any():
        return {}
    homes = nodes.datasets_of(columns.src)
    some = unique(homes[columns.use.indirect == 1])
    lineage = relations.lineage.leaving(some, np.ones(len(some), np.int64))
    pairs = _filtered(lineage, columns, homes, nodes.datasets_of(columns.dst), certainty)
    readers: dict[int, list[int]] = {}
    for dataset, job in zip(*(half.tolist() for half in pair_halves(pairs)), strict=True):
        if job != NONE:
            readers.setdefault(dataset, []).append(job)
    return {dataset: frozenset(jobs) for dataset, jobs in readers.items()}


def _filtered(lineage: EdgeRows, columns: EdgeRows, homes: U32, targets: U32, certainty: int) -> U64:
    """Pairs of dataset and job of which every edge between datasets is told by columns, and by indirect use alone."""
    assert columns.use is not None
    admitted = lineage.certainty <= certainty
    said = pair_keys(lineage.src[admitted], lineage.job[admitted])
    by_job = pair_keys(homes, columns.job)
    pairs = unique(np.concatenate([said, by_job]))
    said_at, told_at = np.searchsorted(pairs, said), np.searchsorted(pairs, by_job)
    edges, told = pair_keys(said_at, lineage.dst[admitted]), pair_keys(told_at, targets)
    by_columns = (lineage.provenance[admitted] == _BY_COLUMNS) & contained(edges, told)
    indirect = by_columns & ~contained(edges, told[columns.use.indirect == 0])
    only = np.zeros(len(pairs), dtype=bool)
    only[said_at] = True
    only[said_at[~indirect]] = False
    found: U64 = pairs[only]
    return found
