-- Meshline store, version 6: bills, attribution and budgets. Money is HUGEINT: 10^-12 of a unit of its currency.

-- one imported file of a bill
CREATE TABLE bill (
  bill UBIGINT,             -- first 8 bytes of its hash
  file VARCHAR,             -- how it was named when it was imported
  hash VARCHAR,             -- SHA-256 of its bytes, hexadecimal
  format VARCHAR,           -- 'focus csv', 'focus parquet', 'simple csv'
  row_count UBIGINT,        -- rows read
  refused UBIGINT,          -- rows among them that could not be used, see charge_refused
  actor VARCHAR,
  imported_at TIMESTAMP
);

-- one billing period of one account in one file; ends (known_to) when a restatement replaces it
CREATE TABLE bill_part (
  part UBIGINT,
  bill UBIGINT,
  provider VARCHAR, account VARCHAR, currency VARCHAR,
  period_start TIMESTAMP, period_end TIMESTAMP,
  row_count UBIGINT,
  billed HUGEINT, effective HUGEINT,  -- control totals: sums of its charges
  known_from TIMESTAMP, known_to TIMESTAMP
);

-- one row of a bill
CREATE TABLE charge (
  part UBIGINT,
  "row" UBIGINT,            -- 1-based in the file; the header is row 1 of a CSV
  key UBIGINT,              -- what it is for, see charge_key
  started_at TIMESTAMP, ended_at TIMESTAMP,  -- charge period, half-open
  billed HUGEINT, effective HUGEINT, contracted HUGEINT, listed HUGEINT,
  quantity VARCHAR,         -- consumed quantity as it was written
  basis VARCHAR             -- 'billed', or 'estimated' when the file says so
);

-- one distinct thing that is charged for
CREATE TABLE charge_key (
  key UBIGINT,
  provider VARCHAR, account VARCHAR, sub_account VARCHAR, sub_account_name VARCHAR, currency VARCHAR,
  category VARCHAR, class VARCHAR, service VARCHAR, service_category VARCHAR, sku VARCHAR, meter VARCHAR,
  description VARCHAR, resource VARCHAR, resource_name VARCHAR, resource_type VARCHAR, region VARCHAR, unit VARCHAR,
  query VARCHAR,            -- id of a warehouse query, where the bill has one
  tags VARCHAR              -- JSON object
);

-- one row of a bill that could not be used
CREATE TABLE charge_refused (
  bill UBIGINT, "row" UBIGINT, field VARCHAR, text VARCHAR, reason VARCHAR
);

-- one version of one file of rules: resources, tags, accounts, pools, rates, chargeback
CREATE TABLE cost_rule (
  name VARCHAR, rules VARCHAR,  -- canonical JSON
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one version of one file of budgets
CREATE TABLE budget (
  name VARCHAR, budgets VARCHAR,  -- canonical JSON list
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one dataset that is to be removed unless somebody reads it before the watch ends
CREATE TABLE cost_watch (
  dataset UBIGINT, since TIMESTAMP, until TIMESTAMP, actor VARCHAR
);
