"""Read archived events back: many stand, each preceded by its length, in one compressed block."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

LENGTH = struct.Struct("<I")
_LARGEST = 1 << 30  # bytes of a block; a frame that claims more is none


def unpack(body: bytes | memoryview) -> list[bytes]:
    """The events of a block, in order."""
    import zstandard

    data = zstandard.ZstdDecompressor().decompress(body)
    events = []
    start = 0
    while start < len(data):
        (length,) = LENGTH.unpack_from(data, start)
        start += LENGTH.size
        events.append(data[start : start + length])
        start += length
    return events


def frames(data: bytes) -> Iterator[list[bytes]]:
    """The events of every whole block in a piece of a log, found by the magic number of its compression.

    Only blocks with a checksum count, so that no event comes back altered.
    """
    import zstandard

    magic = zstandard.FRAME_HEADER
    view = memoryview(data)
    at = data.find(magic)
    while at >= 0:
        events = _frame(view[at:])
        if events:
            yield events
        at = data.find(magic, at + 1)


def _frame(data: memoryview) -> list[bytes]:
    import zstandard

    try:
        header = zstandard.get_frame_parameters(data)
        if not header.has_checksum or not 0 < header.content_size < _LARGEST:
            return []
        return unpack(data)
    except (zstandard.ZstdError, struct.error):
        return []


def fetch(cursor: duckdb.DuckDBPyConnection, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Raw events by (block, position); each block is decompressed once."""
    blocks = sorted({block for block, _ in places})
    found: dict[tuple[int, int], bytes] = {}
    bodies = cursor.execute("SELECT block, body FROM raw WHERE block IN (SELECT unnest(?))", [blocks]).fetchall()
    wanted: dict[int, list[int]] = {}
    for block, position in places:
        wanted.setdefault(block, []).append(position)
    for block, body in bodies:
        events = unpack(body)
        for position in wanted[block]:
            found[block, position] = events[position]
    return found
