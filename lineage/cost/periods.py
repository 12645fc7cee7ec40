"""Periods as people write them: ``2026-06``, ``2026-Q2``, ``2026``, ``2026-04..2026-06``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.errors import UsageError
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.store import Store

_MONTH = re.compile(r"(\d{4})-(\d\d)")
_QUARTER = re.compile(r"(\d{4})-?[Qq]([1-4])")
_YEAR = re.compile(r"(\d{4})")
_NEWEST = """
-- newest billing period of a bill of which anything was charged before T, as known at K
SELECT max(period_start) FROM bill_part SEMI JOIN (SELECT part FROM charge WHERE started_at < $at) USING (part)
WHERE known_from <= $known AND known_to > $known AND period_start <= $at
"""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months, half-open, naive UTC; of one that an instant lies in, only what was until then.

    ``until`` is that instant: charges that begin after it, and runs, are of a time that it knows nothing of.
    """

    text: str
    start: datetime
    end: datetime
    until: datetime = OPEN_END

    @property
    def stop(self) -> datetime:
        """Until when runs of it are looked at."""
        return min(self.end, self.until)

    @property
    def spans(self) -> dict[str, datetime]:
        """Parameters of the SQL over bills."""
        return {"start": self.start, "end": self.end, "until": self.until}


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


def seen_at(period: Period, at: datetime) -> Period:
    """A period as it was seen at an instant: of one that the instant lies in, what was billed and ran until then.

    >>> seen_at(read_period("2026-06"), datetime(2026, 6, 15)).stop.isoformat()
    '2026-06-15T00:00:00'
    >>> seen_at(read_period("2026-06"), datetime(2026, 7, 15)) == read_period("2026-06")
    True
    """
    return replace(period, until=at) if period.start <= at < period.end else period


def newest_billed(store: Store, known: datetime, at: datetime) -> Period | None:
    """The newest month of which anything was charged before an instant, as known at another; ``None``: none was."""
    newest = store.rows(_NEWEST, {"known": known, "at": at})[0][0]
    return None if newest is None else month_of(newest)


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
