-- Meshline store, version 3: the log of who did what.

-- one act; never changed, never removed
CREATE TABLE audit (
  seq UBIGINT,              -- 0, 1, 2, … without a gap: index of its leaf in the Merkle tree
  acted_at TIMESTAMP,
  actor VARCHAR,
  action VARCHAR,           -- 'events.accept', 'contract.apply', 'cost.import', 'alias.add', 'incident.ack', …
  resource VARCHAR,         -- what was acted on: a node text, a file, an id
  outcome VARCHAR,          -- 'done' or 'refused'
  payload VARCHAR,          -- canonical JSON object of texts, whole numbers, booleans, lists and objects
  leaf_hash BLOB,           -- SHA-256(0x00 ‖ canonical JSON of the act), RFC 6962
  chain_hash BLOB           -- SHA-256(chain_hash of the act before ‖ leaf_hash); 32 zero bytes come before the first
);

-- one complete subtree of 256 acts, so that proofs do not read every leaf
CREATE TABLE audit_tile (
  tile UBIGINT,             -- acts 256 * tile to 256 * tile + 255
  hash BLOB                 -- root of the subtree, RFC 6962
);

-- one signed statement of how large the log is and what its root is
CREATE TABLE audit_checkpoint (
  size UBIGINT,             -- number of acts it covers
  signed_at TIMESTAMP,
  root BLOB,
  key VARCHAR,              -- fingerprint of the public key
  public_key BLOB,          -- 32 bytes, Ed25519
  note VARCHAR              -- the checkpoint as text (C2SP tlog-checkpoint)
);
