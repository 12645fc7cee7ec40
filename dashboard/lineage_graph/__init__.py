"""The lineage picture: layout in Python, drawing in one canvas component."""
