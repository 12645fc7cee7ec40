"""How far sources were read, kept with the data: a position is committed in the transaction of the events before it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest import tables
from lineage.store import Store
from lineage.times import utcnow

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

_COLUMNS: tables.Columns = (
    ("source", pa.string()), ("part", pa.string()), ("name", pa.string()), ("position", pa.uint64()),
    ("line", pa.uint64()), ("mark", pa.binary()), ("read_at", pa.timestamp("us")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Position:
    """How far one part of a source was read.

    Parameters
    ----------
    part
        a file as ``DEVICE:INODE``, or a partition.
    name
        for people.
    position
        bytes read, or offset of the next message.
    line
        lines read; ``None`` for partitions.
    mark
        digest that tells a file that was written anew; ``None`` for partitions.
    read_at
        when it was saved; set by :func:`load`.
    """

    part: str
    name: str
    position: int
    line: int | None = None
    mark: bytes | None = None
    read_at: datetime | None = None


def load(store: Store, source: str) -> dict[str, Position]:
    """Positions of a source by part."""
    rows = store.rows(
        "SELECT part, name, position, line, mark, read_at FROM source_position WHERE source = ?", [source]
    )
    return {row[0]: Position(*row) for row in rows}


def save(cursor: duckdb.DuckDBPyConnection, source: str, moved: Sequence[Position], gone: Collection[str] = ()) -> None:
    """Write new positions and forget parts that are gone, inside the caller's transaction."""
    parts = [*(position.part for position in moved), *gone]
    cursor.execute("DELETE FROM source_position WHERE source = ? AND part IN (SELECT unnest(?))", [source, parts])
    now = tables.micros(utcnow())
    rows = [(source, p.part, p.name, p.position, p.line, p.mark, now) for p in moved]
    tables.append(cursor, "source_position", _COLUMNS, rows)
