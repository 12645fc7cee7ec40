"""How one node uses another: types and subtypes of the column edges between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lineage.graph.arrays import COLUMN, DATASET, NONE

if TYPE_CHECKING:
    from lineage.graph.snapshot import Snapshot

Use = tuple[str | None, str | None]
"""Type (``DIRECT``, ``INDIRECT``, ``None`` = not told) and subtype (``IDENTITY``, ``FILTER``, …) of a column edge."""


def uses(snapshot: Snapshot, src: int, dst: int) -> tuple[Use, ...]:
    """Every distinct way in which ``src`` goes into ``dst``, in order.

    Parameters
    ----------
    src, dst
        dense indices. Of two columns, edges from the one to the other and to the whole dataset of the other; of a
        column and a dataset, those to all of its rows; of two datasets, those between any of their columns.
    """
    rows = snapshot._relations.columns
    if rows.use is None or snapshot.kind[src] not in (COLUMN, DATASET) or snapshot.kind[dst] not in (COLUMN, DATASET):
        return ()
    sources = [src] if snapshot.kind[src] == COLUMN else snapshot.columns_of(src).tolist()
    if snapshot.kind[src] == COLUMN and snapshot.kind[dst] == DATASET:
        wanted = np.array([dst], dtype=np.uint32)
    elif snapshot.kind[dst] == COLUMN:
        wanted = np.array([dst, snapshot.dataset_of(dst)], dtype=np.uint32)
    else:
        wanted = np.append(snapshot.columns_of(dst), np.uint32(dst))
    found: set[int] = set()
    for source in sources:
        out = rows.out_of(source)
        targets = (rows.key[out] & np.uint64(NONE)).astype(np.uint32)
        found.update(np.unique(rows.use.kind[out][np.isin(targets, wanted)]).tolist())
    return tuple(sorted((rows.use.kinds[k] for k in found), key=lambda use: tuple(text or "" for text in use)))
