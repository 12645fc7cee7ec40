"""Streaks of numbers that are not what their past lets expect: counts of data and columns, and how jobs ran.

Row counts that runs wrote are looked at with the tests (:mod:`lineage.quality.streaks`). Here are the counts that
profiles tell (rows, bytes, files, nulls, distinct values), and of each job's completed runs the duration, the delay of
the START after the nominal time, and the bytes written. Sums, extremes and quantiles move with the business: they are
judged and listed (``meshline quality``), and open nothing. A series that was never 10 % off its median is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from lineage.quality.anomaly import CHANGE, LEAST, Judged, judge
from lineage.quality.streak import Failure, Streak

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.view import View

FLOORS = {"duration": 60.0, "delay": 300.0}  # seconds by which a run has to be off before it is anybody's incident,
FAR = 0.5  # and share of what was expected: a fifth more or less is an ordinary night on a shared machine
_COUNTS = ("rowCount", "bytes", "fileCount", "nullCount", "distinctCount")
_METRICS = f"""
-- one count of one dataset or column that was not always as it mostly is, at T as known at K
WITH told AS (
  SELECT coalesce(c.dataset, m.node) AS node, coalesce(c.field, '') AS field, m.name, m.measured_at AS told_at, m.value,
    m.run, m.known_from
  FROM metric m LEFT JOIN node c ON c.id = m.node AND c.kind = 'column'
  WHERE m.name IN {_COUNTS} AND m.value >= 0 AND m.measured_at <= $at AND m.known_from <= $known AND m.known_to > $known
), moved AS (
  SELECT node, field, name FROM told GROUP BY node, field, name
  HAVING count(*) > {LEAST} AND {{moved}} > {CHANGE} * {{middle}}
)
SELECT t.node, 'metric', t.field, t.name, t.told_at, t.value, r.run_id, t.known_from
FROM told t JOIN moved USING (node, field, name)
LEFT JOIN run r ON r.run = t.run AND r.known_from <= $known AND r.known_to > $known
ORDER BY t.node, t.field, t.name, t.told_at, r.run_id
"""  # noqa: S608 - our own names
_RUNS = f"""
-- one number of one completed run of a finite job that did not always run as it mostly does, at T as known at K
WITH ended AS (
  SELECT job, run, run_id, ended_at AS told_at, known_from, epoch(started_at) AS began, epoch(ended_at) AS done,
    epoch(nominal_start) AS nominal
  FROM run
  WHERE known_from <= $known AND known_to > $known AND state = 'COMPLETE' AND started_at IS NOT NULL
    AND ended_at <= $at AND coalesce(upper(processing), 'BATCH') NOT IN ('STREAMING', 'SERVICE')
), wrote AS (
  SELECT run, sum(byte_count)::DOUBLE AS bytes FROM run_io
  WHERE direction = 'out' AND byte_count >= 0 AND known_from <= $known AND known_to > $known GROUP BY run
), told AS (
  SELECT job, run_id, told_at, known_from, 'duration' AS name, greatest(done - began, 0) AS value FROM ended
  UNION ALL
  SELECT job, run_id, told_at, known_from, 'delay', greatest(began - nominal, 0) FROM ended WHERE nominal IS NOT NULL
  UNION ALL
  SELECT job, run_id, told_at, known_from, 'bytes written', bytes FROM ended JOIN wrote USING (run)
), moved AS (
  SELECT job, name FROM told GROUP BY job, name
  HAVING count(*) > {LEAST} AND {{moved}} > greatest(
    {CHANGE} * {{middle}},
    CASE name {" ".join(f"WHEN '{name}' THEN {least}" for name, least in FLOORS.items())} ELSE 0 END)
)
SELECT t.job, 'run', '', t.name, t.told_at, t.value, t.run_id, t.known_from
FROM told t JOIN moved USING (job, name) ORDER BY t.job, t.name, t.told_at, t.run_id
"""  # noqa: S608 - our own numbers
_OFF = {"moved": "greatest(max(value) - median(value), median(value) - min(value))", "middle": "median(value)"}
# what no part of a series can exceed that does not exceed it as a whole
_EVER = {"moved": "max(value) - min(value)", "middle": "min(value)"}
METRICS_DURING, RUNS_DURING = _METRICS.format(**_EVER), _RUNS.format(**_EVER)


def odd_streaks(view: View) -> Iterator[Streak]:
    """Streaks of odd counts and of odd runs at the instant of a view, each a warning.

    Examples
    --------
    >>> import lineage
    >>> from lineage.store import Store
    >>> list(odd_streaks(lineage.open(Store.open(":memory:")).view()))
    []
    """
    when = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
    for sql in (_METRICS, _RUNS):
        told = view.store.rows(sql.format(**_OFF), when)
        for (node, sort, field, name), rows in groupby(told, key=lambda row: row[:4]):
            blank = Streak(node, sort, field, name, "warning", (), None)
            points = [row[4:] for row in rows]
            yield from series(points, blank, judge([row[1] for row in points], [row[0].weekday() for row in points]))


def has_moved(name: str, values: Sequence[float]) -> bool:
    """Whether a series was not always as it mostly is; only then it is looked at further.

    >>> has_moved("bytes", [100.0] * 20), has_moved("bytes", [100.0] * 19 + [50.0])
    (False, True)
    """
    if len(values) <= LEAST:
        return False
    middle = float(np.median(values))
    return max(max(values) - middle, middle - min(values)) > max(CHANGE * middle, FLOORS.get(name, 0.0))


def is_far(name: str, one: Judged) -> bool:
    """Whether a number is so far from what was expected that it matters: seconds of a short run do not.

    >>> is_far("duration", Judged(0, "anomaly", 3.0, 1.0, 0.9, 1.1, 20))
    False
    """
    least = max(FLOORS[name], FAR * (one.expected or 0.0)) if name in FLOORS else 0.0
    return abs(one.observed - (one.expected or 0.0)) >= least


def series(
    rows: Sequence[tuple[datetime, float, str | None, datetime]], blank: Streak, judged: Iterable[Judged]
) -> Iterator[Streak]:
    """Streaks of one series, until a point that is expected; a shift of the level is accepted at its third point.

    Parameters
    ----------
    rows
        time, value, run id and known time of each point.
    blank
        a streak that says what the series is.
    judged
        a verdict on each point.
    """
    open_: list[Failure] = []
    for one in judged:
        at, _, run, known = rows[one.at]
        if one.verdict in ("anomaly", "level shift") and is_far(blank.name, one):
            open_.append(Failure(at, known, run, _words(blank.name, one)))
        if open_ and one.verdict in ("normal", "level shift"):
            yield replace(blank, failures=tuple(open_), ended=at)
            open_ = []
    if open_:
        yield replace(blank, failures=tuple(open_))


# -- inside


def _words(name: str, one: Judged) -> str:
    def said(value: float | None) -> str:
        return _length(value or 0) if name in FLOORS else f"{value or 0:,.0f}"

    band = f"{said(one.low)} to {said(one.high)}, {one.points} points"
    return f"{said(one.observed)}, expected {said(one.expected)} ({band})"


def _length(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.1f} minutes" if seconds < 7_200 else f"{seconds / 3_600:.1f} hours"
