-- Meshline store, version 7: what people did to incidents. Incidents themselves are worked out from what runs told.

-- one act of one person on one incident; the incident is found again by its check and by the time it was open
CREATE TABLE incident_act (
  incident VARCHAR,         -- id when the act was done
  dataset UBIGINT, sort VARCHAR, field VARCHAR, name VARCHAR,  -- what failed
  began_at TIMESTAMP,       -- first failure as it was known then
  act VARCHAR,              -- 'acknowledge', 'assign', 'mute', 'resolve'
  actor VARCHAR, assignee VARCHAR, note VARCHAR,
  until TIMESTAMP,          -- end of a mute
  acted_at TIMESTAMP
);
