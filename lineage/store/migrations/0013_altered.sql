-- Meshline store, version 13: events whose secrets were masked before they were stored.

-- one event that is stored otherwise than it came, see the setting redact.archive
CREATE TABLE altered (
  stored BLOB,              -- SHA-256 of its bytes as they are in the archive
  original BLOB             -- SHA-256 of its bytes as it came: the hash it is known by
);
