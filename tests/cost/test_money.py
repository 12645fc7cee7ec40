"""Amounts are read exactly, and parts sum to the whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.cost.money import MoneyError, money_text, parse_money, split
from lineage.cost.share import share

AMOUNTS = st.integers(-(10**24), 10**24)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("1e-7", 100_000),
        ("12,5", 12_500_000_000_000),
        ("-0.00", 0),
        ("1,234.5", 1_234_500_000_000_000),
        (".5", 5 * 10**11),
    ],
)
def test_odd_ways_of_writing_an_amount_are_read_exactly(text: str, units: int) -> None:
    assert parse_money(text)[0] == units


@pytest.mark.parametrize("text", ["", "abc", "1,234", "NaN", "inf", "1.2.3", "1e999", "12 EUR"])
def test_what_is_no_amount_or_could_be_two_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_money(text)


@given(AMOUNTS)
def test_an_amount_as_text_is_read_as_the_same_amount(amount: int) -> None:
    assert parse_money(money_text(amount)) == (amount, None)
    assert Decimal(money_text(amount)) * 10**12 == amount


@given(AMOUNTS, st.lists(st.integers(0, 10**12), min_size=1, max_size=20))
def test_parts_of_an_amount_sum_to_it_and_keep_its_sign(amount: int, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert sum(parts) == amount
    assert all(part * amount >= 0 for part in parts)


@st.composite
def _meshes(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, int]], dict[int, int], list[int]]:
    n = draw(st.integers(1, 10))
    node = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(node, node, st.sampled_from([0, 1, 7, 10**12])), max_size=25))
    own = draw(st.dictionaries(node, AMOUNTS, max_size=n))
    keep = draw(st.lists(st.sampled_from([0, 0, 3 * 10**11, 10**12]), min_size=n, max_size=n))
    return n, edges, own, keep


@settings(max_examples=50)
@given(_meshes())
def test_charged_back_cost_sums_to_own_cost_on_any_graph_by_both_kernels(
    mesh: tuple[int, list[tuple[int, int, int]], dict[int, int], list[int]],
) -> None:
    n, edges, own, keep = mesh
    src, dst, weight = ([edge[i] for edge in edges] for i in range(3))
    found = share(n, src, dst, weight, own, keep)
    plain = share(n, src, dst, weight, own, keep, kernels="plain")
    assert sum(found.kept.values()) == sum(own.values())
    assert (found.full, found.kept, found.flow) == (plain.full, plain.kept, plain.flow)
    for node in range(n):  # what comes in and is own is kept or goes out, but for what moves inside a cycle
        if not any(a != b and {a, b} <= _cycle(n, edges, node) for a, b, _ in edges):
            into = sum(part for e, part in found.flow.items() if dst[e] == node)
            out = sum(part for e, part in found.flow.items() if src[e] == node)
            assert own.get(node, 0) + into == found.kept.get(node, 0) + out


def _cycle(n: int, edges: list[tuple[int, int, int]], node: int) -> set[int]:
    """Nodes that are both up and down of a node, with itself."""

    def reach(ways: list[tuple[int, int]]) -> set[int]:
        seen, todo = {node}, [node]
        while todo:
            here = todo.pop()
            for a, b in ways:
                if a == here and b not in seen:
                    seen.add(b)
                    todo.append(b)
        return seen

    down = [(a, b) for a, b, _ in edges]
    return reach(down) & reach([(b, a) for a, b in down])


def test_sums_of_flows_are_exact_for_both_signs() -> None:
    import numpy as np

    found = share(4, [0, 1], [2, 3], [1, 1], {0: 10**23, 1: -(10**23) - 7})
    assert found.sums(np.array([5, 5])) == {5: -7}
