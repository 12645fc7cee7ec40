"""Periods as people write them: ``2026-06``, ``2026-Q2``, ``2026``, ``2026-04..2026-06``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from lineage.errors import UsageError

_MONTH = re.compile(r"(\d{4})-(\d\d)")
_QUARTER = re.compile(r"(\d{4})-?[Qq]([1-4])")
_YEAR = re.compile(r"(\d{4})")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months, half-open, naive UTC."""

    text: str
    start: datetime
    end: datetime


def read_period(text: str) -> Period:
    """A period.

    Raises
    ------
    UsageError
        when the text is none.

    Examples
    --------
    >>> read_period("2026-06").end.isoformat(), read_period("2026-Q2").start.isoformat()
    ('2026-07-01T00:00:00', '2026-04-01T00:00:00')
    >>> read_period("2025-12..2026-01").end.isoformat()
    '2026-02-01T00:00:00'
    """
    first, dots, last = text.strip().partition("..")
    start, end = _span(first, text)
    if dots:
        end = _span(last, text)[1]
    if end <= start:
        raise UsageError(f"period: “{text}” ends before it begins.")
    return Period(text.strip(), start, end)


def month_of(at: datetime) -> Period:
    """The month of an instant.

    >>> month_of(datetime(2026, 12, 31, 23)).text
    '2026-12'
    """
    return read_period(f"{at:%Y-%m}")


def _span(text: str, whole: str) -> tuple[datetime, datetime]:
    if match := _MONTH.fullmatch(text):
        year, month, length = int(match[1]), int(match[2]), 1
    elif match := _QUARTER.fullmatch(text):
        year, month, length = int(match[1]), int(match[2]) * 3 - 2, 3
    elif match := _YEAR.fullmatch(text):
        year, month, length = int(match[1]), 1, 12
    else:
        year, month, length = 0, 0, 0
    if not (1 <= month <= 12 and 1900 <= year <= 9000):
        raise UsageError(f"period: “{whole}” is none. Write 2026-06, 2026-Q2, 2026 or 2026-04..2026-06.")
    after = month - 1 + length
    return datetime(year, month, 1), datetime(year + after // 12, after % 12 + 1, 1)  # noqa: DTZ001 - naive UTC
