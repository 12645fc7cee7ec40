"""All checks of all datasets and columns at one moment, in bulk: tests, freshness, volume, promises of contracts.

Checks are arrays, one entry each; their words are looked up for the nodes that are shown only. A test of a column
counts for the column and for its dataset. Nothing is stored: what depends on the clock is worked out from ``now``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lineage.arrow import numbers
from lineage.graph.arrays import DATASET
from lineage.presence import of_kind
from lineage.quality.anomaly import Judged
from lineage.quality.freshness import F64, I64, learned_limits
from lineage.quality.jobs import JobRuns, checked_jobs, job_runs
from lineage.quality.parts import of_freshness, of_jobs, of_keys, of_promises, of_tests, of_volume, promised_of
from lineage.quality.score import Scores, score, upstream_risk
from lineage.quality.volume import Volumes, last_volumes
from lineage.quality.weights import weights
from lineage.times import EPOCH

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.contracts.conformance import Promise
    from lineage.view import View

_KEPT = timedelta(minutes=1)  # how old an answer about the present may be
_SMALL = 2_000  # nodes below which everything is looked at at once
_FEW = 8  # how many times fewer nodes have to be asked for than there are, to look at them alone
_TESTS = """
-- newest result of each test of each dataset at T as known at K; tests of a run alone count for its job and its inputs
WITH told AS (
  SELECT dataset, field, name, status, severity, tested_at, run FROM assertion
  WHERE dataset IS NOT NULL AND tested_at <= $at AND known_from <= $known AND known_to > $known {of_dataset}
  UNION ALL
  SELECT i.dataset, a.field, a.name, a.status, a.severity, a.tested_at, a.run
  FROM assertion a JOIN run_io i ON i.run = a.run AND i.direction = 'in'
  WHERE a.dataset IS NULL AND a.tested_at <= $at AND a.known_from <= $known AND a.known_to > $known
    AND i.known_from <= $known AND i.known_to > $known {of_input}
  UNION ALL
  SELECT job, field, name, status, severity, tested_at, run FROM assertion
  WHERE dataset IS NULL AND job IS NOT NULL AND tested_at <= $at AND known_from <= $known AND known_to > $known {of_job}
), newest AS (
  SELECT dataset, field, name, arg_max(status, (tested_at, run)) AS status,
    arg_max(severity, (tested_at, run)) AS severity, max(tested_at) AS tested_at, arg_max(run, (tested_at, run)) AS run,
    epoch(max(tested_at) - min(tested_at)) / greatest(count(DISTINCT tested_at) - 1, 1) AS gap
  FROM told GROUP BY dataset, field, name
)
SELECT t.dataset, c.id AS col, t.field, t.name, t.severity, t.run, epoch(t.tested_at) AS tested, t.gap,
  CASE t.status WHEN 'pass' THEN 1e0 WHEN 'fail' THEN 0e0 END AS result
FROM newest t LEFT JOIN node c ON c.kind = 'column' AND c.dataset = t.dataset AND c.field = t.field AND t.field <> ''
ORDER BY t.dataset, t.field, t.name
"""
_WRITES = """
-- one completed run that wrote one dataset at T as known at K
SELECT o.dataset, epoch(coalesce(r.ended_at, r.first_event)) AS done, o.row_count::DOUBLE AS told
FROM run_io o JOIN run r ON r.run = o.run
WHERE o.direction = 'out' AND r.state = 'COMPLETE' AND coalesce(r.ended_at, r.first_event) <= $at
  AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known {of_output}
"""
_ONLY = {"of_dataset": "dataset", "of_input": "i.dataset", "of_job": "job", "of_output": "o.dataset"}


@dataclass(frozen=True, slots=True)
class Writes:
    """Completed writes: dense index of the dataset, end in seconds since 1970, rows (not-a-number = not told)."""

    node: I64
    done: F64
    rows: F64


@dataclass(frozen=True, slots=True)
class Checks:
    """Arrays of one entry per check; ``ref`` points into the tests or promises, as its sort says.

    The sorts are numbers of :data:`lineage.quality.parts.SORTS`.
    """

    node: I64
    sort: I64
    ref: I64
    kind: I64  # dimension
    weight: F64
    result: F64
    blocking: np.ndarray[tuple[int], np.dtype[np.bool_]]  # a failure caps the grade


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known about quality at one moment."""

    now: datetime
    checks: Checks
    tests: pa.Table
    promises: tuple[Promise, ...]
    last: F64
    limit: F64
    gaps: I64
    promised: np.ndarray[tuple[int], np.dtype[np.bool_]]  # the limit is that of a contract
    volumes: Volumes
    jobs: JobRuns
    weights: F64  # of the dimensions, for all nodes or one row each
    scores: Scores
    risk: F64
    origin: I64

    @property
    def odd(self) -> dict[int, Judged]:
        """Row counts that are not expected, by dataset."""
        return self.volumes.odd


class _Cache(dict["datetime | None", Evidence]):
    """Evidence of an instant by what time it is; whoever asks while it is being gathered waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.taken = timedelta()
        """How long the last one took: what was gathered about a minute ago is good, however long that lasted."""


def evidence(view: View, now: datetime | None = None) -> Evidence:
    """Evidence at an instant, kept with it. ``now`` (default: the instant of the view) decides what is late."""
    moment = now or view.as_of
    cache = view.instant.remember("quality", _Cache)
    with cache.lock:
        kept = cache.get(now)
        if kept is None or (now is None and moment - kept.now > _KEPT + cache.taken):
            begun = time.monotonic()
            kept = cache[now] = _evidence(view, moment)
            cache.taken = timedelta(seconds=time.monotonic() - begun)
        return kept


def evidence_of(view: View, nodes: Sequence[int]) -> Evidence:
    """Evidence now that is right for some nodes: of all, or of them and what is upstream, where that is far less.

    Checks of other nodes may be missing from it.
    """
    cache = view.instant.remember("quality", _Cache)
    n = view.snapshot.n
    if None in cache or n < _SMALL:
        return evidence(view)
    homes = sorted({view.snapshot.dataset_of(i) if view.kind(i) == "column" else i for i in nodes})
    upstream = view.snapshot.walk(homes, "upstream").nodes.tolist()
    only = np.unique(np.array([*homes, *upstream], dtype=np.int64))
    return evidence(view) if len(only) * _FEW > n else _evidence(view, view.as_of, only)


def checks_among(view: View, datasets: Sequence[int], judged: Mapping[int, Sequence[Promise]] | None = None) -> Checks:
    """Checks at an instant, all of those of some datasets; of others there may be some.

    Parameters
    ----------
    datasets
        dense indices.
    judged
        verdicts on the promises about each of them at this instant, where they are known already.
    """
    cache = view.instant.remember("quality", _Cache)
    if None in cache or len(datasets) * _FEW > view.snapshot.n:
        return evidence(view).checks
    return _look(view, view.as_of, np.unique(np.array(datasets, dtype=np.int64)), judged).checks


def seconds(at: datetime) -> float:
    """Seconds since 1970.

    >>> seconds(datetime(1970, 1, 2))
    86400.0
    """
    return (at - EPOCH).total_seconds()


def load_writes(view: View, ids: Sequence[int] | None = None) -> Writes:
    """Completed writes of all datasets, or of some (node ids), at the instant of a view."""
    table = _arrow(view, _WRITES, ids)
    node = view.snapshot.indices(numbers(table.column("dataset")))
    told = numbers(table.column("told")).astype(np.float64)
    inside = node >= 0
    return Writes(node[inside], numbers(table.column("done"))[inside], told[inside])


# -- inside


def _arrow(view: View, sql: str, ids: Sequence[int] | None) -> pa.Table:
    """A table of all nodes, or of those with some ids."""
    when: dict[str, Any] = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
    if ids is None:
        return view.store.arrow(sql.format(**dict.fromkeys(_ONLY, "")), when)
    filters = {key: f"AND {column} IN (SELECT unnest($ids::UBIGINT[]))" for key, column in _ONLY.items()}
    return view.store.arrow(sql.format(**filters), {**when, "ids": ids})


def _evidence(view: View, now: datetime, only: I64 | None = None) -> Evidence:
    """Evidence of all nodes, or of some (dense indices)."""
    seen, n = _look(view, now, only), view.snapshot.n
    per = weights(view, np.flatnonzero(np.bincount(seen.checks.node, minlength=n)))
    scores = _scores(seen.checks, n, per)
    risk, origin = _risk(view, scores)
    told = tuple(promise for _, promise in seen.promises)
    return Evidence(now, seen.checks, seen.tests, told, seen.last, seen.limit, seen.gaps, seen.promised, seen.volumes,
                    seen.jobs, per, scores, risk, origin)  # fmt: skip


class _Seen(NamedTuple):
    """Checks and what they follow from, before anything is scored."""

    checks: Checks
    tests: pa.Table
    promises: list[tuple[int, Promise]]
    last: F64
    limit: F64
    gaps: I64
    promised: np.ndarray[tuple[int], np.dtype[np.bool_]]
    volumes: Volumes
    jobs: JobRuns


def _look(view: View, now: datetime, only: I64 | None, judged: Mapping[int, Sequence[Promise]] | None = None) -> _Seen:
    n = view.snapshot.n
    ids = None if only is None else [member for i in only.tolist() for member in view.snapshot.members(i)]
    tests = _arrow(view, _TESTS, ids)
    writes = load_writes(view, ids)
    last, limit, gaps = learned_limits(writes.node, writes.done, n, seconds(now))
    promised = np.zeros(n, dtype=bool)
    promises = promised_of(view, now, limit, promised, only, judged)
    volumes = last_volumes(writes.node, writes.done, writes.rows, n)
    datasets = of_kind(view.instant, DATASET)
    jobs_here = checked_jobs(view)
    if only is not None:
        datasets, jobs_here = np.intersect1d(datasets, only), np.intersect1d(jobs_here, only)
    parts = [
        of_tests(view, tests, seconds(now)),
        of_freshness(datasets, last, limit, promised, seconds(now)),
        of_volume(datasets, volumes),
        of_promises(promises),
    ]
    parts.append(of_keys(datasets, parts, n))
    jobs = job_runs(view, now, ids) if len(jobs_here) else JobRuns(*np.full((4, n), np.nan))
    parts += of_jobs(jobs_here, jobs)
    checks = Checks(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return _Seen(checks, tests, promises, last, limit, gaps, promised, volumes, jobs)


def _scores(checks: Checks, n: int, weights: F64) -> Scores:
    known = ~np.isnan(checks.result)
    gated = np.zeros(n, dtype=bool)
    gated[checks.node[checks.blocking & known & (np.nan_to_num(checks.result, nan=1.0) < 1.0)]] = True
    return Scores(
        score(checks.node, checks.kind, checks.weight, checks.result, n, weights),
        np.bincount(checks.node[known], minlength=n),
        np.bincount(checks.node, minlength=n),
        gated,
    )


def _risk(view: View, scores: Scores) -> tuple[F64, I64]:
    """Upstream risk along the edges between datasets (a job on the way is no hop); of a job that of what it reads.

    A job's own score limits the job alone: what its failures do to its outputs, their own checks say.
    """
    from lineage.quality.score import PASS_ON
    from lineage.ranking import flow_of

    flow = flow_of(view.instant)
    public = flow.public.astype(np.int64)
    src = np.repeat(np.arange(flow.n), np.diff(flow.indptr).astype(np.int64))
    dst = flow.indices.astype(np.int64)
    is_dataset = view.snapshot.kind[public] == DATASET
    step = np.where(is_dataset[dst], PASS_ON, 1.0)
    shown = scores.shown
    risk_at, origin_at = upstream_risk(np.where(is_dataset, shown[public], np.nan), src, dst, step)
    risk, origin = shown.copy(), np.where(np.isnan(shown), -1, np.arange(len(shown)))
    at = public[is_dataset]
    risk[at] = risk_at[is_dataset]
    origin[at] = np.where(origin_at[is_dataset] < 0, -1, public[origin_at[is_dataset]])
    datasets = np.flatnonzero(view.snapshot.kind == DATASET).astype(np.uint32)
    place, jobs, _ = view.snapshot.readers_of(datasets)
    inputs, jobs = datasets[place].astype(np.int64), jobs.astype(np.int64)
    lower = np.nan_to_num(risk[inputs], nan=101.0) < np.nan_to_num(shown[jobs], nan=100.5)
    order = np.lexsort((-inputs[lower], -risk[inputs[lower]]))  # the lowest is written last
    inputs, jobs = inputs[lower][order], jobs[lower][order]
    risk[jobs], origin[jobs] = risk[inputs], origin[inputs]
    return risk, origin
