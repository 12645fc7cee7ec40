"""Points of a series that are not what its past lets expect: seasonal median absolute deviation on a log scale.

A point is compared with the median of its season (day of the week), moved to the level of the last two weeks; the
scale is the median absolute deviation of the residuals, but at least 2 %, so that a constant series does alarm.
Points that alarmed stay out of the past, once their season is known. Three alarms in a row on one side are a level
shift: it is reported once, and the series starts anew from there. Below ten points nothing is said.

Source of the method: robust z-score (Iglewicz & Hoaglin 1993, constant 1.4826) on log(1 + y) with a
seasonal baseline; the thresholds were chosen on the seeded series of ``benchmarks/anomaly_series.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

WINDOW = 56  # points of the past that count
LEVEL = 14  # of them, those that make the level
LEAST = 10  # points before anything is said
LIMIT = 4.0  # scales; 3.5 in the source, 4 since medians of eight points waver
CHANGE = 0.10  # share of the expected value
FLOOR = math.log(1.02)  # smallest scale
SHIFT = 3  # alarms in a row on one side
_SEASON = 3  # points of a season before an alarm is kept out of its past
_CONSISTENT = 1.4826  # MAD of a normal distribution to its standard deviation

Verdict = Literal["normal", "anomaly", "level shift", "unknown"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One point: what was seen, what was expected (with the band that is no alarm), from how many points."""

    at: int
    verdict: Verdict
    observed: float
    expected: float | None
    low: float | None
    high: float | None
    points: int


def expect(past: npt.ArrayLike, seasons: npt.ArrayLike, season: int) -> tuple[float, float, float]:
    """Expected value of the next point and its band.

    Parameters
    ----------
    past
        values without alarms, oldest first; at most the last :data:`WINDOW` count. None may be below 0.
    seasons, season
        season of each of them and of the next point (day of the week, …).

    Returns
    -------
    tuple
        expected value, lower and upper end of the band.

    Examples
    --------
    >>> [round(float(v), 6) for v in expect([100.0] * 20, [0] * 20, 0)]
    [100.0, 90.0, 110.0]
    """
    x = np.log1p(np.maximum(0, np.asarray(past, dtype=np.float64)[-WINDOW:]))
    kinds = np.asarray(seasons)[-WINDOW:]
    base = np.empty(len(x))
    free = np.ones(len(x))
    own = float(np.median(x))
    for kind in np.unique(kinds):
        mine = kinds == kind
        count = int(mine.sum())
        base[mine] = np.median(x[mine])
        own = float(base[mine][0]) if kind == season else own
        free[mine] = math.sqrt(count / (count - 1)) if count > 1 else np.nan  # one point is its own median
    residual = x - base
    level = float(np.median(residual[-LEVEL:]))
    told = (residual - np.median(residual)) * free
    told = told[~np.isnan(told)]
    spread = float(np.median(np.abs(told))) if len(told) else 0.0
    scale = max(_CONSISTENT * spread, FLOOR)
    middle = own + level
    expected = math.expm1(middle)
    low = min(math.expm1(middle - LIMIT * scale), expected * (1 - CHANGE))
    high = max(math.expm1(middle + LIMIT * scale), expected * (1 + CHANGE))
    return expected, max(0.0, low), high


def judge(values: Sequence[float], seasons: Sequence[int] | None = None, start: int = 0) -> list[Judged]:
    """Judge every point of a series by the points before it.

    Parameters
    ----------
    values
        the series, oldest first.
    seasons
        season of each point; default: position modulo 7 (daily values).
    start
        first point to judge; those before it are past only, but are judged too to keep their alarms out.

    Examples
    --------
    >>> [j.verdict for j in judge([100.0] * 12 + [50.0, 100.0])][-2:]
    ['anomaly', 'normal']
    """
    kinds = list(seasons) if seasons is not None else [i % 7 for i in range(len(values))]
    past: list[float] = []
    past_kinds: list[int] = []
    row: list[tuple[int, float, int]] = []  # alarms in a row on one side: position, value, season
    side = 0
    found: list[Judged] = []
    for at, value in enumerate(values):
        if not math.isfinite(value):
            found.append(Judged(at, "unknown", value, None, None, None, len(past)))
            continue
        points = min(len(past), WINDOW)
        known = past_kinds[-WINDOW:].count(kinds[at])
        if points < LEAST or known == 0:
            past.append(value)
            past_kinds.append(kinds[at])
            found.append(Judged(at, "unknown", value, None, None, None, points))
            continue
        expected, low, high = expect(past, past_kinds, kinds[at])
        now = 1 if value > high else -1 if value < low else 0
        if now == 0 or known < _SEASON:
            past.append(value)
            past_kinds.append(kinds[at])
            row, side = [], 0
            found.append(Judged(at, "anomaly" if now else "normal", value, expected, low, high, points))
            continue
        row = [*row, (at, value, kinds[at])] if now == side else [(at, value, kinds[at])]
        side = now
        verdict: Verdict = "level shift" if len(row) == SHIFT else "anomaly"
        found.append(Judged(at, verdict, value, expected, low, high, points))
        if len(row) == SHIFT:
            past, past_kinds = _moved(past, past_kinds, row)
            row, side = [], 0
    return found[start:]


def _moved(past: list[float], kinds: list[int], row: list[tuple[int, float, int]]) -> tuple[list[float], list[int]]:
    """The past at the new level: its seasons are kept, its height is that of the points that shifted."""
    steps = [math.log1p(max(0.0, value)) - math.log1p(expect(past, kinds, kind)[0]) for _, value, kind in row]
    step = float(np.median(steps))
    moved = [max(0.0, math.expm1(math.log1p(max(0.0, value)) + step)) for value in past]
    return [*moved, *(value for _, value, _ in row)], [*kinds, *(kind for _, _, kind in row)]
