"""How one node uses another: types and subtypes of the column edges between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from lineage.graph.arrays import COLUMN, DATASET, JOB, NONE
from lineage.graph.sorting import contained

if TYPE_CHECKING:
    from lineage.graph.snapshot import Snapshot

Use = tuple[str | None, str | None]
"""Type (``DIRECT``, ``INDIRECT``, ``None`` = not told) and subtype (``IDENTITY``, ``FILTER``, …) of a column edge."""
_Kinds = dict[int, set[int]]
_NOTHING: frozenset[int] = frozenset()


class Uses:
    """How nodes of one snapshot use others. What leaves a node is looked up once, however many nodes use it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot, self._rows = snapshot, snapshot._relations.columns
        self._known: dict[int, tuple[_Kinds, _Kinds]] = {}

    def between(self, src: int, dst: int) -> tuple[Use, ...]:
        """Every distinct way in which ``src`` goes into ``dst``, in order.

        Parameters
        ----------
        src, dst
            dense indices. Of two columns, edges from the one to the other and to the whole dataset of the other; of a
            column and a dataset, those to all of its rows; of two datasets, those between any of their columns. Of a
            dataset or column and a job, those that the job carries from it; of a job and a column, those that it
            carries to the column or to all rows of its dataset.
        """
        use = self._rows.use
        if use is None:
            return ()
        found = {use.kinds[kind] for kind in self._kinds(src, dst)}
        return tuple(sorted(found, key=lambda one: tuple(text or "" for text in one)))

    def _kinds(self, src: int, dst: int) -> Iterable[int]:
        snapshot = self._snapshot
        ends = int(snapshot.kind[src]), int(snapshot.kind[dst])
        if ends[0] == JOB:
            return self._carried(src, dst) if ends[1] == COLUMN else ()
        if src not in self._known:
            self._known[src] = self._leaving(src)
        single, whole = self._known[src]
        if ends[1] == COLUMN:
            return single.get(dst, _NOTHING) | single.get(snapshot.dataset_of(dst), _NOTHING)
        return (whole if ends == (DATASET, DATASET) else single).get(dst, _NOTHING)

    def _leaving(self, src: int) -> tuple[_Kinds, _Kinds]:
        """Kinds of what leaves a column or the columns of a dataset: by target and job; by dataset of the target."""
        snapshot = self._snapshot
        columns = snapshot.columns_of(src).tolist() if snapshot.kind[src] == DATASET else [src]
        single: _Kinds = {}
        whole: _Kinds = {}
        if not columns:
            return single, whole
        rows = self._rows.leaving(columns[:1], [len(columns)])
        assert rows.use is not None
        homes = snapshot._nodes.datasets_of(rows.dst).tolist()
        for dst, home, job, kind in zip(
            rows.dst.tolist(), homes, rows.job.tolist(), rows.use.kind.tolist(), strict=True
        ):
            single.setdefault(dst, set()).add(kind)
            whole.setdefault(home, set()).add(kind)
            if job != NONE:
                single.setdefault(job, set()).add(kind)
        return single, whole

    def _carried(self, job: int, column: int) -> set[int]:
        """Kinds of what a job carries to a column or to all rows of its dataset."""
        found: set[int] = set()
        targets = np.array([column, self._snapshot.dataset_of(column)], dtype=np.uint32)
        for edge in self._snapshot.neighbours(column, "upstream"):
            if job in edge.jobs:
                rows = self._rows.leaving([edge.src], [1])
                assert rows.use is not None
                found.update(rows.use.kind[(rows.job == job) & contained(rows.dst, targets)].tolist())
        return found
