"""A read-only ``networkx.DiGraph`` over arrays."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, NoReturn

import networkx as nx
import numpy as np

from lineage.errors import MeshlineError
from lineage.graph.analysis import Flow
from lineage.graph.arrays import U32

MOST_EDGES = 1_000_000  # a networkx.DiGraph needs about 334 bytes and 8 µs for each
_NOTHING: dict[str, Any] = {}


class FallbackRefusedError(MeshlineError, nx.NetworkXError):  # type: ignore[misc]
    """A copy as a networkx.DiGraph would take too much memory and time."""


class Attributes(dict[str, Any]):
    """Attributes of a node or an edge: a dict that says so when it is written to."""

    __slots__ = ()

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise nx.NetworkXError("This graph is read-only. G.copy() gives a networkx.DiGraph that can be changed.")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(dict(self), memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class GraphAttributes(Attributes):
    """Attributes of the graph: what is not there may be taken out, as a writer of networkx does with an ``id``."""

    __slots__ = ()

    def pop(self, name: str, *default: Any) -> Any:
        """The default where there is no such attribute; else it is refused."""
        return default[0] if default and name not in self else self._refuse()


AttributesOf = Callable[[int], Mapping[str, Any]]


class MeshlineGraph(nx.DiGraph):  # type: ignore[misc]
    """A directed graph that networkx's algorithms run on through the backend ``meshline``.

    Everything that reads a ``networkx.DiGraph`` works on it; what would change it raises ``networkx.NetworkXError``.
    Algorithms the backend does not have run on a copy, which is made once (:meth:`to_networkx`).

    Parameters
    ----------
    flow
        the graph as arrays.
    labels
        the node of each vertex, distinct and hashable; default: the vertex numbers.
    node_attributes, edge_attributes
        attributes of a vertex, and of an edge by its place in ``flow.indices``; default: none.
    back
        the same graph turned round, when its neighbours are to stand in another order than by number.
    lazy
        answer ``descendants`` and ``ancestors`` with a :class:`VertexSet` over the array: a ``collections.abc.Set``
        that makes no Python object per node until it is iterated over.
    attributes
        graph attributes.
    edge_names
        names that attributes of edges may have, so that others need not be looked for; default: not known.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = MeshlineGraph(Flow.of_edges(3, [0, 1], [1, 2]), ["orders", "revenue", "report"])
    >>> sorted(nx.descendants(graph, "orders"))
    ['report', 'revenue']
    """

    def __new__(cls, flow: Flow | None = None, *args: Any, **kwargs: Any) -> Any:
        # networkx makes copies and views by calling the class of a graph without arguments: those are plain ones.
        return object.__new__(cls) if flow is not None else nx.DiGraph()

    def __init__(
        self,
        flow: Flow,
        labels: Sequence[Hashable] | None = None,
        *,
        node_attributes: AttributesOf | None = None,
        edge_attributes: AttributesOf | None = None,
        back: Flow | None = None,
        lazy: bool = False,
        attributes: Mapping[str, Any] | None = None,
        edge_names: Collection[str] | None = None,
    ) -> None:
        self.__networkx_cache__: dict[str, Any] = {}
        self.graph: dict[str, Any] = GraphAttributes(attributes or {})
        self.flow = flow
        self.back = flow.turned if back is None else back
        self.lazy = lazy
        self.labels: list[Any] = list(range(flow.n)) if labels is None else list(labels)
        self.numbered = labels is None
        self.index: dict[Any, int] = dict(zip(self.labels, range(flow.n), strict=True))
        self.node_attributes, self.edge_attributes, self.edge_names = node_attributes, edge_attributes, edge_names
        self._node: Mapping[Any, Any] = _Nodes(self)
        self._adj: Mapping[Any, Any] = _Adjacency(self, flow, forward=True)  # also sets _succ
        self._pred: Mapping[Any, Any] = _Adjacency(self, self.back, forward=False)

    @property
    def __networkx_backend__(self) -> str:
        return "meshline"

    def lazily(self, lazy: bool = True) -> MeshlineGraph:
        """The same graph (nothing is copied) with or without lazy sets."""
        if lazy == self.lazy:
            return self
        other: MeshlineGraph = object.__new__(MeshlineGraph)
        other.__dict__.update(self.__dict__)
        for name in ("adj", "succ", "pred", "nodes", "edges", "degree", "in_degree", "out_degree", "in_edges"):
            other.__dict__.pop(name, None)
        other.lazy = lazy
        return other

    # -- quick answers to what networkx would count

    def __len__(self) -> int:
        return self.flow.n

    def __contains__(self, node: object) -> bool:
        try:
            return node in self.index
        except TypeError:
            return False

    def __iter__(self) -> Iterator[Any]:
        return iter(self.labels)

    def number_of_nodes(self) -> int:
        """Number of nodes."""
        return self.flow.n

    order = number_of_nodes

    def number_of_edges(self, u: Any = None, v: Any = None) -> int:
        """Number of edges, or whether there is one from ``u`` to ``v``."""
        return self.flow.edges if u is None else int(v in self._adj[u])

    def vertex(self, node: Any, error: type[Exception] = nx.NetworkXError, text: str = "") -> int:
        """Vertex of a node; else an error like networkx's own."""
        try:
            return self.index[node]
        except (KeyError, TypeError):
            raise error(text or f"The node {node} is not in the digraph.") from None

    def names(self, vertices: U32) -> list[Any]:
        """Nodes of vertices, in order."""
        places: list[int] = vertices.tolist()
        if self.numbered:
            return places
        labels = self.labels
        return [labels[v] for v in places]

    # -- copies

    def to_networkx(self) -> nx.DiGraph:
        """A ``networkx.DiGraph`` with all attributes, made once and frozen; ``.copy()`` of it can be changed.

        Raises
        ------
        FallbackRefusedError
            when the graph has more than a million edges.
        """
        kept = self.__networkx_cache__.get("meshline")
        if kept is not None:
            return kept
        if self.flow.edges > MOST_EDGES:
            raise FallbackRefusedError(
                f"This graph has {self.flow.edges:,} edges. An algorithm that the backend “meshline” does not have "
                f"needs a copy of it as a networkx.DiGraph, which is made up to {MOST_EDGES:,} edges. Ask about a "
                "part: G.subgraph(nodes).copy()."
            )
        find, edges = self.node_attributes, self.edge_attributes
        plain = nx.DiGraph(**self.graph)
        plain.add_nodes_from((node, dict(find(v)) if find else {}) for v, node in enumerate(self.labels))
        tails = np.repeat(np.arange(self.flow.n), np.diff(self.flow.indptr)).tolist()
        labels = self.labels
        plain.add_edges_from(
            (labels[u], labels[v], dict(edges(k)) if edges else {})
            for k, (u, v) in enumerate(zip(tails, self.flow.indices.tolist(), strict=True))
        )
        self.__networkx_cache__["meshline"] = nx.freeze(plain)
        return plain

    def copy(self, as_view: bool = False) -> nx.DiGraph:
        """A ``networkx.DiGraph`` that can be changed, or a view."""
        return nx.graphviews.generic_graph_view(self) if as_view else self.to_networkx().copy()

    def reverse(self, copy: bool = True) -> MeshlineGraph:
        """The graph with every edge turned round. It shares the arrays, and is read-only as well."""
        edges = self.edge_attributes
        place = None
        if edges is not None:
            place = _places(self.flow, self.back)
        return MeshlineGraph(
            self.back,
            None if self.numbered else self.labels,
            node_attributes=self.node_attributes,
            edge_attributes=None if edges is None or place is None else lambda k: edges(int(place[k])),
            back=self.flow,
            lazy=self.lazy,
            attributes=self.graph,
            edge_names=self.edge_names,
        )

    def to_directed_class(self) -> Any:
        """Class of directed copies."""
        return nx.DiGraph

    def to_undirected_class(self) -> Any:
        """Class of undirected copies."""
        return nx.Graph

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.to_networkx().copy(),)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise nx.NetworkXError("This graph is read-only. G.copy() gives a networkx.DiGraph that can be changed.")

    add_node = add_nodes_from = remove_node = remove_nodes_from = _refuse
    add_edge = add_edges_from = add_weighted_edges_from = remove_edge = remove_edges_from = _refuse
    update = clear = clear_edges = _refuse


def _restore(graph: nx.DiGraph) -> nx.DiGraph:
    return graph


def _places(flow: Flow, back: Flow) -> U32:
    """Place in ``flow.indices`` of each edge of ``back.indices``."""
    n = np.uint64(max(flow.n, 1))
    tails = np.repeat(np.arange(flow.n, dtype=np.uint64), np.diff(flow.indptr))
    forward = tails * n + flow.indices
    heads = np.repeat(np.arange(flow.n, dtype=np.uint64), np.diff(back.indptr))
    order = np.argsort(forward)
    found: U32 = order[np.searchsorted(forward, back.indices * n + heads, sorter=order)].astype(np.uint32)
    return found


class VertexSet(Set[Any]):
    """Set of nodes over an array of distinct vertices; compares and combines with any other set."""

    __slots__ = ("_graph", "_inside", "vertices")

    def __init__(self, graph: MeshlineGraph, vertices: U32) -> None:
        self._graph, self.vertices = graph, vertices
        self._inside: Any = None

    @classmethod
    def _from_iterable(cls, nodes: Iterable[Any]) -> set[Any]:
        return set(nodes)

    def __len__(self) -> int:
        return len(self.vertices)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._graph.names(self.vertices))

    def __contains__(self, node: object) -> bool:
        if node not in self._graph:
            return False
        if self._inside is None:
            self._inside = np.zeros(self._graph.flow.n, dtype=bool)
            self._inside[self.vertices] = True
        return bool(self._inside[self._graph.index[node]])

    def __repr__(self) -> str:
        return f"<{len(self):,} nodes>"


class _Rows(Mapping[Any, Any]):
    """What networkx has as a dict, made when it is read."""

    __slots__ = ()

    def copy(self) -> dict[Any, Any]:
        """A dict that can be changed; what stands in it is read-only still."""
        return dict(self)


class _Nodes(_Rows):
    """Nodes with their attributes."""

    def __init__(self, graph: MeshlineGraph) -> None:
        self._graph = graph

    def __len__(self) -> int:
        return self._graph.flow.n

    def __iter__(self) -> Iterator[Any]:
        return iter(self._graph.labels)

    def __contains__(self, node: object) -> bool:
        return node in self._graph.index

    def __getitem__(self, node: Any) -> Mapping[str, Any]:
        find, vertex = self._graph.node_attributes, self._graph.index[node]
        return Attributes(_NOTHING if find is None else find(vertex))


class _Adjacency(_Rows):
    """Nodes with their neighbours in one direction."""

    def __init__(self, graph: MeshlineGraph, flow: Flow, forward: bool) -> None:
        self._graph, self._flow, self._forward = graph, flow, forward

    def __len__(self) -> int:
        return self._flow.n

    def __iter__(self) -> Iterator[Any]:
        return iter(self._graph.labels)

    def __contains__(self, node: object) -> bool:
        return node in self._graph.index

    def __getitem__(self, node: Any) -> Mapping[Any, Any]:
        return _Neighbours(self._graph, self._flow, self._graph.index[node], self._forward)


class _Neighbours(_Rows):
    """Neighbours of one node with the attributes of the edges."""

    __slots__ = ("_flow", "_forward", "_graph", "_vertex")

    def __init__(self, graph: MeshlineGraph, flow: Flow, vertex: int, forward: bool) -> None:
        self._graph, self._flow, self._vertex, self._forward = graph, flow, vertex, forward

    def __len__(self) -> int:
        return int(self._flow.indptr[self._vertex + 1] - self._flow.indptr[self._vertex])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._graph.names(self._flow.successors(self._vertex)))

    def __contains__(self, node: object) -> bool:
        other = self._graph.index.get(node)
        return other is not None and bool((self._flow.successors(self._vertex) == other).any())

    def __getitem__(self, node: Any) -> Mapping[str, Any]:
        other = self._graph.index[node]
        tail, head = (self._vertex, other) if self._forward else (other, self._vertex)
        flow = self._graph.flow
        at = np.flatnonzero(flow.successors(tail) == head)
        if not len(at):
            raise KeyError(node)
        find = self._graph.edge_attributes
        return Attributes(_NOTHING if find is None else find(int(flow.indptr[tail]) + int(at[0])))
