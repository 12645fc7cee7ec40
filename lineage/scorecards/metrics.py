"""The metrics, and how a figure is made of rows. Definitions: docs/scorecards.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lineage.errors import UsageError
from lineage.scorecards.answers import Row, Score, Sort

Kind = Literal["share", "mean", "count", "half", "p50", "p90", "rate", "weeks"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``better``: whether a higher figure is the better one."""

    id: str
    title: str
    kind: Kind
    unit: str
    better: bool
    nothing: str  # why it is unknown when there is nothing to count


METRICS: tuple[Metric, ...] = (
    Metric("policy-coverage", "Policies evaluated in time", "share", "share", True, "no policy was ever run"),
    Metric("full-coverage", "Datasets that all policies looked at", "share", "share", True, "no policy was ever run"),
    Metric("compliance-strict", "Compliance, waivers not counted", "share", "share", True, "no policy was ever run"),
    Metric("compliance", "Compliance, waivers counted", "share", "share", True, "no policy was ever run"),
    Metric("contract-coverage", "Datasets read by other domains that have an active contract", "share", "share", True,
           "no dataset is read by another domain"),
    Metric("contract-edges", "Edges between domains that leave a contracted dataset", "share", "share", True,
           "no edge crosses domains"),
    Metric("conformance", "Contracted datasets that keep their contract", "share", "share", True,
           "no contracted dataset of which something is known"),
    Metric("ownership", "Datasets with an owner", "share", "share", True, "no datasets"),
    Metric("classification", "Columns that are classified", "share", "share", True, "no columns"),
    Metric("masking", "Personal columns masked wherever they leave their domain", "share", "share", True,
           "no personal column leaves its domain"),
    Metric("lineage-datasets", "Datasets seen in a run of the last 30 days", "share", "share", True, "no datasets"),
    Metric("lineage-columns", "Edges that are known column by column", "share", "share", True, "no edges"),
    Metric("lineage-jobs", "Jobs with a run in the last 30 days", "share", "share", True, "no jobs"),
    Metric("mttr", "Mean age of violations when closed, last 30 days", "mean", "days", False,
           "no violation was closed in the last 30 days"),
    Metric("mova", "Mean age of open violations", "mean", "days", False, "no violation is open"),
    Metric("time-to-remediate", "Time until half of all violations are closed (Kaplan–Meier)", "half", "days", False,
           "fewer than half of the violations are closed so far"),
    Metric("deadline-attainment", "Violations closed before their deadline", "share", "share", True,
           "no violation was closed or is overdue"),
    Metric("burn-down", "Violations closed less opened, a week, over four weeks", "rate", "per week", True,
           "no violation was ever recorded"),
    Metric("weeks-to-zero", "Weeks until no violation is open at this pace", "weeks", "weeks", False,
           "no violation was ever recorded"),
    Metric("waiver-load", "Waived, of violations and waived", "share", "share", False, "no violations and no waivers"),
    Metric("overdue-waivers", "Waivers that ended while the asset still violates", "count", "waivers", False, ""),
    Metric("roll-out", "Days from a policy's publication to 95 % compliance", "p50", "days", False,
           "no policy has reached 95 % since it was published"),
    Metric("access-p50", "Days from a request for access to its decision, median", "p50", "days", False,
           "no request was decided"),
    Metric("access-p90", "Days from a request for access to its decision, 90 of 100", "p90", "days", False,
           "no request was decided"),
    Metric("access-auto", "Requests for access approved by rule", "share", "share", True, "no request was decided"),
    Metric("delivery", "Days from a product's first to its first active version", "p50", "days", False,
           "no product was seen to become active"),
    Metric("contract-delivery", "Days from a contract's proposal to its being active", "p50", "days", False,
           "no contract was seen to become active"),
    Metric("consumers", "Domains and products that read a product", "mean", "consumers", True, "no products"),
    Metric("reads", "Runs of the last 30 days that read a dataset", "mean", "reads", True, "no datasets"),
    Metric("unread", "Datasets that no run read in 30 days", "share", "share", False, "no datasets"),
    Metric("breaking-discipline", "New majors whose predecessor stayed for 90 days", "share", "share", True,
           "no breaking change of a contract is old enough to judge"),
    Metric("detect", "Mean time to detect incidents", "mean", "hours", False, "no incident in 90 days"),
    Metric("acknowledge", "Mean time to acknowledge incidents", "mean", "hours", False,
           "no incident was acknowledged in 90 days"),
    Metric("repair", "Mean time to repair incidents", "mean", "hours", False, "no incident was repaired in 90 days"),
    Metric("repeats", "Incidents of a check that failed before, 90 days", "share", "share", False,
           "no incident in 90 days"),
    Metric("maturity", "Maturity of products, L0 to L4", "mean", "level", True, "no products"),
)  # fmt: skip
"""All metrics in the order they are shown."""

BY_ID = {one.id: one for one in METRICS}


def metric(name: str) -> Metric:
    """A metric by its id.

    Raises
    ------
    UsageError
        when there is none.
    """
    found = BY_ID.get(name)
    if found is None:
        raise UsageError(f"There is no metric “{name}”. They are: {', '.join(BY_ID)}.")
    return found


def score(of: Metric, rows: Sequence[Row], sort: Sort = "mesh", scope: str = "") -> Score:
    """The figure that rows make.

    Parameters
    ----------
    of
        the metric.
    rows
        of one scope only.

    Examples
    --------
    >>> score(metric("ownership"), [Row("a"), Row("b", counted=False)]).value
    0.5
    >>> score(metric("ownership"), []).reason
    'no datasets'
    """
    known = [one for one in rows if one.counted is not None]
    numerator, denominator, value = _HOW[of.kind](known)
    reason = "" if value is not None else of.nothing
    if value is None and of.kind == "weeks" and known:
        reason = "not converging: no fewer are closed than opened" if numerator > 0 else "nothing is open"
    if value is None and rows and not known:
        reason = f"of none of {len(rows)} it is known"
    return Score(of.id, sort, scope, numerator, denominator, value, of.unit, reason, len(rows) - len(known), of.title)


def figure_of(of: Metric, rows: Sequence[Row]) -> tuple[float, float, float | None]:
    """Numerator, denominator and value that rows make; value is ``None`` when it is unknown.

    >>> figure_of(metric("ownership"), [Row("a"), Row("b", counted=False), Row("c", counted=None)])
    (1, 2, 0.5)
    """
    return _HOW[of.kind]([one for one in rows if one.counted is not None])


def median_to_close(rows: Sequence[Row]) -> float | None:
    """Kaplan–Meier: the time by which half are closed, with those that are open censored; ``None`` = not reached.

    Examples
    --------
    >>> ages = [Row("a", value=2.0), Row("b", value=4.0), Row("c", value=9.0, counted=False)]
    >>> median_to_close(ages)
    4.0
    """
    survival, at_risk = 1.0, len(rows)
    for day in sorted({one.value or 0.0 for one in rows}):
        here = [one for one in rows if (one.value or 0.0) == day]
        survival *= 1 - sum(bool(one.counted) for one in here) / at_risk
        at_risk -= len(here)
        if survival <= 0.5 + 1e-12:
            return day
    return None


# -- how figures are made; each gives numerator, denominator and value

Figure = tuple[float, float, float | None]


def of_counts(kind: Kind, rows: int, held: int, total: float) -> Figure:
    """A figure that counts or adds up alone.

    Parameters
    ----------
    kind
        ``share``, ``count`` or ``mean``.
    rows, held
        rows that are counted in the denominator, and those of them that hold.
    total
        sum of their values, for a mean.

    Examples
    --------
    >>> of_counts("share", 4, 3, 0.0), of_counts("mean", 4, 4, 10.0), of_counts("share", 0, 0, 0.0)
    ((3, 4, 0.75), (10.0, 4, 2.5), (0, 0, None))
    """
    if kind == "count":
        return held, rows, float(held)
    top = held if kind == "share" else total
    return top, rows, top / rows if rows else None


def _share(rows: Sequence[Row]) -> Figure:
    return of_counts("share", len(rows), sum(bool(one.counted) for one in rows), 0.0)


def _mean(rows: Sequence[Row]) -> Figure:
    values = [one.value for one in rows if one.value is not None]
    return of_counts("mean", len(values), len(values), sum(values))


def _count(rows: Sequence[Row]) -> Figure:
    return of_counts("count", len(rows), sum(bool(one.counted) for one in rows), 0.0)


def _half(rows: Sequence[Row]) -> Figure:
    return sum(bool(one.counted) for one in rows), len(rows), median_to_close(rows)


def _quantile(rows: Sequence[Row], share: float) -> Figure:
    values = sorted(one.value for one in rows if one.counted and one.value is not None)
    place = max(0, math.ceil(share * len(values)) - 1)
    return len(values), len(rows), values[place] if values else None


def _rate(rows: Sequence[Row]) -> Figure:
    """Rows of value 1 were closed, of value -1 opened within four weeks; others only exist."""
    change = sum(one.value or 0.0 for one in rows)
    return change, 4, change / 4 if rows else None


def _weeks(rows: Sequence[Row]) -> Figure:
    """Open ones (counted) through the pace."""
    open_ones, (_, _, pace) = sum(bool(one.counted) for one in rows), _rate(rows)
    return open_ones, max(pace or 0.0, 0.0), open_ones / pace if pace and pace > 0 else None


_HOW: Mapping[Kind, Callable[[Sequence[Row]], Figure]] = {
    "share": _share, "mean": _mean, "count": _count, "half": _half, "rate": _rate, "weeks": _weeks,
    "p50": lambda rows: _quantile(rows, 0.5), "p90": lambda rows: _quantile(rows, 0.9),
}  # fmt: skip
