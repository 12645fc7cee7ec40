"""The quarantine: inputs that could not be read, kept byte for byte with the reason and the place."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import zstandard

from ingest import tables
from ingest.envelope import Refusal

if TYPE_CHECKING:
    import duckdb

_SCHEMA = pa.schema(
    [
        ("hash", pa.binary()), ("received_at", pa.timestamp("us")), ("source", pa.string()), ("line", pa.uint64()),
        ("reason", pa.string()), ("detail", pa.string()), ("body", pa.binary()),
    ]
)  # fmt: skip


class Rejected(NamedTuple):
    """One refused input.

    ``line`` is its 1-based line in a file, or its 0-based index in a request; may be unknown. ``source`` is set when
    it is not that of the whole batch.
    """

    data: bytes
    refusal: Refusal
    line: int | None = None
    source: str | None = None


def put(cursor: duckdb.DuckDBPyConnection, rejected: Sequence[Rejected], at: datetime, source: str) -> None:
    """Keep refused inputs, inside the caller's transaction; the same input from the same place is kept once."""
    rows = [
        (
            hashlib.sha256(item.data).digest(), tables.micros(at), item.source or source, item.line,
            item.refusal.reason, item.refusal.detail, zstandard.ZstdCompressor(level=3).compress(item.data),
        )
        for item in rejected
    ]  # fmt: skip
    if not rows:
        return
    cursor.register("_rejected", tables.arrow_table(_SCHEMA, rows))
    try:
        cursor.execute(
            """
            INSERT INTO quarantine (hash, received_at, source, line, reason, detail, body)
            SELECT DISTINCT ON (r.hash, r.source, r.line) r.* FROM _rejected r
            ANTI JOIN quarantine q
              ON q.hash = r.hash AND q.source = r.source AND q.line IS NOT DISTINCT FROM r.line
            """
        )
    finally:
        cursor.unregister("_rejected")
