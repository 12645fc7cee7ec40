"""Durations of SLA properties, in seconds."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_UNITS = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3_600, "hr": 3_600, "hour": 3_600,
    "d": 86_400, "day": 86_400, "w": 604_800, "wk": 604_800, "week": 604_800, "mo": 2_592_000, "month": 2_592_000,
    "y": 31_536_000, "yr": 31_536_000, "year": 31_536_000,
}  # fmt: skip
_ISO = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.I)
_WORDS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.I)


def seconds_of(value: Any, unit: str = "") -> float | None:
    """A duration in seconds; ``None`` when it is none, or when its unit is unknown. A month has 30 days.

    >>> seconds_of(4, "d"), seconds_of("2", "hours"), seconds_of("PT90M"), seconds_of("3 days"), seconds_of(1, "moon")
    (345600.0, 7200.0, 5400.0, 259200.0, None)
    """
    if isinstance(value, bool) or value is None:
        return None
    return _seconds(str(value).strip(), unit)


@lru_cache(maxsize=4_096)
def _seconds(text: str, unit: str) -> float | None:
    match = _ISO.fullmatch(text)
    if match and any(match.groups()):
        sizes = (31_536_000, 2_592_000, 604_800, 86_400, 3_600, 60, 1)
        return float(sum(int(part or 0) * size for part, size in zip(match.groups(), sizes, strict=True)))
    words = _WORDS.fullmatch(text)
    if words and not unit:
        text, unit = words[1], words[2]
    size = unit_seconds(unit)
    try:
        return float(text) * size if size is not None else None
    except ValueError:
        return None


def unit_seconds(unit: str) -> int | None:
    """Seconds of one unit; ``None`` for an unknown one.

    >>> unit_seconds("days"), unit_seconds("")
    (86400, None)
    """
    low = unit.strip().lower()
    return _UNITS.get(low) or _UNITS.get(low.removesuffix("s"))


def spoken(seconds: float) -> str:
    """A duration for people.

    >>> spoken(7200), spoken(345600), spoken(90)
    ('2 hours', '4 days', '90 seconds')
    """
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            number = int(seconds // size)
            return f"{number} {word}{'' if number == 1 else 's'}"
    return f"{seconds:g} seconds"
