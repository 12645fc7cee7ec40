"""Identity: one id for one key, and every way to read a node text."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lineage.identity import KINDS, NodeKey, digest, digest64, node_id, run_key, splits

# Colons, slashes and few letters: texts that collide when parts are joined carelessly.
awkward = st.text(alphabet=":/.ab", max_size=8)
any_text = st.one_of(awkward, st.text(max_size=20))
keys = st.builds(
    lambda kind, namespace, name, field: NodeKey(kind, namespace, name, field if kind == "column" else ""),
    st.sampled_from(KINDS),
    any_text,
    any_text,
    any_text,
)


@given(keys, keys)
@example(NodeKey("dataset", "a", "b:c"), NodeKey("dataset", "a:b", "c"))
@example(NodeKey("dataset", "a", "b"), NodeKey("job", "a", "b"))
@example(NodeKey("column", "a", "b", ""), NodeKey("dataset", "a", "b"))
@example(NodeKey("column", "", "ab", "c"), NodeKey("column", "a", "b", "c"))
def test_two_keys_never_share_an_id(one: NodeKey, other: NodeKey) -> None:
    assume(one != other)
    assert one.id != other.id


@given(keys)
def test_an_id_is_an_unsigned_64_bit_number(key: NodeKey) -> None:
    assert 0 <= key.id < 2**64


def test_an_id_is_the_same_on_every_machine() -> None:
    # Computed once by hand: SHA-256 over 4-byte lengths and parts, first 8 bytes. A change here breaks every database.
    assert node_id("dataset", "ns", "name") == int.from_bytes(bytes.fromhex("903b84dc5e8aded7"), "big")
    assert NodeKey("job", "ns", "name").id != NodeKey("dataset", "ns", "name").id


def test_the_field_counts_for_columns_only() -> None:
    assert node_id("dataset", "a", "b", "ignored") == node_id("dataset", "a", "b")
    assert node_id("column", "a", "b", "c") != node_id("column", "a", "b", "d")


@given(st.lists(any_text, max_size=4), st.lists(any_text, max_size=4))
@example(["a", "bc"], ["ab", "c"])
@example([], [""])
def test_a_digest_tells_tuples_apart_that_join_to_the_same_text(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


def test_text_and_its_utf8_bytes_have_one_digest() -> None:
    assert digest64("é") == digest64("é".encode())


def test_lone_surrogates_have_an_id_too() -> None:
    assert node_id("dataset", "ns", "\ud800") != node_id("dataset", "ns", "\ud801")


def test_one_run_id_under_two_jobs_is_two_runs() -> None:
    assert run_key("r", "ns", "one") != run_key("r", "ns", "two")
    assert run_key("r", "a", "b:c") != run_key("r", "a:b", "c")


@given(keys)
@example(NodeKey("dataset", "", "no namespace"))
@example(NodeKey("column", "postgres://db:5432", "shop.public.orders", "address.zip:code"))
def test_splits_of_a_text_hold_the_key_it_was_made_from(key: NodeKey) -> None:
    found = list(splits(key.text))
    assert key in found
    assert len(found) == len(set(found))


@given(keys)
def test_every_split_reads_back_as_the_same_text(key: NodeKey) -> None:
    assert {split.text for split in splits(key.text)} == {key.text}


def test_marquez_spelling_of_columns_is_understood() -> None:
    assert list(splits("datasetField:file:/a.csv:x")) == list(splits("column:file:/a.csv:x"))


@pytest.mark.parametrize(
    "text", ["", "orders", "dataset", "dataset:", "dataset:only-one-part", "column:a:b", "run:a:b"]
)
def test_what_is_no_node_text_has_no_split(text: str) -> None:
    assert list(splits(text)) == []
