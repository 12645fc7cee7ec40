"""Whether the write-ahead log of a DuckDB file breaks off, and whether data lies behind the place.

DuckDB checks the sum of every entry and refuses a log whose middle is damaged. But an entry whose *length* is damaged
looks like a log that breaks off there, as it does when a process is killed while it writes: DuckDB opens the file
without a word and cuts the log, and with it every transaction behind that place. The two are told apart by what is
behind: a torn end holds no whole block of events.

A log is a header (field 100: type of entry, 101: version, 102: 16 numbers that name the database file, 103: iteration;
fields end with 0xFFFF) and entries of length (8 bytes), check sum (8 bytes) and content, as DuckDB 1.2 to 2.0 write it.
"""

from __future__ import annotations

import struct
import time
from pathlib import Path

from lineage.store.blocks import frames

_HEAD = bytes([100, 0, 98, 101, 0])  # an entry of the type "version"
_END = b"\xff\xff"
_ENTRY = struct.Struct("<QQ")
_STAYS = 0.1  # seconds


def log_of(file: Path) -> Path:
    """The log of a database file."""
    return file.with_name(file.name + ".wal")


def hidden_break(file: Path) -> int | None:
    """Where the log of a database file breaks off although whole blocks of events lie behind; else ``None``.

    Parameters
    ----------
    file
        the database file. While somebody writes to it the log may end anywhere, so a break must stay to count.
    """
    found = _look(file)
    while found is not None:
        time.sleep(_STAYS)
        again = _look(file)
        if again == found:
            return found[1]
        found = again
    return None


def _look(file: Path) -> tuple[int, int] | None:
    """Length of a log and where it breaks off before whole blocks."""
    try:
        data = log_of(file).read_bytes()
    except OSError:  # there is none, or opening the database will tell
        return None
    at = _break(data)
    return (len(data), at) if at is not None and any(frames(data[at:])) else None


def _break(data: bytes) -> int | None:
    """First byte that is no whole entry; ``None`` when there is none or the header is of an unknown form."""
    at = _header(data)
    if at is None:
        return None
    while at + _ENTRY.size <= len(data):
        length, _ = _ENTRY.unpack_from(data, at)
        if length == 0 or at + _ENTRY.size + length > len(data):
            return at
        at += _ENTRY.size + length
    return at if at < len(data) else None


def _header(data: bytes) -> int | None:
    """Length of the header."""
    if not data.startswith(_HEAD):
        return None
    try:
        at = _number(data, len(_HEAD))
        if data[at : at + 2] == b"\x66\x00":  # 102: how many numbers, and the numbers
            count, at = data[at + 2], at + 3
            for _ in range(count):
                at = _number(data, at)
        if data[at : at + 2] == b"\x67\x00":
            at = _number(data, at + 2)
    except IndexError:
        return None
    return at + len(_END) if data[at : at + len(_END)] == _END else None


def _number(data: bytes, at: int) -> int:
    """Where a number of variable length (7 bits a byte, the highest bit means more) that begins at ``at`` ends."""
    while data[at] & 0x80:
        at += 1
    return at + 1
