"""What was wrong with datasets, from when to when: failed tests, broken promises of freshness, strange row counts.

Worked out from what runs told alone, so that the same events give the same incidents, whatever the order they came in,
and a rebuild gives them again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lineage.quality.anomaly import CHANGE, LEAST, Judged, judge
from lineage.quality.freshness import fresh
from lineage.quality.score import severity_weight
from lineage.quality.streak import Failure, Streak
from lineage.quality.terms import Term, in_force, joined, terms

if TYPE_CHECKING:
    from lineage.view import View

RESULTS = """
-- one result of one test that ever failed, at T as known at K; tests of a run alone count for what it read
WITH told AS (
  SELECT dataset, field, name, status, severity, tested_at, run, actual, known_from FROM assertion
  WHERE dataset IS NOT NULL AND tested_at <= $at AND known_from <= $known AND known_to > $known
  UNION ALL
  SELECT i.dataset, a.field, a.name, a.status, a.severity, a.tested_at, a.run, a.actual, a.known_from
  FROM assertion a JOIN run_io i ON i.run = a.run AND i.direction = 'in'
  WHERE a.dataset IS NULL AND a.tested_at <= $at AND a.known_from <= $known AND a.known_to > $known
    AND i.known_from <= $known AND i.known_to > $known
)
SELECT t.dataset, coalesce(t.field, ''), t.name, t.status, t.severity, t.tested_at, t.known_from, t.actual, r.run_id,
  coalesce(r.root_run, r.parent_run, t.run)
FROM told t LEFT JOIN run r ON r.run = t.run AND r.known_from <= $known AND r.known_to > $known
WHERE t.status IN ('pass', 'fail')
  AND (t.dataset, t.name) IN (SELECT dataset, name FROM told WHERE status = 'fail')
ORDER BY t.dataset, 2, t.name, t.tested_at, t.run
"""
_SERIES = """
-- one completed run that wrote one dataset, at T as known at K
SELECT o.dataset, coalesce(r.ended_at, r.first_event) AS done, o.row_count, r.run_id, o.known_from
FROM run_io o JOIN run r ON r.run = o.run
WHERE o.direction = 'out' AND r.state = 'COMPLETE' AND coalesce(r.ended_at, r.first_event) <= $at
  AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
ORDER BY o.dataset, done, r.run
"""
# those of datasets that are among $due, or whose row counts can ever be far from their median
_WRITES = f"""
-- one completed run that wrote one dataset whose counts were not always the same, or that is promised to be fresh, at T
-- as known at K
WITH told AS (
  SELECT o.dataset, coalesce(r.ended_at, r.first_event) AS done, o.row_count, r.run_id, o.known_from, r.run
  FROM run_io o JOIN run r ON r.run = o.run
  WHERE o.direction = 'out' AND r.state = 'COMPLETE' AND coalesce(r.ended_at, r.first_event) <= $at
    AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
), wanted AS (
  SELECT dataset FROM told WHERE row_count IS NOT NULL GROUP BY dataset
  HAVING count(*) > {LEAST} AND max(row_count) - min(row_count) > {CHANGE} * min(row_count)
  UNION
  SELECT unnest($due::UBIGINT[])
)
SELECT dataset, done, row_count, run_id, known_from FROM told JOIN wanted USING (dataset) ORDER BY dataset, done, run
"""  # noqa: S608 - our own numbers
# the row counts alone, of datasets whose counts can ever be far from their median
COUNTS = f"""
-- one row count that a completed run told of one dataset, of those whose counts were not always the same, at T as known
-- at K
WITH told AS (
  SELECT o.dataset, coalesce(r.ended_at, r.first_event) AS done, o.row_count, r.run_id, o.known_from, r.run
  FROM run_io o JOIN run r ON r.run = o.run
  WHERE o.direction = 'out' AND r.state = 'COMPLETE' AND o.row_count IS NOT NULL
    AND coalesce(r.ended_at, r.first_event) <= $at
    AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
), moved AS (
  SELECT dataset FROM told GROUP BY dataset
  HAVING count(*) > {LEAST} AND max(row_count) - min(row_count) > {CHANGE} * min(row_count)
)
SELECT dataset, done, row_count, run_id, known_from FROM told JOIN moved USING (dataset) ORDER BY dataset, done, run
"""  # noqa: S608 - our own numbers


@dataclass(frozen=True, slots=True)
class Told:
    """What runs told, as incidents read it: rows of results of tests that ever failed, and of completed writes.

    A drill plays with a copy of it (:mod:`lineage.quality.drill`).
    """

    results: list[tuple[Any, ...]]
    writes: list[tuple[Any, ...]]


class _Kept(NamedTuple):
    """Streaks that do not depend on what time it is now, and the writes of datasets that are promised to be fresh."""

    found: list[Streak]
    series: list[tuple[int, list[tuple[Any, ...]]]]


def streaks(view: View, now: datetime) -> list[Streak]:
    """Streaks of tests, freshness and row counts at the instant of a view; ``now`` decides what is late.

    All but what is late is found once for an instant: several questions of one page ask for it.
    """
    due = promised(view)

    def find() -> _Kept:
        members = [member for i in due for member in view.snapshot.members(i)]
        when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
        told = Told(view.store.rows(RESULTS, when), view.store.rows(_WRITES, {**when, "due": members}))
        series = _series(told)
        places = view.snapshot.indices([node for node, _ in series]).tolist()
        late = [one for i, one in zip(places, series, strict=True) if i in due]
        return _Kept([*tests(told.results), *_counts(series)], late)

    kept = view.instant.remember("streaks", find)
    return [*kept.found, *_late(view, kept.series, due, now)]


def load_told(view: View) -> Told:
    """What runs told until the instant of a view."""
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
    return Told(view.store.rows(RESULTS, when), view.store.rows(_SERIES, when))


def streaks_of(view: View, told: Told, now: datetime) -> list[Streak]:
    """Streaks in what was told; results are in the order of their test and time, writes in that of their dataset."""
    series = _series(told)
    return [*tests(told.results), *_counts(series), *_late(view, series, promised(view), now)]


def _series(told: Told) -> list[tuple[int, list[tuple[Any, ...]]]]:
    """Writes of each dataset."""
    return [(node, list(rows)) for node, rows in groupby(told.writes, key=lambda row: row[0])]


def _counts(series: Sequence[tuple[int, list[tuple[Any, ...]]]]) -> Iterator[Streak]:
    """Streaks of row counts."""
    for node, rows in series:
        counts = [row for row in rows if row[2] is not None]
        if not is_steady([row[2] for row in counts]):
            judged = judge([row[2] for row in counts], [row[1].weekday() for row in counts])
            yield from volumes(node, counts, judged)


def _late(
    view: View,
    series: Sequence[tuple[int, list[tuple[Any, ...]]]],
    due: dict[int, list[tuple[Term, float]]],
    now: datetime,
) -> list[Streak]:
    """Streaks of freshness of the datasets for which it is promised."""
    open_: list[Streak] = []
    for i, (node, rows) in zip(view.snapshot.indices([node for node, _ in series]).tolist(), series, strict=True):
        if i in due:
            open_ += gaps(node, [(row[1], row[3]) for row in rows], due[i], now)
    return joined(open_)


def gaps(
    node: int, writes: Sequence[tuple[datetime, str]], promised: Sequence[tuple[Term, float]], now: datetime
) -> Iterator[Streak]:
    """Times between writes of a dataset that were longer than promised, each while its promise was in force."""
    for term, limit in promised:
        until = min(now, term.end)
        until_then = [one for one in writes if one[0] <= until] if until < now else writes
        yield from in_force(late(node, until_then, limit, until), term, now)


def late(node: int, writes: Sequence[tuple[datetime, str]], limit: float, now: datetime) -> Iterator[Streak]:
    """Times between writes (end, run id; in order) that were longer than a limit in seconds."""
    for k, (done, run) in enumerate(writes):
        following = writes[k + 1][0] if k + 1 < len(writes) else None
        gap = ((following or now) - done).total_seconds()
        if not fresh(gap, limit):
            began = done + timedelta(seconds=limit)
            failure = Failure(began, began, run, f"no write for {gap / 3_600:.1f} hours, promised {limit / 3_600:.1f}")
            yield Streak(node, "freshness", "", "freshness", "error", (failure,), following)


def tests(rows: Iterable[tuple[Any, ...]]) -> Iterator[Streak]:
    """Streaks of failed tests; rows as :data:`RESULTS` gives them."""
    for (dataset, field, name), results in groupby(rows, key=lambda row: row[:3]):
        open_: list[Failure] = []
        roots: set[Any] = set()
        severity = ""
        for _, _, _, status, told, at, known, actual, run, root in results:
            if status == "pass":
                if open_:
                    yield Streak(dataset, "test", field, name, severity, tuple(open_), at)
                open_, roots = [], set()
                continue
            if severity_weight(told) == 0:
                continue
            severity = "warning" if severity_weight(told) < 3 else "error"
            if root is None or root not in roots:  # a retry of the same orchestrator's run is the same failure
                open_.append(Failure(at, known, run, f"expected otherwise, found {actual}" if actual else "failed"))
                roots.add(root)
        if open_:
            yield Streak(dataset, "test", field, name, severity, tuple(open_), None)


def is_steady(counts: Sequence[float]) -> bool:
    """Whether row counts are too few, or so steady, that they are not looked at further.

    >>> is_steady([100.0] * 20), is_steady([100.0] * 19 + [50.0])
    (True, False)
    """
    values = np.array(counts, dtype=np.float64)
    middle = float(np.median(values)) if len(values) else 0.0
    return len(values) <= LEAST or bool((np.abs(values - middle) <= CHANGE * middle).all())


def volumes(node: int, rows: Sequence[tuple[Any, ...]], judged: Iterable[Judged]) -> Iterator[Streak]:
    """Row counts that are not expected, until one that is; a shift of the level is accepted at its third point.

    Parameters
    ----------
    rows
        dataset, end, row count, run id, known time.
    judged
        a verdict on each of them.
    """
    open_: list[Failure] = []
    for one in judged:
        _, done, count, run, known = rows[one.at]
        if one.verdict in ("anomaly", "level shift"):
            band = (
                f"{count:,} rows, expected {one.expected:,.0f} ({one.low:,.0f} to {one.high:,.0f}, {one.points} points)"
            )
            open_.append(Failure(done, known, run, band))
        if open_ and one.verdict in ("normal", "level shift"):
            yield Streak(node, "volume", "", "volume", "warning", tuple(open_), done)
            open_ = []
    if open_:
        yield Streak(node, "volume", "", "volume", "warning", tuple(open_), None)


def promised(view: View) -> dict[int, list[tuple[Term, float]]]:
    """Promises of freshness, those of the past too, in seconds by dense index."""
    from lineage.contracts.conformance import freshness_slas

    found: dict[int, list[tuple[Term, float]]] = defaultdict(list)
    for term in terms(view):
        for sla in freshness_slas(term.bound):
            if sla.seconds is not None:
                found[term.bound.node].append((term, sla.seconds))
    return found
