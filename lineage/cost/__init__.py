"""What data costs: bills, attribution to nodes, allocation along lineage, budgets, waste (semantics 21 and 22)."""
