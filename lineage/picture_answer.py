"""A picture as an answer with links, so that every writer of answers can write what is on the screen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from lineage.answers import Answer, Certainty, Link, Reached, Totals

if TYPE_CHECKING:
    from lineage.pictured import Picture, PictureColumnEdge, PictureEdge

Keys = dict[str, tuple[str, str, str, str]]
_WORST: dict[Certainty, int] = {"certain": 0, "probable": 1, "stale": 2}


def answer_of(picture: Picture) -> Answer:
    """The cards of a picture as rows, its arrows as links; nothing is added that is not drawn.

    Parameters
    ----------
    picture
        what is shown; a hidden card stays a row without a key, so no writer names it.
    """
    keys: Keys = {n.id: (n.kind, n.namespace, n.name, "") for n in picture.nodes if not n.hidden}
    certainty: dict[str, Certainty] = {}
    for edge in picture.edges:
        for end in (edge.src, edge.dst):
            known = certainty.get(end)
            if known is None or _WORST[edge.certainty] < _WORST[known]:
                certainty[end] = edge.certainty
    rows = tuple(
        Reached(n.id, n.kind, n.hops, certainty.get(n.id, "certain"), (), n.domain, n.owner, n.aliases)
        for n in picture.nodes
        if n.id != picture.focus
    )
    links = [_link(edge, keys) for edge in picture.edges if edge.src != edge.dst]
    links += [_column_link(line, keys) for line in picture.column_edges if line.src in keys and line.dst in keys]
    totals = Totals(
        nodes=len(rows),
        by_domain=dict(Counter(row.domain for row in rows)),
        by_hop=dict(Counter(row.hops for row in rows)),
        by_kind=dict(Counter(row.kind for row in rows)),
        by_certainty=dict(Counter(row.certainty for row in rows)),
    )
    return Answer(
        node=picture.focus,
        direction="downstream",
        as_of=picture.as_of,
        known_at=picture.known_at,
        partial=picture.partial,
        nodes=rows,
        frontier=picture.frontier,
        unfiltered=len(rows),
        totals=totals,
        notes=("a picture: cards on both sides of the node",),
        links=tuple(links),
        keys=keys,
    )


def _link(edge: PictureEdge, keys: Keys) -> Link:
    kinds: dict[tuple[str, str], Literal["lineage", "read", "write"]] = {
        ("dataset", "job"): "read",
        ("job", "dataset"): "write",
    }
    ends = (keys.get(edge.src, ("",))[0], keys.get(edge.dst, ("",))[0])
    return Link(edge.src, edge.dst, kinds.get(ends, "lineage"), edge.certainty, edge.provenance, edge.jobs)


def _column_link(line: PictureColumnEdge, keys: Keys) -> Link:
    """A link between columns; their keys are noted on the way."""
    ends = []
    for home, column in ((line.src, line.src_column), (line.dst, line.dst_column)):
        _, namespace, name, _ = keys[home]
        text = f"column:{namespace}:{name}:{column}" if column else home
        if column:
            keys[text] = ("column", namespace, name, column)
        ends.append(text)
    return Link(ends[0], ends[1], "column", line.certainty, "column", (), line.type, line.subtype, line.masking)
