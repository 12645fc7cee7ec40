"""What a job that hands data on to other jobs may have put into it: an inference like the product of a run.

That a job receives from another is told explicitly (``j1 → j2``), what went into the first mostly is not: its events
only list what it read. As each input of a run without explicit lineage is taken to be in each of its outputs, so each
dataset that such a job reads is taken to be in what it hands on: an edge from the dataset to the job, probable at best.

No edge is inferred where one was ruled out, which rows tell so:

* The job itself told something explicitly (a row that it carries has the provenance ``explicit``): its lineage facet is
  the complete picture then, and what it leaves open is no product either (semantics 11).
* The job writes datasets, and carries no edge from the dataset it read to any of them: a facet that left no row of its
  own (``inputs: []``) has ruled the product out, or the two are of different runs.

What another told of the job, that it hands on above all, rules nothing out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lineage.graph.arrays import I64, NONE, PROBABLE, PROVENANCES, U8, U32, pair_halves, pair_keys
from lineage.graph.rows import EdgeRows, Relations, first_of_runs
from lineage.graph.sorting import unique

EXPLICIT, PRODUCT = PROVENANCES.index("explicit"), PROVENANCES.index("product")


def related(rows: Mapping[str, EdgeRows], datasets: int) -> Relations:
    """Relations from the rows of each (see :data:`lineage.graph.rows.RELATIONS`), with what follows from them.

    ``datasets`` is the number of datasets; dense indices below it are theirs.
    """
    return Relations(**rows, inflow=inflow(rows["lineage"], rows["reads"], rows["writes"], datasets))


def inflow(lineage: EdgeRows, reads: EdgeRows, writes: EdgeRows, datasets: int) -> EdgeRows:
    """A row from a dataset to a job for each row that tells a read of what the job may hand on.

    Parameters
    ----------
    lineage, reads, writes
        edge rows between dense indices.
    datasets
        number of datasets; dense indices from there on are jobs.

    Returns
    -------
    EdgeRows
        valid from when the read is, as certain as the read and the edges that the job carries from the dataset, and
        never more than probable.

    Examples
    --------
    >>> def rows(*edges, provenance="io"):
    ...     src, dst, job = np.array(edges or [(0, 0, 0)], np.uint32).T[:, : len(edges)]
    ...     code = np.full(len(edges), PROVENANCES.index(provenance), np.uint8)
    ...     return EdgeRows.build(src, dst, job, code, np.zeros(len(edges), np.uint8), src.astype(np.int64))
    >>> handed = rows((8, 9, 9), provenance="explicit")  # job 9 told that it receives from job 8
    >>> found = inflow(handed, rows((0, 8, 8)), rows((9, 1, 9)), datasets=8)
    >>> list(zip(found.src.tolist(), found.dst.tolist(), found.certainty.tolist()))
    [(0, 8, 1)]
    >>> told = rows((8, 9, 8), provenance="explicit")  # job 8 told so itself, and nothing of dataset 0
    >>> len(inflow(told, rows((0, 8, 8)), rows((9, 1, 9)), datasets=8).key)
    0
    """
    givers = _givers(lineage, datasets)
    if not len(givers):
        return _taken(reads, np.zeros(0, np.int64), np.zeros(0, np.uint8))
    telling = np.concatenate([rows.job[rows.provenance == EXPLICIT] for rows in (lineage, reads, writes)])
    at = np.flatnonzero(np.isin(reads.dst, np.setdiff1d(givers, telling)) & (reads.provenance != EXPLICIT))
    certainty = np.maximum(reads.certainty[at], np.uint8(PROBABLE))
    read = reads.key[at]
    writing = np.isin(pair_halves(read)[1], writes.src)
    own = (lineage.dst < datasets) & np.isin(lineage.job, givers)
    carried, grades = pair_keys(lineage.src[own], lineage.job[own]), lineage.certainty[own]
    order = np.lexsort((grades, carried))
    first = order[first_of_runs(carried[order])]
    carried, grades = carried[first], grades[first]
    place = np.searchsorted(carried, read)
    known = np.isin(read, carried)
    certainty[known & writing] = np.maximum(certainty[known & writing], grades[place[known & writing]])
    keep = known | ~writing
    return _taken(reads, at[keep], certainty[keep])


def _givers(lineage: EdgeRows, datasets: int) -> U32:
    """Jobs that hand on to others."""
    tail = lineage.key[np.searchsorted(lineage.key, np.uint64(datasets << 32)) :]  # rows are sorted by their source
    src, dst = (tail >> np.uint64(32)).astype(np.uint32), (tail & np.uint64(NONE)).astype(np.uint32)
    return unique(src[(dst >= datasets) & (src != dst)])


def _taken(reads: EdgeRows, at: I64, certainty: U8) -> EdgeRows:
    src, dst = pair_halves(reads.key[at])
    return EdgeRows.build(src, dst, dst, np.full(len(at), PRODUCT, np.uint8), certainty, reads.valid_from[at])
