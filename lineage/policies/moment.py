"""The time by which deadlines, waivers and grants are judged.

The present of an answer is never before the newest event, so that the clock of a producer hides nothing. A promise
between people must not follow such a clock: an event from the year 2099 would end every waiver and miss every deadline.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.view import View


def moment(view: View) -> datetime:
    """The instant that was asked for; for the present our own clock (naive UTC)."""
    return min(view.as_of, utcnow()) if view.instant is view._now else view.as_of
