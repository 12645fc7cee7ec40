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


def expect(past: Sequence[float], seasons: Sequence[int], season: int) -> tuple[float, float, float]:
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
    x = [math.log1p(max(0.0, float(value))) for value in past[-WINDOW:]]
    return _expected(x, seasons[-WINDOW:], season)


def _expected(x: Sequence[float], seasons: Sequence[int], season: int) -> tuple[float, float, float]:
    """The same of logarithms, at most a window of them. So few numbers are quicker without numpy."""
    grouped: dict[int, list[float]] = {}
    for value, kind in zip(x, seasons, strict=True):
        grouped.setdefault(kind, []).append(value)
    base = {kind: _median(mine) for kind, mine in grouped.items()}
    residual = [value - base[kind] for value, kind in zip(x, seasons, strict=True)]
    middle = _median(residual)
    free = {kind: math.sqrt(len(mine) / (len(mine) - 1)) if len(mine) > 1 else 0.0 for kind, mine in grouped.items()}
    told = [  # one point is its own median and tells nothing
        abs((one - middle) * free[kind]) for one, kind in zip(residual, seasons, strict=True) if free[kind]
    ]
    scale = max(_CONSISTENT * (_median(told) if told else 0.0), FLOOR)
    own = base[season] if season in base else _median(x)
    level = own + _median(residual[-LEVEL:])
    expected = math.expm1(level)
    low = min(math.expm1(level - LIMIT * scale), expected * (1 - CHANGE))
    high = max(math.expm1(level + LIMIT * scale), expected * (1 + CHANGE))
    return expected, max(0.0, low), high


def _median(values: Sequence[float]) -> float:
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


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
    past: list[float] = []  # logarithms of the values
    past_kinds: list[int] = []
    row: list[tuple[float, int]] = []  # alarms in a row on one side: logarithm, season
    side = 0
    found: list[Judged] = []
    for at, value in enumerate(values):
        if not math.isfinite(value):
            found.append(Judged(at, "unknown", value, None, None, None, len(past)))
            continue
        x, kind = math.log1p(max(0.0, value)), kinds[at]
        points = min(len(past), WINDOW)
        known = past_kinds[-WINDOW:].count(kind)
        if points < LEAST or known == 0:
            past.append(x)
            past_kinds.append(kind)
            found.append(Judged(at, "unknown", value, None, None, None, points))
            continue
        expected, low, high = _expected(past[-WINDOW:], past_kinds[-WINDOW:], kind)
        now = 1 if value > high else -1 if value < low else 0
        if now == 0 or known < _SEASON:
            past.append(x)
            past_kinds.append(kind)
            row, side = [], 0
            found.append(Judged(at, "anomaly" if now else "normal", value, expected, low, high, points))
            continue
        row = [*row, (x, kind)] if now == side else [(x, kind)]
        side = now
        verdict: Verdict = "level shift" if len(row) == SHIFT else "anomaly"
        found.append(Judged(at, verdict, value, expected, low, high, points))
        if len(row) == SHIFT:
            past, past_kinds = _moved(past, past_kinds, row)
            row, side = [], 0
    return found[start:]


def _moved(past: list[float], kinds: list[int], row: list[tuple[float, int]]) -> tuple[list[float], list[int]]:
    """The past at the new level: its seasons are kept, its height is that of the points that shifted."""
    newest, seasons = past[-WINDOW:], kinds[-WINDOW:]
    step = _median([x - math.log1p(_expected(newest, seasons, kind)[0]) for x, kind in row])
    return [*(max(0.0, x + step) for x in past), *(x for x, _ in row)], [*kinds, *(kind for _, kind in row)]
