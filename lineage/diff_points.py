"""The two points of a comparison, for its queries."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.view import View

_SEEN = "(e.valid_from <= $t{0} AND $t{0} < e.valid_to AND e.known_from <= $k{0} AND $k{0} < e.known_to)"


def points(before: View, after: View) -> dict[str, datetime]:
    """Valid and known time of both points: ``t1``, ``k1``, ``t2``, ``k2``."""
    one, two = before.snapshot, after.snapshot
    return {"t1": one.as_of, "k1": one.known_at, "t2": two.as_of, "k2": two.known_at}


def at_both(text: str) -> str:
    """A query with the visibility of a row of ``e`` at the two points filled in for ``{one}`` and ``{two}``."""
    return text.format(one=_SEEN.format(1), two=_SEEN.format(2))
