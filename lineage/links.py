"""Edges between the nodes that an answer lists, and the kind of use on its paths."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from lineage.answers import Link
from lineage.graph.among import edges_among

if TYPE_CHECKING:
    from lineage.answers import Direction
    from lineage.graph import EdgeView
    from lineage.graph.uses import Uses
    from lineage.view import View


def links_among(view: View, nodes: set[int]) -> tuple[Link, ...]:
    """Every edge whose both ends are among some nodes; of hidden nodes none, for edges are counts too.

    Parameters
    ----------
    nodes
        dense indices of datasets, jobs and columns.
    """
    edges = [e for e in edges_among(view.snapshot, nodes) if not view.hidden(e.src) and not view.hidden(e.dst)]
    view.prepare(sorted({i for edge in edges for i in (edge.src, edge.dst, *edge.jobs)}))
    return tuple(sorted((_link(view, edge) for edge in edges), key=lambda link: (link.src, link.dst, link.kind)))


def keys_of(view: View, nodes: Sequence[int]) -> dict[str, tuple[str, str, str, str]]:
    """Kind, namespace, name and column of nodes by their id; hidden nodes have none."""
    snapshot = view.snapshot
    return {
        view.label(i): (
            view.kind(i),
            snapshot.namespace(i),
            snapshot.name(i),
            snapshot.field(i) if view.kind(i) == "column" else "",
        )
        for i in nodes
        if not view.hidden(i)
    }


def subtypes_of(uses: Uses, path: Sequence[int], direction: Direction) -> tuple[str, ...]:
    """Subtypes of the steps of a path that are indirect use and nothing else, in the order of the path.

    Parameters
    ----------
    uses
        how the nodes of the snapshot use each other.
    path
        dense indices from the asked node.
    direction
        where the path leads.
    """
    found: list[str] = []
    for a, b in pairwise(path):
        step = uses.between(a, b) if direction == "downstream" else uses.between(b, a)
        if step and all((kind or "").upper() == "INDIRECT" for kind, _ in step):
            found += [subtype for _, subtype in step if subtype]
    return tuple(dict.fromkeys(found))


def _link(view: View, edge: EdgeView) -> Link:
    return Link(
        src=view.label(edge.src),
        dst=view.label(edge.dst),
        kind=_kind(view, edge),
        certainty=edge.certainty,
        provenance=edge.provenance,
        jobs=tuple(dict.fromkeys(view.label(job) for job in edge.jobs)),
        type=edge.type,
        subtype=edge.subtype,
        masking=edge.masking,
    )


def _kind(view: View, edge: EdgeView) -> Literal["lineage", "read", "write", "column"]:
    ends = (view.kind(edge.src), view.kind(edge.dst))
    if ends[0] == "column":
        return "column"
    if ends == ("dataset", "job"):
        return "read"
    return "write" if ends == ("job", "dataset") else "lineage"
