"""What tests, metrics and writes said over time: the matrix of results, control charts, and how fresh every dataset is.

Nothing is judged here that is not judged elsewhere: a point by :mod:`lineage.quality.anomaly`, lateness by
:mod:`lineage.quality.freshness`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lineage.arrow import coded, numbers
from lineage.errors import UsageError
from lineage.quality.anomaly import judge
from lineage.quality.evidence import evidence, seconds
from lineage.quality.freshness import fresh
from lineage.quality.parts import STALE
from lineage.quality.volume import last_volumes
from lineage.shown import Shown
from lineage.times import EPOCH

if TYPE_CHECKING:
    from lineage.view import View

RESULTS = 14  # results of a test that the matrix shows
ROWS = "rowCount"
_MATRIX = """
-- the newest results of each test of each dataset at T as known at K; tests of a run alone count for what it read
WITH told AS (
  SELECT dataset, coalesce(field, '') AS field, name, status, severity, tested_at, expected, actual FROM assertion
  WHERE dataset IS NOT NULL AND tested_at <= $at AND known_from <= $known AND known_to > $known
  UNION ALL
  SELECT i.dataset, coalesce(a.field, ''), a.name, a.status, a.severity, a.tested_at, a.expected, a.actual
  FROM assertion a JOIN run_io i ON i.run = a.run AND i.direction = 'in'
  WHERE a.dataset IS NULL AND a.tested_at <= $at AND a.known_from <= $known AND a.known_to > $known
    AND i.known_from <= $known AND i.known_to > $known
)
SELECT dataset, field, name, arg_max(status, tested_at, $newest) AS statuses, max(tested_at, $newest) AS times,
  arg_max(severity, tested_at) AS severity, arg_max(expected, tested_at) AS expected,
  arg_max(actual, tested_at) AS actual, count(*) AS results, count_if(status = 'fail') AS failed
FROM told GROUP BY dataset, field, name ORDER BY dataset, field, name
"""
_SERIES = """
-- one point of one series at T as known at K: rows that a completed run wrote, and metrics of datasets and columns
WITH points AS (
  SELECT o.dataset AS dataset, '' AS field, 'rowCount' AS name, coalesce(r.ended_at, r.first_event) AS told,
    o.row_count::DOUBLE AS value, r.run_id AS run_id
  FROM run_io o JOIN run r ON r.run = o.run
  WHERE o.direction = 'out' AND r.state = 'COMPLETE' AND o.row_count IS NOT NULL
    AND coalesce(r.ended_at, r.first_event) <= $at
    AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
  UNION ALL
  SELECT coalesce(c.dataset, m.node), coalesce(c.field, ''),
    CASE WHEN c.id IS NULL AND m.name = 'rowCount' THEN 'rowCount (profiled)' ELSE m.name END, m.measured_at, m.value,
    NULL
  FROM metric m LEFT JOIN node c ON c.id = m.node AND c.kind = 'column'
  WHERE m.value IS NOT NULL AND m.measured_at <= $at AND m.known_from <= $known AND m.known_to > $known
)
SELECT dataset, field, name, epoch(told) AS told, value, run_id FROM points
WHERE len($datasets::UBIGINT[]) = 0 OR list_contains($datasets::UBIGINT[], dataset)
ORDER BY dataset, field, name, told
"""
Verdict = Literal["fresh", "late", "unknown"]


@dataclass(frozen=True, slots=True)
class Tested:
    """One test: its newest results (``pass``, ``fail``, ``skip``; oldest first), their times, and how often ever."""

    dataset: str
    domain: str
    column: str
    test: str
    state: str  # pass, fail, skip or unknown (too long ago)
    severity: str
    expected: str
    observed: str
    results: tuple[str, ...]
    times: tuple[datetime, ...]
    total: int
    failed: int


@dataclass(frozen=True, slots=True)
class Tests(Shown):
    """Answer of ``lx.quality.tests``: what fails first."""

    tests: tuple[Tested, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("dataset", "column", "test", "state", "severity", "expected", "observed", "failed", "total")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per test."""
        return [(t.dataset, t.column, t.test, t.state, t.severity, t.expected, t.observed, t.failed, t.total)
                for t in self.tests]  # fmt: skip

    def title(self) -> str:
        """How many, and how many fail."""
        return f"{len(self.tests)} tests, {sum(t.state == 'fail' for t in self.tests)} failing"


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One series of numbers, and whether its last one is what its past lets expect."""

    dataset: str
    domain: str
    column: str
    metric: str
    points: int
    last: float
    expected: float | None
    low: float | None
    high: float | None
    verdict: str  # normal, anomaly, level shift, unknown
    at: datetime


@dataclass(frozen=True, slots=True)
class Metrics(Shown):
    """Answer of ``lx.quality.metrics``: what is odd first."""

    series: tuple[SeriesRow, ...]
    as_of: datetime
    known_at: datetime

    own_types = (("expected", "number"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("dataset", "column", "metric", "points", "last", "expected", "low", "high", "verdict", "at")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per series."""
        return [(s.dataset, s.column, s.metric, s.points, s.last, s.expected, s.low, s.high, s.verdict, s.at)
                for s in self.series]  # fmt: skip

    def title(self) -> str:
        """How many."""
        return f"{len(self.series)} series"


@dataclass(frozen=True, slots=True)
class Point:
    """One value with the band in which it was expected; ``run_id`` is the run that told it, where one did."""

    at: datetime
    value: float
    expected: float | None
    low: float | None
    high: float | None
    verdict: str
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Control:
    """Answer of ``lx.quality.control``: one series, each point judged by those before it."""

    dataset: str
    column: str
    metric: str
    unit: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class FreshRow:
    """How fresh one dataset is; seconds. ``why`` says why nothing can be told."""

    dataset: str
    domain: str
    verdict: Verdict
    last_write: datetime | None
    age: float | None
    limit: float | None
    basis: str  # contract, learned, unknown
    why: str


@dataclass(frozen=True, slots=True)
class Freshness(Shown):
    """Answer of ``lx.quality.freshness``: what is late first."""

    datasets: tuple[FreshRow, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("dataset", "verdict", "last_write", "age", "limit", "basis", "why")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per dataset."""
        return [(f.dataset, f.verdict, f.last_write, f.age, f.limit, f.basis, f.why) for f in self.datasets]

    def title(self) -> str:
        """How many are late."""
        return f"{len(self.datasets)} datasets, {sum(f.verdict == 'late' for f in self.datasets)} late"


def tests(view: View, node: int | None = None, now: datetime | None = None) -> Tests:
    """Every test of every dataset (or of one) with its newest results; those of hidden datasets are left out."""
    moment = now or view.as_of
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at, "newest": RESULTS}
    found = view.store.rows(_MATRIX, when)
    places = view.snapshot.indices(np.array([row[0] for row in found], dtype=np.uint64))
    rows = [
        _tested(view, int(place), row, moment)
        for place, row in zip(places, found, strict=True)
        if place >= 0 and not view.hidden(int(place)) and (node is None or place == node)
    ]
    order = {"fail": 0, "unknown": 1, "skip": 2, "pass": 3}
    rows.sort(key=lambda t: (order[t.state], -t.failed, t.dataset, t.column, t.test))
    return Tests(tuple(rows), view.as_of, view.known_at)


def metrics(view: View) -> Metrics:
    """Every series of numbers with the verdict on its last point; those of hidden datasets are left out."""
    table = view.store.arrow(_SERIES, {"at": view.snapshot.as_of, "known": view.snapshot.known_at, "datasets": []})
    if not table.num_rows:
        return Metrics((), view.as_of, view.known_at)
    dataset = numbers(table.column("dataset"))
    (field, fields), (name, names) = (coded(table.column(key)) for key in ("field", "name"))
    told, value = (numbers(table.column(key)) for key in ("told", "value"))
    new = (dataset[1:] != dataset[:-1]) | (field[1:] != field[:-1]) | (name[1:] != name[:-1])
    first = np.flatnonzero(np.r_[True, new])
    end = np.r_[first[1:], len(dataset)]
    group = np.repeat(np.arange(len(first)), end - first)
    volumes = last_volumes(group, told, value, len(first))
    places = view.snapshot.indices(dataset[first])
    rows = []
    for k, (a, b) in enumerate(zip(first.tolist(), end.tolist(), strict=True)):
        place = int(places[k])
        if place < 0 or view.hidden(place):
            continue
        odd = volumes.odd.get(k)
        verdict = odd.verdict if odd else "unknown" if np.isnan(volumes.result[k]) else "normal"
        band = (odd.expected, odd.low, odd.high) if odd else (None, None, None)
        rows.append(
            SeriesRow(view.label(place), view.domain(place), fields[field[a]], names[name[a]], b - a,
                      float(value[b - 1]), *band, verdict, _time(told[b - 1]))
        )  # fmt: skip
    rows.sort(key=lambda s: (s.verdict not in ("anomaly", "level shift"), -s.points, s.dataset, s.column, s.metric))
    return Metrics(tuple(rows), view.as_of, view.known_at)


def control(view: View, node: int, metric: str = ROWS, column: str = "") -> Control:
    """One series with the band of each point.

    Raises
    ------
    UsageError
        when the dataset has no such series, or is hidden from the actor.
    """
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at, "datasets": _members(view, node)}
    found = [] if view.hidden(node) else view.store.rows(_SERIES, when)
    mine = [row for row in found if (row[1], row[2]) == (column, metric)]
    if not mine:
        have = ", ".join(sorted({f"{name}{f' of {field}' if field else ''}" for _, field, name, *_ in found}))
        raise UsageError(f"There is no series {metric} of {view.label(node)}. There is: {have or 'none'}.")
    values = [float(row[4]) for row in mine]
    seasons = [int(row[3] // 86_400) % 7 for row in mine]
    points = tuple(
        Point(_time(row[3]), one.observed, one.expected, one.low, one.high, one.verdict, row[5])
        for row, one in zip(mine, judge(values, seasons), strict=True)
    )
    unit = "rows" if metric.startswith("rowCount") else "values" if metric.endswith("Count") else ""
    return Control(view.label(node), column, metric, unit, points)


def freshness(view: View, now: datetime | None = None) -> Freshness:
    """How fresh every dataset is, by the promise of its contract, else by what its past lets expect."""
    from lineage.graph.arrays import DATASET

    moment = now or view.as_of
    found = evidence(view, now)
    rows = [
        _fresh(view, found.last[node], found.limit[node], bool(found.promised[node]), node, moment)
        for node in view.nodes(DATASET).tolist()
    ]
    order = {"late": 0, "fresh": 1, "unknown": 2}
    rows.sort(key=lambda f: (order[f.verdict], -((f.age or 0.0) / (f.limit or 1.0)), f.dataset))
    return Freshness(tuple(rows), view.as_of, view.known_at)


# -- inside


def _members(view: View, node: int) -> list[int]:
    """Ids under which the store knows a node: an alias has several."""
    return [int(one) for one in view.snapshot.members(node)] or [int(view.snapshot.ids[node])]


def _time(at: float) -> datetime:
    return EPOCH + timedelta(seconds=float(at))


def _tested(view: View, node: int, row: tuple[Any, ...], now: datetime) -> Tested:
    _, field, name, statuses, times, severity, expected, actual, total, failed = row
    state = str(statuses[0])
    if seconds(now) - seconds(times[0]) > STALE and len(times) > 1:
        gap = (times[0] - times[-1]).total_seconds() / (len(times) - 1)
        state = state if seconds(now) - seconds(times[0]) <= max(STALE, 2 * gap) else "unknown"
    elif seconds(now) - seconds(times[0]) > STALE:
        state = "unknown"
    return Tested(
        view.label(node), view.domain(node), field, name, state if state in ("pass", "fail", "skip") else "unknown",
        severity or "", expected or "", actual or "", tuple(reversed(statuses)), tuple(reversed(times)), total, failed,
    )  # fmt: skip


def _fresh(view: View, last: float, limit: float, promised: bool, node: int, now: datetime) -> FreshRow:
    known, told = not np.isnan(last), not np.isnan(limit)
    age = seconds(now) - float(last) if known else None
    verdict: Verdict = "unknown"
    if age is not None and told:
        verdict = "fresh" if fresh(age, float(limit)) else "late"
    why = (
        "" if known and told else "no completed write was seen" if not known else "fewer than five gaps between writes"
    )
    return FreshRow(
        view.label(node), view.domain(node), verdict, _time(last) if known else None, age,
        float(limit) if told else None, ("contract" if promised else "learned") if told else "unknown", why,
    )  # fmt: skip
