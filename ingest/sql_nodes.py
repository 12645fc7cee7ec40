"""Columns that only readings of SQL name: they have a node, but are no part of what the events say."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def add(cursor: duckdb.DuckDBPyConnection, nodes: pa.Table, known_at: int) -> None:
    """Add nodes that readings name at a known time (microseconds); those that events name stay what they are.

    Parameters
    ----------
    nodes
        rows of ``node``.
    """
    cursor.register("_named", nodes)
    try:
        cursor.execute("INSERT INTO sql_node SELECT id FROM _named ANTI JOIN node USING (id)")
        # an event may have named it a moment later than the run whose SQL does
        cursor.execute(
            f"UPDATE node SET known_from = make_timestamp({known_at}) "  # noqa: S608 - a number
            f"FROM _named n WHERE node.id = n.id AND node.known_from > make_timestamp({known_at})"
        )
        columns = ", ".join(f'"{name}"' for name in nodes.column_names)
        cursor.execute(f"INSERT INTO node ({columns}) SELECT {columns} FROM _named ANTI JOIN node USING (id)")  # noqa: S608
    finally:
        cursor.unregister("_named")


def named_by_events(cursor: duckdb.DuckDBPyConnection, nodes: Collection[int]) -> None:
    """Note that events name these nodes."""
    if nodes and cursor.execute("SELECT 1 FROM sql_node LIMIT 1").fetchall():
        cursor.execute("DELETE FROM sql_node WHERE id IN (SELECT unnest(?::UBIGINT[]))", [list(nodes)])
