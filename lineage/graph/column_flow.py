"""What column edges carry: value, choice of rows, or nothing because the value is masked on the way.

One entry per pair of columns (or of a column and the dataset all of whose rows it affects), all rows of the pair taken
together. A pair is *masked* when it has a DIRECT transformation and every DIRECT one of it masks; a transformation that
does not say so does not mask. It carries the *value* when some DIRECT transformation does not mask, and it only
*chooses* rows when it has no DIRECT one at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lineage.graph.arrays import DATASET, I64, U32, Bool, pair_halves
from lineage.graph.rows import first_of_runs

if TYPE_CHECKING:
    from lineage.graph.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ColumnFlow:
    """Pairs sorted by (src, dst), self-loops left out.

    ``src`` is a column, ``dst`` a column or a dataset; ``direct`` and ``masked`` tell what the pair does. ``columns``
    holds for each dataset the dense index of its first column; one entry more than there are datasets.
    """

    n: int
    src: U32
    dst: U32
    direct: Bool
    masked: Bool
    columns: I64

    @property
    def datasets(self) -> int:
        """Number of datasets; their dense indices are ``0 … datasets - 1``."""
        return len(self.columns) - 1

    def carrying(self, *, indirect: bool) -> tuple[I64, U32]:
        """Adjacency (row pointers, neighbours) of the pairs that let a tag pass."""
        keep = self.direct if not indirect else ~self.masked
        pointers = np.zeros(self.n + 1, dtype=np.int64)
        np.cumsum(np.bincount(self.src[keep], minlength=self.n), out=pointers[1:])
        return pointers, self.dst[keep]


def column_flow(snapshot: Snapshot) -> ColumnFlow:
    """The column edges of a snapshot by what they carry.

    Examples
    --------
    >>> from lineage.graph import load
    >>> from lineage.store import Store
    >>> column_flow(load(Store.open(":memory:"))).datasets
    0
    """
    rows = snapshot._relations.columns
    datasets = int((snapshot.kind == DATASET).sum())
    columns = snapshot._nodes.column_start[: datasets + 1].astype(np.int64) + snapshot._nodes.first_column
    if rows.use is None or not len(rows.key):
        empty = np.zeros(0, dtype=bool)
        return ColumnFlow(snapshot.n, np.zeros(0, np.uint32), np.zeros(0, np.uint32), empty, empty, columns)
    first = first_of_runs(rows.key)
    told_direct = rows.use.indirect == 0
    any_direct = np.logical_or.reduceat(told_direct, first)
    direct = np.logical_or.reduceat(told_direct & (rows.use.masking == 0), first)
    keys = rows.key[first]
    src, dst = pair_halves(keys)
    keep = src != dst
    return ColumnFlow(snapshot.n, src[keep], dst[keep], direct[keep], (any_direct & ~direct)[keep], columns)
