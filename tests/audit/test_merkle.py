"""The Merkle tree against the test vectors of Certificate Transparency, and its proofs against each other."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.audit.merkle import (
    EMPTY,
    consistency_proof,
    consistent,
    inclusion_proof,
    leaf_hash,
    root,
    root_from_inclusion,
)

# inputs and roots of certificate-transparency-go, merkle tests
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


@pytest.mark.parametrize(("size", "expected"), ROOTS.items())
def test_roots_are_those_of_the_published_vectors(size: int, expected: str) -> None:
    assert root([leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]).hex() == expected


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root([]) == EMPTY == hashlib.sha256(b"").digest()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 300), st.data())
def test_every_leaf_proves_to_be_in_the_tree_and_no_other_leaf_does(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, lambda start, end: root(leaves[start:end]))
    assert root_from_inclusion(leaves[index], index, size, proof) == root(leaves)
    assert root_from_inclusion(leaf_hash(b"forged"), index, size, proof) != root(leaves)
    if proof:
        assert root_from_inclusion(leaves[index], index, size, proof[:-1]) != root(leaves)
        assert root_from_inclusion(leaves[index], index, size, [*proof, proof[0]]) is None


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 300), st.data())
def test_a_longer_log_proves_to_begin_with_a_shorter_one_and_with_no_other(new: int, data: st.DataObject) -> None:
    leaves = leaves_of(new)
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, lambda start, end: root(leaves[start:end]))
    before, after = root(leaves[:old]), root(leaves)
    assert consistent(old, new, before, after, proof)
    forged = [*leaves[: old - 1], leaf_hash(b"forged")]
    assert not consistent(old, new, root(forged), after, proof)
    assert not consistent(old, new, before, root([*leaves, b"x" * 32]), proof)
