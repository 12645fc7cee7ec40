"""The graph one level up: between domains, data products, applications or jobs.

An edge between two groups stands for the edges between their nodes; it is *direct* when one of these carries values,
*indirect* when all of them only filter, join or group, and as certain as the best of them. What goes on inside a group
is counted and not drawn. Unlike a walk, an edge is one step: that A leads to B and B to C does not say that data of A
is in C; ask impact for that. Between products one step also passes datasets of no product
(:mod:`lineage.product_edges`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lineage.answers import UNASSIGNED, Certainty
from lineage.beginning import unknown_then
from lineage.errors import UsageError
from lineage.filters import LEVELS
from lineage.graph.arrays import DATASET, JOB
from lineage.graph.job_use import indirect_readers
from lineage.graph.whole import classed_pairs
from lineage.levels import groups_of
from lineage.presence import absent
from lineage.product_edges import Step, product_edges, unbound
from lineage.products import later_members
from lineage.shown import Shown
from lineage.svg import Arrow, Box

if TYPE_CHECKING:
    from lineage.view import View

MESHES = ("domain", "product", "application", "dag", "job")


@dataclass(frozen=True, slots=True)
class MeshNode:
    """One group. ``inside`` counts edges between its own nodes; of a hidden domain nothing is counted."""

    id: str
    name: str
    datasets: int | None
    jobs: int | None
    inside: int | None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class MeshEdge:
    """All edges from one group to another; ``edges`` is how many, ``None`` at a hidden domain.

    ``through``: between products, whether all of it passes datasets that belong to no product.
    """

    src: str
    dst: str
    use: Literal["direct", "indirect"]
    certainty: Certainty
    edges: int | None
    through: bool = False


@dataclass(frozen=True, slots=True)
class Mesh(Shown):
    """Answer of ``mesh``. ``ungrouped`` counts datasets and jobs that belong to no group; ``cycles`` are circles.

    ``notes`` say what is behind an answer without edges, and which products nothing can be told of.
    """

    level: str
    as_of: datetime
    known_at: datetime
    nodes: tuple[MeshNode, ...]
    edges: tuple[MeshEdge, ...]
    cycles: tuple[tuple[str, ...], ...] = ()
    ungrouped: int = 0
    generated_by: str = ""
    fingerprint: str = ""
    notes: tuple[str, ...] = ()

    def heads(self) -> tuple[str, ...]:
        """Columns of the table of edges."""
        return ("src", "dst", "use", "certainty", "edges", "through")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per edge."""
        return [(e.src, e.dst, e.use, e.certainty, e.edges, e.through) for e in self.edges]

    def title(self) -> str:
        """Which level."""
        return f"{len(self.nodes)} {self.level}s, {len(self.edges)} edges"

    def remarks(self) -> tuple[str, ...]:
        """Circles, notes and what is left out."""
        circles = [f"in a circle: {', '.join(cycle)}" for cycle in self.cycles]
        alone = [f"{self.ungrouped} nodes belong to no {self.level}"] if self.ungrouped else []
        return (*circles, *self.notes, *alone)

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """Groups side by side."""
        boxes = [Box(node.id, node.name, at % 4, node.name) for at, node in enumerate(self.nodes)]
        return boxes, [Arrow(edge.src, edge.dst, edge.certainty) for edge in self.edges]


@dataclass(slots=True)
class _Sum:
    direct: bool = False
    certainty: int = 2
    edges: int = 0
    through: bool = True

    def add(self, direct: bool, certainty: int, through: bool) -> None:
        self.direct |= direct
        self.certainty = min(self.certainty, certainty)
        self.edges += 1
        self.through &= through


def mesh(view: View, level: str = "domain") -> Mesh:
    """The graph between groups.

    Parameters
    ----------
    level
        one of :data:`MESHES`. On the levels of jobs an edge leads from who writes a dataset to who reads it.

    Raises
    ------
    UsageError
        for an unknown level.
    """
    from lineage import __version__

    if level not in MESHES:
        raise UsageError(f"level: “{level}” is none of {', '.join(MESHES)}.")
    groups, gone = _groups(view, level), absent(view.instant)
    if gone:  # what was not there yet is in no group; a product is declared, there or not
        groups = {i: name for i, name in groups.items() if i not in gone}
    between = {"domain": _dataset_edges, "product": product_edges}.get(level, _job_edges)
    sums: dict[tuple[str, str], _Sum] = {}
    for src, dst, direct, certainty, through in between(view, groups):
        sums.setdefault((src, dst), _Sum()).add(direct, certainty, through)
    empty = unbound(view, groups) if level == "product" else []
    later = set(later_members(view.instant).values()) if empty else ()
    inside = {src: found.edges for (src, dst), found in sums.items() if src == dst}
    nodes = _nodes(view, level, groups, inside, empty)
    ids = {node.name: node for node in nodes}
    edges = tuple(
        MeshEdge(
            ids[src].id,
            ids[dst].id,
            "direct" if found.direct else "indirect",
            LEVELS[found.certainty],
            None if ids[src].hidden or ids[dst].hidden else found.edges,
            found.through,
        )
        for (src, dst), found in sorted(sums.items())
        if src != dst
    )
    kinds = view.snapshot.kind
    members = np.flatnonzero(kinds == JOB if level in ("job", "application", "dag") else kinds != 2).tolist()
    return Mesh(
        level=level,
        as_of=view.as_of,
        known_at=view.known_at,
        nodes=nodes,
        edges=edges,
        cycles=_cycles(edges),
        ungrouped=sum(i not in groups and i not in gone and not view.hidden(i) for i in members),
        generated_by=f"meshline {__version__}",
        fingerprint=view.instant.fingerprint,
        notes=(*([why] if (why := unknown_then(view)) else []), *_notes(level, nodes, edges, empty, later)),
    )


# -- inside


def _notes(
    level: str, nodes: Sequence[MeshNode], edges: Sequence[MeshEdge], empty: Sequence[str], later: Collection[str]
) -> Iterator[str]:
    """Why there is no edge, and of which products nobody can tell."""
    seen = len(nodes) - len(empty)
    if level == "product" and seen > 1 and not edges:
        yield (f"between the {seen} products that bind datasets no data is seen to flow, neither directly nor through "
               "datasets of no product")  # fmt: skip
    for name in empty:
        which = "that was there yet" if name in later else "that was ever seen"
        yield f"product:{name}: its output ports bind no dataset {which}, so what it feeds is unknown"
    if level == "product" and not nodes:
        yield "no data product is declared in this database"


def _groups(view: View, level: str) -> Mapping[int, str]:
    """Group of each dataset and job. A node of a hidden domain is in nothing but its domain."""
    snapshot = view.snapshot
    if level == "job":
        jobs = np.flatnonzero(snapshot.kind == JOB).tolist()
        return {i: view.label(i).removeprefix("job:") for i in jobs if not view.hidden(i)}
    groups = groups_of(view.instant, level)
    if level == "domain":
        return {i: view.hidden_domain(i) or name for i, name in groups.items()} if view.restricted else groups
    return {i: name for i, name in groups.items() if not view.hidden(i)} if view.restricted else groups


def _dataset_edges(view: View, groups: Mapping[int, str]) -> Iterable[Step]:
    for src, dst, cls in zip(*classed_pairs(view.snapshot), strict=True):
        if src in groups and dst in groups:
            yield groups[src], groups[dst], cls < 3, cls % 3, False


def _job_edges(view: View, groups: Mapping[int, str]) -> Iterable[Step]:
    """Who writes a dataset to who reads it; indirect when the reader only filters by it."""
    snapshot = view.snapshot
    datasets = np.flatnonzero(snapshot.kind == DATASET).tolist()
    filters = indirect_readers(snapshot, datasets)
    for i in datasets:
        if view.hidden(i):
            continue
        one = np.array([i], dtype=np.uint32)
        _, writers, told = snapshot.writers_of(one)
        _, readers, asked = snapshot.readers_of(one)
        for writer, grade in zip(writers.tolist(), told.tolist(), strict=True):
            for reader, other in zip(readers.tolist(), asked.tolist(), strict=True):
                if writer != reader and writer in groups and reader in groups:
                    yield groups[writer], groups[reader], reader not in filters.get(i, ()), max(grade, other), False


def _nodes(
    view: View, level: str, groups: Mapping[int, str], inside: Mapping[str, int], empty: Sequence[str]
) -> tuple[MeshNode, ...]:
    kinds, untold = view.snapshot.kind.tolist(), unknown_then(view) is not None
    counts = Counter((name, kinds[i]) for i, name in groups.items())
    names = {*groups.values(), *empty}
    if level == "domain":
        names |= set(view.instant.domains.domains) - {UNASSIGNED}
    found = []
    for name in sorted(names):
        if level == "domain" and not view.actor.may_see(name):
            found.append(MeshNode(f"hidden (domain {name})", name, None, None, None, hidden=True))
        else:
            of = (None, None, None) if untold else (counts[name, DATASET], counts[name, JOB], inside.get(name, 0))
            found.append(MeshNode(f"{level}:{name}", name, *of))
    return tuple(found)


def _cycles(edges: Iterable[MeshEdge]) -> tuple[tuple[str, ...], ...]:
    import networkx as nx

    graph = nx.DiGraph((edge.src, edge.dst) for edge in edges)
    circles = (tuple(sorted(part)) for part in nx.strongly_connected_components(graph) if len(part) > 1)
    return tuple(sorted(circles, key=lambda circle: (-len(circle), circle)))
