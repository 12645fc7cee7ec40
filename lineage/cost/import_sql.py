"""SQL of the import of bills. READ … PARTS run in a second connection in memory, the others in the store."""

from __future__ import annotations

# one row per imported file: does anything of it still count
KNOWN = """
SELECT b.hash, coalesce(bool_or(p.known_to = $open), true)
FROM bill b LEFT JOIN bill_part p USING (bill) GROUP BY b.hash
"""

_KEY_FIELDS = (
    "provider", "account", "sub_account", "sub_account_name", "currency", "category", "class", "service",
    "service_category", "sku", "meter", "description", "resource", "resource_name", "resource_type", "region", "unit",
    "query", "tags",
)  # fmt: skip
_PLAIN = r"[+-]?([0-9]{1,22}(\.[0-9]{0,12})?|\.[0-9]{1,12})"  # read by the database, exactly
_MONEY = ("billed", "effective", "contracted", "listed")


def _amount(name: str) -> str:
    """SQL for one amount as HUGEINT: digits put together where they are plain, else looked up."""
    text = f"trim(b.{name})"
    decimals = f"CASE WHEN contains({text}, '.') THEN length({text}) - instr({text}, '.') ELSE 0 END"
    plain = f"TRY_CAST(replace({text}, '.', '') || repeat('0', 12 - ({decimals})) AS HUGEINT)"
    return f"CASE WHEN regexp_full_match({text}, '{_PLAIN}') THEN {plain} ELSE {name}_odd.v END"


# one row per distinct amount that is no plain decimal: text, how often, first row
ODD_AMOUNTS = f"""
SELECT t, count(*), min("row") FROM (
  {" UNION ALL ".join(f'SELECT {name} AS t, "row" FROM _batch WHERE {name} IS NOT NULL' for name in _MONEY)}
) WHERE NOT regexp_full_match(trim(t), '{_PLAIN}') GROUP BY t
"""  # noqa: S608 - our own names

# amount: one odd text; seen_key: one thing that is charged for, over all files of the delivery
MEMORY_TABLES = f"""
CREATE TABLE amount (t VARCHAR, v HUGEINT, why VARCHAR);
CREATE TABLE seen_key (key UBIGINT, {", ".join(f"{name} VARCHAR" for name in _KEY_FIELDS)})
"""

# one row per row of the batch, typed; reason says why it cannot be used
READ = f"""
CREATE OR REPLACE TEMP TABLE batch AS
WITH typed AS (
  SELECT b."row",
    {", ".join(f"{_amount(name)} AS {name}_v, b.{name} AS {name}_t" for name in _MONEY)},
    billed_odd.why AS billed_why, effective_odd.why AS effective_why,
    TRY_CAST(b.started AS TIMESTAMP) AS started_at, TRY_CAST(b.ended AS TIMESTAMP) AS ended_v,
    TRY_CAST(b.period_start AS TIMESTAMP) AS period_v, TRY_CAST(b.period_end AS TIMESTAMP) AS period_end_v,
    b.started AS started_t, b.ended AS ended_t, b.period_start AS period_t, b.quantity, lower(b.basis) AS basis_t,
    upper(trim(b.currency)) AS currency,
    coalesce(b.provider, CASE WHEN $simple THEN 'simple' ELSE '' END) AS provider,
    coalesce(b.account, CASE WHEN $simple THEN 'simple' ELSE '' END) AS account,
    {", ".join(f"b.{name}" for name in _KEY_FIELDS if name not in ("currency", "provider", "account"))}
  FROM _batch b
  {" ".join(f"LEFT JOIN amount {name}_odd ON {name}_odd.t = b.{name}" for name in _MONEY)}
), dated AS (
  SELECT *,
    coalesce(period_v, date_trunc('month', started_at)) AS period_start,
    coalesce(period_end_v, date_trunc('month', coalesce(period_v, started_at)) + INTERVAL 1 MONTH) AS period_end,
    coalesce(ended_v, started_at + INTERVAL 1 DAY) AS ended_at
  FROM typed
)
SELECT *,
  md5_number_lower(concat_ws(chr(31), {", ".join(f"coalesce({name}, chr(0))" for name in _KEY_FIELDS)})) AS key,
  md5_number_lower(concat_ws(chr(31), $bill, provider, account, currency, period_start::VARCHAR)) AS part,
  CASE
    WHEN billed_t IS NULL THEN 'billed'
    WHEN billed_v IS NULL THEN 'billed'
    WHEN effective_t IS NOT NULL AND effective_v IS NULL THEN 'effective'
    WHEN currency IS NULL OR NOT regexp_full_match(currency, '[A-Z][A-Z0-9]{{1,9}}') THEN 'currency'
    WHEN started_at IS NULL THEN 'started'
    WHEN ended_t IS NOT NULL AND ended_v IS NULL THEN 'ended'
    WHEN ended_at < started_at THEN 'ended'
    WHEN period_t IS NOT NULL AND period_v IS NULL THEN 'period_start'
    WHEN basis_t IS NOT NULL AND basis_t NOT IN ('billed', 'estimated') THEN 'basis'
  END AS wrong
FROM dated
"""  # noqa: S608

# one row per refused row: row, field, text, reason
REFUSED = """
SELECT "row", wrong,
  CASE wrong WHEN 'billed' THEN billed_t WHEN 'effective' THEN effective_t WHEN 'currency' THEN currency
    WHEN 'started' THEN started_t WHEN 'ended' THEN ended_t WHEN 'period_start' THEN period_t ELSE basis_t END,
  CASE
    WHEN wrong = 'billed' THEN coalesce(billed_why, CASE WHEN billed_t IS NULL THEN 'there is no amount'
      ELSE '“' || billed_t || '” is no amount' END)
    WHEN wrong = 'effective' THEN coalesce(effective_why, '“' || effective_t || '” is no amount')
    WHEN wrong = 'currency' AND currency IS NULL THEN 'there is no currency'
    WHEN wrong = 'currency' THEN '“' || currency || '” is no currency; write a code like EUR'
    WHEN wrong = 'started' AND started_t IS NULL THEN 'there is no date'
    WHEN wrong = 'ended' AND ended_v IS NOT NULL THEN 'the charge ends before it starts'
    WHEN wrong = 'basis' THEN '“' || basis_t || '” is neither billed nor estimated'
    ELSE '“' || coalesce(started_t, ended_t, period_t) || '” is no time'
  END
FROM batch WHERE wrong IS NOT NULL ORDER BY "row"
"""

# one row per thing that no earlier batch charged for
NEW_KEYS = f"""
INSERT INTO seen_key SELECT key, {", ".join(f"any_value({name})" for name in _KEY_FIELDS)}
FROM batch WHERE wrong IS NULL AND NOT EXISTS (SELECT 1 FROM seen_key s WHERE s.key = batch.key) GROUP BY key
"""  # noqa: S608

# one row per usable row
CHARGES = """
SELECT part, "row"::UBIGINT AS "row", key, started_at, ended_at, billed_v AS billed,
  coalesce(effective_v, billed_v) AS effective, contracted_v AS contracted, listed_v AS listed, quantity,
  coalesce(basis_t, 'billed') AS basis
FROM batch WHERE wrong IS NULL
"""
INSERT_CHARGES = """
INSERT INTO charge SELECT part, "row", key, started_at, ended_at, billed::HUGEINT, effective::HUGEINT,
  contracted::HUGEINT, listed::HUGEINT, quantity, basis FROM _charges
"""

# one row per part of the batch with its sums
PARTS = """
SELECT part, provider, account, currency, period_start, max(period_end) AS period_end, count(*)::UBIGINT AS rows,
  sum(billed_v)::HUGEINT AS billed, sum(coalesce(effective_v, billed_v))::HUGEINT AS effective
FROM batch WHERE wrong IS NULL GROUP BY part, provider, account, currency, period_start
"""
# one part of one batch, until the file is read
PART_TABLE = """
CREATE TEMP TABLE IF NOT EXISTS _part (
  part UBIGINT, provider VARCHAR, account VARCHAR, currency VARCHAR, period_start TIMESTAMP, period_end TIMESTAMP,
  row_count UBIGINT, billed HUGEINT, effective HUGEINT
)
"""
# one row per part of the file
ADD_PARTS = """
INSERT INTO bill_part SELECT part, $bill, any_value(provider), any_value(account), any_value(currency),
  any_value(period_start), max(period_end), sum(row_count), sum(billed)::HUGEINT, sum(effective)::HUGEINT, $now, $open
FROM _part GROUP BY part
"""

# one row: how many rows of a file are charges, counted where they are
KEPT = "SELECT count(*) FROM charge WHERE part IN (SELECT part FROM bill_part WHERE bill = ?)"

# one row per key that the store does not know yet
ADD_KEYS = """
INSERT INTO charge_key BY NAME SELECT * FROM _keys k
WHERE NOT EXISTS (SELECT 1 FROM charge_key c WHERE c.key = k.key)
"""

_EARLIER = """
FROM bill_part old
WHERE old.known_to = $open AND NOT list_contains($delivery::UBIGINT[], old.bill)
  AND (old.provider, old.account, old.period_start) IN (
    SELECT (provider, account, period_start) FROM bill_part WHERE list_contains($delivery::UBIGINT[], bill)
  )
"""
# one row per account and period that is replaced
REPLACED = f"SELECT DISTINCT old.provider, old.account, old.period_start {_EARLIER}"
REPLACE = f"UPDATE bill_part SET known_to = $now WHERE part IN (SELECT old.part {_EARLIER})"  # noqa: S608

# one row per pair of files that bill the same things of one period: more than half of the smaller one's charges
OVERLAP = """
WITH thing AS (
  SELECT p.bill, p.provider, p.account, p.period_start,
    md5_number_lower(concat_ws('|', c.key, c.started_at::VARCHAR, c.ended_at::VARCHAR)) AS thing
  FROM charge c JOIN bill_part p USING (part) WHERE list_contains($delivery::UBIGINT[], p.bill)
), several AS (
  SELECT provider, account, period_start FROM bill_part WHERE list_contains($delivery::UBIGINT[], bill)
  GROUP BY ALL HAVING count(DISTINCT bill) > 1
), mine AS (
  SELECT DISTINCT t.* FROM thing t JOIN several USING (provider, account, period_start)
), size AS (SELECT bill, provider, account, period_start, count(*) AS n FROM mine GROUP BY ALL)
SELECT a.bill, b.bill, a.period_start
FROM mine a JOIN mine b ON a.thing = b.thing AND a.bill < b.bill AND a.provider = b.provider
  AND a.account = b.account AND a.period_start = b.period_start
JOIN size x ON (x.bill, x.provider, x.account, x.period_start) = (a.bill, a.provider, a.account, a.period_start)
JOIN size y ON (y.bill, y.provider, y.account, y.period_start) = (b.bill, b.provider, b.account, b.period_start)
GROUP BY a.bill, b.bill, a.period_start HAVING count(*) * 2 > min(least(x.n, y.n)) LIMIT 1
"""

# one row per part of a file
PARTS_OF = """
SELECT provider, account, currency, period_start, row_count, billed, effective FROM bill_part WHERE bill = ?
ORDER BY provider, account, currency, period_start
"""
