"""Speed of cost: ``python -m benchmarks.cost [rows]``.

A FOCUS bill of a million rows (CSV, generated from the shapes of a real one) is imported and attributed, with the
memory that took; and the cost of 100,000 nodes is passed on over a million edges, by the compiled kernel and in Python.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

import lineage
from benchmarks.clock import Clock
from lineage.cost.allocation import network_of
from lineage.cost.importing import import_files
from lineage.cost.periods import month_of
from lineage.cost.share import share
from lineage.engine import Lineage
from lineage.store import Store

HEAD = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "EffectiveCost", "ListCost", "ProviderName", "RegionId",
    "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "SkuId", "SkuPriceId",
    "SubAccountId", "SubAccountName", "Tags",
)  # fmt: skip


def write_bill(path: Path, rows: int, seed: int = 1) -> None:
    """A month of hourly charges of 20,000 resources."""
    rng = np.random.default_rng(seed)
    resources, hours = rng.integers(0, 20_000, rows), rng.integers(0, 720, rows)
    cents = rng.integers(-50, 10**9, rows)
    apps = [json.dumps({"application": f"app{i}", "environment": "prod"}) for i in range(200)]
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEAD)
        for i, hour, amount in zip(resources.tolist(), hours.tolist(), cents.tolist(), strict=True):
            start = f"2026-06-{hour // 24 + 1:02d} {hour % 24:02d}:00:00"
            end = f"2026-06-{hour // 24 + 1:02d} {hour % 24:02d}:59:59"
            cost = f"{amount / 1e11:.11f}"
            writer.writerow(
                [
                    cost, "1234567890123", "SunBird", "USD", "2026-07-01 00:00:00", "2026-06-01 00:00:00", "Usage",
                    "NULL",
                    f"$0.40 per million requests in tier {i % 40}", "Usage-Based", end, start, "2.000000", "Requests",
                    cost, cost, cost, "AWS", "us-west-2", f"arn:aws:sqs:us-west-2:34741047:resource-{i:06d}", "NULL",
                    "Queue", "Integration", f"Service {i % 60}", f"SKU{i % 500}", f"SKU{i % 500}.JRTC", str(i % 90),
                    f"Team {i % 90}", apps[i % 200] if i % 3 else "NULL",
                ]
            )  # fmt: skip


def bill(rows: int) -> None:
    """Import and attribute."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bill.csv"
        write_bill(path, rows)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with Store.open(Path(folder) / "cost.duckdb") as store:
            with Clock() as imported:
                done = import_files(store, [path])
            with Clock() as attributed, lineage.open(store) as lx:
                report = lx.cost.report("domain", period="2026-06")
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"bill of {rows:,} rows, {path.stat().st_size / 1e6:.0f} MB")
        print(f"  imported    {imported}   {rows / imported.wall:,.0f} rows/s")
        print(f"  attributed  {attributed}")
        whole, cpu = imported.wall + attributed.wall, imported.cpu + attributed.cpu
        print(f"  in all      {whole:.2f} s ({cpu:.2f} s of CPU)   aim 20 s   memory +{more:.0f} MB")
        same = done.files[0].parts[0].billed == report.currencies[0].billed == report.currencies[0].allocated
        print(f"  billed = allocated: {same}")


def along_lineage(n: int = 100_000, m: int = 1_000_000, seed: int = 2) -> None:
    """Pass cost on."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, n, m), rng.integers(0, n, m)
    src, dst = np.minimum(a, b), np.maximum(a, b)
    back = rng.random(m) < 0.0001  # some cycles
    src, dst = np.where(back, dst, src), np.where(back, src, dst)
    weight = rng.integers(0, 10**12, m)
    own = dict(enumerate(rng.integers(-(10**12), 10**15, n).tolist()))
    print(f"allocation over {n:,} nodes and {m:,} edges")
    for name in (None, "plain"):
        with Clock() as spent:
            found = share(n, src, dst, weight, own, kernels=name)
        exact = sum(found.kept.values()) == sum(own.values())
        print(f"  {name or 'compiled':<11} {spent}   aim 2 s   conserved: {exact}")


_NODES = "INSERT INTO node SELECT hash('d' || i), 'dataset', 'db', 's.t' || i, '', NULL, $start FROM range($n) t(i)"
_EDGES = """
INSERT INTO edge BY NAME
SELECT hash('d' || least(a, b)) AS src, hash('d' || greatest(a, b)) AS dst, hash('job' || b) AS job,
  'lineage' AS kind, 'product' AS provenance, 'current' AS state, $start AS valid_from,
  TIMESTAMP '9999-12-31' AS valid_to, $start AS known_from, TIMESTAMP '9999-12-31' AS known_to
FROM (SELECT hash(i) % $n AS a, hash(i + $m) % $n AS b FROM range($m) t(i)) WHERE a <> b
"""


def from_the_store(n: int = 100_000, m: int = 1_000_000) -> None:
    """The same from the tables of a store: lineage of a month with its weights, then full and charged-back cost."""
    values: dict[str, Any] = {"n": n, "m": m, "start": datetime(2026, 6, 1)}  # noqa: DTZ001 - naive UTC like all stored times
    with Store.open(":memory:") as store:
        with store.transaction() as cursor:
            for sql in (_NODES, _EDGES):
                cursor.execute(sql, {name: value for name, value in values.items() if f"${name}" in sql})
        view = Lineage(store).view()
        own = dict(enumerate(np.random.default_rng(3).integers(-(10**12), 10**15, n).tolist()))
        with Clock() as spent:
            network = network_of(view, month_of(values["start"]))
            found = share(n, network.src, network.dst, network.weight, own)
        exact = sum(found.kept.values()) == sum(own.values())
        print(f"  from a store {spent}   aim 2 s   {len(network.src):,} edges   conserved: {exact}")


def main() -> None:
    """Print the figures."""
    bill(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    along_lineage()
    from_the_store()


if __name__ == "__main__":
    main()
