"""Times: everything inside is naive UTC with microseconds; everything outside is read tolerantly.

Producers send nanoseconds, offsets, no zone at all, ``+00:00Z`` and ``Z[Europe/London]``. Meshline reads them all and
says in a note what it had to assume.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lineage.errors import UsageError, repeated

OPEN_END = datetime(9999, 12, 31)  # noqa: DTZ001 - open end of both clocks; naive UTC like all stored times
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001

_ISO = re.compile(
    r"\s*(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
    r"\s*(Z|[+-]\d\d(?::?\d\d)?)?(Z)?(?:\[[^\]]*\])?\s*",
    re.IGNORECASE | re.ASCII,
)

_AGO = re.compile(r"(\d{1,6})\s*(minute|hour|day|week)s?\s+ago", re.IGNORECASE | re.ASCII)

_HOW = "Write it like 2026-03-31, 2026-03-31T18:00:00Z or “30 days ago”."


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 of a naive UTC time.

    >>> microseconds(datetime(1970, 1, 2))
    86400000000
    """
    return (at - EPOCH) // timedelta(microseconds=1)


class ParsedTime(NamedTuple):
    """A time in naive UTC, and what was odd about its text (empty when nothing was)."""

    at: datetime
    note: str = ""


def parse_event_time(text: str) -> ParsedTime | None:
    """Read the time of an event; ``None`` when it is none.

    >>> parse_event_time("2020-12-28T19:52:00.001+10:00").at.isoformat()
    '2020-12-28T09:52:00.001000'
    >>> parse_event_time("2020-12-28T09:52:00").note
    'time without zone: taken as UTC'
    >>> parse_event_time("yesterday") is None
    True
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone, extra_z = match.groups()
    if int(second or 0) > 60 or not _is_offset(zone):  # 60 = leap second
        return None
    note = ""
    if hour is None:
        note = "date without time: taken as midnight UTC"
    elif zone is None:
        note = "time without zone: taken as UTC"
    elif extra_z or text.rstrip().endswith("]"):
        note = "time with two zones: the offset is used"
    try:
        at = (
            datetime(  # noqa: DTZ001 - the offset is subtracted below
                int(year),
                int(month),
                int(day),
                int(hour or 0),
                int(minute or 0),
                min(int(second or 0), 59),
                int((fraction or "0").ljust(6, "0")[:6]),
            )
            - _offset(zone)
        )
    except (ValueError, OverflowError):
        return None
    if second == "60":
        at += timedelta(seconds=1)
    return ParsedTime(at, note) if EPOCH.replace(year=1) <= at < OPEN_END else None


def parse_instant(text: str, *, name: str = "time") -> datetime:
    """Read a time that a person typed (``--as-of``).

    Parameters
    ----------
    text
        a time, a date (its first instant), ``now``, or so long ago: ``90 minutes ago``, ``30 days ago``.
    name
        how errors call it.

    Raises
    ------
    UsageError
        when the text is no time.

    Examples
    --------
    >>> parse_instant("2026-03-31")
    datetime.datetime(2026, 3, 31, 0, 0)
    >>> parse_instant("2 weeks ago") < parse_instant("1 hour ago")
    True
    """
    if not isinstance(text, str):
        raise UsageError(f"{name}: {repeated(repr(text))} is no time. {_HOW}")
    text = text.strip()
    if text.lower() == "now":
        return utcnow()
    parsed = parse_event_time(text)
    if parsed is not None:
        return parsed.at
    past = _AGO.fullmatch(text)
    if past is None:
        raise UsageError(f"{name}: “{repeated(text)}” is no time. {_HOW}")
    try:
        return utcnow() - timedelta(**{f"{past[2].lower()}s": int(past[1])})
    except OverflowError:
        raise UsageError(f"{name}: “{text}” lies before the first year.") from None


def utcnow() -> datetime:
    """Now, as naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def iso(at: datetime | None) -> str | None:
    """``2026-03-31T18:00:00Z``; ``None`` for no time and for the open end."""
    if at is None or at >= OPEN_END:
        return None
    text = at.isoformat(timespec="microseconds" if at.microsecond else "seconds")
    return f"{text}Z"


def _is_offset(zone: str | None) -> bool:
    """Whether a zone lies within a day of UTC, as ISO 8601 wants it."""
    if zone is None or zone in "Zz":
        return True
    digits = zone[1:].replace(":", "")
    return int(digits[:2]) < 24 and int(digits[2:] or 0) < 60


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return -delta if zone[0] == "-" else delta
