"""Alias groups: which dataset identifiers mean the same dataset (semantics, "Identity").

Groups are the connected components of the evidence that is visible at one instant, found by union-find. A *veto* keeps
two identifiers apart for good: evidence between them is ignored, and where other evidence would still join them in a
roundabout way the weakest joining piece gives way. The result depends on the set of rows only, not on their order.

A member that hangs on its group only by evidence of basis ``rule`` (or on a member that does) is *soft*: edges at it
are at most probable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lineage.graph.arrays import I64, Bool

_STRENGTH = {"manual": 0, "symlink": 1, "rename": 2, "rule": 3}
_TYPE_RANK = {"TABLE": 0, "LOCATION": 2}
_FORMER = 3  # a name that was given up comes behind every other
_OTHER_TYPE = 1  # also the dataset that carries the evidence: the Hive hook names a table's path, not the reverse


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """Alias rows: positions ``a`` and ``b`` of two entities, ``basis`` and ``type`` of each row."""

    a: I64
    b: I64
    basis: Sequence[str]
    type: Sequence[str | None]


@dataclass(frozen=True, eq=False, slots=True)
class Groups:
    """``label[k]`` is the preferred member of the group of entity ``k`` (itself when it is alone)."""

    label: I64
    soft: Bool

    @property
    def trivial(self) -> bool:
        """Whether every entity is alone."""
        return bool((self.label == np.arange(len(self.label))).all())


def alias_groups(n: int, evidence: Evidence, text_rank: Any) -> Groups:
    """Group ``n`` entities by evidence.

    Parameters
    ----------
    n
        number of entities.
    evidence
        the rows visible at the instant.
    text_rank
        function from an array of entity positions to their ranks in text order.

    Examples
    --------
    >>> rows = Evidence(np.array([0, 1]), np.array([1, 2]), ["symlink", "rule"], ["TABLE", None])
    >>> groups = alias_groups(4, rows, lambda positions: positions)
    >>> groups.label.tolist(), groups.soft.tolist()
    ([1, 1, 1, 3], [False, False, True, False])
    """
    label = np.arange(n, dtype=np.int64)
    soft = np.zeros(n, dtype=bool)
    if not len(evidence.a):
        return Groups(label, soft)
    nodes, inverse = np.unique(np.concatenate([evidence.a, evidence.b]), return_inverse=True)
    a, b = inverse[: len(evidence.a)], inverse[len(evidence.a) :]
    basis = np.array(evidence.basis, dtype=object)
    strength = np.array([_STRENGTH.get(x, -1) for x in evidence.basis])
    joins = (strength >= 0) & (a != b)
    veto = [(int(x), int(y)) for x, y in zip(a[basis == "veto"], b[basis == "veto"], strict=True) if x != y]
    full = _partition(len(nodes), a[joins], b[joins], strength[joins], veto)
    hard = joins & (strength < _STRENGTH["rule"])
    firm = _partition(len(nodes), a[hard], b[hard], strength[hard], veto)
    ranks = _type_ranks(len(nodes), b, evidence.type, joins)
    ranks[b[basis == "rename"]] = _FORMER
    preferred = _preferred(full, ranks, text_rank(nodes))
    label[nodes] = nodes[preferred]
    soft[nodes] = firm != firm[preferred]
    return Groups(label, soft)


def components(n: int, a: I64, b: I64) -> I64:
    """Smallest member of the connected component of each of ``n`` nodes, for undirected edges ``a``-``b``.

    Hooking of larger roots under smaller ones with pointer jumping (Shiloach and Vishkin, 1982), vectorised.

    >>> components(5, np.array([3, 4]), np.array([1, 3])).tolist()
    [0, 1, 2, 1, 1]
    """
    label = np.arange(n, dtype=np.int64)
    while True:
        left, right = label[a], label[b]
        open_ = left != right
        if not open_.any():
            return label
        low, high = np.minimum(left[open_], right[open_]), np.maximum(left[open_], right[open_])
        np.minimum.at(label, high, low)
        while True:
            jumped = label[label]
            if (jumped == label).all():
                break
            label = jumped


def _partition(n: int, a: I64, b: I64, strength: I64, veto: list[tuple[int, int]]) -> I64:
    """Components under the vetoes; only components that a veto would cut are built piece by piece."""
    label = components(n, a, b)
    torn = {int(label[x]) for x, y in veto if label[x] == label[y]}
    for root in sorted(torn):
        inside = np.flatnonzero(label[a] == root)
        order = inside[np.lexsort((np.maximum(a, b)[inside], np.minimum(a, b)[inside], strength[inside]))]
        members = np.flatnonzero(label == root)
        pieces = _union_under_veto(members.tolist(), [(int(a[k]), int(b[k])) for k in order], veto)
        label[members] = [pieces[int(m)] for m in members]
    return label


def _union_under_veto(members: list[int], pairs: list[tuple[int, int]], veto: list[tuple[int, int]]) -> dict[int, int]:
    """Union-find that refuses each union which would bring a vetoed pair together; strongest evidence first."""
    root = {m: m for m in members}
    inside = {m: {m} for m in members}
    enemies: dict[int, set[int]] = {m: set() for m in members}
    for x, y in veto:
        if x in enemies and y in enemies:
            enemies[x].add(y)
            enemies[y].add(x)
    for x, y in pairs:
        low, high = sorted((root[x], root[y]))
        if low == high or enemies[low] & inside[high]:
            continue
        inside[low] |= inside[high]
        enemies[low] |= enemies[high]
        for member in inside[high]:
            root[member] = low
    return root


def _type_ranks(n: int, b: I64, types: Sequence[str | None], joins: Bool) -> I64:
    """Rank of each node by what evidence calls it: a TABLE first, a mere LOCATION last."""
    rank = np.full(n, _OTHER_TYPE, dtype=np.int64)
    told = np.array([_TYPE_RANK.get((t or "").upper(), _OTHER_TYPE) for t in types], dtype=np.int64)[joins]
    np.maximum.at(rank, b[joins], told)
    rank[b[joins][told == _TYPE_RANK["TABLE"]]] = _TYPE_RANK["TABLE"]
    return rank


def _preferred(label: I64, type_rank: I64, text_rank: I64) -> I64:
    """For each node the preferred member of its group."""
    order = np.lexsort((text_rank, type_rank, label))
    first = np.ones(len(order), dtype=bool)
    first[1:] = label[order][1:] != label[order][:-1]
    best = np.empty(len(label), dtype=np.int64)
    best[label[order[first]]] = order[first]
    return best[label]
