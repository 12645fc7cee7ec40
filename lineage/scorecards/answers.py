"""What scorecards answer: figures with numerator, denominator and the rows behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lineage.shown import Shown

Sort = Literal["mesh", "domain", "product", "tier"]
SORTS: tuple[Sort, ...] = ("mesh", "domain", "product", "tier")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that a metric counts.

    ``counted`` tells whether it is in the numerator, ``None`` when that is unknown: then it is in neither number.
    ``value`` is what is measured of it (days, a level), for metrics that are no share. ``note`` says why.
    """

    id: str
    domain: str = ""
    product: str = ""
    tier: str = ""
    counted: bool | None = True
    value: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """One figure. ``value`` is ``None`` when it is unknown, and ``reason`` says why; a share is between 0 and 1.

    For shares numerator and denominator count rows; for means the numerator is their sum; for a quantile the numerator
    counts the rows that ended and the denominator all of them. ``unknown`` counts rows that nothing is known of.
    """

    metric: str
    sort: Sort
    scope: str
    numerator: float
    denominator: float
    value: float | None
    unit: str
    reason: str = ""
    unknown: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Scorecards(Shown):
    """Answer of ``scorecards``: a figure per metric and scope."""

    by: Sort
    scores: tuple[Score, ...]
    as_of: datetime
    known_at: datetime
    generated_by: str = ""
    fingerprint: str = ""

    def of(self, metric: str, scope: str = "") -> Score | None:
        """One figure; ``None`` when there is none of this scope."""
        return next((one for one in self.scores if one.metric == metric and one.scope == scope), None)

    own_types = (("value", "text"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("scope", "metric", "value", "unit", "numerator", "denominator", "unknown", "reason")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per figure."""
        return [
            (one.scope or "mesh", one.metric, shown(one), one.unit, round(one.numerator, 2), round(one.denominator, 2),
             one.unknown, one.reason)
            for one in self.scores
        ]  # fmt: skip

    def title(self) -> str:
        """What it is about."""
        return f"Scorecards by {self.by}, as of {self.as_of:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Behind(Shown):
    """The rows behind one figure."""

    score: Score
    items: tuple[Row, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "domain", "product", "tier", "counted", "value", "note")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per thing that is counted."""
        return [tuple(getattr(one, head) for head in self.heads()) for one in self.items]

    def title(self) -> str:
        """The figure itself."""
        one = self.score
        return f"{one.title or one.metric} of {one.scope or 'the mesh'}: {shown(one)}"


@dataclass(frozen=True, slots=True)
class Point:
    """One figure on one day. ``taken``: from a snapshot that was stored that day, else worked out again."""

    day: datetime
    metric: str
    scope: str
    numerator: float
    denominator: float
    value: float | None
    taken: bool


@dataclass(frozen=True, slots=True)
class History(Shown):
    """Answer of ``scorecards --history``: figures day by day."""

    by: Sort
    points: tuple[Point, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("day", "scope", "metric", "value", "numerator", "denominator", "taken")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per figure and day."""
        return [(p.day, p.scope or "mesh", p.metric, p.value, p.numerator, p.denominator, p.taken) for p in self.points]

    def title(self) -> str:
        """How many days."""
        return f"Scorecards by {self.by}: {len({point.day for point in self.points})} days"


@dataclass(frozen=True, slots=True)
class Drilled:
    """A drill that was written down."""

    product: str
    note: str
    actor: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a snapshot wrote."""

    day: datetime
    figures: int


def shown(score: Score) -> str:
    """A figure as people read it; unknown is said, a share is never rounded up to 100 %.

    >>> shown(Score("ownership", "mesh", "", 2999, 3000, 2999 / 3000, "share"))
    '99.9 %'
    """
    if score.value is None:
        return "unknown"
    if score.unit == "share":
        return "100 %" if score.value >= 1 else f"{int(score.value * 1000) / 10:g} %"
    return f"{round(score.value, 2):g}"
