"""Order and height inside a layered drawing: lanes, barycentre sweeps, isotonic regression."""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Sequence

Edge = tuple[int, int]
SWEEPS = 6


def lane_order(n: int, pairs: Sequence[Edge]) -> list[int]:
    """Position of each lane so that lines between lanes are short (local search by moving one lane at a
    time).

    >>> lane_order(3, [(0, 2), (0, 2), (2, 1)])
    [2, 0, 1]
    """
    weight = [[0] * n for _ in range(n)]
    for a, b in pairs:
        if a != b:
            weight[a][b] += 1
            weight[b][a] += 1
    order = list(range(n))
    improved = True
    while improved:
        improved = False
        for lane in range(n):
            rest = [other for other in order if other != lane]
            costs = _insertion_costs(lane, rest, weight)
            best = min(range(n), key=costs.__getitem__)
            if costs[best] < costs[order.index(lane)]:
                order, improved = [*rest[:best], lane, *rest[best:]], True
    position = [0] * n
    for i, lane in enumerate(order):
        position[lane] = i
    return position


def _insertion_costs(lane: int, rest: Sequence[int], weight: Sequence[Sequence[int]]) -> list[int]:
    """How long all lines are with a lane at each place among the others, but for what is the same at all places.

    From one place to the next the lane passes one other: lines of both get longer by 1 on one side and shorter on the
    other.
    """
    own = [weight[lane][other] for other in rest]
    above, below = 0, sum(own)
    costs = [sum(k * w for k, w in enumerate(own, 1))]
    for i, (other, between) in enumerate(zip(rest, own, strict=True)):
        below -= between
        of_other = weight[other]
        passed = sum(of_other[k] for k in rest[i + 1 :]) - sum(of_other[k] for k in rest[:i])
        costs.append(costs[-1] + above - below + passed)
        above += between
    return costs


def rank_orders(rank: Sequence[int], band: Sequence[int], links: Sequence[Edge]) -> list[list[int]]:
    """Items of each rank from top to bottom: by lane, inside a lane with few crossings.

    Barycentre sweeps there and back; the order with the fewest crossings wins, the earliest among equals.
    """
    left, right = _neighbours(len(rank), links)
    orders: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for item in sorted(range(len(rank)), key=lambda i: (band[i], i)):
        orders[rank[item]].append(item)
    best, fewest = [list(order) for order in orders], _crossings(orders, right)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        _sweep(orders, band, left if downwards else right, downwards)
        crossings = _crossings(orders, right)
        if crossings < fewest:
            best, fewest = [list(order) for order in orders], crossings
        if not fewest:
            break
    return best


def _sweep(orders: list[list[int]], band: Sequence[int], neighbours: list[list[int]], forwards: bool) -> None:
    place: dict[int, float] = {}
    for order in orders:
        place.update((item, (i + 0.5) / len(order)) for i, item in enumerate(order))
    for order in orders if forwards else reversed(orders):
        centre = {
            item: sum(place[j] for j in neighbours[item]) / len(neighbours[item]) if neighbours[item] else place[item]
            for item in order
        }
        order.sort(key=lambda item: (band[item], centre[item]))
        place.update((item, (i + 0.5) / len(order)) for i, item in enumerate(order))


def _neighbours(n: int, links: Sequence[Edge]) -> tuple[list[list[int]], list[list[int]]]:
    left: list[list[int]] = [[] for _ in range(n)]
    right: list[list[int]] = [[] for _ in range(n)]
    for a, b in links:
        left[b].append(a)
        right[a].append(b)
    return left, right


def _crossings(orders: list[list[int]], right: list[list[int]]) -> int:
    total = 0
    for order, following in itertools.pairwise(orders):
        place = {item: i for i, item in enumerate(following)}
        seen: list[int] = []
        for item in order:
            ends = sorted(place[j] for j in right[item])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def lane_tops(
    orders: Sequence[Sequence[int]],
    band: Sequence[int],
    height: Sequence[float],
    gap: Sequence[float],
    links: Sequence[Edge],
) -> list[float]:
    """Upper edge of each item, counted from the top of its lane.

    Each lane is solved on its own. Per rank the wish of an item is the mean height of its neighbours in the
    same lane; :func:`isotonic` finds the heights nearest to the wishes that keep order and gaps.
    """
    left, right = _neighbours(len(band), [(a, b) for a, b in links if band[a] == band[b]])
    middle = [0.0] * len(band)
    groups: list[list[int]] = []
    for order in orders:
        for number in sorted({band[item] for item in order}):
            group = [item for item in order if band[item] == number]
            groups.append(group)
            y = 0.0
            for item in group:
                middle[item] = y + height[item] / 2
                y += height[item] + gap[item]
    sides = [left, right, left, right]
    for turn in range(len(sides) + 2):
        for group in groups if turn % 2 == 0 else reversed(groups):
            near = [sides[turn][i] if turn < len(sides) else left[i] + right[i] for i in group]
            _settle(group, near, middle, height, gap)
    lowest: dict[int, float] = {}
    for item, number in enumerate(band):
        top = middle[item] - height[item] / 2
        lowest[number] = min(lowest.get(number, top), top)
    return [middle[i] - height[i] / 2 - lowest[number] for i, number in enumerate(band)]


def _settle(
    group: list[int],
    near: list[list[int]],
    middle: list[float],
    height: Sequence[float],
    gap: Sequence[float],
) -> None:
    offsets, wishes, weights = [], [], []
    offset = 0.0
    for item, neighbours in zip(group, near, strict=True):
        wish = sum(middle[j] for j in neighbours) / len(neighbours) if neighbours else middle[item]
        offset += height[item] / 2
        offsets.append(offset)
        wishes.append(wish - offset)
        weights.append(float(len(neighbours)) or 0.05)
        offset += height[item] / 2 + gap[item]
    for item, value, offset in zip(group, isotonic(wishes, weights), offsets, strict=True):
        middle[item] = value + offset


def isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Non-decreasing sequence nearest to ``values`` in weighted least squares (pool adjacent violators).

    >>> isotonic([3.0, 1.0, 4.0], [1.0, 1.0, 1.0])
    [2.0, 2.0, 4.0]
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        mean, total, length = value, weight, 1
        while blocks and blocks[-1][0] > mean:
            before, heavy, count = blocks.pop()
            mean = (before * heavy + mean * total) / (heavy + total)
            total, length = heavy + total, length + count
        blocks.append((mean, total, length))
    return [mean for mean, _, length in blocks for _ in range(length)]
