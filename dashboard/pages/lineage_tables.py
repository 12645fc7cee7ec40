"""The twin of the picture: the same nodes and edges as rows. Tables and files come from here."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dashboard.tables import Column, cell
from lineage.overlays import Overlay
from lineage.pictured import Picture

Row = dict[str, Any]


NODES = (
    Column("name", "Name", 2.2),
    Column("kind", "Kind", 0.7),
    Column("domain", "Domain"),
    Column("owner", "Owner"),
    Column("side", "Side", 0.9),
    Column("hops", "Hops", 0.6, number=True),
    Column("status", "Last run", 0.8),
    Column("last_run_at", "At", 1.6),
    Column("columns", "Columns", 0.8, number=True),
    Column("more_upstream", "More upstream", 0.9, number=True),
    Column("more_downstream", "More downstream", 0.9, number=True),
    Column("id", "Id", 2.4),
)
EDGES = (
    Column("from", "From", 1.8),
    Column("from_column", "Column"),
    Column("to", "To", 1.8),
    Column("to_column", "Column"),
    Column("level", "Level", 0.7),
    Column("certainty", "Certainty", 0.8),
    Column("kind", "Kind", 1.1),
    Column("from_domain", "From domain"),
    Column("to_domain", "To domain"),
    Column("jobs", "Jobs", 1.6),
    Column("since", "Since", 1.6),
    Column("from_id", "From (id)", 2),
    Column("to_id", "To (id)", 2),
)


def only_domains(picture: Picture, domains: Sequence[str]) -> Picture:
    """``picture`` without the nodes of other domains; all of it when ``domains`` is empty."""
    if not domains:
        return picture
    kept = {node.id for node in picture.nodes if node.domain in domains}
    return replace(
        picture,
        nodes=tuple(node for node in picture.nodes if node.id in kept),
        edges=tuple(e for e in picture.edges if e.src in kept and e.dst in kept),
        column_edges=tuple(e for e in picture.column_edges if e.src in kept and e.dst in kept),
    )


def with_overlay(rows: list[Row], overlay: Overlay | None) -> tuple[list[Row], tuple[Column, ...]]:
    """Rows of :func:`node_rows` and their columns, with the figure that the picture is coloured by."""
    if overlay is None:
        return rows, NODES
    told = {one.id: one for one in overlay.marks}
    for row in rows:
        mark = told.get(row["id"])
        row["mark"], row["mark_why"] = (mark.text, mark.why) if mark else ("", "")
    shown = (Column("mark", overlay.by.capitalize()), Column("mark_why", "Why", 1.8))
    return rows, (*NODES[:4], *shown, *NODES[4:])


def node_rows(picture: Picture) -> list[Row]:
    """One row per node, nearest first."""
    return [
        {
            "id": node.id,
            "name": node.name,
            "kind": node.kind,
            "domain": node.domain,
            "owner": node.owner or "",
            "side": node.side,
            "hops": node.hops,
            "status": node.status or "",
            "last_run_at": cell(node.last_run_at),
            "columns": node.column_count,
            "more_upstream": node.cut_upstream,
            "more_downstream": node.cut_downstream,
        }
        for node in sorted(picture.nodes, key=lambda node: (node.hops, node.id))
    ]


def edge_rows(picture: Picture) -> list[Row]:
    """One row per edge between nodes, then one per column edge; loops are left out as in the picture."""
    nodes = {node.id: node for node in picture.nodes}
    rows = []
    for edge in sorted(picture.edges, key=lambda e: (e.src, e.dst, e.provenance)):
        if edge.src == edge.dst:
            continue
        rows.append(
            {
                "from": nodes[edge.src].name,
                "from_column": "",
                "to": nodes[edge.dst].name,
                "to_column": "",
                "level": "dataset",
                "certainty": edge.certainty,
                "kind": edge.provenance,
                "from_domain": nodes[edge.src].domain,
                "to_domain": nodes[edge.dst].domain,
                "jobs": ", ".join(edge.jobs),
                "since": cell(edge.valid_from),
                "from_id": edge.src,
                "to_id": edge.dst,
            }
        )
    for line in sorted(picture.column_edges, key=lambda e: (e.src, e.src_column, e.dst, e.dst_column)):
        if line.src == line.dst:
            continue
        kind = " ".join(part.lower() for part in (line.type, line.subtype) if part)
        rows.append(
            {
                "from": nodes[line.src].name,
                "from_column": line.src_column,
                "to": nodes[line.dst].name,
                "to_column": line.dst_column or "(every row)",
                "level": "column",
                "certainty": line.certainty,
                "kind": f"{kind} masking".strip() if line.masking else kind,
                "from_domain": nodes[line.src].domain,
                "to_domain": nodes[line.dst].domain,
                "jobs": "",
                "since": "",
                "from_id": line.src,
                "to_id": line.dst,
            }
        )
    return rows


def to_csv(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """Rows as CSV with one heading line.

    Texts that a spreadsheet would run as a formula get an apostrophe in front: names come from producers.

    >>> to_csv([{"a": "=1+1", "b": 2}], [Column("a", "A"), Column("b", "B")])
    "a,b\\r\\n'=1+1,2\\r\\n"
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.key for column in columns])
    for row in rows:
        writer.writerow([_safe(row[column.key]) for column in columns])
    return out.getvalue()


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
