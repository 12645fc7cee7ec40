"""How well anomalies are found: the seasonal MAD against the z-score of the last 14 days, on seeded series.

``python -m benchmarks.anomaly``. An alarm is right on a day that was damaged, or on the first three days of a new
level. Peaks at the end of a month count as normal. Only days after the quiet beginning count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.anomaly_series import DAYS, QUIET, Series, make
from lineage.quality.anomaly import judge

Detector = Callable[[Sequence[float]], set[int]]


def seasonal_mad(values: Sequence[float]) -> set[int]:
    """Days that alarm by :func:`lineage.quality.anomaly.judge`."""
    return {one.at for one in judge(values) if one.verdict in ("anomaly", "level shift")}


def z_score(values: Sequence[float]) -> set[int]:
    """Days more than three standard deviations from the mean of the 14 days before."""
    found = set()
    for day in range(7, len(values)):
        past = np.asarray(values[max(0, day - 14) : day])
        spread = float(past.std(ddof=1))
        if spread > 0 and abs(values[day] - float(past.mean())) > 3 * spread:
            found.add(day)
    return found


def measure(detector: Detector, series: Sequence[Series]) -> tuple[float, float, float]:
    """Recall of damaged days, precision of alarms, and milliseconds for one series."""
    hit = damaged = right = alarms = 0
    began = time.perf_counter()
    found = [detector(one.values.tolist()) for one in series]
    spent = (time.perf_counter() - began) * 1000 / len(series)
    for one, days in zip(series, found, strict=True):
        told = {day for day in days if day >= QUIET}
        shift = set() if one.shift is None else {one.shift, one.shift + 1, one.shift + 2}
        hit += len(told & set(one.anomalies))
        damaged += len(one.anomalies)
        right += len(told & (set(one.anomalies) | shift))
        alarms += len(told)
    return hit / damaged, right / max(1, alarms), spent


def main() -> None:
    """Print the table."""
    series = make()
    print(f"{len(series)} series of {DAYS} days, {sum(len(one.anomalies) for one in series)} damaged days")
    print(f"{'method':<26}{'recall':>8}{'precision':>11}{'ms/series':>11}{'ms/point':>10}")
    base = 0.0
    for name, detector in (("z-score, 14 days", z_score), ("seasonal MAD", seasonal_mad)):
        recall, precision, spent = measure(detector, series)
        base = base or recall
        figures = f"{recall:>8.2f}{precision:>11.2f}{spent:>11.1f}{spent / DAYS:>10.2f}"
        print(f"{name:<26}{figures}   {recall / base:.1f} × recall")


if __name__ == "__main__":
    main()
