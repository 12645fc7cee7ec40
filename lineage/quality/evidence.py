"""All checks of all datasets and columns at one moment, in bulk: tests, freshness, volume, promises of contracts.

Checks are arrays, one entry each; their words are looked up for the nodes that are shown only. A test of a column
counts for the column and for its dataset. Nothing is stored: what depends on the clock is worked out from ``now``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.graph.arrays import DATASET
from lineage.quality.anomaly import Judged
from lineage.quality.freshness import F64, I64, learned_limits, timeliness_of
from lineage.quality.jobs import JobRuns, checked_jobs, job_runs
from lineage.quality.score import DIMENSIONS, Scores, dimension, score, severity_weight, upstream_risk
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
STALE = 48 * 3_600.0  # seconds after which a result is unknown, unless twice the test's own gap is longer
_TIMELINESS, _VOLUME, _UNIQUE, _CONFORMITY, _COMPLETENESS = (
    DIMENSIONS.index(k) for k in ("timeliness", "coverage", "uniqueness", "conformity", "completeness")
)
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
  CASE t.status WHEN 'pass' THEN 1.0 WHEN 'fail' THEN 0.0 END AS result
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
TEST, FRESHNESS, VOLUME, PROMISE, KEY, RUN, DURATION = range(7)
SORTS = ("test", "freshness", "volume", "contract", "key", "run", "duration")


@dataclass(frozen=True, slots=True)
class Writes:
    """Completed writes: dense index of the dataset, end in seconds since 1970, rows (not-a-number = not told)."""

    node: I64
    done: F64
    rows: F64


@dataclass(frozen=True, slots=True)
class Checks:
    """Arrays of one entry per check; ``ref`` points into the tests or promises, see :data:`SORTS`."""

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


def evidence(view: View, now: datetime | None = None) -> Evidence:
    """Evidence at an instant, kept with it. ``now`` (default: the instant of the view) decides what is late."""
    moment = now or view.as_of
    cache: dict[datetime | None, Evidence] = view.instant.remember("quality", dict)
    kept = cache.get(now)
    if kept is None or (now is None and moment - kept.now > _KEPT):
        kept = cache[now] = _evidence(view, moment)
    return kept


def evidence_of(view: View, nodes: Sequence[int]) -> Evidence:
    """Evidence now that is right for some nodes: of all, or of them and what is upstream, where that is far less.

    Checks of other nodes may be missing from it.
    """
    cache: dict[datetime | None, Evidence] = view.instant.remember("quality", dict)
    n = view.snapshot.n
    if None in cache or n < _SMALL:
        return evidence(view)
    homes = sorted({view.snapshot.dataset_of(i) if view.kind(i) == "column" else i for i in nodes})
    upstream = view.snapshot.walk(homes, "upstream").nodes.tolist()
    only = np.unique(np.array([*homes, *upstream], dtype=np.int64))
    return evidence(view) if len(only) * _FEW > n else _evidence(view, view.as_of, only)


def checks_among(view: View, nodes: Sequence[int]) -> Evidence:
    """Evidence at an instant that is right for the checks and scores of some nodes, but not for what lies upstream."""
    cache: dict[datetime | None, Evidence] = view.instant.remember("quality", dict)
    if None in cache or len(nodes) * _FEW > view.snapshot.n:
        return evidence(view)
    return _evidence(view, view.as_of, np.unique(np.array(nodes, dtype=np.int64)))


def seconds(at: datetime) -> float:
    """Seconds since 1970.

    >>> seconds(datetime(1970, 1, 2))
    86400.0
    """
    return (at - EPOCH).total_seconds()


def load_writes(view: View, ids: Sequence[int] | None = None) -> Writes:
    """Completed writes of all datasets, or of some (node ids), at the instant of a view."""
    table = _arrow(view, _WRITES, ids)
    node = view.snapshot.indices(table.column("dataset").to_numpy())
    told = table.column("told").to_numpy(zero_copy_only=False).astype(np.float64)
    inside = node >= 0
    return Writes(node[inside], table.column("done").to_numpy()[inside], told[inside])


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
    n = view.snapshot.n
    ids = None if only is None else [member for i in only.tolist() for member in view.snapshot.members(i)]
    tests = _arrow(view, _TESTS, ids)
    writes = load_writes(view, ids)
    last, limit, gaps = learned_limits(writes.node, writes.done, n, seconds(now))
    promised = np.zeros(n, dtype=bool)
    promises = _promised(view, now, limit, promised, only)
    volumes = last_volumes(writes.node, writes.done, writes.rows, n)
    datasets = np.flatnonzero(view.snapshot.kind == DATASET)
    jobs_here = checked_jobs(view)
    if only is not None:
        datasets, jobs_here = np.intersect1d(datasets, only), np.intersect1d(jobs_here, only)
    parts = [
        _tests(view, tests, seconds(now)),
        _fresh(datasets, last, limit, promised, seconds(now)),
        _volume(datasets, volumes),
        _contract(promises),
    ]
    parts.append(_keys(datasets, parts, n))
    jobs = job_runs(view, now, ids)
    parts += _jobs(jobs_here, jobs)
    checks = Checks(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    per = weights(view, np.flatnonzero(np.bincount(checks.node, minlength=n)))
    scores = _scores(checks, n, per)
    risk, origin = _risk(view, scores)
    told = tuple(promise for _, promise in promises)
    return Evidence(now, checks, tests, told, last, limit, gaps, promised, volumes, jobs, per, scores, risk, origin)


_Part = tuple[I64, I64, I64, I64, F64, F64, Any]


def _tests(view: View, table: pa.Table, now: float) -> _Part:
    """Tests count for their dataset and, once more, for their column."""
    names = table.column("name").combine_chunks().dictionary_encode()
    severities = table.column("severity").combine_chunks().dictionary_encode()
    kinds = np.array([dimension(name or "") for name in names.dictionary.to_pylist()] or [0], dtype=np.int64)
    kind = kinds[names.indices.to_numpy(zero_copy_only=False).astype(np.int64)]
    weights = np.array([*(severity_weight(word) for word in severities.dictionary.to_pylist()), 3.0])
    place = severities.indices.fill_null(len(weights) - 1).to_numpy(zero_copy_only=False).astype(np.int64)
    weight = weights[place]
    tested, gap = (table.column(name).to_numpy(zero_copy_only=False) for name in ("tested", "gap"))
    result = table.column("result").to_numpy(zero_copy_only=False).astype(np.float64)
    result = np.where(now - tested <= np.maximum(STALE, 2 * gap), result, np.nan)
    dataset = view.snapshot.indices(table.column("dataset").to_numpy())
    column = view.snapshot.indices(table.column("col").fill_null(0).to_numpy())
    critical = _critical(view, table, dataset)
    weight = np.where(critical, 2 * weight, weight)
    ref = np.arange(len(dataset))
    blocking = critical & (weight >= 6)
    of, at = np.r_[dataset, column], np.r_[ref, ref]
    keep = of >= 0
    of, at = of[keep], at[keep]
    return of, np.full(len(of), TEST), at, kind[at], weight[at], result[at], blocking[at]


def _critical(view: View, table: pa.Table, dataset: I64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether a test is about an element that an enforced contract calls critical."""
    from lineage.contracts.binding import bindings
    from lineage.contracts.conformance import ENFORCED

    found = np.zeros(len(dataset), dtype=bool)
    fields = table.column("field")
    for one in bindings(view.instant).bound:
        names = {c.path.lower() for c in one.thing.columns if c.critical}
        if names and one.contract.status in ENFORCED:
            for k in np.flatnonzero(dataset == one.node).tolist():
                found[k] = found[k] or (fields[k].as_py() or "").lower() in names
    return found


def _promised(view: View, now: datetime, limit: F64, promised: Any, only: I64 | None) -> list[tuple[int, Promise]]:
    """Promises of enforced contracts with their dataset; limits of freshness are put in place of the learned ones."""
    from lineage.contracts.binding import bindings
    from lineage.contracts.conformance import ENFORCED, freshness_slas, promises_of
    from lineage.contracts.facts import load_facts

    bound = [one for one in bindings(view.instant).bound if one.contract.status in ENFORCED]
    if only is not None:
        wanted = set(only.tolist())
        bound = [one for one in bound if one.node in wanted]
    facts = load_facts(view, sorted({one.node for one in bound}))
    found = []
    for one in bound:
        for sla in freshness_slas(one):
            if sla.seconds is not None:
                limit[one.node] = min(limit[one.node], sla.seconds) if promised[one.node] else sla.seconds
                promised[one.node] = True
        found += [(one.node, promise) for promise in promises_of(view, one, facts, now)]
    return found


def _fresh(datasets: I64, last: F64, limit: F64, promised: Any, now: float) -> _Part:
    result = timeliness_of(now - last[datasets], limit[datasets])
    bound = promised[datasets]
    weight = np.where(bound, 3.0, 1.0)
    kind = np.full(len(datasets), _TIMELINESS)
    return datasets, np.full(len(datasets), FRESHNESS), datasets, kind, weight, result, bound.copy()


def _volume(datasets: I64, volumes: Volumes) -> _Part:
    count = len(datasets)
    result = volumes.result[datasets]
    sort, kind = np.full(count, VOLUME), np.full(count, _VOLUME)
    return datasets, sort, datasets, kind, np.ones(count), result, np.zeros(count, bool)


def _contract(promises: list[tuple[int, Promise]]) -> _Part:
    """Promises that no test, and not the freshness, stands for already; all column promises of a contract are one."""
    rows: list[tuple[int, int, int, float, float, bool]] = []
    schema: dict[tuple[int, str], int] = {}
    for ref, (node, promise) in enumerate(promises):
        result = {"kept": 1.0, "broken": 0.0}.get(promise.verdict, np.nan)
        head, _, rest = promise.promise.partition(" ")
        if head == "column":
            at = schema.setdefault((node, promise.contract), len(rows))
            if at == len(rows):
                rows.append((node, ref, _CONFORMITY, 3.0, result, True))
            elif result == 0.0 or (np.isnan(result) and rows[at][4] == 1.0):
                rows[at] = (node, ref, _CONFORMITY, 3.0, 0.0 if rows[at][4] == 0.0 else result, True)
        elif head in ("classification", "access") or (
            head == "sla" and rest.lower() not in ("frequency", "availability")
        ):
            continue  # rules of governance and dates of a life; freshness is a check of its own
        elif head == "sla":
            rows.append((node, ref, _TIMELINESS, 3.0, result, True))
        elif not promise.evidence.startswith("test "):
            rows.append((node, ref, dimension(f"{promise.promise} {promise.expected}"), 3.0, result, True))
    columns = list(zip(*rows, strict=True)) or [()] * 6
    nodes, refs, kind = (np.array(columns[k], dtype=np.int64) for k in range(3))
    weight, told = (np.array(columns[k], dtype=np.float64) for k in (3, 4))
    return nodes, np.full(len(nodes), PROMISE), refs, kind, weight, told, np.array(columns[5], dtype=bool)


def _keys(datasets: I64, parts: list[_Part], n: int) -> _Part:
    """A check of the key is expected of every dataset; it is unknown where no test of uniqueness was ever seen."""
    have = np.zeros(n, dtype=bool)
    for part in parts:
        have[part[0][part[3] == _UNIQUE]] = True
    node = datasets[~have[datasets]]
    count = len(node)
    kind = np.full(count, _UNIQUE)
    return node, np.full(count, KEY), node, kind, np.full(count, 3.0), np.full(count, np.nan), np.zeros(count, bool)


def _jobs(jobs: I64, runs: JobRuns) -> list[_Part]:
    """Whether the last run completed, and whether it took as long as expected."""
    count, no = len(jobs), np.zeros(len(jobs), dtype=bool)
    rows = ((RUN, _COMPLETENESS, 3.0, runs.done), (DURATION, _TIMELINESS, 1.0, runs.usual))
    return [
        (jobs, np.full(count, sort), jobs, np.full(count, kind), np.full(count, weight), told[jobs], no)
        for sort, kind, weight, told in rows
    ]


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
