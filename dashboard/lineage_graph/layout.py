"""Where every card of the lineage picture stands: a pure function from a picture to positions.

The drawing is layered (Sugiyama, Tagawa, Toda 1981): cycles are cut, ranks are longest paths, edges that
jump over ranks get a chain of dummy cards so that no line ever runs behind a card it has nothing to do
with, ranks are ordered by barycentres and the heights solved by isotonic regression. Domains are horizontal
lanes. Above :data:`MAP_ABOVE` cards strict layers become a needle nobody can read, so the picture turns
into a mesh map: one block per domain, packed.

The result depends on the *set* of nodes and edges alone, not on their order, so one link draws one picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dashboard.lineage_graph.mesh_map import pack
from dashboard.lineage_graph.order import lane_order, lane_tops, rank_orders
from dashboard.lineage_graph.ranks import Chains, chains, cut_cycles, ranks
from lineage.pictured import Picture

CARD_WIDTH = 184.0
CARD_HEAD = 46.0  # height of a card without column rows
ROW = 22.0
ROWS_END = 6.0  # room under the last row
COLUMN_GAP = 70.0  # between two ranks; all vertical movement of lines happens in here
CARD_GAP = 18.0
DUMMY = 12.0
LANE_HEAD = 33.0
LANE_END = 14.0
LANE_GAP = 10.0
MARGIN = 52.0
MAP_ABOVE = 300


@dataclass(frozen=True, slots=True)
class Box:
    """Place of one card: upper left corner and size in picture units (1 unit = 1 CSS pixel at zoom 1)."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Via:
    """A free corridor of a line: in at ``(x0, y)``, straight to ``(x1, y)``; backward when ``x1 < x0``."""

    x0: float
    x1: float
    y: float


@dataclass(frozen=True, slots=True)
class Lane:
    """Band (or block of the mesh map) of one domain."""

    domain: str
    x: float
    y: float
    w: float
    h: float
    cards: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions of a whole picture. ``back``: edges that close a cycle, drawn from right to left."""

    kind: Literal["layers", "map"]
    boxes: Mapping[str, Box]
    vias: Mapping[tuple[str, str], tuple[Via, ...]]
    lanes: tuple[Lane, ...]
    back: frozenset[tuple[str, str]]
    width: float
    height: float


def card_height(rows: int) -> float:
    """Height of a card that shows ``rows`` column rows.

    >>> card_height(0), card_height(2)
    (46.0, 96.0)
    """
    return CARD_HEAD + (rows * ROW + ROWS_END if rows else 0.0)


def lay_out(
    picture: Picture, rows: Mapping[str, int] | None = None, *, lanes: bool = True, map_above: int = MAP_ABOVE
) -> Layout:
    """Place the cards of ``picture``.

    Parameters
    ----------
    picture
        nodes and edges; column edges count as edges of their datasets.
    rows
        column rows shown per node id; nodes that are not named show none.
    lanes
        one band per domain; otherwise one common area.
    map_above
        number of cards above which the mesh map is drawn.

    Returns
    -------
    Layout
        a box for every node, corridors for every edge between two different nodes.
    """
    ids = sorted({node.id for node in picture.nodes})
    domain = {node.id: node.domain for node in picture.nodes}
    at = {node_id: i for i, node_id in enumerate(ids)}
    pairs = {(e.src, e.dst) for e in picture.edges} | {(e.src, e.dst) for e in picture.column_edges}
    edges = sorted((at[a], at[b]) for a, b in pairs if a != b and a in at and b in at)
    back = cut_cycles(len(ids), edges)
    forward = [edge for edge in edges if edge not in back]
    rank = ranks(len(ids), forward)
    if len(ids) > map_above:
        return _map(ids, [domain[i] for i in ids], rank, edges)
    heights = [card_height((rows or {}).get(node_id, 0)) for node_id in ids]
    of_lane = [domain[i] if lanes else "" for i in ids]
    return _layers(ids, of_lane, heights, rank, chains(rank, forward, sorted(back)), lanes)


def _layers(
    ids: list[str], of_lane: list[str], heights: list[float], rank: list[int], links: Chains, lanes: bool
) -> Layout:
    names = _upstream_first(of_lane, rank)
    lane_of_id = [names.index(name) for name in of_lane]
    item_lane = lane_of_id + [lane_of_id[owner] for owner in links.owner]
    item_height = heights + [DUMMY] * len(links.owner)
    item_rank = rank + links.rank
    position = lane_order(len(names), [(item_lane[a], item_lane[b]) for a, b in links.links])
    item_band = [position[lane] for lane in item_lane]
    orders = rank_orders(item_rank, item_band, links.links)
    gaps = [CARD_GAP if item < len(ids) else DUMMY for item in range(len(item_height))]
    tops = lane_tops(orders, item_band, item_height, gaps, links.links)

    step = CARD_WIDTH + COLUMN_GAP
    width = MARGIN * 2 + max(item_rank, default=0) * step + CARD_WIDTH
    bands: list[Lane] = []
    shift: dict[int, float] = {}
    y = 0.0
    for band in range(len(names)):
        members = [i for i, b in enumerate(item_band) if b == band]
        name = names[position.index(band)]
        head, end = (LANE_HEAD, LANE_END) if lanes else (LANE_END, LANE_END)
        height = max((tops[i] + item_height[i] for i in members), default=0.0) + head + end
        shift[band] = y + head
        if lanes:
            bands.append(Lane(name, 0.0, y, width, height, sum(1 for i in members if i < len(ids))))
        y += height + LANE_GAP
    top = [tops[i] + shift[item_band[i]] for i in range(len(tops))]
    left = [MARGIN + item_rank[i] * step for i in range(len(tops))]
    boxes = {node_id: Box(left[i], top[i], CARD_WIDTH, heights[i]) for i, node_id in enumerate(ids)}
    vias = {
        (ids[a], ids[b]): tuple(_via(left[d], top[d] + DUMMY / 2, (a, b) in links.back) for d in path)
        for (a, b), path in links.paths.items()
    }
    back = frozenset((ids[a], ids[b]) for a, b in links.back)
    return Layout("layers", boxes, vias, tuple(bands), back, width, max(y - LANE_GAP, 0.0))


def _upstream_first(of_lane: list[str], rank: list[int]) -> list[str]:
    """Lane names by the mean rank of their cards: data tends to flow from the upper left downwards."""
    of_name: dict[str, list[int]] = {}
    for name, level in zip(of_lane, rank, strict=True):
        of_name.setdefault(name, []).append(level)
    return sorted(of_name, key=lambda name: (sum(of_name[name]) / len(of_name[name]), name))


def _via(left: float, y: float, backward: bool) -> Via:
    right = left + CARD_WIDTH
    return Via(right, left, y) if backward else Via(left, right, y)


def _map(ids: list[str], domains: list[str], rank: list[int], edges: list[tuple[int, int]]) -> Layout:
    places, blocks, width, height = pack(domains, rank)
    boxes = {node_id: Box(*places[i]) for i, node_id in enumerate(ids)}
    lanes = tuple(Lane(name, *block) for name, block in blocks)
    vias = {(ids[a], ids[b]): () for a, b in edges}
    return Layout("map", boxes, vias, lanes, frozenset(), width, height)
