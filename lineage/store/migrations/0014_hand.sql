-- Meshline store, version 14: owners that people name by hand, and views of the dashboard that they save.

-- one statement of a person about who owns a dataset or job; never derived, never changed by events
CREATE TABLE owner_mark (
  node UBIGINT, owner VARCHAR,
  actor VARCHAR, reason VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one act on one saved view: the last one says what it is
CREATE TABLE view_act (
  view VARCHAR,             -- id of the view
  act VARCHAR,              -- 'save', 'change', 'remove'
  title VARCHAR,
  address VARCHAR,          -- page and query, below the base of whatever server shows it
  reason VARCHAR, actor VARCHAR, acted_at TIMESTAMP
);
