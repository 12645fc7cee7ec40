-- Meshline store, version 2: how far sources were read, and who sent what was refused.

-- one part of one source (a file of a folder, a partition of a topic) and how far it was read
CREATE TABLE source_position (
  source VARCHAR,           -- the folder, or 'kafka:CLUSTER/TOPIC'
  part VARCHAR,             -- what stays the same when the part is renamed: 'DEVICE:INODE', or the partition
  name VARCHAR,             -- for people: the file's name
  position UBIGINT,         -- bytes read so far, or offset of the next message
  line UBIGINT,             -- lines read so far; NULL for partitions
  mark BLOB,                -- digest of what was read, tells a file that was written anew; NULL for partitions
  read_at TIMESTAMP         -- when it was last read
);

ALTER TABLE quarantine ADD COLUMN producer VARCHAR; -- as far as the bytes tell; NULL when they do not
