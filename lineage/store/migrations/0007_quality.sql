-- Meshline store, version 7: incidents and what was learned about quality.
SELECT 1;
