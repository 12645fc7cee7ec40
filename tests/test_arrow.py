"""Arrow columns to numpy and back by their buffers, beside what pyarrow itself makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.arrow import FEW, array_of, array_of_texts, coded, numbers, texts_at

KINDS = [pa.int8(), pa.uint8(), pa.int32(), pa.uint64(), pa.float64(), pa.bool_(), pa.timestamp("us"), pa.date32()]
TEXTS = st.lists(st.none() | st.text(max_size=4), max_size=12)


@st.composite
def columns(draw: st.DrawFn) -> pa.ChunkedArray:
    """A column in some pieces, each a slice out of a longer one, with NULL in some of them."""
    kind = draw(st.sampled_from(KINDS))
    value = st.booleans() if pa.types.is_boolean(kind) else st.integers(0, 100)
    pieces = []
    for values in draw(st.lists(st.lists(st.none() | value, max_size=20), max_size=3)):
        cut = draw(st.integers(0, len(values)))
        pieces.append(pa.array(values, pa.int64() if pa.types.is_date(kind) else None, from_pandas=False))
        pieces[-1] = (pieces[-1].cast(pa.int32()).view(kind) if pa.types.is_date(kind) else pieces[-1].cast(kind))[cut:]
    return pa.chunked_array(pieces, kind)


@given(columns())
def test_numbers_are_those_of_pyarrow(column: pa.ChunkedArray) -> None:
    found, known = numbers(column), column.to_numpy()
    if pa.types.is_boolean(column.type) and column.null_count:
        known = known.astype(np.float64)
    np.testing.assert_array_equal(found, known)
    assert found.dtype == known.dtype or (not len(column) and not column.num_chunks)


@given(columns())
def test_null_is_what_is_asked_for(column: pa.ChunkedArray) -> None:
    zero: Any = 0 if numbers(column).dtype.kind not in "M" else np.datetime64("1970-01-01")
    missing = np.array(column.is_null().to_pylist(), bool)
    found = numbers(column, zero)
    assert (found[missing] == zero).all()
    np.testing.assert_array_equal(found[~missing], numbers(column)[~missing])


def test_decimals_are_numbers_and_texts_are_none() -> None:
    assert numbers(pa.array([1, None]).cast(pa.decimal128(21, 1))).tolist()[0] == 1.0
    assert (
        numbers(pa.array([0], pa.timestamp("us", "Europe/Berlin"))).tolist()
        == numbers(pa.array([0], pa.timestamp("us"))).tolist()
    )
    with pytest.raises(TypeError, match="string is no column of numbers"):
        numbers(pa.array(["a"]))


@given(st.lists(st.tuples(st.integers(0, 255), st.booleans()), max_size=40))
def test_an_array_comes_back(values: list[tuple[int, bool]]) -> None:
    number, mask = np.array([v for v, _ in values], np.uint8), np.array([m for _, m in values], bool)
    masked = array_of(number, mask)
    masked.validate(full=True)
    assert masked.to_pylist() == [None if hidden else value for value, hidden in values]
    assert array_of(number).to_pylist() == number.tolist()
    assert array_of(mask).to_pylist() == mask.tolist()
    assert array_of(number[::2]).to_pylist() == number[::2].tolist()


@given(TEXTS)
def test_texts_come_back(texts: list[str | None]) -> None:
    made = array_of_texts(texts)
    made.validate(full=True)
    assert made.to_pylist() == texts


@given(TEXTS, TEXTS)
def test_codes_stand_for_texts(one: list[str | None], other: list[str | None]) -> None:
    column = pa.chunked_array([one, other], pa.string())
    codes, texts = coded(column)
    assert [texts[code] for code in codes.tolist()] == column.to_pylist()
    assert len(texts) == len(set(texts))
    back = np.arange(len(column))[::-1]
    codes, texts = coded(column, back)
    assert [texts[code] for code in codes.tolist()] == column.to_pylist()[::-1]
    assert texts_at(column, back) == column.to_pylist()[::-1]


def test_many_texts_are_coded_and_taken_alike() -> None:
    column = pa.chunked_array([pa.array([None, "a", "b", "a"] * 6_000)] * 2)
    codes, texts = coded(column)
    assert texts == [None, "a", "b"] and codes.tolist() == [0, 1, 2, 1] * 12_000
    some = np.arange(0, len(column), 3)
    assert len(some) > FEW and texts_at(column, some) == column.to_pylist()[::3]
    codes, texts = coded(column, np.arange(len(column))[::-1])
    assert [texts[code] for code in codes[:4]] == ["a", "b", "a", None]
