-- Meshline store, version 8: policies, grants and waivers.
SELECT 1;
