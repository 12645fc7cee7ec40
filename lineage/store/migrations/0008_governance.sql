-- Meshline store, version 8: policies, waivers, grants, and what came of them.

-- one version of one policy file
CREATE TABLE policy (
  name VARCHAR,             -- the policy's id
  version VARCHAR, title VARCHAR, severity VARCHAR, stage VARCHAR, domain VARCHAR, owner VARCHAR,
  document VARCHAR,         -- canonical JSON of the whole file
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one version of one waiver file
CREATE TABLE waiver (
  name VARCHAR, policy VARCHAR, subject VARCHAR, requester VARCHAR, approver VARCHAR, reason VARCHAR,
  expires TIMESTAMP,
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one version of one grant file: a consumer may read a product for a purpose until a day
CREATE TABLE access_grant (
  name VARCHAR, product VARCHAR, consumer_kind VARCHAR, consumer VARCHAR, purpose VARCHAR, approver VARCHAR,
  expires TIMESTAMP,
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one result of one policy on one asset over one interval; a new row only when the result changes
CREATE TABLE evaluation (
  policy VARCHAR, version VARCHAR, subject VARCHAR,
  result VARCHAR,           -- 'pass', 'violation', 'waived', 'error'
  message VARCHAR, path VARCHAR, evidence VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one evaluation of one policy: when it ran and what it counted
CREATE TABLE policy_run (
  policy VARCHAR, version VARCHAR, evaluated_at TIMESTAMP, scope UBIGINT, passed UBIGINT, violations UBIGINT,
  waived UBIGINT, error VARCHAR, seconds DOUBLE
);

-- one act of a person on one violation
CREATE TABLE violation_act (
  policy VARCHAR, subject VARCHAR,
  act VARCHAR,              -- 'acknowledge', 'assign', 'comment'
  assignee VARCHAR, reason VARCHAR, actor VARCHAR, acted_at TIMESTAMP
);

-- one step of one request for access: asked, then approved or refused; a grant that was approved or revoked by hand
CREATE TABLE access_act (
  request VARCHAR,          -- id of the request, which is that of the grant too
  act VARCHAR,              -- 'request', 'approve', 'refuse', 'revoke'
  product VARCHAR, consumer_kind VARCHAR, consumer VARCHAR, purpose VARCHAR, expires TIMESTAMP,
  reason VARCHAR, actor VARCHAR, acted_at TIMESTAMP
);
