"""The store: one DuckDB file, owned by one process (design section 3)."""

from lineage.store.store import Store, default_path
from lineage.store.version import bump_version, state_fingerprint, state_version

__all__ = ["Store", "bump_version", "default_path", "state_fingerprint", "state_version"]
