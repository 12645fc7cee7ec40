"""A year in a mesh of 10,000 datasets: owners, edges and results of policies change every day, jobs run every week."""

from __future__ import annotations

import json
from datetime import datetime

from lineage.identity import digest64
from lineage.store import Store, bump_version
from lineage.times import OPEN_END

BEGIN = datetime(2025, 3, 1)  # noqa: DTZ001 - naive UTC like all stored times
DATASETS, COLUMNS, CONTRACTS = 10_000, 5, 1_000  # as benchmarks.governance makes them
DOMAINS, PRODUCTS, POLICIES, DAILY = 20, 100, 5, 40
_OLD = datetime(2024, 1, 1)  # noqa: DTZ001
_TEAMS = 50
_MORE = 1_000_003  # a prime: spreads what changes over datasets

_NUMBERED = """
-- datasets with their number
CREATE TEMP TABLE numbered AS
SELECT id, name, 'dataset:pg:' || name AS text, CAST(substr(name, 7) AS BIGINT) AS i FROM node WHERE kind = 'dataset'
"""
_AGE = """
-- what the mesh was made of holds since before the year
UPDATE {table} SET valid_from = $old, known_from = $old
"""
_OWNERS = """
-- four of five datasets have an owner; some of them get another one every day
INSERT INTO facet BY NAME
SELECT id AS entity, 'facets' AS place, 'ownership' AS key,
  $bodies[1 + (i + k) % len($bodies)]::UBIGINT AS body, begins AS valid_from, ends AS valid_to,
  $old::TIMESTAMP AS known_from, $open::TIMESTAMP AS known_to
FROM (
  SELECT id, i, 0 AS k, $old::TIMESTAMP AS begins,
    CASE WHEN i < 365 * $daily THEN $begin::TIMESTAMP + to_days(CAST(i // $daily AS INTEGER)) + INTERVAL 9 HOUR
    ELSE $open::TIMESTAMP END AS ends FROM numbered WHERE i % 5 <> 0
  UNION ALL
  SELECT id, i, 1, $begin::TIMESTAMP + to_days(CAST(i // $daily AS INTEGER)) + INTERVAL 9 HOUR, $open::TIMESTAMP
  FROM numbered WHERE i < 365 * $daily AND i % 7 <> 0
)
"""
_EDGES = """
-- edges that came during the year, some of which went again after a month
INSERT INTO edge BY NAME
SELECT a.id AS src, b.id AS dst, 0::UBIGINT AS job, 'lineage' AS kind, 'product' AS provenance, 'current' AS state,
  n.moment AS valid_from, CASE WHEN n.k % 2 = 0 THEN n.moment + INTERVAL 30 DAY ELSE $open::TIMESTAMP END AS valid_to,
  $old::TIMESTAMP AS known_from, $open::TIMESTAMP AS known_to
FROM (
  SELECT k, $begin::TIMESTAMP + to_days(CAST(k // $daily AS INTEGER)) + INTERVAL 7 HOUR AS moment
  FROM range(365 * $daily) t(k)
) n
JOIN numbered a ON a.i = (n.k * 7919) % ($datasets - 1)
JOIN numbered b ON b.i = a.i + 1 + n.k % ($datasets - 1 - a.i)
"""
_JOBS = """
-- one job per dataset, which writes it
INSERT INTO node BY NAME
SELECT 9000000000 + i AS id, 'job' AS kind, 'pg' AS namespace, 'make_' || i AS name, '' AS field,
  $old::TIMESTAMP AS known_from
FROM numbered
"""
_RUNS = """
-- one run of every job each week
INSERT INTO run BY NAME
SELECT i * 1000 + w AS run, i || '-' || w AS run_id, 9000000000 + i AS job, 'COMPLETE' AS state, false AS conflict,
  'BATCH' AS processing, moment AS first_event, moment AS last_event, moment AS started_at, moment AS ended_at,
  2 AS events, moment AS known_from, $open::TIMESTAMP AS known_to
FROM (
  SELECT i, w, $begin::TIMESTAMP + to_days(CAST(7 * w + i % 7 AS INTEGER)) + to_minutes(i % 1200) AS moment
  FROM numbered, range(52) t(w)
)
"""
_RUN_IO = """
-- each run writes its dataset and reads the one before
INSERT INTO run_io BY NAME
SELECT r.run, r.job, n.id AS dataset, d AS direction, r.first_event AS seen_at, r.first_event AS last_at,
  r.known_from, r.known_to
FROM run r CROSS JOIN (VALUES ('in', -1), ('out', 0)) v(d, step) JOIN numbered n ON n.i = r.run // 1000 + step
"""
_RESULTS = """
-- what policies said; some datasets violate for a while, from another day on each
INSERT INTO evaluation BY NAME
SELECT 'policy-' || p AS policy, '1.0.0' AS version, text AS subject, part.result, part.begins AS valid_from,
  part.ends AS valid_to, $old::TIMESTAMP AS known_from, $open::TIMESTAMP AS known_to
FROM (
  SELECT p, text, (i * 5 + p) * $more % 365 AS day, i % 25 = p AS bad FROM numbered, range($policies) t(p)
) n, LATERAL (
  SELECT unnest(CASE WHEN bad THEN [
    {'result': 'pass', 'begins': $old::TIMESTAMP, 'ends': $begin::TIMESTAMP + to_days(CAST(day AS INTEGER))},
    {'result': 'violation', 'begins': $begin::TIMESTAMP + to_days(CAST(day AS INTEGER)),
     'ends': $begin::TIMESTAMP + to_days(CAST(day + 20 AS INTEGER))},
    {'result': 'pass', 'begins': $begin::TIMESTAMP + to_days(CAST(day + 20 AS INTEGER)), 'ends': $open::TIMESTAMP}]
  ELSE [{'result': 'pass', 'begins': $old::TIMESTAMP, 'ends': $open::TIMESTAMP}] END) AS part
)
"""
_POLICY = """
INSERT INTO policy BY NAME
SELECT $name AS name, '1.0.0' AS version, $document AS document, 'p.yaml' AS path, 'h' AS hash, '' AS body,
  'bench' AS actor, $old::TIMESTAMP AS valid_from, $open::TIMESTAMP AS valid_to, $old::TIMESTAMP AS known_from,
  $open::TIMESTAMP AS known_to
"""
_POLICY_RUNS = """
-- every policy runs every night
INSERT INTO policy_run
SELECT 'policy-' || p, '1.0.0', $begin::TIMESTAMP + to_days(CAST(d AS INTEGER)), $datasets, $datasets, 0, 0, NULL, 0.1
FROM range($policies) t(p), range(366) u(d)
"""
_DOMAIN = """
INSERT INTO domain BY NAME
SELECT $name AS name, $name AS title, $patterns AS patterns, 'd.yaml' AS path, 'h' AS hash, '' AS body,
  'bench' AS actor, $old::TIMESTAMP AS valid_from, $open::TIMESTAMP AS valid_to, $old::TIMESTAMP AS known_from,
  $open::TIMESTAMP AS known_to
"""
_PRODUCT = """
INSERT INTO product BY NAME
SELECT $name AS name, '1.0.0' AS version, 'active' AS status, $domain AS domain, $document AS document,
  'p.yaml' AS path, 'h' AS hash, '' AS body, 'bench' AS actor, $old::TIMESTAMP AS valid_from,
  $open::TIMESTAMP AS valid_to, $old::TIMESTAMP AS known_from, $open::TIMESTAMP AS known_to
"""


def described() -> str:
    """What the year holds."""
    return (
        f"{DATASETS:,} datasets, {DATASETS * COLUMNS:,} columns, {DATASETS * 52:,} runs, {PRODUCTS} products, "
        f"{CONTRACTS:,} contracts; every day {DAILY} owners and edges change"
    )


def fill(store: Store) -> None:
    """Put the year into a store that :func:`benchmarks.governance.fill` made."""
    owners = [json.dumps({"owners": [{"name": f"team-{k}"}]}) for k in range(_TEAMS)]
    same = {"old": _OLD, "open": OPEN_END}
    every = {**same, "begin": BEGIN, "daily": DAILY, "datasets": DATASETS, "policies": POLICIES, "more": _MORE,
             "bodies": [digest64(text) for text in owners]}  # fmt: skip
    with store.transaction() as cursor:

        def do(sql: str, **more: object) -> None:
            given = {**every, **more}
            cursor.execute(sql, {name: value for name, value in given.items() if f"${name}" in sql})

        do(_NUMBERED)
        for table in ("edge", "column_edge", "facet", "contract"):
            do(_AGE.format(table=table))
        do("UPDATE node SET known_from = $old")
        for text in owners:
            cursor.execute("INSERT INTO facet_body VALUES (?, ?)", [digest64(text), text])
        for sql in (_OWNERS, _EDGES, _JOBS, _RUNS, _RUN_IO, _RESULTS, _POLICY_RUNS):
            do(sql)
        for k in range(DOMAINS):
            globs = [f"shop.t*{k:02}", f"shop.t*{k + 20:02}", f"make_*{k:02}", f"shop.t*{k + 40:02}"]
            do(_DOMAIN, name=f"d{k}", patterns=json.dumps([{"kind": None, "glob": glob} for glob in globs]))
        for k in range(PRODUCTS):
            port = {"name": "out", "version": "1", "contractId": f"t{k * (DATASETS // CONTRACTS)}"}
            document = {"id": f"p{k}", "status": "active", "domain": f"d{k % DOMAINS}", "team": {"name": "ann"},
                        "outputPorts": [port]}  # fmt: skip
            do(_PRODUCT, name=f"p{k}", domain=f"d{k % DOMAINS}", document=json.dumps(document))
        for k in range(POLICIES):
            document = {"id": f"policy-{k}", "version": "1.0.0", "title": "A policy", "severity": "medium",
                        "stage": "publication",
                        "owner": "ann", "scope_sql": "SELECT id AS subject FROM asset",
                        "violation_sql": "SELECT id AS subject, 'no' AS message FROM asset WHERE false"}  # fmt: skip
            do(_POLICY, name=f"policy-{k}", document=json.dumps(document))
        cursor.execute("DROP TABLE numbered")
        bump_version(cursor)
