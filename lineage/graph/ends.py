"""Nodes by the ends of their names, for people who write ``orders`` and mean ``dataset:pg:shop.public.orders``.

Texts that end alike lie next to each other once they are sorted from their last letter to their first, so a question
is two bisections however many names there are. The order is made when a second question comes, as a single one is
answered sooner by a scan. It depends on the nodes alone and is kept as long as they stay.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import FEW, array_of, array_of_texts, numbers
from lineage.graph.arrays import I64, Bool
from lineage.graph.sorting import sort_keys
from lineage.identity import node_id

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.graph.nodes import Nodes

WHOLE, BOUNDARY, INSIDE = 0, 1, 2
"""How an end lies in a text: all of it (or of its last part), from a boundary of words on, from inside of a word on."""

_FEW = 64  # texts that are looked at one by one
_MANY = 500  # datasets that are asked one by one for a column
_SMALL = 4096  # so many texts are sorted for the first question

Levels = tuple[I64, I64, I64]


class Ends:
    """Texts by their ends.

    Parameters
    ----------
    parts
        columns of texts without NULL; a text is one of each, joined by colons.

    Examples
    --------
    >>> import pyarrow as pa
    >>> ends = Ends(pa.array(["pg", "pg", "hdfs"]), pa.array(["shop.orders", "orders", "reorders"]))
    >>> [found.tolist() for found in ends.find("orders")]
    [[1], [0], [2]]
    >>> [found.tolist() for found in ends.find("pg:orders")]
    [[1], [], []]
    """

    def __init__(self, *parts: pa.Array | pa.ChunkedArray) -> None:
        self._parts = parts
        self._asked = len(parts[0]) <= _SMALL

    @property
    def ready(self) -> bool:
        """Whether the order was made."""
        return "order" in self.__dict__

    @cached_property
    def order(self) -> I64:
        """Places of the texts, sorted from the last byte to the first."""
        count = len(self._parts[0])
        if count <= FEW:
            texts = [_bytes(":".join(parts))[::-1] for parts in zip(*(p.to_pylist() for p in self._parts), strict=True)]
            return np.array(sorted(range(count), key=texts.__getitem__), dtype=np.int64)
        import pyarrow as pa
        import pyarrow.compute as pc

        turned = pc.binary_reverse(self._joined().cast(pa.large_binary()))
        found: I64 = numbers(pc.sort_indices(turned)).astype(np.int64)
        return found

    def find(self, end: str) -> Levels:
        """Places of all texts with this end, by how it lies in them."""
        if not self.ready and not self._asked:
            self._asked = True
            found = self._scan(end)
            if len(found) <= _FEW:
                return self._sorted_out(found, end)
        low, high = self._range(end, 0, len(self._parts[0]))
        if high - low <= _FEW:
            return self._sorted_out(self.order[low:high], end)
        return self._by_next_letter(end, low, high)

    # -- inside

    def _text(self, place: int) -> str:
        return ":".join([part[place].as_py() for part in self._parts])

    def _joined(self) -> Any:
        import pyarrow.compute as pc

        return (
            self._parts[0]
            if len(self._parts) == 1
            else pc.binary_join_element_wise(*self._parts, array_of_texts([":"])[0])
        )

    def _scan(self, end: str) -> I64:
        import pyarrow.compute as pc

        texts = self._joined() if ":" in end else self._parts[-1]
        try:
            found = pc.ends_with(texts, end)
        except UnicodeEncodeError:  # half a letter, which no text of the store holds
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(numbers(found)) if len(texts) else np.zeros(0, dtype=np.int64)

    def _range(self, end: str, low: int, high: int) -> tuple[int, int]:
        """Where in the order the texts with an end lie."""
        turned = _bytes(end)[::-1]

        def key(k: int) -> bytes:
            return _bytes(self._text(self.order[k]))[: -len(turned) - 1 : -1]

        places = range(high)
        low = bisect_left(places, turned, lo=low, key=key)
        return low, bisect_right(places, turned, lo=low, key=key)

    def _sorted_out(self, places: I64, end: str) -> Levels:
        levels: tuple[list[int], ...] = ([], [], [])
        for place in places.tolist():
            text = self._text(place)
            if text == end or self._parts[-1][place].as_py() == end:
                levels[WHOLE].append(place)
            else:
                levels[_level(text[-len(end) - 1])].append(place)
        whole, boundary, inside = (np.array(level, dtype=np.int64) for level in levels)
        return whole, boundary, inside

    def _by_next_letter(self, end: str, low: int, high: int) -> Levels:
        """Of many texts: those with the same letter before the end lie next to each other."""
        import pyarrow.compute as pc

        levels: tuple[list[I64], ...] = ([], [], [])
        while low < high:
            text = self._text(self.order[low])
            if text == end:
                levels[WHOLE].append(self.order[low : low + 1])
                low += 1
                continue
            letter = text[-len(end) - 1]
            _, upper = self._range(letter + end, low, high)
            some = self.order[low:upper]
            if letter == ":" or len(self._parts) == 1:
                whole = numbers(pc.equal(self._parts[-1].take(array_of(some)), array_of_texts([end])[0]))
                levels[WHOLE].append(some[whole])
                some = some[~whole]
            levels[_level(letter)].append(some)
            low = upper
        none = np.zeros(0, dtype=np.int64)
        whole, boundary, inside = (np.concatenate([none, *level]) for level in levels)
        return whole, boundary, inside


class NodeEnds:
    """The nodes of a snapshot by the ends of their names, under all names that they go by.

    Parameters
    ----------
    nodes
        the nodes.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes, self._names = nodes, nodes.names
        self._ends = Ends(nodes.names.namespace, nodes.names.name)

    @property
    def ready(self) -> bool:
        """Whether the order of datasets and jobs was made."""
        return self._ends.ready

    def prepare(self) -> None:
        """Make that order now."""
        _ = self._ends.order

    def entities(self, end: str, kinds: Collection[str]) -> Levels:
        """Dense indices of the datasets and jobs with this end: whole names, from a boundary on, others.

        Parameters
        ----------
        end
            end of a name or of ``NAMESPACE:NAME``.
        kinds
            ``dataset``, ``job`` or both.
        """
        wanted = np.array([kind in kinds for kind in ("dataset", "job")])
        prefix = np.asarray(self._names.prefix)
        whole, boundary, inside = (
            self._nodes.dense[places[wanted[prefix[places]]]].astype(np.int64) for places in self._ends.find(end)
        )
        return whole, boundary, inside

    def columns(self, end: str) -> Levels:
        """The same of columns: the end of a path, or of the name of a dataset, ``:`` or ``.``, and a whole path."""
        found: tuple[list[I64], ...] = ([], [], [])
        codes = self._field_ends.find(end)
        for level, some in enumerate(codes):
            found[level].append(self._with_fields(some))
        for cut in (at for at, sign in enumerate(end) if sign in ":." and 0 < at < len(end) - 1):
            for level, places in enumerate(self._ends.find(end[:cut])):
                places = places[np.asarray(self._names.prefix)[places] == 0]
                found[level].append(self._of_datasets(places, end[cut + 1 :]))
        whole, boundary, inside = (np.concatenate(level) for level in found)
        return whole, boundary, inside

    # -- inside

    @cached_property
    def _fields(self) -> Any:
        field = self._names.field.combine_chunks().dictionary_encode()
        return field.combine_chunks() if hasattr(field, "combine_chunks") else field

    @cached_property
    def _field_ends(self) -> Ends:
        return Ends(self._fields.dictionary)

    @cached_property
    def _by_field(self) -> tuple[I64, I64]:
        """Columns by the code of their path, and where those of each code begin."""
        code = numbers(self._fields.indices).astype(np.uint32)
        count = len(self._fields.dictionary)
        order = sort_keys(code, max(count, 1)).astype(np.int64)
        return order, np.concatenate([[0], np.cumsum(np.bincount(code, minlength=count))]).astype(np.int64)

    def _with_fields(self, codes: I64) -> I64:
        """Dense indices of the columns with some paths."""
        if not len(codes):
            return codes
        order, start = self._by_field
        places = np.concatenate([order[start[code] : start[code + 1]] for code in codes.tolist()])
        found: I64 = self._nodes.dense[places + self._names.entities].astype(np.int64)
        return found

    def _of_datasets(self, places: I64, field: str) -> I64:
        """Dense indices of the columns with this path in some datasets (bases), whichever of their names has it."""
        nodes = self._nodes
        datasets = np.unique(nodes.dense[places])
        if len(datasets) > _MANY:
            columns = self._with_fields(self._field_ends.find(field)[WHOLE])
            inside: Bool = np.isin(nodes.datasets_of(columns.astype(np.uint32)), datasets)
            found: I64 = columns[inside]
            return found
        own = (self._column(dataset, field) for dataset in datasets.tolist())
        return np.array([column for column in own if column is not None], dtype=np.int64)

    def _column(self, dataset: int, field: str) -> int | None:
        nodes = self._nodes
        for base in nodes.member_base[nodes.member_start[dataset] : nodes.member_start[dataset + 1]].tolist():
            namespace, name, _ = self._names.parts(base)
            column = nodes.by_id.position(node_id("column", namespace, name, field))
            if column >= 0:
                return int(nodes.dense[column])
        return None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _level(letter: str) -> int:
    """How an end lies in a text that has this letter before it."""
    return INSIDE if letter.isalnum() or letter == "_" else BOUNDARY
