"""The nodes of a snapshot: dense indices, alias groups, names, columns of datasets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineage.graph.arrays import I64, U8, U32, U64
from lineage.graph.names import Names
from lineage.graph.sorting import IdMap


@dataclass(frozen=True, eq=False, slots=True)
class Nodes:
    """Nodes of a snapshot and their alias groups.

    ``base`` positions are those of :class:`Names`. ``by_id`` maps every member id to its base, ``dense`` a base to its
    dense index, ``preferred`` a dense index to the base of its preferred member.
    """

    names: Names
    base_ids: U64
    by_id: IdMap
    dense: U32
    preferred: I64
    ids: U64
    kind: U8
    datasets: int
    jobs: int
    dataset_of: U32  # dense index of the dataset of each column, in order of columns
    column_start: I64  # dataset -> offset of its first column; one entry more than datasets
    member_base: I64  # bases ordered by dense index, preferred first
    member_start: I64

    @property
    def first_column(self) -> int:
        """Dense index of the first column."""
        return self.datasets + self.jobs

    def datasets_of(self, nodes: U32) -> U32:
        """Dataset of each column; every other node itself."""
        column = nodes >= self.first_column
        if column.all():
            own: U32 = self.dataset_of[nodes - np.uint32(self.first_column)]
            return own
        out = nodes.copy()
        out[column] = self.dataset_of[nodes[column] - np.uint32(self.first_column)]
        return out
