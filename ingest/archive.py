"""The archive: raw events, byte for byte, many to a compressed block.

A block holds events that were received together. Compressed together they take a third to a fifth of what they take
one by one, and one INSERT makes a whole group durable (docs/design.md, "Store").
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import zstandard

from lineage.store import Store
from lineage.store.blocks import LENGTH, trailer
from lineage.store.blocks import fetch as fetch
from lineage.store.blocks import unpack as unpack
from lineage.times import EPOCH, utcnow

if TYPE_CHECKING:
    import duckdb

BLOCK_EVENTS = 256  # 385 bytes an event and 1.3 ms to fetch one; 1,024 save 2 % and cost four times the fetch
TICK = timedelta(milliseconds=100)
LONGEST_TICK = 8 * TICK  # when events come faster than they can be projected, larger batches cost less an event

_LEVEL = 1
_SMALL = 1 << 19  # bytes that the window of the level holds
_LARGE = 1 << 24  # bytes of a buffer that is not kept
_WINDOW = 22  # 4 MB, so that an event is found in the whole block: 515 bytes an event where 512 kB give 615
_TABLE = 17  # 128 k places are remembered; more do not fit the cache of a core
_PADDING = 4096  # bytes of bodies to a row of padding, see fillers
Originals = Mapping[bytes, tuple[bytes, bytes]]
"""Bytes of a masked event → its hash as it is stored, and as it came."""
_BODIES = """
-- one row per block; the bounds let zone maps find it
SELECT block, body FROM raw WHERE block BETWEEN ? AND ? AND list_contains(?::UBIGINT[], block)
"""


def tick_after(at: datetime, tick: timedelta = TICK) -> datetime:
    """End of the tick that ``at`` lies in: the receipt time of everything received in it.

    What is received in one tick becomes known at one instant, so that the projector can take it as one batch and
    "what was known at K" never falls inside a batch.
    """
    ticks = (at - EPOCH) // tick
    return EPOCH + (ticks + 1) * tick


def pack(events: Sequence[bytes], originals: Originals | None = None) -> bytes:
    """Compress events into the body of a block.

    The checksum (4 bytes) is what tells an intact block in a damaged log (:mod:`ingest.recovery`); of masked events
    the hashes follow, so that they are known when they come back from there.
    """
    buffer = _PACKING.buffer
    buffer.seek(0)
    for event in events:
        buffer.write(LENGTH.pack(len(event)))
        buffer.write(event)
    size = buffer.tell()
    with buffer.getbuffer() as data:
        body = _PACKING.compressor(size).compress(data[:size])
    if size > _LARGE:
        _PACKING.buffer = io.BytesIO()
    if not originals:
        return body
    return body + trailer(dict(originals[event] for event in events if event in originals))


class _Packing(threading.local):
    """What packing needs again for every block, in each thread: to make it anew costs a quarter of the time."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()
        self._small = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._large: zstandard.ZstdCompressor | None = None

    def compressor(self, size: int) -> zstandard.ZstdCompressor:
        """For so many bytes; small blocks need no larger tables than they can fill."""
        if size < _SMALL:
            return self._small
        if self._large is None:
            parameters = zstandard.ZstdCompressionParameters.from_level(
                _LEVEL, window_log=_WINDOW, hash_log=_TABLE, write_checksum=True
            )
            self._large = zstandard.ZstdCompressor(compression_params=parameters)
        return self._large


_PACKING = _Packing()


def append_blocks(
    cursor: duckdb.DuckDBPyConnection,
    first: int,
    blocks: Sequence[Sequence[bytes]],
    received_at: datetime,
    source: str,
    originals: Originals | None = None,
) -> None:
    """Write blocks numbered from ``first`` on with one statement, inside the caller's transaction."""
    if len(blocks) == 1:
        append_block(cursor, first, blocks[0], received_at, source, originals)
        return
    import pyarrow as pa

    count = len(blocks)
    bodies = [pack(events, originals) for events in blocks]
    padding = [None] * fillers(sum(map(len, bodies)))
    rows = pa.table(
        {
            "block": pa.array([*range(first, first + count), *padding], pa.uint64()),
            "received_at": pa.array([*([received_at] * count), *padding], pa.timestamp("us")),
            "n": pa.array([*map(len, blocks), *padding], pa.uint32()),
            "source": pa.array([*([source] * count), *padding], pa.string()),
            "codec": pa.array([*(["zstd"] * count), *padding], pa.string()),
            "body": pa.array([*bodies, *padding], pa.binary()),
        }
    )
    Store.insert(cursor, "raw", rows)


def append_block(
    cursor: duckdb.DuckDBPyConnection,
    block: int,
    events: Sequence[bytes],
    received_at: datetime,
    source: str,
    originals: Originals | None = None,
) -> int:
    """Write one block inside the caller's transaction; the caller numbers blocks (see :func:`next_block`).

    Returns
    -------
    int
        bytes of its body. Who appends many blocks so has :func:`pad` called now and then.
    """
    body = pack(events, originals)
    cursor.execute("INSERT INTO raw VALUES (?, ?, ?, ?, 'zstd', ?)", [block, received_at, len(events), source, body])
    return len(body)


def fillers(size: int) -> int:
    """How many rows of padding go with bodies of so many bytes: rows of ``raw`` in which everything is NULL.

    A checkpoint of DuckDB writes the last row group of a table anew, with all its bodies, until it has 2,048 rows.
    Blocks are large and few: without padding that were 266 MB, written again by each checkpoint and left behind as
    free space; with it, 8 MB. A row of padding takes next to nothing in the file.

    >>> fillers(130_000)
    31
    """
    return size // _PADDING


def pad(cursor: duckdb.DuckDBPyConnection, size: int) -> None:
    """Append the padding of bodies of so many bytes (see :func:`fillers`), inside the caller's transaction."""
    if size >= _PADDING:
        cursor.execute("INSERT INTO raw (block) SELECT NULL FROM range(?)", [fillers(size)])


def tail(cursor: duckdb.DuckDBPyConnection) -> tuple[int, datetime | None]:
    """Number of the next block, and the receipt time of the newest one: the clock of receipts never goes back."""
    last, received_at = cursor.execute("SELECT max(block), max(received_at) FROM raw").fetchall()[0]
    return (last or 0) + 1, received_at


def next_block(cursor: duckdb.DuckDBPyConnection) -> int:
    """Number of the next block."""
    return tail(cursor)[0]


def last_received(cursor: duckdb.DuckDBPyConnection) -> datetime | None:
    """Receipt time of the newest block."""
    return tail(cursor)[1]


def receipt_time(last: datetime | None, wanted: datetime | None = None) -> datetime:
    """Receipt time of the next block: as wanted (default: now), but never before the last one."""
    at = wanted if wanted is not None else tick_after(utcnow())
    return at if last is None or at >= last else last


def read_blocks(cursor: duckdb.DuckDBPyConnection, blocks: Sequence[int]) -> dict[int, list[bytes]]:
    """Events of these blocks, by number."""
    if not blocks:
        return {}
    rows = cursor.execute(_BODIES, [min(blocks), max(blocks), list(blocks)]).fetchall()
    return {number: unpack(body) for number, body in rows}


def blocks_after(
    cursor: duckdb.DuckDBPyConnection, block: int, limit: int
) -> Iterator[tuple[int, datetime, list[bytes]]]:
    """Blocks behind number ``block`` in order, ``limit`` at most."""
    rows: list[tuple[Any, ...]] = cursor.execute(
        "SELECT block, received_at, body FROM raw WHERE block > ? ORDER BY block LIMIT ?", [block, limit]
    ).fetchall()
    for number, received_at, body in rows:
        yield number, received_at, unpack(body)
