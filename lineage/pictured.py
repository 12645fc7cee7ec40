"""The lineage picture as data: cards, arrows between them and between their columns, ready to be laid out and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lineage.answers import Certainty, Frontier
from lineage.details import ColumnInfo
from lineage.shown import Shown
from lineage.svg import Arrow, Box


@dataclass(frozen=True, slots=True)
class PictureNode:
    """One card of the lineage picture.

    ``cut_upstream``/``cut_downstream`` count direct neighbours that are not in the picture.
    """

    id: str
    kind: Literal["dataset", "job"]
    namespace: str
    name: str
    domain: str
    owner: str | None
    hops: int  # distance from the focus
    side: Literal["focus", "upstream", "downstream", "both"]
    columns: tuple[ColumnInfo, ...] = ()
    column_count: int = 0
    cut_upstream: int = 0
    cut_downstream: int = 0
    status: str | None = None  # state of the last run that wrote it: COMPLETE, FAIL, …
    last_run_at: datetime | None = None
    tags: tuple[str, ...] = ()
    self_loop: bool = False
    hidden: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureEdge:
    """One arrow of the picture: ``src`` and ``dst`` are ids of :class:`PictureNode`."""

    src: str
    dst: str
    provenance: str
    certainty: Certainty
    jobs: tuple[str, ...] = ()
    crosses_domain: bool = False
    valid_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class PictureColumnEdge:
    """One column arrow. ``dst_column`` is empty when the source column affects every row (join, filter)."""

    src: str
    src_column: str
    dst: str
    dst_column: str
    type: str | None
    subtype: str | None
    masking: bool
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Picture(Shown):
    """Neighbourhood of a node, ready to be laid out and drawn."""

    focus: str
    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    column_edges: tuple[PictureColumnEdge, ...]
    as_of: datetime
    known_at: datetime
    partial: bool
    frontier: Frontier | None = None

    def heads(self) -> tuple[str, ...]:
        """Columns of the table of cards."""
        return ("id", "kind", "side", "hops", "domain", "owner", "status")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per card."""
        return [(n.id, n.kind, n.side, n.hops, n.domain, n.owner, n.status) for n in self.nodes]

    def title(self) -> str:
        """What stands in the middle."""
        return f"Around {self.focus}"

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """Cards in columns: upstream to the left, downstream to the right."""
        near = sorted(self.nodes, key=lambda n: n.hops)
        boxes = [Box(n.id, n.name, -n.hops if n.side == "upstream" else n.hops, n.domain) for n in near]
        return boxes, [Arrow(edge.src, edge.dst, edge.certainty) for edge in self.edges]
