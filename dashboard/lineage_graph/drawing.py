"""From an answer (:class:`lineage.pictured.Picture`) to what the canvas component draws. A pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboard.lineage_graph.layout import CARD_HEAD, MAP_ABOVE, ROW, Layout, lay_out
from dashboard.names import short_name, short_namespace, subtitle
from lineage.answers import Certainty
from lineage.details import ColumnInfo
from lineage.pictured import Picture, PictureEdge, PictureNode

ROWS_SHOWN = 10
UNKNOWN_TONE = 5
_BEST: dict[Certainty, int] = {"certain": 0, "probable": 1, "stale": 2}
_STATUS = {
    "COMPLETE": ("ok", 4),
    "FAIL": ("failed", 0),
    "ABORT": ("aborted", 1),
    "RUNNING": ("running", 2),
    "START": ("started", 2),
}
_AGES = ((timedelta(hours=24), 4), (timedelta(hours=48), 3), (timedelta(days=7), 2), (timedelta(days=30), 1))


@dataclass(frozen=True, slots=True)
class Options:
    """What the reader chose. ``rows`` is the number of column rows of each open card."""

    colours: Mapping[str, int]  # domain -> index of its colour
    titles: Mapping[str, str]  # domain -> title
    rows: Mapping[str, int]
    lanes: bool = True
    traced: bool = False  # cards show the columns of a trace, all of them
    map_above: int = MAP_ABOVE


def drawing(picture: Picture, options: Options, *, key: str, flows: Sequence[PictureEdge] = ()) -> dict[str, Any]:
    """Graph of the component.

    Parameters
    ----------
    picture
        what is to be seen.
    options
        colours, open cards, lanes.
    key
        names the picture; while it stays the same, cards glide and the viewport stays.
    flows
        when jobs are cards: the edges between datasets, with their jobs.

    Returns
    -------
    dict
        ``graph`` as described at the top of ``model.js``.
    """
    rows = {node.id: _rows(node, options) for node in picture.nodes}
    more = {node.id: _more(node, rows[node.id]) for node in picture.nodes}
    heights = {i: len(shown) + bool(more[i]) for i, shown in rows.items()}
    layout = lay_out(picture, heights, lanes=options.lanes, map_above=options.map_above)
    index = {node_id: i for i, node_id in enumerate(layout.boxes)}
    nodes = {node.id: node for node in picture.nodes}
    names = distinct_names(picture.nodes)
    return {
        "key": key,
        "kind": layout.kind,
        "focus": picture.focus,
        "traced": options.traced,
        "head": CARD_HEAD,
        "row": ROW,
        "nodes": [
            {
                **_node(nodes[node_id], layout, rows[node_id], more[node_id], options, picture.as_of),
                "name": names[node_id],
            }
            for node_id in layout.boxes
        ],
        "edges": _edges(picture, layout, index),
        "flows": _flows(flows, index) if flows else None,
        "cedges": _column_edges(picture, layout, index, rows),
        "lanes": [_lane(lane, options) for lane in layout.lanes],
        "width": layout.width,
        "height": layout.height,
    }


def _rows(node: PictureNode, options: Options) -> tuple[ColumnInfo, ...]:
    if options.traced:
        return node.columns
    return node.columns[: options.rows.get(node.id, 0)]


def _more(node: PictureNode, rows: tuple[ColumnInfo, ...]) -> int:
    return max(node.column_count - len(rows), 0) if rows else 0


def _lane(lane: Any, options: Options) -> dict[str, Any]:
    return {
        "name": options.titles.get(lane.domain, lane.domain),
        "note": f"{lane.cards:,} node{'s' if lane.cards != 1 else ''}",
        "color": options.colours.get(lane.domain, len(options.colours)),
        "x": lane.x,
        "y": round(lane.y, 1),
        "w": lane.w,
        "h": round(lane.h, 1),
    }


def _node(
    node: PictureNode,
    layout: Layout,
    rows: tuple[ColumnInfo, ...],
    more: int,
    options: Options,
    as_of: datetime,
) -> dict[str, Any]:
    box = layout.boxes[node.id]
    return {
        "id": node.id,
        "kind": node.kind,
        "full": node.name,
        "sub": short_namespace(node.namespace) if node.hidden else subtitle(node.namespace, node.name),
        "domain": options.titles.get(node.domain, node.domain),
        "owner": node.owner,
        "color": options.colours.get(node.domain, len(options.colours)),
        "x": box.x,
        "y": round(box.y, 1),
        "w": box.w,
        "h": box.h,
        "rows": [{"id": c.id, "name": c.name, "type": c.type, "up": c.upstream, "down": c.downstream} for c in rows],
        "more": more,
        "cols": node.column_count,
        "open": bool(rows),
        "cutUp": node.cut_upstream,
        "cutDown": node.cut_downstream,
        "status": node.status,
        "loop": node.self_loop,
        "hidden": node.hidden,
        "overlays": {"status": status_pill(node.status), "age": age_pill(node.last_run_at, as_of)},
    }


def status_pill(status: str | None) -> tuple[str, int]:
    """Text and tone (0 bad … 4 good, 5 unknown) of the last run.

    >>> status_pill("FAIL"), status_pill(None)
    (('failed', 0), ('no run', 5))
    """
    if status is None:
        return "no run", UNKNOWN_TONE
    return _STATUS.get(status, (status.lower(), UNKNOWN_TONE))


def age_pill(last_run_at: datetime | None, as_of: datetime) -> tuple[str, int]:
    """Text and tone of the time since the last run that wrote it.

    >>> age_pill(datetime(2026, 3, 1, 6), datetime(2026, 3, 1, 9))
    ('3 h', 4)
    """
    if last_run_at is None:
        return "no run", UNKNOWN_TONE
    age = max(as_of - last_run_at, timedelta(0))
    hours = int(age.total_seconds() // 3600)
    tone = next((tone for limit, tone in _AGES if age <= limit), 0)
    return (f"{hours} h" if hours < 48 else f"{hours // 24} d"), tone


def best_edges(picture: Picture) -> dict[tuple[str, str], PictureEdge]:
    """One edge per pair of nodes: the one of best certainty."""
    best: dict[tuple[str, str], PictureEdge] = {}
    for edge in picture.edges:
        known = best.get((edge.src, edge.dst))
        if known is None or _BEST[edge.certainty] < _BEST[known.certainty]:
            best[(edge.src, edge.dst)] = edge
    return best


def _edges(picture: Picture, layout: Layout, index: Mapping[str, int]) -> list[dict[str, Any]]:
    best = best_edges(picture)
    return [
        {
            "a": index[a],
            "b": index[b],
            "certainty": best[(a, b)].certainty,
            "back": (a, b) in layout.back,
            "via": [[via.x0, via.x1, round(via.y, 1)] for via in vias],
        }
        for (a, b), vias in sorted(layout.vias.items())
        if (a, b) in best
    ]


def _flows(flows: Sequence[PictureEdge], index: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"a": index[edge.src], "b": index[edge.dst], "jobs": [index[job] for job in edge.jobs if job in index]}
        for edge in flows
        if edge.src != edge.dst and edge.src in index and edge.dst in index
    ]


def distinct_names(nodes: Sequence[PictureNode]) -> dict[str, str]:
    """Short name of each node; where several share one, the part before it is added."""
    short = {node.id: node.name if node.hidden else short_name(node.name)[0] for node in nodes}
    same = Counter((node.kind, short[node.id]) for node in nodes)
    names = {}
    for node in nodes:
        before = short_name(short_name(node.name)[1])[0] if same[node.kind, short[node.id]] > 1 else ""
        names[node.id] = f"{before}.{short[node.id]}" if before and not node.hidden else short[node.id]
    return names


def _column_edges(
    picture: Picture,
    layout: Layout,
    index: Mapping[str, int],
    rows: Mapping[str, tuple[ColumnInfo, ...]],
) -> list[dict[str, Any]]:
    """Column lines between open cards; one that ends in a closed card or a folded row is drawn to it, once."""
    row_of = {(i, c.name): n for i, shown in rows.items() for n, c in enumerate(shown)}
    found: dict[tuple[str, int, str, int, bool], dict[str, Any]] = {}
    for edge in picture.column_edges:
        if edge.src == edge.dst or edge.src not in index or edge.dst not in index:
            continue
        ends = [
            -1 if not column or not rows[i] else row_of.get((i, column), len(rows[i]))
            for i, column in ((edge.src, edge.src_column), (edge.dst, edge.dst_column))
        ]
        if ends == [-1, -1]:
            continue
        indirect = edge.type == "INDIRECT" or not edge.dst_column
        key = (edge.src, ends[0], edge.dst, ends[1], indirect)
        known = found.get(key)
        if known is not None and _BEST[known["certainty"]] <= _BEST[edge.certainty]:
            continue
        found[key] = {
            "a": index[edge.src],
            "ar": ends[0],
            "b": index[edge.dst],
            "br": ends[1],
            "indirect": indirect,
            "certainty": edge.certainty,
            "back": (edge.src, edge.dst) in layout.back,
            "via": [[v.x0, v.x1, round(v.y, 1)] for v in layout.vias.get((edge.src, edge.dst), ())],
        }
    return [found[key] for key in sorted(found)]
