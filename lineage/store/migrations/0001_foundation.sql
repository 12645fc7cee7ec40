-- Meshline store, version 1. No keys, indexes, sequences or constraints: see docs/design.md, "Store".
-- Ids are UBIGINT: first 8 bytes of a SHA-256 over the natural key. Times are UTC. Open end: 9999-12-31.
-- valid_* = when it was true (event time); known_* = when Meshline learned it (receipt). Both half-open.

-- one setting or watermark
CREATE TABLE meta (key VARCHAR, value VARCHAR);

-- one compressed block of events that were received together
CREATE TABLE raw (
  block UBIGINT,            -- running number of the block
  received_at TIMESTAMP,    -- receipt time of all its events
  n UINTEGER,               -- how many events
  source VARCHAR,           -- where they came from: 'http', a file name, '-'
  codec VARCHAR,            -- 'zstd'
  body BLOB                 -- the events byte for byte, each preceded by its length (uint32, little endian)
);

-- one accepted event
CREATE TABLE event (
  hash BLOB,                -- SHA-256 of its bytes without surrounding white space
  event_time TIMESTAMP,
  received_at TIMESTAMP,
  kind VARCHAR,             -- 'run', 'job' or 'dataset'
  event_type VARCHAR,       -- START, RUNNING, COMPLETE, ABORT, FAIL, OTHER; NULL for job and dataset events
  run UBIGINT,              -- run key; NULL for job and dataset events
  job UBIGINT,              -- node id; NULL for dataset events
  dataset UBIGINT,          -- node id; dataset events only
  producer VARCHAR,
  block UBIGINT,            -- where its bytes are
  position UINTEGER,        -- index inside the block
  notes VARCHAR             -- what was odd about it, JSON array of texts; NULL when nothing was
);

-- one refused input
CREATE TABLE quarantine (
  hash BLOB,                -- SHA-256 of the bytes
  received_at TIMESTAMP,
  source VARCHAR,
  line UBIGINT,             -- 1-based line or array index in the source; NULL when it has none
  reason VARCHAR,           -- stable code, see ingest/envelope.py
  detail VARCHAR,           -- for people: where exactly and what to do
  body BLOB,                -- original bytes, zstd
  replayed_at TIMESTAMP     -- set when it was replayed with success
);

-- one job, dataset or column that was ever named
CREATE TABLE node (
  id UBIGINT,
  kind VARCHAR,             -- 'dataset', 'job', 'column'
  namespace VARCHAR,
  name VARCHAR,
  field VARCHAR,            -- column path; '' for others
  dataset UBIGINT,          -- owner of a column; NULL for others
  known_from TIMESTAMP
);

-- one piece of evidence that two identifiers mean the same dataset
CREATE TABLE alias (
  a UBIGINT,                -- dataset that carried the evidence
  b UBIGINT,                -- the other identifier
  type VARCHAR,             -- TABLE, LOCATION, … as the producer said of b
  basis VARCHAR,            -- 'symlink', 'rename', 'rule', 'manual', 'veto'
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one state of knowledge of one run; a run is (runId, job)
CREATE TABLE run (
  run UBIGINT,
  run_id VARCHAR,
  job UBIGINT,
  state VARCHAR,            -- START, RUNNING, COMPLETE, FAIL, ABORT, OTHER
  conflict BOOLEAN,         -- terminal events contradict each other
  processing VARCHAR,       -- BATCH, STREAMING or SERVICE
  first_event TIMESTAMP,    -- smallest event time
  last_event TIMESTAMP,
  started_at TIMESTAMP,     -- smallest START time; NULL when no START was seen
  ended_at TIMESTAMP,       -- time of the terminal event that counts
  nominal_start TIMESTAMP, nominal_end TIMESTAMP,
  parent_run UBIGINT, parent_job UBIGINT, root_run UBIGINT, root_job UBIGINT,
  engine VARCHAR,           -- processing engine, e.g. 'spark 3.5.1'
  error VARCHAR,            -- message of the errorMessage facet
  producer VARCHAR,
  events UINTEGER,
  edge_set UBIGINT,         -- its edges, see edge_set
  column_set UBIGINT,       -- its column edges, see column_set
  job_facets UBIGINT,       -- facets of its job as this run told them, see facet_set
  known_from TIMESTAMP, known_to TIMESTAMP
);

-- one dataset that one run read or wrote
CREATE TABLE run_io (
  run UBIGINT, job UBIGINT, dataset UBIGINT,
  direction VARCHAR,        -- 'in' or 'out'
  seen_at TIMESTAMP,        -- first event of the run
  last_at TIMESTAMP,        -- last event of the run that named the dataset
  facet_set UBIGINT,        -- facets of the dataset as this run told them
  version VARCHAR,          -- dataset version the producer named
  dropped_at TIMESTAMP,     -- when this run dropped the dataset; NULL when it did not
  row_count BIGINT, byte_count BIGINT, file_count BIGINT,  -- last value of the run, never a sum over its events
  known_from TIMESTAMP, known_to TIMESTAMP
);

-- one JobEvent or DatasetEvent: the whole declaration of its entity from event_time on
CREATE TABLE declaration (
  entity UBIGINT, event_time TIMESTAMP, hash BLOB, producer VARCHAR,
  facet_set UBIGINT,
  edge_set UBIGINT, column_set UBIGINT,  -- NULL when it tells no edges
  dropped BOOLEAN,          -- it tells that the dataset was dropped
  known_from TIMESTAMP
);

-- one facet of one distinct set of facets
CREATE TABLE facet_set (set_id UBIGINT, place VARCHAR, key VARCHAR, body UBIGINT);

-- one distinct facet body
CREATE TABLE facet_body (body UBIGINT, json VARCHAR);

-- one facet of one entity over one interval
CREATE TABLE facet (
  entity UBIGINT,           -- node id of a job or dataset
  place VARCHAR,            -- 'facets', 'inputFacets', 'outputFacets'
  key VARCHAR,
  body UBIGINT,
  run UBIGINT,              -- run that first showed it; NULL when declared
  producer VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one edge of one distinct set of edges that a run or declaration showed
CREATE TABLE edge_set (set_id UBIGINT, src UBIGINT, dst UBIGINT, kind VARCHAR, provenance VARCHAR);

-- one column edge of one distinct set of column edges
CREATE TABLE column_set (
  set_id UBIGINT, src UBIGINT, dst UBIGINT,
  type VARCHAR, subtype VARCHAR, masking BOOLEAN, description VARCHAR, provenance VARCHAR
);

-- one edge in one state over one valid and one known interval
CREATE TABLE edge (
  src UBIGINT, dst UBIGINT, -- node ids
  job UBIGINT,              -- job that moves the data; 0 when a dataset event declares the edge without a job
  kind VARCHAR,             -- 'lineage' dataset→dataset (or an explicit job→…), 'read' dataset→job, 'write' job→dataset,
                            -- 'control' job→job, 'contains' parent job→child job
  provenance VARCHAR,       -- 'explicit', 'column', 'product', 'io', 'declared', 'sql', 'manual'
  state VARCHAR,            -- 'current' or 'stale'
  first_run UBIGINT,        -- run that opened this interval; NULL when declared
  producer VARCHAR,
  end_reason VARCHAR,       -- why valid_to is not open: 'not seen', 'dropped', 'redeclared', 'state', …
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one column edge in one state over one valid and one known interval
CREATE TABLE column_edge (
  src UBIGINT,              -- column
  dst UBIGINT,              -- column, or dataset when the source affects all of its rows (join, filter, …)
  job UBIGINT,
  type VARCHAR,             -- 'DIRECT', 'INDIRECT' or NULL: the producer did not say
  subtype VARCHAR, masking BOOLEAN, description VARCHAR,
  provenance VARCHAR, state VARCHAR, first_run UBIGINT, producer VARCHAR, end_reason VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one number of one node in one run or at one time
CREATE TABLE metric (
  node UBIGINT, run UBIGINT, name VARCHAR, measured_at TIMESTAMP, value DOUBLE,
  known_from TIMESTAMP, known_to TIMESTAMP
);

-- one test result
CREATE TABLE assertion (
  dataset UBIGINT,          -- NULL when the run alone was tested
  field VARCHAR,            -- column, '' when the whole dataset was tested
  run UBIGINT, job UBIGINT, name VARCHAR,
  status VARCHAR,           -- 'pass', 'fail', 'skip'
  severity VARCHAR, expected VARCHAR, actual VARCHAR, description VARCHAR, tested_at TIMESTAMP,
  known_from TIMESTAMP, known_to TIMESTAMP
);

-- one version of one domain file
CREATE TABLE domain (
  name VARCHAR, title VARCHAR, owner VARCHAR, parent VARCHAR,
  patterns VARCHAR,         -- JSON array of {"kind": null|"dataset"|"job", "glob": text}
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);
