"""Versions of the schema of a dataset, and what each of them changed for whoever reads it."""
