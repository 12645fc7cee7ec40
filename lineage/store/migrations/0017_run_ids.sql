-- Meshline store, version 17: a UUID is one run id in either case.

-- for stores that have rows: where runs are known by keys of a UUID in capitals, run ids stay exact until the next
-- rebuild
INSERT INTO meta
SELECT 'runs.exact', '1' FROM run
WHERE regexp_full_match(run_id, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') AND run_id <> lower(run_id)
LIMIT 1;
