"""Two instants of one picture: what was added, removed and changed between them, and what is behind it.

The picture holds the cards and arrows of both. What changed is asked of ``diff``, not read off the two pictures: an
arrow may be missing from one of them only because its card is further away there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dashboard.pages.lineage_state import LineageState
from dashboard.pages.lineage_tables import EDGES, Row
from dashboard.tables import Column, cell
from lineage.errors import UnknownNodeError
from lineage.pictured import Picture

if TYPE_CHECKING:
    from lineage.differences import DiffAnswer, Difference
    from lineage.engine import Lineage

Look = Callable[["Lineage", LineageState], Picture]
CHANGED = (
    Column("change", "Change", 0.8),
    Column("cause", "Cause", 0.9),
    Column("cause_job", "By", 1.6),
    Column("cause_run", "By run", 1.4),
    Column("cause_code", "Code version", 1.2),
    Column("cause_at", "Changed at", 1.5),
)
_ORDER = {"added": 0, "removed": 1, "changed": 2, "": 3}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A picture of both instants and the differences among its cards and arrows."""

    picture: Picture
    answer: DiffAnswer
    nodes: dict[str, str]  # card → added, removed or changed
    edges: dict[tuple[str, str], Difference]
    columns: dict[tuple[str, str], Difference]  # column edges by the texts of their ends

    def counts(self, what: str) -> int:
        """Arrows of the picture that were ``added``, ``removed`` or ``changed``."""
        drawn = {(edge.src, edge.dst) for edge in self.picture.edges if edge.src != edge.dst}
        return sum(1 for ends, one in self.edges.items() if one.change == what and ends in drawn)


def compare(lx: Lineage, state: LineageState, look: Look) -> Comparison:
    """The pictures of ``state.versus`` and ``state.as_of`` as one.

    Parameters
    ----------
    look
        gives the picture of one instant.

    Raises
    ------
    MeshlineError
        when the node is known at neither instant, or one of them is no time.
    """
    one, two = replace(state, versus=None), replace(state, versus=None, as_of=state.versus)
    pictures = [found for found in (_try(lx, one, look), _try(lx, two, look)) if found is not None]
    if not pictures:
        look(lx, one)  # says what is wrong
    ordered = sorted(pictures, key=lambda picture: picture.as_of)
    views = sorted((lx.view(at, state.known_at).as_of, at) for at in (state.as_of, state.versus))
    answer = lx.diff(
        views[0][0],
        views[1][0],
        node=ordered[-1].focus,
        side="both",
        known_from=state.known_at,
        known_to=state.known_at,
    )
    nodes: dict[str, str] = {}
    for d in answer.changes:
        if d.what == "node":
            nodes[d.id] = d.change
        elif d.what in ("column", "owner", "stop"):
            nodes.setdefault(d.id, "changed")
    edges = {(d.id, d.other): d for d in answer.changes if d.what == "edge" and d.other}
    columns = {(d.id, d.other): d for d in answer.changes if d.what == "column_edge" and d.other}
    return Comparison(_united(ordered), answer, nodes, edges, columns)


def _try(lx: Lineage, state: LineageState, look: Look) -> Picture | None:
    """One picture; ``None`` when the node was not there then."""
    try:
        return look(lx, state)
    except UnknownNodeError:
        return None


def _united(pictures: list[Picture]) -> Picture:
    """Cards and arrows of both; of what is in both, the later says how it looks."""
    earlier, later = pictures[0], pictures[-1]
    nodes = {node.id: node for picture in pictures for node in picture.nodes}
    shown = set(nodes)
    edges = {(edge.src, edge.dst): edge for picture in pictures for edge in picture.edges}
    lines = {(e.src, e.src_column, e.dst, e.dst_column): e for picture in pictures for e in picture.column_edges}
    return replace(
        later,
        nodes=tuple(sorted(nodes.values(), key=lambda node: (node.hops, node.id))),
        edges=tuple(edge for edge in edges.values() if edge.src in shown and edge.dst in shown),
        column_edges=tuple(lines.values()),
        partial=earlier.partial or later.partial,
    )


def mark(graph: dict[str, Any], found: Comparison) -> None:
    """Write on the cards and arrows of a graph how they differ; ``delta.js`` draws it."""
    ids = [node["id"] for node in graph["nodes"]]
    for node in graph["nodes"]:
        node["delta"] = found.nodes.get(node["id"], "")
    for edge in graph["edges"]:
        one = found.edges.get((ids[edge["a"]], ids[edge["b"]]))
        edge["delta"] = one.change if one else ""
    graph["delta"] = True
    graph["key"] += f"|{found.answer.from_time}"


def with_change(rows: list[Row], found: Comparison | None) -> tuple[list[Row], tuple[Column, ...]]:
    """Rows of the table of edges with how each differs and why, the differing ones first; and their columns."""
    if found is None:
        return rows, EDGES
    for row in rows:
        one = found.edges.get((row["from_id"], row["to_id"])) if row["level"] == "dataset" else _column(row, found)
        cause = one.cause if one else None
        row["change"] = one.change if one else ""
        row["cause"] = cause.reason if cause else ""
        row["cause_job"] = cause.who if cause else ""
        row["cause_run"] = (cause.run_id or "") if cause else ""
        row["cause_code"] = str((cause.code or {}).get("version") or "") if cause else ""
        row["cause_at"] = cell(cause.at) if cause else ""
    return sorted(rows, key=lambda row: _ORDER[row["change"]]), (CHANGED[0], *EDGES, *CHANGED[1:])


def _column(row: Row, found: Comparison) -> Difference | None:
    def text(end: str, column: str) -> str:
        return end if column in ("", "(every row)") else f"column:{end.partition(':')[2]}:{column}"

    return found.columns.get((text(row["from_id"], row["from_column"]), text(row["to_id"], row["to_column"])))
