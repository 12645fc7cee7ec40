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
_MONEY = ("billed", "effective", "contracted", "listed")
_TEXTS = ("billed", "effective", "currency", "started", "ended", "period_start", "basis")  # what a refusal may be about


def _plain(text: str) -> str:
    """SQL: a plain decimal of at most twelve decimals in 10⁻¹² of a unit, NULL for every other text.

    The exponent moves the point, in integers, and keeps texts with one of their own out; ``1_0`` and ``0x1`` need more.
    """
    fits = f"length({text}) - instr({text}, '.') <= 12 AND length({text}) <= 36"
    fits += "".join(f" AND NOT contains({text}, '{char}')" for char in "_xX")
    return f"CASE WHEN {fits} THEN TRY_CAST({text} || 'e12' AS HUGEINT) END"


# one row per distinct amount that is no plain decimal: text, how often, first row, how often in a column that may lack,
# how often as what was billed
ODD_AMOUNTS = f"""
SELECT t, count(*), min("row"), count_if(k > 1), count_if(k = 0)
FROM (SELECT b.* FROM _batch b JOIN batch USING ("row") WHERE batch.odd), LATERAL (
  VALUES {", ".join(f"({name}, {n})" for n, name in enumerate(_MONEY))}
) v(t, k)
WHERE t IS NOT NULL AND ({_plain("t")}) IS NULL GROUP BY t
"""  # noqa: S608 - our own names

# amount: one odd text; seen_key: one thing that is charged for, over all files of the delivery
MEMORY_TABLES = f"""
CREATE TABLE amount (t VARCHAR, v HUGEINT, why VARCHAR);
CREATE TABLE seen_key (key UBIGINT, {", ".join(f"{name} VARCHAR" for name in _KEY_FIELDS)})
"""

# one row per row of the batch, typed; wrong says what of it cannot be used, odd that an amount is no plain decimal
_TYPED = f"""
WITH typed AS (
  SELECT b."row", b.quantity, b.account, b.provider,
    {", ".join(f"coalesce({_plain(f'b.{name}')}, {name}_odd.v) AS {name}_v" for name in _MONEY)},
    TRY_CAST(b.started AS TIMESTAMP) AS started_at, TRY_CAST(b.ended AS TIMESTAMP) AS ended_v,
    TRY_CAST(b.period_start AS TIMESTAMP) AS period_v, TRY_CAST(b.period_end AS TIMESTAMP) AS period_end_v,
    {", ".join(f"b.{name} IS NOT NULL AS {name}_told" for name in (*_MONEY, "ended", "period_start"))},
    lower(b.basis) AS basis, upper(trim(b.currency)) AS currency,
    {", ".join(f"b.{name}" for name in _KEY_FIELDS if name not in ("currency", "provider", "account"))}
  FROM {{source}} b
  {" ".join(f"LEFT JOIN amount {name}_odd ON {name}_odd.t = b.{name}" for name in _MONEY)}
), named AS (
  SELECT * REPLACE (
    coalesce(provider, CASE WHEN $simple THEN 'simple' ELSE '' END) AS provider,
    coalesce(account, CASE WHEN $simple THEN 'simple' ELSE '' END) AS account),
    coalesce(period_v, date_trunc('month', started_at)) AS period_start,
    coalesce(period_end_v, date_trunc('month', coalesce(period_v, started_at)) + INTERVAL 1 MONTH) AS period_end,
    coalesce(ended_v, started_at + INTERVAL 1 DAY) AS ended_at
  FROM typed
)
SELECT "row", quantity, coalesce(basis, 'billed') AS basis, started_at, ended_at, period_start, period_end,
  provider, account, currency, billed_v, coalesce(effective_v, billed_v) AS effective_v, contracted_v, listed_v,
  md5_number_lower(concat_ws(chr(31), {", ".join(f"coalesce({name}, chr(0))" for name in _KEY_FIELDS)})) AS key,
  CASE
    WHEN billed_v IS NULL THEN 'billed'
    WHEN effective_told AND effective_v IS NULL THEN 'effective'
    WHEN currency IS NULL OR NOT regexp_full_match(currency, '[A-Z][A-Z0-9]{{{{1,9}}}}') THEN 'currency'
    WHEN started_at IS NULL THEN 'started'
    WHEN ended_told AND ended_v IS NULL THEN 'ended'
    WHEN ended_at < started_at THEN 'ended'
    WHEN period_start_told AND period_v IS NULL THEN 'period_start'
    WHEN basis NOT IN ('billed', 'estimated') THEN 'basis'
  END AS wrong,
  {" OR ".join(f"({name}_told AND {name}_v IS NULL)" for name in _MONEY)} AS odd
FROM named
"""  # noqa: S608
READ = "CREATE OR REPLACE TEMP TABLE batch AS" + _TYPED.format(source="_batch")
# the same once more for the rows with odd amounts, which are known now
_ODD = '(SELECT * FROM _batch SEMI JOIN (FROM batch WHERE odd) USING ("row"))'
READ_ODD = (
    "CREATE OR REPLACE TEMP TABLE again AS" + _TYPED.format(source=_ODD),
    "DELETE FROM batch WHERE odd",
    "INSERT INTO batch FROM again",
)

# one row per refused row: row, field, text, reason
REFUSED = f"""
SELECT "row", wrong, t, CASE
    WHEN wrong IN ('billed', 'effective') THEN coalesce(why, CASE WHEN t IS NULL THEN 'there is no amount'
      ELSE '“' || t || '” is no amount' END)
    WHEN wrong = 'currency' AND t IS NULL THEN 'there is no currency'
    WHEN wrong = 'currency' THEN '“' || t || '” is no currency; write a code like EUR'
    WHEN wrong = 'started' AND t IS NULL THEN 'there is no date'
    WHEN wrong = 'ended' AND TRY_CAST(t AS TIMESTAMP) IS NOT NULL THEN 'the charge ends before it starts'
    WHEN wrong = 'basis' THEN '“' || t || '” is neither billed nor estimated'
    ELSE '“' || t || '” is no time'
  END
FROM (
  SELECT bad."row", bad.wrong, CASE bad.wrong {" ".join(f"WHEN '{name}' THEN b.{name}" for name in _TEXTS)} END AS t
  FROM batch bad JOIN _batch b USING ("row") WHERE bad.wrong IS NOT NULL
) LEFT JOIN amount USING (t) ORDER BY "row"
"""  # noqa: S608

# one row per thing that no earlier batch charged for
NEW_KEYS = f"""
INSERT INTO seen_key
SELECT first.key, {", ".join(f"first.{name}" if name in ("currency", "provider", "account") else f"b.{name}" for name in _KEY_FIELDS)}
FROM (
  SELECT key, min("row") AS "row", any_value(currency) AS currency, any_value(provider) AS provider,
    any_value(account) AS account
  FROM batch WHERE wrong IS NULL AND key NOT IN (SELECT key FROM seen_key) GROUP BY key
) first JOIN _batch b USING ("row")
"""  # noqa: S608, E501

# one row per part of the batch with its sums
PARTS = """
CREATE OR REPLACE TEMP TABLE part AS
SELECT md5_number_lower(concat_ws(chr(31), $bill, provider, account, currency, period_start::VARCHAR)) AS part,
  provider, account, currency, period_start, max(period_end) AS period_end, count(*)::UBIGINT AS rows,
  sum(billed_v)::HUGEINT AS billed, sum(effective_v)::HUGEINT AS effective
FROM batch WHERE wrong IS NULL GROUP BY provider, account, currency, period_start
"""

# one row per usable row
CHARGES = """
SELECT part, "row"::UBIGINT AS "row", key, started_at, ended_at, billed_v AS billed, effective_v AS effective,
  contracted_v AS contracted, listed_v AS listed, quantity, basis
FROM batch JOIN part USING (provider, account, currency, period_start) WHERE wrong IS NULL
"""
INSERT_CHARGES = """
INSERT INTO charge SELECT part, "row", key, started_at, ended_at, billed::HUGEINT, effective::HUGEINT,
  contracted::HUGEINT, listed::HUGEINT, quantity, basis FROM _charges
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
