"""Which edges one run shows: four sources in their order of trust (semantics 11).

1. A lineage facet on any event of the run is the complete picture between tracked entities: its edges, no product of
   inputs and outputs, and no edge that column lineage would add (OpenLineage, explicit lineage, "Precedence rules").
2. Column lineage of an output: edges from the datasets it names.
3. The product of inputs and outputs for what column lineage leaves open: a filter nobody reported may be among them.
4. One-sided events: the job is source or sink, told by its ``read`` and ``write`` edges alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ingest.model import ColumnEdge, ColumnLineage, Dependency, Edge, ExplicitLineage
from lineage.identity import NodeKey

NodeId = Callable[[NodeKey], int]


def data_edges(
    job: int, inputs: Iterable[int], outputs: Mapping[int, ColumnLineage | None], provenance: str = "product"
) -> list[Edge]:
    """Edges of a run without explicit lineage.

    Parameters
    ----------
    job
        node id of the job.
    inputs
        node ids of the datasets it read.
    outputs
        node ids of the datasets it wrote, with the column lineage of each, if any.
    provenance
        of edges that are the product of inputs and outputs: ``product``, or ``declared`` for a job event.
    """
    inputs = list(inputs)
    edges = [*_io_edges(job, inputs, outputs, "declared" if provenance == "declared" else "io")]
    for output, lineage in outputs.items():
        named = set(lineage.inputs) if lineage is not None else set()
        edges += [Edge(source, output, "lineage", "column") for source in named]
        edges += [Edge(source, job, "read", "column") for source in named if source not in inputs]
        edges += [Edge(source, output, "lineage", provenance) for source in inputs if source not in named]
    return edges


def explicit_edges(
    job: NodeKey,
    inputs: Iterable[int],
    outputs: Iterable[int],
    explicit: Sequence[ExplicitLineage],
    node: NodeId,
    provenance: str = "io",
) -> list[Edge]:
    """Edges of a run with explicit lineage: nothing else adds an edge between datasets.

    Parameters
    ----------
    job
        the event's own job.
    inputs, outputs
        node ids of the datasets it read and wrote; those that no entry names belong to the job all the same.
    explicit
        the lineage facets.
    node
        gives node ids.
    provenance
        of the edges between the job and its inputs and outputs: ``io``, or ``declared`` for a job event.
    """
    own = node(job)
    inputs, outputs = set(inputs), set(outputs)
    edges = [*_io_edges(own, inputs, outputs, provenance)]
    for facet in explicit:
        for kind, namespace, name in facet.targets:
            if kind == "dataset":
                target = node(NodeKey("dataset", namespace, name))
                if target not in outputs:
                    edges.append(Edge(own, target, "write", "explicit"))
        for edge in facet.edges:
            source = _entity(edge.source_kind, edge.source_namespace, edge.source_name, job, node)
            target = _entity(edge.target_kind, edge.target_namespace, edge.target_name, job, node)
            edges.append(Edge(source, target, "lineage", "explicit"))
            reader = target if edge.target_kind == "job" else own  # an entry may tell what another job reads
            if edge.source_kind == "dataset" and not (reader == own and source in inputs):
                edges.append(Edge(source, reader, "read", "explicit"))
    return edges


def columns_beside(
    lineage: Iterable[ColumnEdge], explicit: Sequence[ExplicitLineage], node: NodeId
) -> list[ColumnEdge]:
    """What of column lineage counts beside explicit lineage: detail of edges of whose columns that tells nothing."""
    pairs = {
        (node(NodeKey("dataset", *edge[1:3])), node(NodeKey("dataset", *edge[4:6])))
        for facet in explicit
        for edge in facet.edges
        if edge.source_kind == edge.target_kind == "dataset"
    }
    told = {
        node(NodeKey("dataset", column.target_namespace, column.target_name))
        for facet in explicit
        for column in facet.columns
    }
    return [edge for edge in lineage if edge.target not in told and (edge.source, edge.target) in pairs]


def explicit_columns(explicit: Sequence[ExplicitLineage], column_edge: Callable[..., ColumnEdge]) -> list[ColumnEdge]:
    """Column edges of explicit lineage."""
    return [
        column_edge(NodeKey("dataset", column.target_namespace, column.target_name), column.use, "explicit")
        for facet in explicit
        for column in facet.columns
    ]


def control_edges(
    job: int, dependencies: Iterable[Dependency], parents: Iterable[tuple[int, int]], node: NodeId
) -> list[Edge]:
    """Control flow and containment; neither is ever data flow.

    ``parents`` are (outer job, inner job) pairs.
    """
    edges = [Edge(outer, inner, "contains", "io") for outer, inner in parents if outer != inner]
    for dependency in dependencies:
        other = node(NodeKey("job", dependency.namespace, dependency.name))
        pair = (other, job) if dependency.upstream else (job, other)
        edges.append(Edge(*pair, "control", "io"))
    return edges


def _io_edges(job: int, inputs: Iterable[int], outputs: Iterable[int], provenance: str) -> list[Edge]:
    reads = [Edge(dataset, job, "read", provenance) for dataset in inputs]
    return reads + [Edge(job, dataset, "write", provenance) for dataset in outputs]


def _entity(kind: str, namespace: str, name: str, own: NodeKey, node: NodeId) -> int:
    if kind == "job" and not name:
        return node(own)
    return node(NodeKey(kind, namespace, name))  # type: ignore[arg-type]
