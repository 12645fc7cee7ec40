"""Which edges one run shows: four sources in their order of trust (semantics 11).

1. A lineage facet on any event of the run: its edges, and no product of inputs and outputs.
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
    outputs: Mapping[int, ColumnLineage | None],
    explicit: Sequence[ExplicitLineage],
    node: NodeId,
) -> list[Edge]:
    """Edges of a run with explicit lineage; column lineage beside it still counts, products do not."""
    own = node(job)
    edges = [*_io_edges(own, inputs, outputs, "io")]
    for output, lineage in outputs.items():
        edges += [Edge(source, output, "lineage", "column") for source in (lineage.inputs if lineage else ())]
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
            if edge.source_kind == "dataset" and source not in inputs:
                edges.append(Edge(source, own, "read", "explicit"))
    return edges


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
