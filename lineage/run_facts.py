"""What the store knows of runs: writes of a dataset, what a run read, its code, its columns, what it could not tell."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.store.blocks import fetch

if TYPE_CHECKING:
    from lineage.view import View

_WRITES = """
-- runs that wrote some datasets, with the version they named, as known at K; what began after T is left out
SELECT o.dataset, o.run, r.run_id, r.job, o.version, o.dropped_at, r.state,
  coalesce(r.started_at, r.first_event), r.ended_at, coalesce(upper(r.processing), 'BATCH') IN ('STREAMING', 'SERVICE')
FROM run_io o JOIN run r ON r.run = o.run
WHERE o.direction = 'out' AND o.dataset IN (SELECT unnest($members::UBIGINT[]))
  AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
  AND r.first_event <= $at
ORDER BY coalesce(r.ended_at, r.first_event), r.run_id
"""
_RUNS = """
-- some runs as known at K
SELECT run, run_id, job, state, conflict, coalesce(started_at, first_event), ended_at, nominal_start, nominal_end,
  producer, engine, parent_job, job_facets,
  coalesce(upper(processing), 'BATCH') IN ('STREAMING', 'SERVICE')
FROM run WHERE run IN (SELECT unnest($runs::UBIGINT[])) AND known_from <= $known AND known_to > $known
"""
_FEEDS = """
-- edges into some datasets that some runs showed
SELECT r.run, e.src, e.dst FROM run r JOIN edge_set e ON e.set_id = r.edge_set
WHERE r.run IN (SELECT unnest($runs::UBIGINT[])) AND r.known_from <= $known AND r.known_to > $known
  AND e.kind = 'lineage' AND e.dst IN (SELECT unnest($members::UBIGINT[]))
"""
_NAMED = """
-- versions of inputs that some runs named
SELECT run, dataset, max(version) FROM run_io
WHERE run IN (SELECT unnest($runs::UBIGINT[])) AND direction = 'in' AND version IS NOT NULL
  AND known_from <= $known AND known_to > $known
GROUP BY run, dataset
"""
_COLUMNS = """
-- column edges that some runs showed
SELECT r.run, c.src, c.dst, c.type, c.subtype, coalesce(c.masking, false)
FROM run r JOIN column_set c ON c.set_id = r.column_set
WHERE r.run IN (SELECT unnest($runs::UBIGINT[])) AND r.known_from <= $known AND r.known_to > $known
"""
_MERE = """
-- how the columns of one dataset go into another, of what some runs showed: whether nothing of them is a value there
SELECT r.run, s.dataset, coalesce(t.dataset, c.dst), bool_and(coalesce(upper(c.type), '') = 'INDIRECT')
FROM run r JOIN column_set c ON c.set_id = r.column_set JOIN node s ON s.id = c.src JOIN node t ON t.id = c.dst
WHERE r.run IN (SELECT unnest($runs::UBIGINT[])) AND r.known_from <= $known AND r.known_to > $known
GROUP BY ALL
"""
_CODE = """
-- SQL and code place of the jobs of some runs, as these runs told them
SELECT DISTINCT s.set_id, s.key, b.json FROM facet_set s JOIN facet_body b ON b.body = s.body
WHERE s.set_id IN (SELECT unnest($sets::UBIGINT[])) AND s.key IN ('sql', 'sourceCodeLocation') AND s.body <> 0
"""
_JOB_CODE = """
-- SQL and code place of the jobs of some runs as they were known to be when the runs began: many tell them now and then
SELECT r.run, f.key, b.json
FROM run r JOIN facet f ON f.entity = r.job JOIN facet_body b ON b.body = f.body
WHERE r.run IN (SELECT unnest($runs::UBIGINT[])) AND r.known_from <= $known AND r.known_to > $known
  AND f.key IN ('sql', 'sourceCodeLocation') AND f.place = 'facets'
  AND f.valid_from <= r.first_event AND f.valid_to > r.first_event AND f.known_from <= $known AND f.known_to > $known
"""
_EVENTS = """
-- where the events of some runs are
SELECT run, block, position FROM event WHERE run IN (SELECT unnest($runs::UBIGINT[])) AND received_at <= $known
  AND block IS NOT NULL
"""
_LAST_EVENTS = """
-- where the events of the last run of some jobs are, of what was there at T as known at K
SELECT r.job, e.block, e.position FROM event e JOIN (
  SELECT job, arg_max(run, first_event) AS run FROM run
  WHERE job IN (SELECT unnest($jobs::UBIGINT[])) AND first_event <= $at AND known_from <= $known AND known_to > $known
  GROUP BY job
) r ON r.run = e.run
WHERE e.received_at <= $known AND e.block IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Write:
    """One run that wrote one dataset."""

    run: int
    run_id: str
    job: int
    version: str | None
    dropped: bool
    state: str
    started_at: datetime
    ended_at: datetime | None
    stream: bool


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run."""

    run: int
    run_id: str
    job: int
    state: str
    conflict: bool
    started_at: datetime
    ended_at: datetime | None
    nominal_start: datetime | None
    nominal_end: datetime | None
    producer: str | None
    engine: str | None
    parent_job: int | None
    job_facets: int | None
    stream: bool


class RunFacts:
    """Looks up the facts of many runs at once; each fact once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._writes: dict[int, list[Write]] = {}
        self.loaded: set[tuple[int, int]] = set()  # pairs of run and dataset that load_runs has looked up
        self.runs: dict[int, RunRow] = {}
        self.code: dict[int, dict[str, Any]] = {}  # by facet set: what runs told themselves
        self.job_code: dict[int, dict[str, Any]] = {}  # by run: what was known of the job when it began
        self.named: dict[tuple[int, int], str] = {}
        self.columns: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        self.feeds: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.gaps: dict[int, str] = {}

    def load_runs(self, pairs: Iterable[tuple[int, int]], *, code: bool = True) -> None:
        """Everything about (run, dataset) pairs: the run, what fed the dataset, versions; and columns and code."""
        view, index = self._view, self._view.snapshot.index
        wanted = [pair for pair in pairs if pair not in self.loaded]
        if not wanted:
            return
        self.loaded.update(wanted)
        fresh = sorted({run for run, _ in wanted} - self.runs.keys())
        when = {"known": view.snapshot.known_at}
        members = sorted({m for _, dataset in wanted for m in view.snapshot.members(dataset)})
        runs = sorted({run for run, _ in wanted})
        found: dict[tuple[int, int], set[int]] = defaultdict(set)
        for run, src, dst in view.store.rows(_FEEDS, {**when, "runs": runs, "members": members}):
            source, target = index(src), index(dst)
            if source is not None and target is not None:
                found[run, target].add(source)
        self.feeds.update({key: sorted(sources) for key, sources in found.items()})
        if not fresh:
            return
        for row in view.store.rows(_RUNS, {**when, "runs": fresh}):
            self.runs[row[0]] = RunRow(*row)
        for run, dataset, version in view.store.rows(_NAMED, {**when, "runs": fresh}):
            i = index(dataset)
            if i is not None:
                self.named[run, i] = version
        if not code:
            return
        for run, src, dst, *use in view.store.rows(_COLUMNS, {**when, "runs": fresh}):
            self.columns[run].append((index(src), index(dst), *use))
        for run, key, text in view.store.rows(_JOB_CODE, {**when, "runs": fresh}):
            self.job_code.setdefault(run, {})[key] = json.loads(text)
        sets = sorted({row.job_facets for row in self.runs.values() if row.job_facets} - self.code.keys())
        for set_id, key, text in view.store.rows(_CODE, {"sets": sets}):
            self.code.setdefault(set_id, {})[key] = json.loads(text)
        self._load_gaps(fresh)

    def load_writes(self, datasets: Iterable[int]) -> None:
        """All writes of some datasets, oldest end first."""
        view = self._view
        fresh = [i for i in datasets if i not in self._writes]
        if not fresh:
            return
        owner = {m: i for i in fresh for m in view.snapshot.members(i)}
        for i in fresh:
            self._writes[i] = []
        when = {"known": view.snapshot.known_at, "at": view.snapshot.as_of, "members": list(owner)}
        for dataset, run, run_id, job, version, dropped, state, started, end, stream in view.store.rows(_WRITES, when):
            ended = end if end is not None and end <= view.snapshot.as_of else None
            told = "RUNNING" if ended is None else state
            write = Write(run, run_id, job, version, dropped is not None, told, started, ended, stream)
            self._writes[owner[dataset]].append(write)

    def indirect_inputs(self, runs: Iterable[int]) -> set[tuple[int, int, int]]:
        """Which inputs runs used indirectly: run, dataset that it wrote, input of which no column is a value there.

        What nobody told of columns is not among them.
        """
        view, index = self._view, self._view.snapshot.index
        found: dict[tuple[int, int, int], bool] = {}
        when = {"runs": list(runs), "known": view.snapshot.known_at}
        for run, src, dst, mere in view.store.rows(_MERE, when):
            source, target = index(src), index(dst)
            if source is not None and target is not None:
                found[run, target, source] = mere and found.get((run, target, source), True)
        return {key for key, mere in found.items() if mere}

    def reads_until(self, reader: RunRow) -> datetime:
        """Up to when a run reads what others complete: a batch until it begins, a stream until it ends."""
        if not reader.stream:
            return reader.started_at
        at = self._view.snapshot.as_of
        return min(reader.ended_at or at, at)

    def writes(self, dataset: int) -> list[Write]:
        """Writes of a dataset that :meth:`load_writes` has looked up."""
        return self._writes.get(dataset, [])

    def _load_gaps(self, runs: list[int]) -> None:
        """Runs whose producer said that it could not tell everything (``extractionError``)."""
        view = self._view
        where = view.store.rows(_EVENTS, {"runs": runs, "known": view.snapshot.known_at})
        with view.store.cursor() as cursor:
            events = fetch(cursor, [(block, position) for _, block, position in where])
        for run, block, position in where:
            data = events.get((block, position), b"")
            if b'"extractionError"' in data:
                self.gaps[run] = _gap(data) or self.gaps.get(run, "")


def incomplete(view: View, jobs: Collection[int]) -> dict[int, str]:
    """Jobs whose last run told that its lineage is not complete (``extractionError``), with what it said.

    Parameters
    ----------
    jobs
        dense indices; each is looked up once for an instant, in the events of its last run.
    """
    known: dict[int, str] = view.instant.remember("incomplete jobs", dict)
    members = {m: job for job in jobs if job not in known for m in view.snapshot.members(job)}
    if members:
        when = {"jobs": list(members), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
        where = view.store.rows(_LAST_EVENTS, when)
        with view.store.cursor() as cursor:
            events = fetch(cursor, [(block, position) for _, block, position in where])
        known.update(dict.fromkeys(members.values(), ""))
        for job, block, position in where:
            data = events.get((block, position), b"")
            if b'"extractionError"' in data:
                known[members[job]] = _gap(data) or known[members[job]]
    return {job: known[job] for job in jobs if known[job]}


def _gap(data: bytes) -> str:
    facet = json.loads(data).get("run", {}).get("facets", {}).get("extractionError")
    if not isinstance(facet, dict):
        return ""
    failed, total = facet.get("failedTasks"), facet.get("totalTasks")
    return f"{failed} of {total} parts could not be read" if failed is not None else "some parts could not be read"
