"""The mesh map: one block per domain, cards packed by rank, blocks packed in rows.

For hundreds to thousands of datasets. Lines are no guide at this size, position is: a domain is a block,
and inside it data flows from left to right.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

CELL_WIDTH = 132.0
CELL_HEIGHT = 26.0
CELL_GAP = 6.0
RANK_GAP = 22.0
BLOCK_HEAD = 56.0
BLOCK_PAD = 20.0
BLOCK_GAP = 36.0
ASPECT = 1.6  # width to height of one block and of the whole map
STRETCHES = (1.0, 1.2, 1.45, 1.75, 2.1, 2.5, 3.0)  # widths of the rows that are tried, best shape wins

Place = tuple[float, float, float, float]
Block = tuple[float, float, float, float, int]


def pack(domains: Sequence[str], rank: Sequence[int]) -> tuple[list[Place], list[tuple[str, Block]], float, float]:
    """Place cards ``0..n-1``.

    Parameters
    ----------
    domains, rank
        domain and rank of each card.

    Returns
    -------
    places
        x, y, width, height of each card.
    blocks
        name and (x, y, width, height, number of cards) of each domain; largest first, equal ones by name.
    width, height
        size of the map.
    """
    members: dict[str, list[int]] = {}
    for i, name in enumerate(domains):
        members.setdefault(name, []).append(i)
    shapes = {name: _block(cards, rank) for name, cards in members.items()}
    order = sorted(shapes, key=lambda name: (-len(members[name]), name))
    area = sum((w + BLOCK_GAP) * (h + BLOCK_GAP) for _, w, h in shapes.values())
    least = max([sqrt(area * ASPECT), *(w for _, w, _ in shapes.values())], default=0.0)
    sizes = {name: (w, h) for name, (_, w, h) in shapes.items()}
    tried = [_shelves(order, sizes, least * stretch) for stretch in STRETCHES]
    corners, width, height = min(tried, key=lambda found: max(found[1] / ASPECT, found[2]))
    places: list[Place] = [(0.0, 0.0, 0.0, 0.0)] * len(domains)
    blocks: list[tuple[str, Block]] = []
    for name in order:
        offsets, w, h = shapes[name]
        x, y = corners[name]
        for i, (dx, dy) in offsets.items():
            places[i] = (x + dx, y + dy, CELL_WIDTH, CELL_HEIGHT)
        blocks.append((name, (x, y, w, h, len(members[name]))))
    return places, blocks, width, height


def _shelves(
    order: Sequence[str], sizes: dict[str, tuple[float, float]], row_width: float
) -> tuple[dict[str, tuple[float, float]], float, float]:
    """Upper left corner of each block in rows of at most ``row_width``, and the size of all."""
    corners: dict[str, tuple[float, float]] = {}
    x = y = row_height = width = 0.0
    for name in order:
        w, h = sizes[name]
        if x and x + w > row_width:
            x, y, row_height = 0.0, y + row_height + BLOCK_GAP, 0.0
        corners[name] = (x, y)
        width, row_height = max(width, x + w), max(row_height, h)
        x += w + BLOCK_GAP
    return corners, width, y + row_height


def _block(cards: Sequence[int], rank: Sequence[int]) -> tuple[dict[int, tuple[float, float]], float, float]:
    """Offsets of the cards of one domain inside its block, and the size of the block."""
    step_x, step_y = CELL_WIDTH + CELL_GAP, CELL_HEIGHT + CELL_GAP
    per_column = max(4, ceil(sqrt(len(cards) * step_x / step_y / ASPECT)))
    offsets: dict[int, tuple[float, float]] = {}
    x, tallest = BLOCK_PAD, 0
    for column in _columns(cards, rank, per_column // 2):
        for number, i in enumerate(column):
            offsets[i] = (
                x + number // per_column * step_x,
                BLOCK_HEAD + number % per_column * step_y,
            )
        tallest = max(tallest, min(len(column), per_column))
        x += ceil(len(column) / per_column) * step_x + RANK_GAP
    width = x - RANK_GAP - CELL_GAP + BLOCK_PAD
    return offsets, width, BLOCK_HEAD + tallest * step_y - CELL_GAP + BLOCK_PAD


def _columns(cards: Sequence[int], rank: Sequence[int], least: int) -> list[list[int]]:
    """Cards by rank; a thin rank is joined with the next until ``least`` cards stand together."""
    columns: list[list[int]] = []
    level = None
    for i in sorted(cards, key=lambda i: (rank[i], i)):
        if not columns or (rank[i] != level and len(columns[-1]) >= least):
            columns.append([])
        columns[-1].append(i)
        level = rank[i]
    return columns
