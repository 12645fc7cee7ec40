-- Meshline store, version 4: identity over time, streams, and what people say of aliases and edges.

-- one stage of one streaming run: what it had shown from one of its events on; runs of one stage have no row
CREATE TABLE run_stage (
  run UBIGINT, job UBIGINT,
  since TIMESTAMP,          -- event that began it
  edge_set UBIGINT, column_set UBIGINT,
  known_from TIMESTAMP, known_to TIMESTAMP
);

-- one set of facets of one entity as one streaming run told it from its first to its last telling
CREATE TABLE run_told (
  run UBIGINT, entity UBIGINT,
  direction VARCHAR,        -- 'in', 'out', or 'job' for the job itself
  first_at TIMESTAMP, last_at TIMESTAMP,
  facet_set UBIGINT,
  known_from TIMESTAMP, known_to TIMESTAMP
);

-- one drop or rename of a dataset as one run or one event told it
CREATE TABLE turn (
  dataset UBIGINT,
  successor UBIGINT,        -- the dataset under its new name; NULL when it was dropped
  turned_at TIMESTAMP,      -- of a rename, the first event that told it
  run UBIGINT,              -- 0 when a job or dataset event told it
  hash BLOB,                -- that event; NULL when a run told it
  known_from TIMESTAMP, known_to TIMESTAMP
);

-- one dataset whose name is not spelled the way its platform's names are
CREATE TABLE spelling (
  node UBIGINT,
  canonical UBIGINT,        -- id of the dataset under the usual spelling, whether or not anybody ever named it
  rules VARCHAR,            -- which rules lead there, '+' between them
  known_from TIMESTAMP
);

-- one statement of a person about two identifiers of datasets; never derived, never changed by events
CREATE TABLE alias_mark (
  a UBIGINT, b UBIGINT,
  basis VARCHAR,            -- 'manual': they are one dataset; 'veto': they never are
  actor VARCHAR, reason VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one statement of a person about an edge between two datasets; never derived, never changed by events
CREATE TABLE edge_mark (
  src UBIGINT, dst UBIGINT,
  mark VARCHAR,             -- 'manual': there is such an edge; 'refuted': what was observed is wrong
  actor VARCHAR, reason VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);
