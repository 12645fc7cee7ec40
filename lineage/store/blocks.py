"""Read archived events back: many stand, each preceded by its length, in one compressed block."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

LENGTH = struct.Struct("<I")
_LARGEST = 1 << 30  # bytes of a block; a frame that claims more is none
_SKIPPED = b"\x50\x2a\x4d\x18"  # a frame that decompression passes over (RFC 8878, 3.1.2)
_BODIES = """
-- one row per asked block; the bounds let zone maps pass over the others
SELECT block, body FROM raw WHERE block BETWEEN ? AND ? AND block IN (SELECT unnest(?::UBIGINT[]))
"""
_PAIR = 64  # bytes: two SHA-256


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


def trailer(originals: Mapping[bytes, bytes]) -> bytes:
    """What follows a block with masked events: the hash of each as it is stored and as it came, for recovery.

    >>> hashes_as_came(b"noise" + trailer({b"s" * 32: b"o" * 32}))
    {b'ssssssssssssssssssssssssssssssss': b'oooooooooooooooooooooooooooooooo'}
    """
    if not originals:
        return b""
    pairs = b"".join(stored + original for stored, original in originals.items())
    return _SKIPPED + LENGTH.pack(len(pairs) + LENGTH.size) + pairs + LENGTH.pack(zlib.crc32(pairs))


def hashes_as_came(data: bytes) -> dict[bytes, bytes]:
    """Hash as stored → hash as it came, of masked events, from every whole trailer in a piece of a log."""
    found: dict[bytes, bytes] = {}
    at = data.find(_SKIPPED)
    while at >= 0:
        start = at + len(_SKIPPED) + LENGTH.size
        size = LENGTH.unpack_from(data, start - LENGTH.size)[0] - LENGTH.size if start <= len(data) else -1
        pairs, check = data[start : start + size], data[start + size : start + size + LENGTH.size]
        if size > 0 and size % _PAIR == 0 and check == LENGTH.pack(zlib.crc32(pairs)):
            found |= {pairs[i : i + 32]: pairs[i + 32 : i + _PAIR] for i in range(0, size, _PAIR)}
        at = data.find(_SKIPPED, at + 1)
    return found


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
    if not blocks:
        return {}
    bodies = cursor.execute(_BODIES, [blocks[0], blocks[-1], blocks]).fetchall()
    wanted: dict[int, list[int]] = {}
    for block, position in places:
        wanted.setdefault(block, []).append(position)
    for block, body in bodies:
        events = unpack(body)
        for position in wanted[block]:
            found[block, position] = events[position]
    return found
