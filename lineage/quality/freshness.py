"""Is a dataset late? The one place that decides it, for contracts and for quality.

A promise in a contract comes first. Without one the limit is learned from the gaps between writes that began on the
same day of the week (so that weekends are not late), or from all gaps when there are few: the larger of their 99th
percentile and one and a half times their median, and ten minutes. Below five gaps nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Basis = Literal["contract", "learned", "unknown"]

LEAST = 5  # gaps before anything is said
SLOT = 3  # gaps that began on one day of the week before these alone count
GRACE = 600.0  # seconds
WINDOW = 90 * 86_400.0  # seconds of the past that count
_DAY = 86_400


def fresh(age: float, limit: float) -> bool:
    """Whether data of an age (seconds) keeps a limit (seconds).

    >>> fresh(3_600, 3_600), fresh(3_601, 3_600)
    (True, False)
    """
    return age <= limit


def timeliness(age: float, target: float) -> float:
    """How timely data is: 1 within the target, falling to 0 at twice the target.

    >>> timeliness(50, 100), timeliness(150, 100), timeliness(500, 100)
    (1.0, 0.5, 0.0)
    """
    if target <= 0:
        return 1.0 if age <= 0 else 0.0
    return min(1.0, max(0.0, 1.0 - (age - target) / target))


def timeliness_of(age: F64, target: F64) -> F64:
    """:func:`timeliness` of many at once; not-a-number where the age or the target is.

    >>> timeliness_of(np.array([50.0, 150.0, np.nan, 1.0]), np.array([100.0, 100.0, 100.0, 0.0])).tolist()
    [1.0, 0.5, nan, 0.0]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        falling = np.clip(1.0 - (age - target) / target, 0.0, 1.0)
        found: F64 = np.where(target > 0, falling, np.where(age <= 0, 1.0, 0.0))
    found[np.isnan(age) | np.isnan(target)] = np.nan
    return found


def learned_limit(gaps: Sequence[float]) -> float | None:
    """Longest gap (seconds) that is nothing unusual; ``None`` below five gaps.

    >>> learned_limit([3_600.0] * 10), learned_limit([3_600.0] * 4)
    (6000.0, None)
    """
    if len(gaps) < LEAST:
        return None
    return float(max(np.quantile(gaps, 0.99), 1.5 * np.median(gaps)) + GRACE)


def learned_limits(node: I64, done: F64, n: int, now: float) -> tuple[F64, F64, I64]:
    """Last write, learned limit and number of gaps used, of many nodes at once.

    Parameters
    ----------
    node, done
        one entry per write: dense index of the dataset, end of the run in seconds since 1970 (UTC); any order.
    n
        how many nodes there are.
    now
        seconds since 1970; later writes are ignored, and those more than 90 days before only tell the last write.

    Returns
    -------
    tuple
        three arrays over the nodes; not-a-number is unknown.

    Examples
    --------
    >>> hours = np.arange(8) * 3600.0
    >>> last, limit, points = learned_limits(np.zeros(8, np.int64), hours, 1, 8 * 3600.0)
    >>> last.tolist(), limit.tolist(), points.tolist()
    ([25200.0], [6000.0], [7])
    """
    last = np.full(n, np.nan)
    limit = np.full(n, np.nan)
    points = np.zeros(n, dtype=np.int64)
    keep = done <= now
    node, done = node[keep], done[keep]
    order = np.lexsort((done, node))
    node, done = node[order], done[order]
    if not len(node):
        return last, limit, points
    last[node] = done  # the last of each node stays
    gap = np.diff(done)
    inside = (node[1:] == node[:-1]) & (gap > 0) & (done[:-1] >= now - WINDOW)
    owner, gap, began = node[:-1][inside], gap[inside], done[:-1][inside]
    same = (began // _DAY) % 7 == (last[owner] // _DAY) % 7
    slots = np.bincount(owner[same], minlength=n)
    by_slot = slots >= SLOT
    enough = np.bincount(owner, minlength=n) >= LEAST
    used = (same | ~by_slot[owner]) & enough[owner]
    _quantiles(owner[used], gap[used], limit, points)
    return last, limit, points


def _quantiles(owner: I64, gap: F64, limit: F64, points: I64) -> None:
    """Fill in limits from the gaps of each owner."""
    if not len(owner):
        return
    order = np.lexsort((gap, owner))
    owner, gap = owner[order], gap[order]
    first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    count = np.diff(np.r_[first, len(owner)])
    high, middle = (_at(gap, first, (count - 1) * q) for q in (0.99, 0.5))
    limit[owner[first]] = np.maximum(high, 1.5 * middle) + GRACE
    points[owner[first]] = count


def _at(values: F64, first: I64, place: F64) -> F64:
    """Values at fractional places behind the first one of each group, as numpy's quantile takes them."""
    low = np.floor(place).astype(np.int64)
    high = np.ceil(place).astype(np.int64)
    found: F64 = values[first + low] + (values[first + high] - values[first + low]) * (place - low)
    return found
