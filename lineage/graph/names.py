"""Names of the nodes of a snapshot: Arrow arrays, turned into Python text only at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import array_of, array_of_texts, texts_at, whole
from lineage.graph.arrays import I64

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, slots=True)
class Names:
    """Names by *base* position: entities (datasets and jobs) first, then columns.

    A column keeps its field only; namespace and name are those of the entity in ``dataset``.
    """

    prefix: Any  # uint8[entities], 0 dataset, 1 job
    namespace: pa.ChunkedArray
    name: pa.ChunkedArray
    field: pa.ChunkedArray
    dataset: I64  # base position of the dataset of each column

    @property
    def entities(self) -> int:
        """Number of datasets and jobs."""
        return len(self.prefix)

    def parts(self, base: int) -> tuple[str, str, str]:
        """Namespace, name and field (``""`` unless a column) of one node."""
        field = ""
        if base >= self.entities:
            k = base - self.entities
            field = self.field[k].as_py()
            base = int(self.dataset[k])
        return self.namespace[base].as_py(), self.name[base].as_py(), field

    def text(self, base: int) -> str:
        """Node text as people write it."""
        namespace, name, field = self.parts(base)
        if base >= self.entities:
            return f"column:{namespace}:{name}:{field}"
        return f"{'job' if self.prefix[base] else 'dataset'}:{namespace}:{name}"

    def arrow_texts(self, bases: I64, homes: I64 | None = None) -> pa.Array:
        """Node texts of many nodes as an Arrow array; ``homes`` says under which dataset each column is to stand."""
        import pyarrow as pa
        import pyarrow.compute as pc

        colon = array_of_texts([":"])[0]
        column = bases >= self.entities
        owner = bases.copy()
        owner[column] = self.dataset[bases[column] - self.entities] if homes is None else homes[column]
        kind = np.where(column, 2, self.prefix[owner])
        head = pa.DictionaryArray.from_arrays(
            array_of(kind.astype(np.int8)), array_of_texts(["dataset", "job", "column"])
        ).cast(pa.string())
        text = pc.binary_join_element_wise(head, _take(self.namespace, owner), _take(self.name, owner), colon)
        if not column.any():
            return text
        field = np.where(column, bases - self.entities, -1)
        index = array_of(field, field < 0)
        tail = whole(pc.take(self.field, index))
        joined = pc.binary_join_element_wise(text, tail, colon)
        return pc.coalesce(joined, text)

    def names(self, bases: I64) -> tuple[list[str], list[str]]:
        """Namespaces and names of many datasets and jobs as texts."""
        return texts_at(self.namespace, bases), texts_at(self.name, bases)

    def arrow_names(self, bases: I64) -> tuple[pa.Array, pa.Array]:
        """Namespaces and names of many datasets and jobs."""
        return _take(self.namespace, bases), _take(self.name, bases)

    def arrow_fields(self, bases: I64) -> pa.Array:
        """Column paths of many columns."""
        return _take(self.field, bases - self.entities)


def _take(values: pa.ChunkedArray, positions: I64) -> pa.Array:
    return whole(values.take(array_of(positions)))
