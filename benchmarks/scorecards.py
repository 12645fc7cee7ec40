"""Speed of scorecards, policies over many edges, and the audit log; part of ``python -m benchmarks.governance``."""

from __future__ import annotations

import json
import os
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pyarrow as pa

import lineage
from benchmarks import yearly
from lineage.audit.log import Entry, record_all
from lineage.audit.signing import SigningKey
from lineage.audit.tree import Tree
from lineage.identity import NodeKey, digest64
from lineage.scorecards.answers import Score
from lineage.scorecards.history import keep
from lineage.scorecards.metrics import METRICS
from lineage.store import Store, bump_version
from lineage.times import OPEN_END

YEAR = 365
Timed = Callable[..., None]


def scorecards(store: Store, timed: Timed) -> None:
    """A year worked out day by day in one sweep while the mesh changes every day, and a year that was kept."""
    yearly.fill(store)
    lx = lineage.open(store)
    begin, end = yearly.BEGIN, yearly.BEGIN + timedelta(days=YEAR)
    found = []
    timed("a year of daily scorecards, worked out", 60_000,
          lambda: found.append(lx.scorecards.history("domain", start=begin, end=end)))  # fmt: skip
    print(f"  {len(found[0].points):,} figures; {yearly.described()}")
    day = begin + timedelta(days=200)
    start = time.perf_counter()
    report = lx.scorecards.report("domain", as_of=day + timedelta(days=1))
    print(f"  one of these days by itself: {time.perf_counter() - start:.1f} s")
    told = [(p.metric, p.scope, p.numerator, p.denominator, p.value) for p in found[0].points if p.day == day]
    assert told == [(s.metric, s.scope, s.numerator, s.denominator, s.value) for s in report.scores]
    figures = [Score(one.id, "domain", f"d{k}", 1, 2, 0.5, one.unit) for one in METRICS for k in range(20)]
    for back in range(1, YEAR + 1):
        keep(store, figures, end - timedelta(days=back), "bench")
    timed("a year of scorecards that were kept", 60_000, lambda: lx.scorecards.history("domain", start=begin, end=end))


def policies(store: Store, timed: Timed) -> None:
    """Masking of personal data over all column edges, and the whole library."""
    tag = '{"tags": [{"key": "pii", "value": "email", "field": "c0"}]}'
    with store.transaction() as cursor:
        clocks = {"valid_from": datetime(2026, 1, 1), "valid_to": OPEN_END}  # noqa: DTZ001
        rows = [{"entity": NodeKey("dataset", "pg", f"shop.t{i}").id, **clocks} for i in range(20)]
        kinds = [("entity", pa.uint64()), ("valid_from", pa.timestamp("us")), ("valid_to", pa.timestamp("us"))]
        told = pa.Table.from_pylist(rows, pa.schema(kinds))
        cursor.register("rows_in", told)
        cursor.execute(
            "INSERT INTO facet BY NAME SELECT *, 'facets' AS place, 'tags' AS key, $1::UBIGINT AS body, "
            "valid_from AS known_from, valid_to AS known_to FROM rows_in",
            [digest64(tag)],
        )
        cursor.unregister("rows_in")
        cursor.execute("INSERT INTO facet_body VALUES (?, ?)", [digest64(tag), tag])
        bump_version(cursor)
    lx = lineage.open(store)
    lx.summary()
    import_module("lineage.policies.questions")  # as in a process that serves
    timed("PII masking over 100,000 column edges", 300, lambda: lx.policies.check("pii-masked-before-leaving"))
    found = lx.policies.check("pii-masked-before-leaving").policies[0]
    print(f"  its SQL alone: {found.seconds * 1_000:.1f} ms over {found.scope:,} columns")
    timed("the policy library over 10,000 datasets", 5_000, lambda: lx.policies.check())


def audit(timed: Timed) -> None:
    """Appending, and a proof in a log of a million."""
    with Store.open(":memory:") as store:
        entries = [Entry(actor="ann", action="x.do", resource=f"r{i}", payload={"n": i}) for i in range(100_000)]

        def append() -> None:
            with store.transaction() as cursor:
                record_all(cursor, entries)

        timed("100,000 appends to the audit log", 1_000, append)
        for _ in range(9):
            append()
        with store.reading() as cursor:
            timed("an inclusion proof among 1,000,000", 10, lambda: Tree(cursor).inclusion(123_456), 5)


def layered(runs: int, width: int = 25) -> list[bytes]:
    """Events of runs in layers, each of which reads three datasets of the layer before and writes one; the last reads a
    whole layer: a START and a COMPLETE of every run.
    """
    begin, lines = datetime(2026, 1, 1), []  # noqa: DTZ001 - naive UTC
    schema = {"fields": [{"name": f"c{n}", "type": "bigint"} for n in range(10)], "_producer": "https://example.com",
              "_schemaURL": "https://openlineage.io/spec/facets/1-1-1/SchemaDatasetFacet.json"}  # fmt: skip
    for k in range(runs):
        last = k == runs - 1
        reads = range(k - width, k) if last else [max(k - width - j, -1 - k % width) for j in range(3)]
        for step, kind in enumerate(("START", "COMPLETE")):
            event = {
                "eventType": kind, "eventTime": f"{(begin + timedelta(minutes=10 * k + step)).isoformat()}Z",
                "run": {"runId": str(uuid.UUID(int=k + 1))}, "job": {"namespace": "bench", "name": f"make_{k}"},
                "inputs": [{"namespace": "pg", "name": f"layer.t{i}"} for i in dict.fromkeys(reads)],
                "outputs": [{"namespace": "pg", "name": "report" if last else f"layer.t{k}",
                             "facets": {"schema": schema}}],
                "producer": "https://example.com", "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
            }  # fmt: skip
            lines.append(json.dumps(event).encode())
    return lines


def pack(timed: Timed) -> None:
    """An evidence pack of 1,000 events: a report with 500 runs behind it."""
    from ingest.writer import Writer

    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "layered.duckdb") as store:
        Writer(store).ingest(layered(500), source="bench")
        key = SigningKey(os.urandom(32))
        lx = lineage.open(store)
        made = []
        timed("an evidence pack of 1,000 events", 5_000,
              lambda: made.append(lx.audit.evidence("dataset:pg:report", key)))  # fmt: skip
        print(f"  {made[0].events:,} events in it, {len(made[0].data):,} bytes")
        assert made[0].events == 1_000
