"""A networkx graph of one level of the mesh, as one actor may see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lineage.annotators import annotate
from lineage.columns import absent_columns, entries, tag_text
from lineage.errors import UsageError
from lineage.filters import LEVELS
from lineage.graph.analysis import Flow
from lineage.graph.arrays import U8, U32, Bool
from lineage.mesh import MESHES, MeshNode, mesh
from lineage.networkx_backend.contract import Triples, contract, distinct, joined, level_edges
from lineage.networkx_backend.graph import MeshlineGraph
from lineage.networkx_backend.plain import plain, plainly
from lineage.networkx_backend.runs import run_graph
from lineage.presence import there

if TYPE_CHECKING:
    from lineage.graph.snapshot import LevelName
    from lineage.view import View

GRAPH_LEVELS = ("dataset", "column", "run", *MESHES)
_BLOCK = 256  # nodes whose columns of other fields are looked up at once


def graph(view: View, level: str = "dataset", *, lazy: bool = False) -> MeshlineGraph:
    """The graph of a level.

    Nodes are node texts, along the flow. On the levels of datasets and columns what only joins them (jobs with explicit
    flow, the rows of a dataset) is passed through. Datasets an actor may not see are passed through as well, so that
    what they lead to is still reached; ``hidden (domain X), upstream`` and ``…, downstream`` stand where they feed or
    read something visible, which tells that they are there and not how many.

    Parameters
    ----------
    level
        one of :data:`GRAPH_LEVELS`.
    lazy
        see :class:`MeshlineGraph`.

    Raises
    ------
    UsageError
        for an unknown level.
    """
    if level not in GRAPH_LEVELS:
        raise UsageError(f"level: “{level}” is none of {', '.join(GRAPH_LEVELS)}.")
    make = _groups if level in MESHES else _runs if level == "run" else _nodes
    if view.restricted:
        return make(view, level).lazily(lazy)
    return view.instant.remember(f"networkx {level}", lambda: make(view, level)).lazily(lazy)


def _about(view: View, level: str) -> dict[str, Any]:
    times = {"as_of": view.as_of, "known_at": view.known_at}
    return plain({"level": level, **times, "fingerprint": view.instant.fingerprint})


def _nodes(view: View, name: str) -> MeshlineGraph:
    level = view.snapshot.level(cast("LevelName", name))
    public, n = level.public, len(level.public)
    helper = level.is_helper(public)
    edges = contract(n, level_edges(level), helper)
    masks: list[tuple[str, Triples]] = []
    shown = ~helper & _there(view, public, edges)
    if view.restricted:
        hidden = np.array([view.hidden(i) for i in public.tolist()], dtype=bool) & ~helper
        masks = _masks(view, public, edges, hidden)
        edges, shown = contract(n, edges, hidden), shown & ~hidden
    vertices = np.flatnonzero(shown).astype(np.uint32)
    sources = [mask for mask in masks if mask[0].endswith("upstream")]
    masks = [*sources, *(mask for mask in masks if mask not in sources)]
    rank = np.zeros(n + len(masks), dtype=np.uint32)
    rank[vertices] = np.arange(len(vertices), dtype=np.uint32) + np.uint32(len(sources))
    at = [k if k < len(sources) else len(vertices) + k for k in range(len(masks))]
    rank[n:] = at
    src, dst, cls = joined([edges, *_placed(masks, n)])
    src, dst, cls = distinct((rank[src], rank[dst], cls))
    nodes: list[int] = [-1] * len(sources) + public[vertices].tolist() + [-1] * (len(masks) - len(sources))
    labels: list[str] = [""] * len(nodes)
    texts = view.snapshot.texts(public[vertices]) if len(vertices) else []
    labels[len(sources) : len(sources) + len(vertices)] = texts
    for place, (text, _) in zip(at, masks, strict=True):
        labels[place] = text
    flow = Flow.of_edges(len(nodes), src, dst)
    return MeshlineGraph(
        flow,
        labels,
        node_attributes=plainly(NodeAttributes(view, nodes, labels)),
        edge_attributes=_edge_values(cls),
        attributes=_about(view, name),
        edge_names=("certainty", "use"),
    )


def _there(view: View, public: U32, edges: Triples) -> Bool:
    """Which vertices were there at the instant: what was told of by then, and in any case what an edge leads to."""
    found = there(view.instant, public) & ~np.isin(public, list(absent_columns(view)))
    for ends in edges[:2]:
        found[ends] = True
    return found


def _edge_values(cls: U8) -> Callable[[int], Mapping[str, Any]]:
    values = [{"certainty": LEVELS[k % 3], "use": "indirect" if k >= 3 else "direct"} for k in range(2 * len(LEVELS))]
    return lambda place: values[cls[place]]


def _masks(view: View, public: U32, edges: Triples, hidden: Any) -> list[tuple[str, Triples]]:
    """Where hidden nodes feed or read visible ones: the text to print, and the edges with the hidden end left at 0."""
    src, dst, cls = edges
    found: dict[str, list[int]] = {}
    for k in np.flatnonzero(hidden[src] != hidden[dst]).tolist():
        up = bool(hidden[src[k]])
        label = view.label(int(public[src[k] if up else dst[k]]))
        found.setdefault(f"{label}, {'upstream' if up else 'downstream'}", []).append(k)
    return [(text, (src[places], dst[places], cls[places])) for text, places in sorted(found.items())]


def _placed(masks: list[tuple[str, Triples]], n: int) -> list[Triples]:
    """Edges of the masks, each mask being vertex ``n`` plus its place."""
    placed = []
    for k, (text, (src, dst, cls)) in enumerate(masks):
        own = np.full(len(src), n + k, dtype=np.uint32)
        placed.append((own, dst, cls) if text.endswith("upstream") else (src, own, cls))
    return placed


class NodeAttributes:
    """Attributes of the nodes of a graph by their place in it, looked up when they are asked for."""

    def __init__(self, view: View, nodes: Sequence[int], labels: Sequence[str]) -> None:
        self._view, self._nodes, self._labels = view, nodes, labels
        self._blocks: dict[int, list[dict[str, Any]]] = {}

    def __call__(self, place: int) -> Mapping[str, Any]:
        view, i = self._view, self._nodes[place]
        if i < 0:
            return {"kind": "hidden", "domain": self._labels[place].removeprefix("hidden (domain ").split(")")[0]}
        column = view.kind(i) == "column"
        found: dict[str, Any] = {
            "kind": view.kind(i),
            "namespace": view.snapshot.namespace(i),
            "name": view.snapshot.name(i),
            "domain": view.domain(i),
            "owner": view.owner(i),
            "tags": tags_of(view, i),
        }
        if column:
            found["field"] = view.snapshot.field(i)
        else:
            found["self_loop"] = view.snapshot.self_loop(i)
        return {**found, **self._of_fields(place)}

    def _of_fields(self, place: int) -> dict[str, Any]:
        """What contracts, quality and cost say of it; unknown is ``None``."""
        block = place // _BLOCK
        if block not in self._blocks:
            nodes = self._nodes[block * _BLOCK : (block + 1) * _BLOCK]
            said = iter(annotate(self._view, [i for i in nodes if i >= 0]))
            self._blocks[block] = [next(said) if i >= 0 else {} for i in nodes]
        return self._blocks[block][place % _BLOCK]


def _named_after(view: View, nodes: Sequence[MeshNode]) -> dict[int, int]:
    """The visible job (dense index) that each of some groups is named after, by the place of the group."""
    from lineage.resolve import exact

    found = ((place, exact(view, f"job:{node.name}")) for place, node in enumerate(nodes))
    return {place: i for place, i in found if i is not None and not view.hidden(i)}


def tags_of(view: View, i: int) -> tuple[str, ...]:
    """Tags that facets tell of a node itself."""
    snapshot = view.snapshot
    column = view.kind(i) == "column"
    field = snapshot.field(i) if column else ""
    facets = view.instant.facets_of.get(snapshot.dataset_of(i) if column else i, ())
    tags = [tag for one in facets for tag in entries(one.get("tags"), "tags") if (tag.get("field") or "") == field]
    return tuple(dict.fromkeys(map(tag_text, tags)))


def _runs(view: View, level: str) -> MeshlineGraph:
    """The graph of runs and dataset versions; see :mod:`lineage.networkx_backend.runs`."""
    found = run_graph(view)
    of_nodes = NodeAttributes(view, found.nodes, found.labels)
    order = np.argsort(np.asarray(found.src, dtype=np.int64), kind="stable").tolist()
    return MeshlineGraph(
        Flow.of_edges(len(found.labels), [found.src[k] for k in order], [found.dst[k] for k in order]),
        found.labels,
        node_attributes=plainly(lambda place: {**of_nodes(place), **found.facts[place]}),
        edge_attributes=plainly(lambda place: found.uses[order[place]]),
        attributes=_about(view, level),
        edge_names=("certainty", "use", "tie"),
    )


def _groups(view: View, level: str) -> MeshlineGraph:
    """The graph between groups; see :mod:`lineage.mesh`."""
    found = mesh(view, level)
    place = {node.id: k for k, node in enumerate(found.nodes)}
    edges = sorted(found.edges, key=lambda edge: (place[edge.src], place[edge.dst]))
    values = [plain({"certainty": e.certainty, "use": e.use, "edges": e.edges, "through": e.through}) for e in edges]
    flow = Flow.of_edges(len(found.nodes), [place[e.src] for e in edges], [place[e.dst] for e in edges])
    return MeshlineGraph(
        flow,
        [node.id for node in found.nodes],
        node_attributes=plainly(GroupAttributes(view, level, found.nodes)),
        edge_attributes=values.__getitem__,
        attributes=_about(view, level),
        edge_names=("certainty", "use", "edges", "through"),
    )


class GroupAttributes:
    """Attributes of the nodes of a graph between groups by their place in it.

    A job, and the job that an application or a DAG is named after, has those of the catalogue; a domain has its owner,
    a product its owner, domain and the tags of its datasets.
    """

    def __init__(self, view: View, level: str, nodes: Sequence[MeshNode]) -> None:
        self._view, self._level, self._nodes = view, level, nodes
        named = _named_after(view, nodes) if level in ("job", "application", "dag") else {}
        places = {place: k for k, place in enumerate(named)}
        self._of_jobs, self._jobs = NodeAttributes(view, list(named.values()), ()), places

    def __call__(self, place: int) -> Mapping[str, Any]:
        node = self._nodes[place]
        own: dict[str, Any] = {"name": node.name}
        if place in self._jobs:
            own = {**self._of_jobs(self._jobs[place])}
        elif self._level == "domain" and not node.hidden:
            own |= self._of_domain(node.name)
        elif self._level == "product":
            own |= self._of_product(node.name)
        counts = {"datasets": node.datasets, "jobs": node.jobs, "inside": node.inside, "hidden": node.hidden}
        return {**own, "kind": self._level, **counts}

    def _of_domain(self, name: str) -> dict[str, Any]:
        known = self._view.instant.domains.domains.get(name)
        return {"domain": name, "owner": known.owner if known else None}

    def _of_product(self, name: str) -> dict[str, Any]:
        from lineage.products import membership, products_of

        view, known = self._view, products_of(self._view.instant).get(name)
        inside = [i for i, product in membership(view.instant).items() if product == name and not view.hidden(i)]
        tags = dict.fromkeys(tag for i in inside for tag in tags_of(view, i))
        return {"domain": (known.domain or None) if known else None,
                "owner": (known.owner or None) if known else None, "tags": tuple(tags)}  # fmt: skip
