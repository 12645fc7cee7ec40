"""Speed of quality: ``python -m benchmarks.quality [datasets]``.

A mesh of datasets, each written ten to twenty times with row counts and tested by three tests, is scored from a fresh
start: everything that ``meshline quality`` works out, from the tables to the upstream risk. Then series are checked.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import numpy as np

from benchmarks.clock import Clock
from lineage.engine import Lineage
from lineage.quality.evidence import evidence
from lineage.quality.volume import judge_last
from lineage.store import Store
from lineage.times import utcnow

_NODES = """
INSERT INTO node
SELECT hash(kind || i), kind, 'db', 'schema.' || kind || i, '', NULL, $start
FROM range($n) t(i), (VALUES ('dataset'), ('job')) k(kind)
"""
_RUNS = """
INSERT INTO run BY NAME
SELECT hash('run' || i || '-' || k) AS run, i || '-' || k AS run_id, hash('job' || i) AS job, 'COMPLETE' AS state,
  false AS conflict, 'BATCH' AS processing, $start + to_days(k::INTEGER) AS first_event,
  $start + to_days(k::INTEGER) AS last_event, $start + to_days(k::INTEGER) AS ended_at, 2 AS events,
  $start AS known_from, TIMESTAMP '9999-12-31' AS known_to
FROM range($n) t(i), range(20) r(k) WHERE k >= 20 - 10 - i % 11
"""
_WRITES = """
INSERT INTO run_io BY NAME
SELECT r.run, r.job, hash('dataset' || split_part(r.run_id, '-', 1)) AS dataset, 'out' AS direction,
  r.first_event AS seen_at, r.first_event AS last_at,
  (1000 + hash(r.run) % 100 + 900 * (hash(r.run) % 5000 = 0)::INTEGER)::BIGINT AS row_count,
  r.known_from, r.known_to
FROM run r
"""
_TESTS = """
INSERT INTO assertion BY NAME
SELECT hash('dataset' || i) AS dataset, '' AS field, name,
  CASE WHEN hash(name || i) % 50 = 0 THEN 'fail' ELSE 'pass' END
  AS status, $start + INTERVAL 20 DAY AS tested_at, $start AS known_from, TIMESTAMP '9999-12-31' AS known_to,
  hash('run' || i || '-19') AS run
FROM range($n) t(i), (VALUES ('not_null_id'), ('unique_id'), ('accepted_values')) v(name)
"""
_EDGES = """
INSERT INTO edge BY NAME
SELECT hash('dataset' || (i // 3)) AS src, hash('dataset' || i) AS dst, hash('job' || i) AS job, 'lineage' AS kind,
  'product' AS provenance, 'current' AS state, $start AS valid_from, TIMESTAMP '9999-12-31' AS valid_to,
  $start AS known_from, TIMESTAMP '9999-12-31' AS known_to
FROM range(1, $n) t(i)
"""


def main(n: int = 100_000) -> None:
    """Print the table."""
    start = utcnow().replace(microsecond=0) - timedelta(days=20)
    store = Store.open(":memory:")
    with store.transaction() as cursor:
        for sql in (_NODES, _RUNS, _WRITES, _TESTS, _EDGES):
            cursor.execute(sql, {name: value for name, value in (("n", n), ("start", start)) if f"${name}" in sql})
    view = Lineage(store).view()
    runs, tests = (store.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("run", "assertion"))
    with Clock() as spent:
        found = evidence(view)
    known = int((~np.isnan(found.scores.shown)).sum())
    print(f"{n:,} datasets, {runs:,} runs, {tests:,} test results, {n - 1:,} edges")
    print(f"scores, coverage, gate, upstream risk: {spent} (aim 5 s), {known:,} scored, {len(found.odd):,} odd volumes")
    rng = np.random.default_rng(1)
    series = [np.round(1000 * np.exp(rng.normal(0, 0.05, 70))) for _ in range(500)]
    with Clock() as spent:
        for one in series:
            judge_last(one, np.arange(70) % 7)
    print(f"check of the newest point of a series: {spent.each(len(series))} (aim 1 ms)")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
