"""The Merkle tree of RFC 6962 (section 2.1): roots, inclusion proofs and consistency proofs.

Pure functions over leaf hashes. The same definitions, in the same words, are in the ``verify.py`` of an evidence pack,
which must not need this package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

EMPTY = hashlib.sha256(b"").digest()  # root of a tree without leaves

RangeRoot = Callable[[int, int], bytes]  # root of the leaves start … end - 1


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes.

    >>> root([]).hex()[:16]
    'e3b0c44298fc1c14'
    >>> root([leaf_hash(b"")]).hex()[:16]
    '6e340b9cffb37a98'
    """
    if not leaves:
        return EMPTY
    if not len(leaves) & len(leaves) - 1:
        return _whole(leaves)
    stack: list[tuple[int, bytes]] = []  # (number of leaves, root) of complete subtrees, largest first
    for leaf in leaves:
        count, top = 1, leaf
        while stack and stack[-1][0] == count:
            count, top = count * 2, node_hash(stack.pop()[1], top)
        stack.append((count, top))
    top = stack.pop()[1]
    while stack:
        top = node_hash(stack.pop()[1], top)
    return top


def _whole(row: Sequence[bytes]) -> bytes:
    """Root over a power of two of hashes, level by level: what most of a large tree is made of."""
    sha256 = hashlib.sha256
    while len(row) > 1:
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def split(size: int) -> int:
    """Number of leaves left of the top: the largest power of two below ``size`` (``size`` ≥ 2)."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, range_root: RangeRoot) -> list[bytes]:
    """Hashes that lead from leaf ``index`` to the root of the first ``size`` leaves, bottom first.

    Parameters
    ----------
    index, size
        0 ≤ ``index`` < ``size``.
    range_root
        root of a run of leaves; called for O(log size) runs.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not among {size}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            proof.append(range_root(middle, end))
            end = middle
        else:
            proof.append(range_root(start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, range_root: RangeRoot) -> list[bytes]:
    """Hashes that show that the tree of ``new`` leaves begins with the tree of ``old`` leaves.

    Parameters
    ----------
    old, new
        0 < ``old`` ≤ ``new``.
    """
    if not 0 < old <= new:
        raise ValueError(f"no tree of {new} leaves begins with one of {old}")
    proof: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + split(end - start)
        if old <= middle:
            proof.append(range_root(middle, end))
            end = middle
        else:
            proof.append(range_root(start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(range_root(start, end))
    return proof[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Root that a proof leads to, ``None`` when the proof has the wrong shape (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    at, last, top = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            top = node_hash(step, top)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            top = node_hash(top, step)
        at, last = at >> 1, last >> 1
    return top if last == 0 else None


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree with ``new_root`` begins with that of ``old_root`` (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, step)
        at, last = at >> 1, last >> 1
    return first == old_root and second == new_root and last == 0
