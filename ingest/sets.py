"""Sets that many runs share: facets of an entity, edges, column edges.

A job shows the same edges run after run. Each distinct set is stored once under a digest of its content, a run names
it by id. The empty set has id 0.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ingest.model import ColumnEdge, Edge
from lineage.identity import digest64

if TYPE_CHECKING:
    import duckdb


T = TypeVar("T")
_MEMO = 200_000
_SHAPES = 50_000


class FacetRef(NamedTuple):
    """One facet in a set; ``body`` 0 tells that it was deleted."""

    place: str
    key: str
    body: int


@dataclass(frozen=True, slots=True)
class EdgeSet:
    """The edges one run showed, and what follows for the life of other edges (semantics 14)."""

    edges: frozenset[Edge]
    pairs: frozenset[tuple[int, int, str]]  # (src, dst, kind), whatever the provenance
    told: frozenset[tuple[int, str, str]]  # (dst, kind, provenance): what was said of each target, and how
    outputs: frozenset[int]
    has_inputs: bool

    @classmethod
    def of(cls, edges: Iterable[Edge]) -> EdgeSet:
        """Build from edges."""
        found = frozenset(edges)
        return cls(
            edges=found,
            pairs=frozenset(edge[:3] for edge in found),
            told=frozenset((edge.dst, edge.kind, edge.provenance) for edge in found),
            outputs=frozenset(edge.dst for edge in found if edge.kind == "write"),
            has_inputs=any(edge.kind == "read" for edge in found),
        )


@dataclass(frozen=True, slots=True)
class ColumnSet:
    """The column edges one run showed."""

    edges: frozenset[ColumnEdge]
    targets: frozenset[int]  # datasets whose columns were told

    @classmethod
    def of(cls, edges: Iterable[ColumnEdge]) -> ColumnSet:
        """Build from column edges."""
        found = frozenset(edges)
        return cls(found, frozenset(edge.target for edge in found))


class Sets:
    """All sets met so far; collects those that the store may not have yet."""

    def __init__(self) -> None:
        self.new_facets: dict[int, tuple[FacetRef, ...]] = {}
        self.new_edges: dict[int, EdgeSet] = {}
        self.new_columns: dict[int, ColumnSet] = {}
        self._ids: dict[tuple[Any, ...], int] = {}
        self._memo: dict[Hashable, Any] = {}
        self._shapes: dict[Hashable, Any] = {}
        self._by_identity: dict[int, tuple[Any, Any]] = {}
        self._facets: dict[int, tuple[FacetRef, ...]] = {0: ()}
        self._edges: dict[int, EdgeSet] = {0: EdgeSet.of(())}
        self._columns: dict[int, ColumnSet] = {0: ColumnSet.of(())}

    def add_facets(self, refs: Iterable[FacetRef]) -> int:
        """Id of a set of facets."""
        items = tuple(sorted(refs))
        if not items:
            return 0
        found = self._ids.get(items)
        if found is None:
            found = self._ids[items] = digest64("facets", *(part for ref in items for part in _texts(ref)))
            self._facets[found] = self.new_facets[found] = items
        return found

    def add_edges(self, edges: Iterable[Edge]) -> int:
        """Id of a set of edges."""
        items = tuple(sorted(set(edges)))
        if not items:
            return 0
        found = self._ids.get(items)
        if found is None:
            found = self._ids[items] = digest64("edges", *(part for edge in items for part in _texts(edge)))
            self._edges[found] = self.new_edges[found] = EdgeSet.of(items)
        return found

    def add_columns(self, edges: Iterable[ColumnEdge]) -> int:
        """Id of a set of column edges."""
        items = tuple(sorted(set(edges), key=_sort_key))
        if not items:
            return 0
        found = self._ids.get(items)
        if found is None:
            found = self._ids[items] = digest64("columns", *(part for edge in items for part in _texts(edge)))
            self._columns[found] = self.new_columns[found] = ColumnSet.of(items)
        return found

    def memo(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for ``key`` before, else what ``make`` makes; parts of keys may be compared by identity."""
        found: T | None = self._memo.get(key)
        if found is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            found = self._memo[key] = make()
        return found

    def memo_of(self, thing: Any, make: Callable[[], T]) -> T:
        """What was made for this very object before, else what ``make`` makes.

        For objects that many runs share and nobody changes: no hash of their content is needed.
        """
        found = self._by_identity.get(id(thing))
        if found is not None:  # it is kept with the answer, so that no other object takes its place
            answer: T = found[1]
            return answer
        if len(self._by_identity) >= _MEMO:
            self._by_identity.clear()
        answer = make()
        self._by_identity[id(thing)] = (thing, answer)
        return answer

    def shape(self, key: Hashable) -> Any:
        """The shape of runs with this key (:mod:`ingest.shapes`), if any was met."""
        return self._shapes.get(key)

    def add_shape(self, key: Hashable, shape: Any) -> None:
        """Keep the shape of a run."""
        if len(self._shapes) >= _SHAPES:
            self._shapes.clear()
        self._shapes[key] = shape

    @property
    def size(self) -> int:
        """How many sets are in memory."""
        return len(self._facets) + len(self._edges) + len(self._columns)

    def facets(self, set_id: int) -> tuple[FacetRef, ...]:
        """Facets of a set that was added or loaded."""
        return self._facets[set_id]

    def edges(self, set_id: int) -> EdgeSet:
        """Edges of a set that was added or loaded."""
        return self._edges[set_id]

    def columns(self, set_id: int) -> ColumnSet:
        """Column edges of a set that was added or loaded."""
        return self._columns[set_id]

    def load(self, cursor: duckdb.DuckDBPyConnection, edge_sets: Iterable[int], column_sets: Iterable[int]) -> None:
        """Read sets from the store that are not in memory."""
        missing = [set_id for set_id in dict.fromkeys(edge_sets) if set_id not in self._edges]
        if missing:
            rows = cursor.execute(
                "SELECT set_id, src, dst, kind, provenance FROM edge_set WHERE set_id IN (SELECT unnest(?::UBIGINT[]))",
                [missing],
            ).fetchall()
            for set_id, items in _grouped(rows).items():
                self._edges[set_id] = EdgeSet.of(Edge(*item) for item in items)
        missing = [set_id for set_id in dict.fromkeys(column_sets) if set_id not in self._columns]
        if missing:
            rows = cursor.execute(
                """
                SELECT set_id, src, dst, type, subtype, masking, description, provenance,
                       s.dataset, coalesce(d.dataset, dst)
                FROM column_set LEFT JOIN node s ON s.id = src LEFT JOIN node d ON d.id = dst
                WHERE set_id IN (SELECT unnest(?::UBIGINT[]))
                """,
                [missing],
            ).fetchall()
            for set_id, items in _grouped(rows).items():
                self._columns[set_id] = ColumnSet.of(ColumnEdge(*item) for item in items)

    def drain(self) -> tuple[dict[int, tuple[FacetRef, ...]], dict[int, EdgeSet], dict[int, ColumnSet]]:
        """Sets added since the last call."""
        found = self.new_facets, self.new_edges, self.new_columns
        self.new_facets, self.new_edges, self.new_columns = {}, {}, {}
        return found


def _texts(item: tuple[Any, ...]) -> Iterable[str]:
    return ("" if part is None else str(part) for part in item)


def _sort_key(edge: ColumnEdge) -> tuple[Any, ...]:
    none = (edge.type is None, edge.subtype is None, edge.description is None)  # absent is not the empty text
    return (edge.src, edge.dst, edge.type or "", edge.subtype or "", edge.masking, edge.description or "", none,
            edge.provenance)  # fmt: skip


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    groups: dict[int, list[tuple[Any, ...]]] = {}
    for set_id, *rest in rows:
        groups.setdefault(set_id, []).append(tuple(rest))
    return groups
