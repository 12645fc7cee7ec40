"""A seeded generator of layered data meshes, the shape of the graphs that lineage makes.

Layers (source, staging, intermediate, mart, product, dashboard), domains of power-law size, 15 % of reads across
domains, power-law hubs, a few very wide jobs, 0.08 % feedback edges; the columns of a dataset derive from those of its
inputs, and a few filter all rows.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SHARES = (0.22, 0.24, 0.22, 0.16, 0.08, 0.08)
LAYERS = ("source", "staging", "intermediate", "mart", "product", "dashboard")
CROSS_DOMAIN = 0.15
FEEDBACK = 0.0008
PROBABLE, STALE = 0.12, 0.03
MICROSECOND = 1_700_000_000_000_000


@dataclass(frozen=True)
class Mesh:
    """Datasets ``0 … n - 1``; edges as positions; columns as (dataset, number)."""

    layer: npt.NDArray[np.uint8]
    domain: npt.NDArray[np.uint32]
    src: npt.NDArray[np.uint32]
    dst: npt.NDArray[np.uint32]
    certainty: npt.NDArray[np.uint8]
    column_dataset: npt.NDArray[np.uint32]
    column_src: npt.NDArray[np.uint32]
    column_dst: npt.NDArray[np.uint32]  # at or above the number of columns: all rows of a dataset
    indirect: npt.NDArray[np.bool_]

    ids: npt.NDArray[np.uint64]  # node ids of the datasets, then of the columns

    @property
    def n(self) -> int:
        return len(self.layer)

    def tables(self, seed: int = 0) -> dict[str, pa.Table]:
        """Arrow tables as the queries of ``lineage.graph.sql`` give them."""
        rng = np.random.default_rng(seed)
        dataset_ids, column_ids = self.ids[: self.n], self.ids[self.n :]
        number = np.arange(self.n)
        entities = pa.table(
            {
                "id": dataset_ids,
                "job": np.zeros(self.n, np.uint8),
                "namespace": _texts(self.domain % 200, [f"postgres://warehouse-{d}:5432" for d in range(200)]),
                "name": pa.array(
                    [
                        f"domain{d}.{LAYERS[k]}.table_{i}"
                        for d, k, i in zip(self.domain.tolist(), self.layer.tolist(), number.tolist(), strict=True)
                    ]
                ),
            }
        )
        columns = pa.table(
            {
                "id": column_ids,
                "dataset": dataset_ids[self.column_dataset],
                "field": _texts(np.arange(len(column_ids)) % 97, [f"column_{k}" for k in range(97)]),
            }
        )
        everything = np.concatenate([column_ids, dataset_ids])
        edges = self._edges(rng, dataset_ids[self.src], dataset_ids[self.dst], self.certainty)
        edges = edges.append_column("kind", pa.array(np.zeros(len(self.src), np.uint8)))
        m = len(self.column_src)
        column_edges = self._edges(rng, column_ids[self.column_src], everything[self.column_dst], np.zeros(m, np.uint8))
        for name, values in (
            ("indirect", self.indirect.astype(np.uint8)),
            ("masking", np.zeros(m, bool)),
            ("type", _texts(self.indirect, ["DIRECT", "INDIRECT"])),
            ("subtype", _texts(self.indirect, ["IDENTITY", "FILTER"])),
        ):
            column_edges = column_edges.append_column(name, pa.array(values))
        none = pa.array([], pa.uint64())
        text = pa.array([], pa.string())
        aliases = pa.table({"a": none, "b": none, "type": text, "basis": text})
        return {
            "entities": entities,
            "columns": columns,
            "aliases": aliases,
            "edges": edges,
            "column_edges": column_edges,
        }

    @staticmethod
    def _edges(
        rng: np.random.Generator,
        src: npt.NDArray[np.uint64],
        dst: npt.NDArray[np.uint64],
        certainty: npt.NDArray[np.uint8],
    ) -> pa.Table:
        order = rng.permutation(len(src))
        certainty = certainty[order]
        return pa.table(
            {
                "src": src[order],
                "dst": dst[order],
                "job": np.zeros(len(src), np.uint64),
                "provenance": np.where(certainty == 1, 5, 0).astype(np.uint8),
                "stale": (certainty == 2).astype(np.uint8),
                "valid_from": MICROSECOND + rng.integers(0, 10**12, len(src)),
            }
        )


def _texts(codes: npt.NDArray[Any], texts: list[str]) -> pa.Array:
    """Texts by their codes, without a Python object for each."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(texts)).cast(pa.string())


def distinct_ids(rng: np.random.Generator, count: int) -> npt.NDArray[np.uint64]:
    """As many different random ids."""
    ids = np.unique(rng.integers(1, 2**64 - 1, count + count // 1000 + 10, dtype=np.uint64))
    return rng.permutation(ids)[:count]


def mesh(datasets: int, *, reads: float = 4.0, columns: float = 0, derived: float = 0.2, seed: int = 1) -> Mesh:
    """A mesh.

    Parameters
    ----------
    datasets
        how many.
    reads
        mean number of inputs of a dataset that is no source.
    columns
        mean number of columns of a dataset; 0 for none.
    derived
        share of the columns of a dataset that are made of each of its inputs.
    """
    rng = np.random.default_rng(seed)
    bounds = np.cumsum([0, *(int(s * datasets) for s in SHARES[:-1])])
    bounds = np.append(bounds, datasets)
    layer = np.repeat(np.arange(6, dtype=np.uint8), np.diff(bounds))
    domain = (rng.pareto(1.1, datasets) * 3).astype(np.uint32) % max(datasets // 50, 4)
    by_domain = [np.lexsort((np.arange(b - a), domain[a:b])) + a for a, b in itertools.pairwise(bounds)]
    sources, targets = [], []
    for k in range(1, 6):
        low, high = bounds[k], bounds[k + 1]
        dst = np.repeat(np.arange(low, high), np.minimum(rng.geometric(1 / reads, high - low), 400))
        m = len(dst)
        # one layer back, sometimes further, sometimes within the layer (always from a smaller number: no cycles yet)
        back = np.where(rng.random(m) < 0.25, rng.integers(0, k, m), np.where(rng.random(m) < 0.25, k, k - 1))
        src = np.empty(m, np.int64)
        for of in range(k + 1):
            pick = np.flatnonzero(back == of)
            src[pick] = _choose(rng, by_domain[of], domain, domain[dst[pick]])
        swap = src > dst
        src[swap], dst[swap] = dst[swap], src[swap]
        sources.append(src)
        targets.append(dst)
    src, dst = np.concatenate(sources), np.concatenate(targets)
    keep = src != dst
    src, dst = src[keep], dst[keep]
    back_edges = rng.random(len(src)) < FEEDBACK
    src[back_edges], dst[back_edges] = dst[back_edges], src[back_edges]
    pairs = np.unique((src.astype(np.uint64) << np.uint64(32)) | dst.astype(np.uint64))
    src, dst = (pairs >> np.uint64(32)).astype(np.uint32), (pairs & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    shade = rng.random(len(src))
    certainty = np.where(shade < STALE, 2, np.where(shade < STALE + PROBABLE, 1, 0)).astype(np.uint8)
    shuffle = rng.permutation(datasets).astype(np.uint32)
    parts = _columns(rng, datasets, src, dst, columns, derived)
    inverse = np.argsort(shuffle)
    ids = distinct_ids(rng, datasets + len(parts[0]))
    flow = (shuffle[src], shuffle[dst], certainty)
    return Mesh(layer[inverse], domain[inverse], *flow, shuffle[parts[0]], *parts[1:], ids)


def _choose(
    rng: np.random.Generator,
    order: npt.NDArray[np.int64],
    domain: npt.NDArray[np.uint32],
    wanted: npt.NDArray[np.uint32],
) -> npt.NDArray[np.int64]:
    """A dataset to read for each reader: mostly of its domain, a few of them hubs that many read."""
    domains = domain[order]
    low, high = np.searchsorted(domains, wanted), np.searchsorted(domains, wanted, side="right")
    m = len(wanted)
    size = np.where(high > low, high - low, len(order))
    low = np.where(high > low, low, 0)
    skew = np.where(rng.random(m) < 0.3, 3.0, 1.0)
    own = low + (rng.random(m) ** skew * size).astype(np.int64)
    cross = (rng.random(m) ** 2.5 * len(order)).astype(np.int64)
    return order[np.where(rng.random(m) < CROSS_DOMAIN, cross, own)]


def _columns(
    rng: np.random.Generator,
    datasets: int,
    src: npt.NDArray[np.uint32],
    dst: npt.NDArray[np.uint32],
    mean: float,
    derived: float,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
    """Columns of datasets, column edges along dataset edges, and which of them only filter."""
    if not mean:
        none = np.zeros(0, np.uint32)
        return none, none, none, none.astype(bool)
    width = np.clip(rng.geometric(1 / mean, datasets), 5, 120)
    start = np.concatenate([[0], np.cumsum(width)])
    dataset = np.repeat(np.arange(datasets, dtype=np.uint32), width)
    per_edge = np.maximum((width[dst] * derived).astype(np.int64), 1)
    edge = np.repeat(np.arange(len(src)), per_edge)
    column_src = start[src[edge]] + (rng.random(len(edge)) * width[src[edge]]).astype(np.int64)
    column_dst = start[dst[edge]] + (rng.random(len(edge)) * width[dst[edge]]).astype(np.int64)
    filtering = np.flatnonzero(rng.random(len(src)) < 0.15)
    rows = start[-1] + dst[filtering].astype(np.int64)
    keys = start[src[filtering]] + (rng.random(len(filtering)) * width[src[filtering]]).astype(np.int64)
    indirect = np.concatenate([rng.random(len(edge)) < 0.05, np.ones(len(filtering), bool)])
    return (
        dataset,
        np.concatenate([column_src, keys]).astype(np.uint32),
        np.concatenate([column_dst, rows]).astype(np.uint32),
        indirect,
    )
