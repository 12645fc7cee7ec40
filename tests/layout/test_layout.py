"""The layout is a pure function: these properties hold for every picture."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.lineage_graph.layout import CARD_GAP, Layout, Via, lay_out
from lineage.pictured import Picture, PictureEdge, PictureNode
from lineage.times import EPOCH


def make_picture(domains: list[int], pairs: list[tuple[int, int]]) -> Picture:
    nodes = tuple(
        PictureNode(f"dataset:db:t{i:03d}", "dataset", "db", f"t{i:03d}", f"domain {d}", None, 0, "both")
        for i, d in enumerate(domains)
    )
    edges = tuple(PictureEdge(nodes[a].id, nodes[b].id, "explicit", "certain") for a, b in pairs)
    return Picture(nodes[0].id, nodes, edges, (), EPOCH, EPOCH, False)


@st.composite
def pictures(draw: st.DrawFn, most: int = 24) -> tuple[Picture, dict[str, int]]:
    """Pictures with cycles, self-loops, lonely nodes, up to five domains, and open cards of any height."""
    domains = draw(st.lists(st.integers(0, 4), min_size=1, max_size=most))
    index = st.integers(0, len(domains) - 1)
    pairs = draw(st.lists(st.tuples(index, index), max_size=3 * len(domains), unique=True))
    picture = make_picture(domains, pairs)
    rows = draw(st.lists(st.integers(0, 11), min_size=len(domains), max_size=len(domains)))
    return picture, {node.id: n for node, n in zip(picture.nodes, rows, strict=True)}


def line(layout: Layout, src: str, dst: str) -> list[tuple[float, float]]:
    """Points on the drawn line: curves of the component between ports and corridors of the layout."""
    a, b = layout.boxes[src], layout.boxes[dst]
    x, y = a.x + a.w, a.y + 23.0
    points = [(x, y)]
    for via in (*layout.vias[(src, dst)], Via(b.x, b.x, b.y + 23.0)):
        points += curve(x, y, via.x0, via.y, 30.0 if x == a.x + a.w else -30.0)
        x, y = via.x1, via.y
        points += [(via.x0 + (x - via.x0) * t / 8, y) for t in range(9)]
    return points


def curve(x0: float, y0: float, x1: float, y1: float, bulge: float) -> list[tuple[float, float]]:
    """The Bézier of the component (``curve`` in model.js): an S between ranks, a C beside one rank."""
    c0 = c1 = x0 + bulge if x0 == x1 else (x0 + x1) / 2
    steps = [t / 16 for t in range(17)]
    return [
        (
            (1 - t) ** 3 * x0 + 3 * (1 - t) ** 2 * t * c0 + 3 * (1 - t) * t**2 * c1 + t**3 * x1,
            (1 - t) ** 3 * y0 + 3 * (1 - t) ** 2 * t * y0 + 3 * (1 - t) * t**2 * y1 + t**3 * y1,
        )
        for t in steps
    ]


def overlaps(layout: Layout) -> list[tuple[str, str]]:
    boxes = sorted(layout.boxes.items(), key=lambda item: item[1].x)
    found = []
    for i, (name, a) in enumerate(boxes):
        for other, b in boxes[i + 1 :]:
            if b.x >= a.x + a.w:
                break
            if a.y < b.y + b.h and b.y < a.y + a.h:
                found.append((name, other))
    return found


@settings(max_examples=150, deadline=None)
@given(pictures(), st.booleans())
def test_no_two_cards_overlap(drawn: tuple[Picture, dict[str, int]], lanes: bool) -> None:
    picture, rows = drawn
    layout = lay_out(picture, rows, lanes=lanes)
    assert set(layout.boxes) == {node.id for node in picture.nodes}
    assert overlaps(layout) == []


@settings(max_examples=150, deadline=None)
@given(pictures(), st.booleans())
def test_no_line_runs_behind_a_foreign_card(drawn: tuple[Picture, dict[str, int]], lanes: bool) -> None:
    picture, rows = drawn
    layout = lay_out(picture, rows, lanes=lanes)
    for src, dst in layout.vias:
        for x, y in line(layout, src, dst):
            for name, box in layout.boxes.items():
                inside = box.x + 0.01 < x < box.x + box.w - 0.01 and box.y < y < box.y + box.h
                assert not inside or name in (src, dst), f"{src} → {dst} passes {name} at {x}, {y}"


@settings(max_examples=80, deadline=None)
@given(pictures(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(drawn: tuple[Picture, dict[str, int]], shuffler: random.Random) -> None:
    picture, rows = drawn
    nodes, edges = list(picture.nodes), list(picture.edges)
    shuffler.shuffle(nodes)
    shuffler.shuffle(edges)
    turned = replace(picture, nodes=tuple(nodes), edges=tuple(edges))
    assert lay_out(turned, rows) == lay_out(picture, rows)
    assert lay_out(turned, rows, map_above=0) == lay_out(picture, rows, map_above=0)


@settings(max_examples=80, deadline=None)
@given(pictures())
def test_data_flows_from_left_to_right_but_for_edges_that_close_a_cycle(
    drawn: tuple[Picture, dict[str, int]],
) -> None:
    picture, rows = drawn
    layout = lay_out(picture, rows)
    for src, dst in layout.vias:
        assert (layout.boxes[src].x < layout.boxes[dst].x) != ((src, dst) in layout.back)


@settings(max_examples=80, deadline=None)
@given(pictures())
def test_every_card_lies_in_the_lane_of_its_domain_and_lanes_do_not_overlap(
    drawn: tuple[Picture, dict[str, int]],
) -> None:
    picture, rows = drawn
    for map_above in (0, 300):
        layout = lay_out(picture, rows, map_above=map_above)
        lanes = {lane.domain: lane for lane in layout.lanes}
        assert sum(lane.cards for lane in layout.lanes) == len(picture.nodes)
        for node in picture.nodes:
            box, lane = layout.boxes[node.id], lanes[node.domain]
            assert lane.x <= box.x and box.x + box.w <= lane.x + lane.w
            assert lane.y <= box.y and box.y + box.h <= lane.y + lane.h
        for i, a in enumerate(layout.lanes):
            for b in layout.lanes[i + 1 :]:
                apart = a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y
                assert apart


def test_a_chain_is_a_straight_line() -> None:
    layout = lay_out(make_picture([0, 0, 0], [(0, 1), (1, 2)]))
    assert len({box.y for box in layout.boxes.values()}) == 1


def test_a_jump_over_a_rank_gets_a_corridor_beside_the_card_between() -> None:
    layout = lay_out(make_picture([0, 0, 0], [(0, 1), (1, 2), (0, 2)]))
    (via,) = layout.vias[("dataset:db:t000", "dataset:db:t002")]
    between = layout.boxes["dataset:db:t001"]
    assert via.x0 == between.x
    assert not between.y - CARD_GAP / 2 < via.y < between.y + between.h


def test_edges_of_one_source_share_one_chain() -> None:
    layout = lay_out(make_picture([0] * 5, [(0, 1), (1, 2), (2, 3), (0, 3), (0, 2)]))
    long, short = (layout.vias[("dataset:db:t000", f"dataset:db:t00{i}")] for i in (3, 2))
    assert long[: len(short)] == short


def test_above_the_limit_the_picture_becomes_a_map_without_overlap() -> None:
    shuffler = random.Random(7)
    domains = [i * 7919 % 20 for i in range(900)]
    pairs = [(i, min(899, i + 1 + shuffler.randrange(60))) for i in range(899)]
    layout = lay_out(make_picture(domains, pairs))
    assert layout.kind == "map"
    assert overlaps(layout) == []
    assert 0.5 < layout.width / layout.height < 4


def test_an_empty_picture_has_an_empty_layout() -> None:
    layout = lay_out(replace(make_picture([0], []), nodes=()))
    assert (layout.boxes, layout.lanes) == ({}, ())
