"""The retention horizon: before it, not everything is there any more (docs/retention.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from lineage.times import iso

if TYPE_CHECKING:
    import duckdb

_BASELINES = """
-- one baseline, oldest first
SELECT number, made_at, block, known, tail, before, thinned, digest, key, public_key, signature
FROM baseline ORDER BY number
"""


class Baseline(NamedTuple):
    """What had been derived when retention let something go; fields as in the table."""

    number: int
    made_at: datetime
    block: int
    known: datetime
    tail: int
    before: datetime
    thinned: bool
    digest: str = ""
    key: str = ""
    public_key: bytes = b""
    signature: bytes = b""


def baselines(cursor: duckdb.DuckDBPyConnection) -> list[Baseline]:
    """All baselines, oldest first."""
    return [Baseline(*row) for row in cursor.execute(_BASELINES).fetchall()]


def horizon_notes(
    rows: Callable[[str], list[tuple[datetime | None]]], as_of: datetime, known_at: datetime
) -> tuple[str, ...]:
    """What an answer about these instants has to say of retention: nothing, or that it is partial.

    Parameters
    ----------
    rows
        runs one statement and gives its rows, like :meth:`lineage.store.Store.rows`.
    as_of, known_at
        the instants the answer is about, naive UTC.
    """
    found = rows("SELECT max(before) FROM baseline")[0][0]
    if found is None or min(as_of, known_at) >= found:
        return ()
    return (f"partial: before retention horizon {iso(found)}",)
