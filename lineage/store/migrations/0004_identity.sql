-- Meshline store, version 4: identity over time.
SELECT 1;
