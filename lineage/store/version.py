"""The state number of a store: grows with every committed change, so readers see cheaply that they are old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.store.store import Store

if TYPE_CHECKING:
    import duckdb

_KEY = "version"


def bump_version(cursor: duckdb.DuckDBPyConnection) -> int:
    """Count one more change; call it once inside every transaction that changes what answers are made of.

    Examples
    --------
    >>> store = Store.open(":memory:")
    >>> with store.transaction() as cursor:
    ...     bump_version(cursor)
    1
    >>> state_version(store)
    1
    >>> store.close()
    """
    found = cursor.execute("SELECT value FROM meta WHERE key = ?", [_KEY]).fetchall()
    number = int(found[0][0]) + 1 if found else 1
    Store.set_meta(cursor, _KEY, str(number))
    return number


def state_version(store: Store) -> int:
    """How many changes the store has seen; 0 for an empty one."""
    value = store.get_meta(_KEY)
    return int(value) if value else 0
