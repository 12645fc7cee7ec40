"""How many vertices every vertex reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lineage.errors import UsageError
from lineage.graph.analysis.flow import Flow
from lineage.graph.arrays import U64

Method = Literal["bitset", "walk", "sketch"]
BUDGET = 20_000_000_000  # elementary steps (a word of a bitset, an edge of a search) an exact answer may take: seconds
_MEMORY = 1 << 29  # bytes for all sketches
_SAMPLE = 256
_WORDS_PER_EDGE = 8  # of 64 bits that one sweep merges along an edge
_STEP_COST = 12  # an edge of a search costs as much as this many words: it jumps about


@dataclass(frozen=True, slots=True)
class Reach:
    """Sum of the weights of what each vertex reaches, itself left out.

    ``error`` is the standard relative error: 0 for the exact methods, 1.04 / √registers for sketches.
    """

    count: U64
    method: Method
    error: float


def reach(flow: Flow, *, method: Method | None = None, budget: int = BUDGET) -> Reach:
    """How much every vertex reaches, exactly where that is affordable.

    On the condensation either one sweep for each 512 targets (bitset) or one search from each component (walk), which
    is cheaper by a sample of 256 searches; beyond the budget HyperLogLog sketches (Flajolet et al. 2007), merged along
    the edges in one pass. Ancestors: ``reach(flow.turned)``.

    Parameters
    ----------
    method
        the method; default: choose.
    budget
        elementary steps an exact answer may take.

    Examples
    --------
    >>> reach(Flow.of_edges(4, [0, 1, 2, 2], [1, 2, 1, 3])).count.tolist()
    [3, 2, 2, 0]
    """
    if method not in (None, "bitset", "walk", "sketch"):
        raise UsageError(f"method: “{method}” is none of bitset, walk, sketch.")
    small, found = flow.condensation.flow, flow.components
    method = method or _choose(small, budget)
    error = 0.0
    if not flow.n:
        return Reach(np.zeros(0, np.uint64), method, 0.0)
    if method == "sketch":
        total, error = _sketched(flow)
    else:
        ask = small.engine.reach_bitset if method == "bitset" else small.engine.reach_walk
        total = np.frombuffer(ask(small.indptr, small.indices, small.weight), np.uint64)
    count = total[found.component]
    return Reach(count - np.minimum(count, flow.weight.astype(np.uint64)), method, error)


def _choose(small: Flow, budget: int) -> Method:
    """The cheaper exact method, or sketches when both are too dear."""
    targets = int(np.count_nonzero(small.weight))
    bitset = -(-targets // 512) * (small.n + small.edges) // 2 * _WORDS_PER_EDGE
    rng = np.random.default_rng(0)
    sample = rng.integers(0, max(small.n, 1), _SAMPLE if small.n else 0).astype(np.uint32)
    if bitset <= 50_000_000:
        return "bitset"
    steps = int(small.engine.reach_effort(small.indptr, small.indices, sample)) * small.n // _SAMPLE
    walk = steps * _STEP_COST
    if min(bitset, walk) > budget:
        return "sketch"
    return "bitset" if bitset <= walk else "walk"


def _sketched(flow: Flow) -> tuple[U64, float]:
    """Estimates by component, and their standard error."""
    small, found = flow.condensation.flow, flow.components
    registers = next((r for r in (1024, 256, 64) if small.n * r <= _MEMORY), 64)
    bits = registers.bit_length() - 1
    hashed = _mix(np.arange(flow.n, dtype=np.uint64))
    place = (hashed >> np.uint64(64 - bits)).astype(np.int64)
    tail = (hashed << np.uint64(bits)) | np.uint64((1 << bits) - 1)
    height = (65 - np.ceil(np.log2(tail.astype(np.float64) + 1))).clip(1, 64).astype(np.uint8)
    counted = flow.weight > 0
    sketches = np.zeros((small.n, registers), dtype=np.uint8)
    np.maximum.at(sketches, (found.component[counted], place[counted]), height[counted])
    merged = small.engine.reach_sketch(small.indptr, small.indices, sketches)
    rows = np.frombuffer(merged, np.uint8).reshape(small.n, registers)
    return _estimate(rows, registers), 1.04 / registers**0.5


def _mix(values: U64) -> U64:
    """Well-spread 64 bits for each number (splitmix64, Steele et al. 2014)."""
    x = values * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _estimate(rows: Any, registers: int) -> U64:
    """Cardinalities from registers, with linear counting for small ones."""
    alpha = 0.7213 / (1 + 1.079 / registers) if registers >= 128 else 0.709
    power = np.exp2(-np.arange(66, dtype=np.float32))
    answer = np.empty(len(rows), dtype=np.uint64)
    for begin in range(0, len(rows), 1 << 16):
        part = rows[begin : begin + (1 << 16)]
        raw = alpha * registers**2 / power[part].sum(axis=1, dtype=np.float64)
        empty = (part == 0).sum(axis=1)
        linear = registers * np.log(registers / np.maximum(empty, 1))
        answer[begin : begin + len(part)] = np.rint(np.where((raw <= 2.5 * registers) & (empty > 0), linear, raw))
    return answer


def descendants_count(flow: Flow, **options: Any) -> Reach:
    """How many vertices are downstream of each; :func:`reach`."""
    return reach(flow, **options)


def ancestors_count(flow: Flow, **options: Any) -> Reach:
    """How many vertices are upstream of each; :func:`reach` of the turned graph."""
    return reach(flow.turned, **options)
