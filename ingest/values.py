"""Tolerant readers of decoded JSON: they answer with the value, or with nothing; they never raise.

Producers send numbers as texts, booleans as ``"True"``, null where a list should be. What cannot be understood is
treated as absent; the facet itself is kept whole in any case.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

_EXACT = 2**53


def text(value: Any) -> str | None:
    """A non-empty text, else ``None``; numbers are written out."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def number(value: Any) -> float | None:
    """A finite number, also when sent as text.

    >>> number("12.5"), number("n/a"), number(float("nan")), number(True)
    (12.5, None, None, None)
    """
    if type(value) is int and -_EXACT < value < _EXACT:  # by far the most
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def whole(value: Any) -> int | None:
    """A whole number that fits 64 bits and is not negative (counts and sizes never are)."""
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < 2**63 else None


def boolean(value: Any) -> bool | None:
    """A boolean, also when sent as ``"True"`` or ``"false"``."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a JSON array."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
