-- Meshline store, version 10: waivers that are asked for, rules that approve access, alerts and their delivery.

-- one step of one request for a waiver: asked, then approved or refused; a waiver that was revoked by hand
CREATE TABLE waiver_act (
  request VARCHAR,          -- id of the request, which is that of the waiver too
  act VARCHAR,              -- 'request', 'approve', 'refuse', 'revoke'
  policy VARCHAR, subject VARCHAR, expires TIMESTAMP,
  reason VARCHAR, actor VARCHAR, acted_at TIMESTAMP
);

-- one version of one rule file: requests for access that need nobody's decision
CREATE TABLE access_rule (
  name VARCHAR, product VARCHAR, classification VARCHAR, longest_days DOUBLE, document VARCHAR,
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one version of one route file: who is told what, and how
CREATE TABLE alert_route (
  name VARCHAR, document VARCHAR,
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one alert: one cause in one state, with the list of what it explains
CREATE TABLE alert (
  id VARCHAR,               -- hash of cause and state: the same state is told once
  cause VARCHAR,            -- 'violation:v…', 'incident:…', 'contract:…', 'budget:…'
  kind VARCHAR, severity VARCHAR, domain VARCHAR, level UINTEGER, title VARCHAR,
  body VARCHAR,             -- JSON that every channel is made of
  raised_at TIMESTAMP
);

-- one delivery of one alert by one route; no address is kept, only the name of the route
CREATE TABLE alert_delivery (
  id VARCHAR, alert VARCHAR, route VARCHAR, channel VARCHAR,
  state VARCHAR,            -- 'waiting', 'sent', 'dead'
  attempts UINTEGER, next_at TIMESTAMP, error VARCHAR, sent_at TIMESTAMP, made_at TIMESTAMP
);
