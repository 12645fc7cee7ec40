"""One notifier for what people have to hear of: violations, incidents, broken contracts, budgets."""
