-- Meshline store, version 15: since when rules of spelling are switched off.

-- one time for which one rule that joins spellings was switched off; never derived, never changed by events
CREATE TABLE alias_rule (
  rule VARCHAR,             -- 'scheme', 'port' or 'slash'
  actor VARCHAR,
  known_from TIMESTAMP, known_to TIMESTAMP
);

-- for stores that have rows: what was a setting without a date holds since the act that is in the log
INSERT INTO alias_rule
SELECT off.rule, coalesce(max_by(a.actor, a.acted_at), ''), coalesce(max(a.acted_at), TIMESTAMP '1970-01-01'),
  TIMESTAMP '9999-12-31'
FROM (SELECT unnest(string_split(value, ',')) AS rule FROM meta WHERE key = 'alias.rules_off') off
LEFT JOIN audit a ON a.action = 'alias.rule' AND a.resource = off.rule
WHERE off.rule <> '' GROUP BY off.rule;

DELETE FROM meta WHERE key = 'alias.rules_off';
