-- Meshline store, version 9: columns read from SQL where the producer sent none.

-- one answer of the SQL reader to one distinct question (text, dialect, names and columns that matter); kept by rebuild,
-- so that it answers alike
CREATE TABLE sql_reading (
  question UBIGINT,         -- digest of question and reader
  reader VARCHAR,           -- name and version of the library that read it
  reading VARCHAR           -- JSON: the uses of columns, and the problem
);

-- one job whose newest run has SQL that was not read, or not as a whole
CREATE TABLE sql_problem (job UBIGINT, problem VARCHAR, known_from TIMESTAMP, known_to TIMESTAMP);

-- one column that only readings of SQL name, no event
CREATE TABLE sql_node (id UBIGINT);
