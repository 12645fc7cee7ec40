"""The store: one DuckDB file, owned by one process (design section 3)."""

from lineage.store.store import Store, default_path

__all__ = ["Store", "default_path"]
