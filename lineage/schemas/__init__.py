"""Versions of the schema of a dataset, and what each changed for whoever reads it."""
