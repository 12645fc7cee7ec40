-- Meshline store, version 18: approved stops of tags.

-- one version of one stop that was approved: the tag does not enter the node; asked for by hand, or declared in a file
CREATE TABLE tag_stop (
  name VARCHAR,             -- the stop's id, which is that of its request too
  node UBIGINT,             -- dataset or column; none when a file names it, then subject is looked up when asked
  subject VARCHAR,          -- text of the node as it was named
  tag VARCHAR,              -- 'pii:email', a key ('pii'), or '' for every tag
  requester VARCHAR, approver VARCHAR, reason VARCHAR,
  expires TIMESTAMP,        -- its own end; 9999-12-31: none
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one step of one request for a stop
CREATE TABLE tag_stop_act (
  stop VARCHAR,             -- id of the request, which is that of the stop too
  act VARCHAR,              -- 'request', 'approve', 'refuse', 'revoke'
  node UBIGINT, subject VARCHAR, tag VARCHAR,
  starts TIMESTAMP,         -- from when on it is asked for; none: from its approval on
  expires TIMESTAMP,
  reason VARCHAR, actor VARCHAR, acted_at TIMESTAMP
);
