-- Meshline store, version 5: data products and contracts.
SELECT 1;
