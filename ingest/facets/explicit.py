"""The explicit lineage facet: entries name a target and the sources that feed it.

Source: OpenLineage ``spec/facets/LineageFacet.json`` 1-0-0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.model import ColumnUse, ExplicitColumn, ExplicitEdge, ExplicitLineage
from ingest.values import boolean, mapping, objects, text


def read_entries(entries: Any) -> ExplicitLineage:
    """The edges of all entries; own jobs have no name here."""
    edges: list[ExplicitEdge] = []
    columns: list[ExplicitColumn] = []
    targets = []
    for entry in objects(entries):
        kind = (text(entry.get("type")) or "DATASET").lower()
        namespace, name = text(entry.get("namespace")) or "", text(entry.get("name")) or ""
        if kind not in ("dataset", "job") or (kind == "dataset" and not name):
            continue
        targets.append((kind, namespace, name))
        found_edges, found_columns = _entry(entry, kind, namespace, name)
        edges += found_edges
        columns += found_columns
    return ExplicitLineage(tuple(dict.fromkeys(edges)), tuple(dict.fromkeys(columns)), tuple(dict.fromkeys(targets)))


def read_target(body: dict[str, Any], namespace: str, name: str) -> ExplicitLineage:
    """The edges into one dataset, from a lineage facet on that dataset."""
    edges, columns = _entry(body, "dataset", namespace, name)
    return ExplicitLineage(tuple(dict.fromkeys(edges)), tuple(dict.fromkeys(columns)), (("dataset", namespace, name),))


def transformations(item: dict[str, Any]) -> Iterator[tuple[str | None, str | None, bool, str | None]]:
    """(type, subtype, masking, description) of each transformation; one empty one when there is none."""
    found = False
    for transformation in objects(item.get("transformations")):
        found = True
        yield (
            text(transformation.get("type")),
            text(transformation.get("subtype")),
            boolean(transformation.get("masking")) or False,
            text(transformation.get("description")),
        )
    if not found:
        yield None, None, False, None


def _entry(
    entry: dict[str, Any], kind: str, namespace: str, name: str
) -> tuple[list[ExplicitEdge], list[ExplicitColumn]]:
    edges: list[ExplicitEdge] = []
    columns: list[ExplicitColumn] = []
    sources = [("", source) for source in objects(entry.get("inputs"))]
    for field, value in mapping(entry.get("fields")).items():
        sources += [(field, source) for source in objects(mapping(value).get("inputs"))]
    for target_field, source in sources:
        source_kind = (text(source.get("type")) or "DATASET").lower()
        source_namespace, source_name = text(source.get("namespace")) or "", text(source.get("name")) or ""
        if source_kind not in ("dataset", "job") or (source_kind == "dataset" and not source_name):
            continue
        edges.append(ExplicitEdge(source_kind, source_namespace, source_name, kind, namespace, name))
        source_field = text(source.get("field"))
        if source_kind == "dataset" and kind == "dataset" and source_field is not None:
            for type_, subtype, masking, description in transformations(source):
                use = ColumnUse(
                    target_field, source_namespace, source_name, source_field, type_, subtype, masking, description
                )
                columns.append(ExplicitColumn(namespace, name, use))
    return edges, columns
