-- Meshline store, version 16: a second level of the tree over the log, so that proofs stay quick in a long one.

-- one complete subtree of 65,536 acts: 256 rows of audit_tile
CREATE TABLE audit_wide_tile (
  tile UBIGINT,             -- acts 65536 * tile to 65536 * tile + 65535
  hash BLOB                 -- root of the subtree, RFC 6962
);
