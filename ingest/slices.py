"""Facets as slices of bytes: maps of them, and their values, read so that nothing unreadable costs an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

_NULL = msgspec.Raw(b"null")
_SHORT = 5  # bytes from which a value is no null
_EMPTY = (msgspec.Raw(b""), _NULL, msgspec.Raw(b"{}"))
_decode_map = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def facet_map(raw: msgspec.Raw, entity: str, place: str, notes: list[str]) -> list[tuple[str, msgspec.Raw]]:
    """Key and slice of every facet in a map; null is absent."""
    if len(raw) < _SHORT and raw in _EMPTY:
        return []
    try:
        found = _decode_map(raw)
    except (msgspec.DecodeError, RecursionError):
        notes.append(f"{entity} {place} is no readable object: not read")
        return []
    return [item for item in found.items() if len(item[1]) >= _SHORT or item[1] != _NULL]


def decode_any(raw: msgspec.Raw, where: str, notes: list[str]) -> Any:
    """The value of a slice; ``None``, with a note, when it cannot be read."""
    try:
        return _decode_any(raw)
    except (msgspec.DecodeError, RecursionError):
        notes.append(f"{where} cannot be read: kept as it is")
        return None


def read_with(read: Callable[[dict[str, Any]], Any], raw: msgspec.Raw, where: str, notes: list[str]) -> Any:
    """What a reader makes of the object in a slice; ``None`` when there is none, or it cannot be understood."""
    value = decode_any(raw, where, notes)
    return guarded(read, value, where, notes) if isinstance(value, dict) else None


def guarded(read: Callable[[dict[str, Any]], Any], value: dict[str, Any], where: str, notes: list[str]) -> Any:
    """Readers are tolerant by construction; what still goes wrong must not cost the event."""
    try:
        return read(value)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        notes.append(f"{where} cannot be understood ({type(error).__name__}): kept as it is")
        return None
