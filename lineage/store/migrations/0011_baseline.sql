-- Meshline store, version 11: where retention let go, and what had been derived by then.

-- one signed statement of what was derived from everything up to one block of the archive; a rebuild starts there
CREATE TABLE baseline (
  number UINTEGER,          -- 1, 2, 3, …; the newest counts
  made_at TIMESTAMP,
  block UBIGINT,            -- events of blocks up to this one may have no bytes any more
  known TIMESTAMP,          -- receipt time of that block: the baseline is what was known then
  tail UBIGINT,             -- newest block when it was made; what comes in a later one and is older than 'before' is late
  before TIMESTAMP,         -- the horizon: what lies before it is not all there
  thinned BOOLEAN,          -- runs, measurements, results or ended edges went, not only bytes of events
  digest VARCHAR,           -- over the derived rows known by then, see ingest/baseline.py
  key VARCHAR,              -- fingerprint of the public key
  public_key BLOB,          -- 32 bytes, Ed25519
  signature BLOB            -- of all of the above
);
