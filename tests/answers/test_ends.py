"""Texts are found by their ends as by looking at each of them, scanned or in order, few or many."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.engine import Lineage
from lineage.errors import UnknownNodeError
from lineage.graph import ends
from lineage.graph.ends import Ends
from tests.answers.builder import World

texts = st.text(st.sampled_from("ab:._é日"), max_size=6)
rows = st.lists(st.tuples(texts, texts), max_size=40)


def by_looking(names: list[tuple[str, str]], end: str) -> list[list[int]]:
    levels: list[list[int]] = [[], [], []]
    for place, (namespace, name) in enumerate(names):
        text = f"{namespace}:{name}"
        if not text.endswith(end):
            continue
        if end in (text, name):
            levels[0].append(place)
        else:
            levels[2 if re.match(r"\w", text[-len(end) - 1]) else 1].append(place)
    return levels


@given(rows, texts.filter(bool))
def test_an_end_is_found_where_looking_at_each_text_finds_it(names: list[tuple[str, str]], end: str) -> None:
    columns = [pa.array([pair[k] for pair in names], pa.string()) for k in (0, 1)]
    expected = by_looking(names, end)
    for small, few in ((0, 64), (10**6, 64), (10**6, 0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ends, "_SMALL", small)
            patch.setattr(ends, "_FEW", few)
            index = Ends(*columns)
            for _ in range(2):  # scanned the first time, in order the second
                assert [sorted(level.tolist()) for level in index.find(end)] == expected


def test_the_order_is_made_when_a_second_question_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "_SMALL", 0)
    index = Ends(pa.array(["a.b", "c.b"]))
    index.find("b")
    assert not index.ready
    index.find("b")
    assert index.ready


def test_half_a_letter_is_the_end_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "_SMALL", 0)
    index = Ends(pa.array(["a.b"]))
    for _ in range(2):
        assert [len(level) for level in index.find("\ud83d")] == [0, 0, 0]


def test_columns_of_very_many_datasets_are_found_by_their_path(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for k in range(4):
        world.dataset(f"shop.t{k}s", "id")
    world.alias(world.dataset("/t/1s", "total", namespace="hdfs"), world.dataset("shop.t1s", "id", "total"))
    lx = Lineage(world.store)
    for many in (500, 1):
        monkeypatch.setattr(ends, "_MANY", many)
        assert lx.show("s:total").id == "column:pg:shop.t1s:total"
        assert lx.show("1s:id").id == "column:pg:shop.t1s:id"
        assert lx.show("/t/1s.id").id == "column:pg:shop.t1s:id"
        with pytest.raises(UnknownNodeError) as caught:
            lx.show("s.id")
        assert caught.value.candidates == [f"column:pg:shop.t{k}s:id" for k in range(4)]


def test_a_new_name_is_found_in_the_next_state(world: World) -> None:
    world.dataset("shop.orders")
    lx = Lineage(world.store)
    assert lx.show("orders").id == "dataset:pg:shop.orders"
    world.dataset("stock.orders")
    _ = world.store  # writes what waits
    with pytest.raises(UnknownNodeError) as caught:
        lx.show("orders")
    assert caught.value.ambiguous


def test_the_ends_of_names_stay_while_only_labels_change(world: World) -> None:
    world.dataset("shop.orders")
    lx = Lineage(world.store)
    before = lx.view().instant.ends
    world.domain("sales", "shop.*")
    _ = world.store
    assert lx.view().instant.ends is before
    world.dataset("stock.orders")
    _ = world.store
    assert lx.view().instant.ends is not before
