"""Is the last row count of a dataset what its past lets expect? Many series at once.

A value within 10 % of the median of its day of the week is nothing unusual and is not looked at further; the others are
judged by :func:`lineage.quality.anomaly.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineage.quality.anomaly import CHANGE, LEAST, WINDOW, Judged, expect, judge
from lineage.quality.freshness import F64, I64

_PAST = WINDOW + 14  # points that are judged to keep alarms out of the past
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Volumes:
    """Last row count of each node, whether it is expected (1, 0 or not-a-number), and those that are not."""

    last: F64
    result: F64
    odd: dict[int, Judged]


def last_volumes(node: I64, done: F64, rows: F64, n: int) -> Volumes:
    """Judge the last point of each series.

    Parameters
    ----------
    node, done, rows
        one entry per write: dense index, end in seconds since 1970, rows (not-a-number: not told).
    n
        how many nodes there are.

    Examples
    --------
    >>> days = np.arange(13) * 86400.0
    >>> found = last_volumes(np.zeros(13, np.int64), days, np.r_[np.full(12, 100.0), 10.0], 1)
    >>> found.result.tolist(), found.odd[0].verdict
    ([0.0], 'anomaly')
    """
    last, result = np.full(n, np.nan), np.full(n, np.nan)
    odd: dict[int, Judged] = {}
    told = ~np.isnan(rows)
    order = np.lexsort((done[told], node[told]))
    node, done, rows = node[told][order], done[told][order], rows[told][order]
    if not len(node):
        return Volumes(last, result, odd)
    first = np.flatnonzero(np.r_[True, node[1:] != node[:-1]])
    end = np.r_[first[1:], len(node)]
    last[node] = rows
    day = ((done // _DAY) % 7).astype(np.int64)
    plain = _plain(node, day, rows, first, end)
    for k in np.flatnonzero(end - first > LEAST).tolist():
        owner = int(node[first[k]])
        result[owner] = 1.0
        if plain[k]:
            continue
        a, b = max(int(first[k]), int(end[k]) - _PAST), int(end[k])
        found = judge_last(rows[a:b], day[a:b])
        if found.verdict == "unknown":
            result[owner] = np.nan
        elif found.verdict != "normal":
            result[owner] = 0.0
            odd[owner] = found
    return Volumes(last, result, odd)


def judge_last(values: F64, seasons: I64) -> Judged:
    """Verdict on the last point; the whole past is judged only when the point looks odd beside it."""
    past, kinds, season = values[:-1], seasons[:-1], int(seasons[-1])
    if len(past) >= LEAST and season in kinds[-WINDOW:]:
        expected, low, high = expect(past.tolist(), kinds.tolist(), season)
        if low <= values[-1] <= high:
            points = min(len(past), WINDOW)
            return Judged(len(past), "normal", float(values[-1]), expected, low, high, points)
    return judge(values.tolist(), seasons.tolist())[-1]


def _plain(node: I64, day: I64, rows: F64, first: I64, end: I64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the last value of each series is within 10 % of the median of its day of the week before."""
    group = np.repeat(np.arange(len(first)), end - first)
    past = np.ones(len(node), dtype=bool)
    past[end - 1] = False
    same = past & (day == day[end - 1][group])
    owner, value = group[same], rows[same]
    order = np.lexsort((value, owner))
    owner, value = owner[order], value[order]
    middle = np.full(len(first), np.nan)
    if len(owner):
        begin = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        count = np.diff(np.r_[begin, len(owner)])
        middle[owner[begin]] = (value[begin + (count - 1) // 2] + value[begin + count // 2]) / 2
    last = rows[end - 1]
    with np.errstate(invalid="ignore"):
        found: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.abs(last - middle) <= CHANGE * middle
    return found
