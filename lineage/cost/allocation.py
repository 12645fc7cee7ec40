"""Own, charged-back and full cost of every node for a period: attribution, then along lineage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lineage.arrow import numbers
from lineage.cost.attribution import Attribution, attribute
from lineage.cost.money import MAX_WEIGHT
from lineage.cost.periods import Period
from lineage.cost.products import Product, products
from lineage.cost.share import Shares, share
from lineage.graph.arrays import I64

if TYPE_CHECKING:
    from lineage.cost.rules import Rules
    from lineage.view import View

_EDGES = """
-- pairs of datasets (or jobs) between which data flowed at any time of a period, as known at K
SELECT DISTINCT src, dst FROM edge
WHERE kind = 'lineage' AND src <> dst AND known_from <= $known AND known_to > $known
  AND valid_from < $end AND valid_to > $start
"""
_USE = """
-- what was read of a dataset to write another, in the runs of a period, as known at K
SELECT i.dataset, o.dataset, coalesce(sum(i.byte_count), 0)::BIGINT, count(*), count(i.byte_count)
FROM run_io i JOIN run_io o ON o.run = i.run AND o.job = i.job AND o.direction = 'out'
WHERE i.direction = 'in' AND i.dataset <> o.dataset AND i.last_at >= $start AND i.seen_at < $end
  AND i.known_from <= $known AND i.known_to > $known AND o.known_from <= $known AND o.known_to > $known
GROUP BY i.dataset, o.dataset
"""


@dataclass(frozen=True)
class Network:
    """Lineage as money flows along it: edges between dense indices, and what each weighs (0 … 10¹²)."""

    src: I64
    dst: I64
    weight: I64


@dataclass(frozen=True)
class Allocation:
    """Everything about a period in one metric. ``full`` and ``charged`` are by currency."""

    attribution: Attribution
    products: Mapping[str, Product]
    network: Network
    own: Mapping[str, Mapping[int | str, int]]
    full: Mapping[str, Shares]  # every node passes all on: ``full`` is own + inherited
    charged: Mapping[str, Shares]  # nodes keep what the rules say: ``kept`` is charged back

    @property
    def period(self) -> Period:
        """The period."""
        return self.attribution.period


def allocate(view: View, period: Period, metric: str) -> Allocation:
    """Attribute the bills of a period and pass their cost on along lineage."""
    known = products(view)
    found = attribute(view, period, metric, known)
    network = network_of(view, period)
    keep = _keep(view, found.rules, known)
    own = {currency: found.own(currency) for currency in found.currencies()}
    full: dict[str, Shares] = {}
    charged: dict[str, Shares] = {}
    for currency, amounts in own.items():
        nodes = dict(sorted(_nodes(amounts)))
        full[currency] = share(view.snapshot.n, network.src, network.dst, network.weight, nodes)
        same = not keep.any()
        charged[currency] = (
            full[currency] if same else share(view.snapshot.n, network.src, network.dst, network.weight, nodes, keep)
        )
    return Allocation(found, known, network, own, full, charged)


def _nodes(amounts: Mapping[int | str, int]) -> list[tuple[int, int]]:
    return [(key, amount) for key, amount in amounts.items() if isinstance(key, int)]


def network_of(view: View, period: Period) -> Network:
    """Edges of a period with weights: bytes read where all readers of a dataset told them, else reads, else alike."""
    when = {"known": view.known_at, "start": period.start, "end": period.stop}
    edges = view.store.arrow(_EDGES, when)
    src, dst = (view.snapshot.indices(numbers(edges.column(i))) for i in (0, 1))
    inside = (src >= 0) & (dst >= 0) & (src != dst)
    key = np.sort((src[inside] << 32) | dst[inside])  # then the first of each: np.unique hashes, which takes far longer
    key = key[np.r_[True, key[1:] != key[:-1]]] if len(key) else key
    src, dst = key >> 32, key & 0xFFFFFFFF
    use = view.store.arrow(_USE, when)
    uses = [view.snapshot.indices(numbers(use.column(i))) for i in (0, 1)]
    size, reads, told = (numbers(use.column(i)).astype(np.int64) for i in (2, 3, 4))
    at = np.searchsorted(key, (uses[0] << 32) | uses[1])
    hit = (at < len(key)) & (uses[0] >= 0) & (uses[1] >= 0)
    hit[hit] = key[at[hit]] == ((uses[0] << 32) | uses[1])[hit]
    columns = [np.zeros(len(key), dtype=np.int64) for _ in range(3)]
    for column, values in zip(columns, (size, reads, told), strict=True):
        np.add.at(column, at[hit], values[hit])
    return Network(src, dst, _weights(src, *columns))


def _weights(src: I64, size: I64, reads: I64, told: I64) -> I64:
    """One weight per edge; ``src`` ascends. What one dataset's readers are weighed by is the same for all of them."""
    if not len(src):
        return np.zeros(0, dtype=np.int64)
    first = np.flatnonzero(np.r_[True, src[1:] != src[:-1]])
    count = np.diff(np.r_[first, len(src)])
    by_bytes = np.repeat(np.logical_and.reduceat((told == reads) & (reads > 0), first), count)
    by_reads = np.repeat(np.add.reduceat(reads, first) > 0, count)
    weight = np.where(by_bytes, size, np.where(by_reads, reads, 1))
    top = np.repeat(np.maximum.reduceat(weight, first), count)
    scaled: I64 = np.maximum(0, weight // (top // MAX_WEIGHT + 1)).astype(np.int64)
    return scaled


def _keep(view: View, rules: Rules, known: Mapping[str, Product]) -> I64:
    """Share that each node keeps of what it costs: products' ports by agreement, the others by default."""
    keep = np.full(view.snapshot.n, rules.keep_default, dtype=np.int64)
    agreed = dict(rules.agreements)
    for product in known.values():
        keep[list(product.inside)] = 0
    for product in known.values():
        keep[list(product.ports)] = agreed.get(product.name, rules.keep_ports)
    return keep
