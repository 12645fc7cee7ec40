-- Meshline store, version 6: bills, attribution and budgets.
SELECT 1;
