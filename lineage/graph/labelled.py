"""What a snapshot says of its nodes: ids, names, members of alias groups, columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from lineage.arrow import FEW
from lineage.errors import UsageError
from lineage.graph.arrays import COLUMN, DATASET, I64, U8, U32
from lineage.graph.nodes import Nodes

if TYPE_CHECKING:
    import pyarrow as pa


class Labelled:
    """The nodes of a snapshot, by dense index."""

    kind: U8
    _nodes: Nodes

    def index(self, node_id: int) -> int | None:
        """Dense index of a node by the id of any member of its group; ``None`` when there is no such node."""
        base = self._nodes.by_id.position(node_id)
        return int(self._nodes.dense[base]) if base >= 0 else None

    def indices(self, node_ids: npt.ArrayLike) -> I64:
        """Dense index of many nodes by the ids of any members of their groups; -1 where there is no such node."""
        bases = self._nodes.by_id.positions(np.asarray(node_ids, dtype=np.uint64))
        found = np.full(len(bases), -1, dtype=np.int64)
        found[bases >= 0] = self._nodes.dense[bases[bases >= 0]]
        return found

    def group_sizes(self, indices: npt.ArrayLike) -> I64:
        """Number of members of the groups of some nodes."""
        at = np.asarray(indices, dtype=np.int64)
        sizes: I64 = self._nodes.member_start[at + 1] - self._nodes.member_start[at]
        return sizes

    def members(self, i: int) -> list[int]:
        """Node ids of all members of the group, the preferred one first, the others in order of their text."""
        return [self._id(base) for base in self._member_bases(i)]

    def owners_of_ids(self, indices: npt.ArrayLike) -> dict[int, int]:
        """Node id of every member of the groups of many nodes → dense index; groups of one are taken at once."""
        nodes = np.asarray(indices, dtype=np.int64)
        alone = np.diff(self._nodes.member_start)[nodes] == 1
        found = dict(zip(self._nodes.ids[nodes[alone]].tolist(), nodes[alone].tolist(), strict=True))
        found.update({member: i for i in nodes[~alone].tolist() for member in self.members(i)})
        return found

    def member_texts(self, i: int) -> list[str]:
        """Node texts of all members of the group, in the order of :meth:`members`.

        A column has one for each member of its dataset, whichever of them its producers used.
        """
        if self.kind[i] != COLUMN:
            return [self._nodes.names.text(base) for base in self._member_bases(i)]
        field = self.field(i)
        parts = [self._nodes.names.parts(base) for base in self._member_bases(self.dataset_of(i))]
        return [f"column:{namespace}:{name}:{field}" for namespace, name, _ in parts]

    def text(self, i: int) -> str:
        """Node text of the preferred member; of a column, its path after the preferred name of its dataset."""
        if self.kind[i] == COLUMN:
            return f"column:{self.namespace(i)}:{self.name(i)}:{self.field(i)}"
        return self._nodes.names.text(self._base(i))

    def texts(self, indices: npt.ArrayLike) -> list[str]:
        """Node texts of many nodes, in the order given."""
        wanted = np.asarray(indices, dtype=np.uint32)
        if len(wanted) <= FEW:
            return [self.text(i) for i in wanted.tolist()]
        return cast(list[str], self.arrow_texts(wanted).to_pylist())

    def arrow_texts(self, indices: npt.ArrayLike) -> pa.Array:
        """Node texts of many nodes as an Arrow array."""
        wanted = np.asarray(indices, dtype=np.uint32)
        homes = self._nodes.preferred[self._nodes.datasets_of(wanted)]
        return self._nodes.names.arrow_texts(self._nodes.preferred[wanted], homes)

    def names(self, indices: npt.ArrayLike) -> tuple[list[str], list[str]]:
        """Namespaces and names of many datasets and jobs, in the order given."""
        return self._nodes.names.names(self._nodes.preferred[np.asarray(indices, dtype=np.uint32)])

    def arrow_names(self, indices: npt.ArrayLike) -> tuple[pa.Array, pa.Array]:
        """Namespaces and names of many datasets and jobs."""
        return self._nodes.names.arrow_names(self._nodes.preferred[np.asarray(indices, dtype=np.uint32)])

    def namespace(self, i: int) -> str:
        """Namespace of the preferred member; for a column, that of its dataset."""
        return self._nodes.names.parts(self._home(i))[0]

    def name(self, i: int) -> str:
        """Name of the preferred member; for a column, that of its dataset."""
        return self._nodes.names.parts(self._home(i))[1]

    def field(self, i: int) -> str:
        """Column path; empty for a dataset or job."""
        return self._nodes.names.parts(self._base(i))[2]

    def dataset_of(self, i: int) -> int:
        """Dense index of the dataset of a column."""
        if self.kind[i] != COLUMN:
            raise UsageError(f"{self.text(i)} is no column.")
        return int(self._nodes.dataset_of[i - self._nodes.first_column])

    def columns_of(self, i: int) -> U32:
        """Dense indices of the columns of a dataset."""
        if self.kind[i] != DATASET:
            return np.zeros(0, np.uint32)
        low, high = self._nodes.column_start[i : i + 2]
        return np.arange(self._nodes.first_column + low, self._nodes.first_column + high, dtype=np.uint32)

    def fields(self, columns: npt.ArrayLike) -> pa.Array:
        """Column paths of many columns as an Arrow array."""
        bases = self._nodes.preferred[np.asarray(columns, dtype=np.int64)]
        return self._nodes.names.arrow_fields(bases)

    def _home(self, i: int) -> int:
        """Base of the preferred member of a node or, for a column, of its dataset."""
        return self._base(self.dataset_of(i) if self.kind[i] == COLUMN else i)

    def _base(self, i: int) -> int:
        return int(self._nodes.preferred[i])

    def _id(self, base: int) -> int:
        return int(self._nodes.base_ids[base])

    def _member_bases(self, i: int) -> list[int]:
        low, high = self._nodes.member_start[i : i + 2]
        first, *rest = self._nodes.member_base[low:high].tolist()
        return [first, *sorted(rest, key=self._nodes.names.text)]
