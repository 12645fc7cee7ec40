"""Seeded daily series with known anomalies, to measure detectors on.

The series are made as data teams meet them: a pattern of the week, a slow trend, peaks at the end of a month, tables
that never change, noise that is multiplicative. Into the last part of each, single days are damaged (nothing, half,
double, a quarter less), and some series move to another level for good. Peaks at the end of a month and the noise are
not anomalies: an alarm on them is a false one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

DAYS = 140
QUIET = 56  # days at the beginning without anomalies
FACTORS = {"zero": 0.0, "half": 0.5, "double": 2.0, "quarter less": 0.75}
Shape = Literal["weekly", "trend", "month end", "constant", "noisy"]
SHAPES: tuple[Shape, ...] = ("weekly", "trend", "month end", "constant", "noisy")


@dataclass(frozen=True)
class Series:
    """One series: a value a day from a Monday on, and what was done to which day."""

    name: str
    shape: Shape
    values: npt.NDArray[np.float64]
    anomalies: dict[int, str]  # day -> kind
    shift: int | None = None  # first day of a new level; the alarms of its first three days are right


def make(count: int = 200, seed: int = 20260701) -> list[Series]:
    """``count`` series; the same ones for the same seed."""
    rng = np.random.default_rng(seed)
    return [_series(rng, number, SHAPES[number % len(SHAPES)]) for number in range(count)]


def _series(rng: np.random.Generator, number: int, shape: Shape) -> Series:
    values = _normal(rng, shape)
    shift = None
    anomalies: dict[int, str] = {}
    if number % 6 == 5:
        shift = int(rng.integers(QUIET + 14, DAYS - 28))
        values[shift:] *= float(rng.choice([0.6, 1.6]))
    kinds = list(FACTORS)
    days = rng.choice(np.arange(QUIET, DAYS - 3), size=4, replace=False)
    for day in sorted(int(day) for day in days):
        near = min((abs(day - other) for other in anomalies), default=9)
        if near < 3 or (shift is not None and abs(day - shift) < 7):
            continue
        kind = kinds[int(rng.integers(len(kinds)))]
        values[day] *= FACTORS[kind]
        anomalies[day] = kind
    return Series(f"{shape} {number}", shape, np.round(values), anomalies, shift)


def _normal(rng: np.random.Generator, shape: Shape) -> npt.NDArray[np.float64]:
    """A series without anomalies."""
    level = float(10 ** rng.uniform(2.5, 6))
    if shape == "constant":
        return np.full(DAYS, round(level), dtype=np.float64)
    day = np.arange(DAYS)
    week = np.ones(7)
    if shape != "noisy":
        week[5:] = rng.uniform(0.2, 0.7)
        week[:5] = rng.uniform(0.9, 1.1, 5)
    values = level * week[day % 7]
    if shape == "trend":
        values *= np.exp(rng.uniform(-0.004, 0.006) * day)
    if shape == "month end":
        values[day % 30 >= 28] *= rng.uniform(1.5, 3)
    spread = 0.12 if shape == "noisy" else rng.uniform(0.02, 0.06)
    return np.asarray(values * np.exp(rng.normal(0, spread, DAYS)))
