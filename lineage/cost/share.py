"""Cost passed on along lineage: who in the end pays for what (conserving, in whole units).

A node keeps a share of what it costs and of what it received, and passes the rest on to those that read it, by weight;
without readers it keeps all. Cycles are condensed: their nodes share what the cycle received, and what it keeps, by
their own cost. Each unit is either kept or passed on, so the kept parts sum to the own costs exactly. The *full* cost
of a node is its own and its share of what was received; it is not additive.

Source of the method: FinOps chargeback on an acyclic graph, with the largest-remainder rule for whole units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage.cost.money import split
from lineage.graph.analysis.flow import Flow
from lineage.graph.arrays import I64

ALL = 10**12  # a share of one
_LIMB, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)


@dataclass(frozen=True)
class Shares:
    """What came out: ``full`` and ``kept`` by vertex (those that have any).

    ``raw`` is what went over each edge, in the order given: 128-bit numbers as (low, high) 64-bit halves.
    """

    full: dict[int, int]
    kept: dict[int, int]
    raw: I64

    @property
    def flow(self) -> dict[int, int]:
        """What went over each edge that carried something, by position."""
        return _numbers(self.raw)

    def sums(self, group: npt.NDArray[np.int64]) -> dict[int, int]:
        """What went over the edges of each group, exactly; edges of a negative group are left out.

        >>> share(3, [0, 0], [1, 2], [3, 1], {0: 100}).sums(np.array([7, 7]))
        {7: 100}
        """
        picked = np.flatnonzero((group >= 0) & self.raw.any(axis=1))
        if not len(picked):
            return {}
        order = picked[np.argsort(group[picked], kind="stable")]
        names, first = np.unique(group[order], return_index=True)
        # Four limbs of 32 bits: their sums over fewer than 2^31 edges fit into 64 bits. The highest carries the sign.
        low, high = self.raw[order, 0].view(np.uint64), self.raw[order, 1]
        limbs = (low & _LIMB, low >> _SHIFT, high.view(np.uint64) & _LIMB, (high >> np.int64(32)).view(np.uint64))
        totals = [np.add.reduceat(limb.view(np.int64), first).tolist() for limb in limbs]
        return {int(g): a + (b << 32) + (c << 64) + (d << 96) for g, a, b, c, d in zip(names, *totals, strict=True)}


def share(
    n: int,
    src: npt.ArrayLike,
    dst: npt.ArrayLike,
    weight: npt.ArrayLike,
    own: Mapping[int, int],
    keep: npt.ArrayLike | int = 0,
    *,
    kernels: str | None = None,
) -> Shares:
    """Pass cost on.

    Parameters
    ----------
    n
        number of vertices.
    src, dst, weight
        edges and their weights, 0 … 10¹². A vertex whose edges all weigh 0 divides alike.
    own
        own cost of vertices, 10⁻¹² units, of either sign.
    keep
        which share a vertex that has readers keeps, 0 … 10¹²; one for all or one each. In a cycle the greatest counts.
    kernels
        ``"compiled"``, ``"plain"``, or ``None`` for the best there is.

    Examples
    --------
    >>> found = share(3, [0, 0], [1, 2], [3, 1], {0: 100, 1: 5})
    >>> found.kept, found.full
    ({1: 80, 2: 25}, {0: 100, 1: 80, 2: 25})
    """
    a, b = np.asarray(src, dtype=np.int64), np.asarray(dst, dtype=np.int64)
    order = np.argsort(a, kind="stable")
    flow = Flow.of_edges(n, a[order], b[order])
    weights = np.ascontiguousarray(np.asarray(weight, dtype=np.int64)[order])
    kept = np.ascontiguousarray(np.broadcast_to(np.asarray(keep, dtype=np.int64), (n,)))
    engine = None if kernels == "plain" else _engine()
    found = _compiled(engine, flow, weights, own, kept) if engine is not None else None
    if found is None:
        found = _plain(flow, weights, own, kept.tolist())
    raw = np.empty_like(found.raw)
    raw[order] = found.raw
    return Shares(found.full, found.kept, raw)


def _engine() -> object | None:
    try:
        from lineage.cost import _share
    except ImportError:
        return None
    return _share


def _compiled(engine: object, flow: Flow, weight: I64, own: Mapping[int, int], keep: I64) -> Shares | None:
    """By the compiled kernel; ``None`` when the amounts are too large for it."""
    found = flow.components
    try:
        raw = _pairs(flow.n, own)
        parts = engine.share(  # type: ignore[attr-defined]
            raw, keep, found.order, found.start, found.component, flow.indptr, flow.indices, weight
        )
    except OverflowError:
        return None
    full, kept, raw = (np.frombuffer(part, dtype=np.int64).reshape(-1, 2) for part in parts)
    return Shares(_numbers(full), _numbers(kept), raw)


def _numbers(pairs: I64) -> dict[int, int]:
    """The 128-bit numbers that are not zero, by position."""
    at = np.flatnonzero(pairs.any(axis=1))
    low = pairs[at, 0].astype(np.uint64).tolist()
    high = pairs[at, 1].tolist()
    return {int(i): (h << 64) | lo for i, lo, h in zip(at, low, high, strict=True)}


def _plain(flow: Flow, weight: I64, own: Mapping[int, int], keep: list[int]) -> Shares:
    """The same in Python, for amounts of any size and where no compiler was at hand."""
    found = flow.components
    order, start, component = found.order.tolist(), found.start.tolist(), found.component.tolist()
    begin, targets, weights = flow.indptr.tolist(), flow.indices.tolist(), weight.tolist()
    received: dict[int, int] = {}
    full: dict[int, int] = dict(own)
    kept: dict[int, int] = {}
    passed: dict[int, int] = {}
    for c in range(found.count):
        members = order[start[c] : start[c + 1]]
        edges = [e for v in members for e in range(begin[v], begin[v + 1]) if component[targets[e]] != c]
        mine = [own.get(v, 0) for v in members]
        got = sum(received.get(v, 0) for v in members)
        _among(full, members, mine, got)
        everything = sum(mine) + got
        stays = everything
        if edges:
            share_kept = max(keep[v] for v in members)
            stays = abs(everything) * share_kept // ALL * (1 if everything >= 0 else -1)
        _among(kept, members, mine, stays)
        if edges and everything != stays:
            for e, part in zip(edges, split(everything - stays, [weights[e] for e in edges]), strict=True):
                passed[e] = part
                received[targets[e]] = received.get(targets[e], 0) + part
    full, kept = ({key: part for key, part in sorted(found.items()) if part} for found in (full, kept))
    return Shares(full, kept, _pairs(flow.edges, passed))


def _pairs(n: int, amounts: Mapping[int, int]) -> I64:
    """Amounts as 128-bit numbers at their positions.

    Raises
    ------
    OverflowError
        when one does not fit.
    """
    pairs = np.zeros((n, 2), dtype=np.int64)
    raw = b"".join(amount.to_bytes(16, "little", signed=True) for amount in amounts.values())
    pairs[list(amounts)] = np.frombuffer(raw, dtype=np.int64).reshape(-1, 2)
    return pairs


def _among(into: dict[int, int], members: Sequence[int], own: Sequence[int], amount: int) -> None:
    """Divide an amount among the members of a component by their own cost."""
    if not amount:
        return
    weights = [max(0, cost) for cost in own]
    shift = max(0, max(weights).bit_length() - 39)
    parts = split(amount, [cost >> shift for cost in weights])
    for v, part in zip(members, parts, strict=True):
        into[v] = into.get(v, 0) + part
