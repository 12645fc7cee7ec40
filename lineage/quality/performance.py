"""How jobs run: durations, delay against the nominal time, failures, bytes; and what is odd about the last run.

Queueing is what lies between the nominal start of a run and its START; producers that send no nominal time tell none.
The last duration, delay and number of bytes are judged like a volume (:mod:`lineage.quality.volume`): by the seasonal
median absolute deviation of those before; a delay that is off by less than five minutes is none. A run that failed has
a duration, but it says nothing of how long the work takes, so only completed runs are judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import numbers
from lineage.errors import UsageError
from lineage.quality.odd import is_far
from lineage.quality.volume import Volumes, last_volumes
from lineage.shown import Shown
from lineage.times import EPOCH

if TYPE_CHECKING:
    from lineage.quality.anomaly import Judged
    from lineage.quality.freshness import F64, I64
    from lineage.view import View

_RUNS = """
-- one ended run of a finite job until T as known at K, with what it wrote
SELECT r.job, r.state, epoch(coalesce(r.started_at, r.first_event)) AS began, epoch(r.ended_at) AS ended,
  epoch(r.nominal_start) AS nominal, r.started_at IS NOT NULL AS told, coalesce(o.bytes, 'nan'::DOUBLE) AS bytes
FROM run r LEFT JOIN (
  SELECT run, sum(byte_count)::DOUBLE AS bytes FROM run_io
  WHERE direction = 'out' AND byte_count IS NOT NULL AND known_from <= $known AND known_to > $known GROUP BY run
) o ON o.run = r.run
WHERE r.known_from <= $known AND r.known_to > $known AND r.ended_at IS NOT NULL AND r.ended_at <= $at
  AND r.ended_at > $since AND coalesce(upper(r.processing), 'BATCH') NOT IN ('STREAMING', 'SERVICE')
ORDER BY r.job, r.ended_at, r.run_id
"""
DAYS = 90


@dataclass(frozen=True, slots=True)
class JobPerformance:
    """One job over a span of days; times in seconds. ``None`` is not told.

    ``expected``, ``low`` and ``high`` are what the past lets expect of the last completed run, from ``points`` runs;
    ``odd`` whether it is outside, ``None`` when there are too few runs to say.
    """

    job: str
    domain: str
    owner: str | None
    runs: int
    failed: int
    median: float | None
    p95: float | None
    last: float | None
    last_ended: datetime
    odd: bool | None
    expected: float | None
    low: float | None
    high: float | None
    points: int
    delay_median: float | None  # START after the nominal start
    delay_p95: float | None
    delay_odd: bool | None  # of the last completed run
    bytes: float | None  # written by the last completed run
    bytes_odd: bool | None

    @property
    def failure_rate(self) -> float:
        """Share of the runs that failed or were aborted."""
        return self.failed / self.runs


@dataclass(frozen=True, slots=True)
class Performance(Shown):
    """Jobs, those with an odd last run first, then by failure rate."""

    days: int
    as_of: datetime
    known_at: datetime
    jobs: tuple[JobPerformance, ...]

    own_types = (("expected", "number"), ("bytes", "number"))

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return (
            "job", "domain", "owner", "runs", "failed", "failure_rate", "median", "p95", "last", "odd", "expected",
            "low", "high", "points", "delay_median", "delay_p95", "delay_odd", "bytes", "bytes_odd", "last_ended",
        )  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per job."""
        return [
            (
                j.job, j.domain, j.owner, j.runs, j.failed, round(j.failure_rate, 4), j.median, j.p95, j.last, j.odd,
                j.expected, j.low, j.high, j.points, j.delay_median, j.delay_p95, j.delay_odd, j.bytes, j.bytes_odd,
                j.last_ended,
            )
            for j in self.jobs
        ]  # fmt: skip

    def title(self) -> str:
        """What it is about."""
        return f"{len(self.jobs):,} jobs in the {self.days} days before"

    def remarks(self) -> tuple[str, ...]:
        """How many are odd, and how many have too few runs to say."""
        odd = sum(1 for job in self.jobs if job.odd or job.delay_odd or job.bytes_odd)
        unknown = sum(1 for job in self.jobs if job.odd is None)
        return (f"{odd} with an odd last run; {unknown} with too few completed runs to say",)


def performance(view: View, job: int | None = None, *, days: int = DAYS) -> Performance:
    """How jobs ran in the days before the asked instant.

    Parameters
    ----------
    job
        dense index of one job; default: all that the actor may see.
    days
        how far back, at least 1.

    Raises
    ------
    UsageError
        for a node that is no job, or a span that makes no sense.
    HiddenNodeError
        when the actor may not see the job.
    """
    if not 1 <= days <= 36_500:
        raise UsageError(f"days: {days} is not between 1 and 36500.")
    if job is not None:
        view.require(job)
        if view.kind(job) != "job":
            raise UsageError(f"{view.label(job)} is no job; performance is about jobs.")
    at = view.snapshot.as_of
    when = {"at": at, "known": view.snapshot.known_at, "since": _before(at, days)}
    table = view.store.arrow(_RUNS, when)
    nodes = view.snapshot.indices(numbers(table["job"])).astype(np.int64)
    columns = {name: numbers(table[name]) for name in ("began", "ended", "nominal", "bytes")}
    figures: dict[str, F64] = {name: values.astype(np.float64) for name, values in columns.items()}
    state = np.asarray(table["state"].to_pylist())
    told = numbers(table["told"]).astype(bool)
    keep = nodes >= 0 if job is None else nodes == job
    order = np.lexsort((figures["ended"], nodes))
    order = order[keep[order]]
    found = _jobs(view, nodes[order], state[order], told[order], {k: v[order] for k, v in figures.items()})
    found.sort(key=lambda row: (not row.odd, not (row.delay_odd or row.bytes_odd), -row.failure_rate, row.job))
    return Performance(days, view.as_of, view.known_at, tuple(found))


def _jobs(view: View, nodes: I64, state: Any, told: Any, figures: dict[str, F64]) -> list[JobPerformance]:
    """One row per job; entries stand together by job, oldest first."""
    if not len(nodes):
        return []
    done = (state == "COMPLETE") & told
    duration = np.where(done, np.maximum(figures["ended"] - figures["began"], 0.0), np.nan)
    delay = np.where(told, figures["began"] - figures["nominal"], np.nan)
    series = {"duration": duration, "delay": np.where(done, np.maximum(delay, 0.0), np.nan), "bytes": figures["bytes"]}
    series["bytes"] = np.where(done, series["bytes"], np.nan)
    judged = {k: last_volumes(nodes, figures["ended"], values, view.snapshot.n) for k, values in series.items()}
    edges = np.flatnonzero(np.r_[True, nodes[1:] != nodes[:-1]])
    rows = []
    for begin, end in zip(edges.tolist(), [*edges.tolist()[1:], len(nodes)], strict=True):
        i = int(nodes[begin])
        if view.hidden(i):
            continue
        part = slice(begin, end)
        odd = judged["duration"].odd.get(i)
        bytes_ = figures["bytes"][part][done[part]]
        rows.append(
            JobPerformance(
                job=view.label(i),
                domain=view.domain(i),
                owner=view.owner(i),
                runs=end - begin,
                failed=int(np.isin(state[part], ("FAIL", "ABORT")).sum()),
                median=_quantile(duration[part], 0.5),
                p95=_quantile(duration[part], 0.95),
                last=_plain(float(judged["duration"].last[i])),
                last_ended=_time(float(figures["ended"][end - 1])),
                odd=_odd(judged["duration"], i),
                **_band(odd, duration[part]),
                delay_median=_quantile(delay[part], 0.5),
                delay_p95=_quantile(delay[part], 0.95),
                delay_odd=_odd(judged["delay"], i, "delay"),
                bytes=_plain(float(bytes_[-1])) if len(bytes_) else None,
                bytes_odd=_odd(judged["bytes"], i),
            )
        )
    return rows


def _odd(judged: Volumes, i: int, name: str = "") -> bool | None:
    """Whether the last number of a job is odd; ``None`` when there are too few."""
    if np.isnan(judged.result[i]):
        return None
    return i in judged.odd and is_far(name, judged.odd[i])


def _band(odd: Judged | None, duration: F64) -> dict[str, Any]:
    """What was expected: of an odd run as judged, else the median of the runs before."""
    if odd is not None:
        return {"expected": odd.expected, "low": odd.low, "high": odd.high, "points": odd.points}
    past = duration[~np.isnan(duration)][:-1]
    middle = _quantile(past, 0.5)
    return {"expected": middle, "low": None, "high": None, "points": len(past)}


def _quantile(values: F64, share: float) -> float | None:
    held = values[~np.isnan(values)]
    return round(float(np.quantile(held, share)), 3) if len(held) else None


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 3)


def _time(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def _before(at: datetime, days: int) -> datetime:
    try:
        return at - timedelta(days=days)
    except OverflowError:
        return datetime.min  # noqa: DTZ901 - naive UTC like all stored times
