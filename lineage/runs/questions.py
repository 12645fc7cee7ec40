"""``lx.runs``: runs of a span, and one of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.asking import When, naive_time
from lineage.blindspots import STALE_AFTER
from lineage.errors import MeshlineError, UsageError
from lineage.identity import alike_run_id
from lineage.runs.answers import RunDetail, RunEvent, RunList, RunRow, RunSide, RunTest
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.view import View

LIMIT = 1_000  # runs listed; the counts are always those of all
USUAL = timedelta(days=7)
_PAST = timedelta(days=90)
_KNOWN = "known_from <= $known AND known_to > $known"
_SPAN = f"""{_KNOWN} AND events > 0 AND first_event <= $at AND first_event < $until
  AND coalesce(ended_at, last_event) >= $since"""
_OVERDUE = """(ended_at IS NULL AND coalesce(upper(processing), 'BATCH') NOT IN ('STREAMING', 'SERVICE')
  AND last_event < $silent)"""
_STATE = "CASE WHEN ended_at > $at THEN 'RUNNING' ELSE state END"
_COUNTS = f"""
-- runs of a span by job, state, and whether they have no end
SELECT job, {_STATE} AS state, {_OVERDUE} AS overdue, count(*) FROM run WHERE {_SPAN} GROUP BY ALL
"""  # noqa: S608 - constants
_COLUMNS = f"""run, run_id, job, {_STATE} AS told_state, coalesce(started_at, first_event) AS began,
  CASE WHEN ended_at <= $at THEN ended_at END AS ended, nominal_start, nominal_end,
  {_OVERDUE} AS overdue, conflict, error, engine, producer, parent_run, parent_job, started_at IS NOT NULL AS told"""
_RUNS = f"""
-- runs of a span, failed ones first, then the newest
SELECT {_COLUMNS} FROM run WHERE {_SPAN}
  AND ($states IS NULL OR list_contains($states::VARCHAR[], CASE WHEN {_OVERDUE} THEN 'OVERDUE' ELSE {_STATE} END)
    OR list_contains($states::VARCHAR[], {_STATE}))
  AND ($jobs IS NULL OR job IN (SELECT unnest($jobs::UBIGINT[])))
ORDER BY told_state NOT IN ('FAIL', 'ABORT'), began DESC, run_id, run LIMIT $many
"""  # noqa: S608
_ONE = f"""
-- runs of one id, one for each job that told it; where two spellings are two runs, the one that was asked for first
SELECT {_COLUMNS} FROM run WHERE (run_id = $run_id OR lower(run_id) = $alike)
  AND {_KNOWN} AND first_event <= $at AND events > 0
ORDER BY run_id <> $run_id, began, run
"""  # noqa: S608
_PARENT = f"SELECT run_id, job FROM run WHERE run = $run AND {_KNOWN}"  # noqa: S608
_CHILDREN = f"SELECT count(*) FROM run WHERE parent_run = $run AND events > 0 AND {_KNOWN}"  # noqa: S608
_SIDES = f"""
-- one dataset on one side of a run
SELECT direction, dataset, version, row_count, byte_count, file_count, dropped_at IS NOT NULL FROM run_io
WHERE run = $run AND {_KNOWN} ORDER BY direction, dataset
"""  # noqa: S608
_TESTS = f"""
-- test results of a run, failed ones first
SELECT dataset, field, name, status, expected, actual FROM assertion WHERE run = $run AND {_KNOWN}
ORDER BY status, dataset, field, name
"""  # noqa: S608
_EVENTS = """
-- events of a run
SELECT event_time, received_at, event_type, producer, notes FROM event WHERE run = $run AND received_at <= $known
ORDER BY event_time, received_at, hash
"""
_MEDIAN = f"""
-- how long the completed runs of a job took before one of them
SELECT median(epoch(ended_at) - epoch(coalesce(started_at, first_event))) FROM run
WHERE job = $job AND state = 'COMPLETE' AND ended_at >= $since AND ended_at < $until AND {_KNOWN}
"""  # noqa: S608


class UnknownRunError(MeshlineError):
    """No run has this id."""

    exit_code = 2
    status = 404


class Runs:
    """Questions about runs."""

    def __init__(self, lx: Lineage) -> None:
        self._lx = lx

    def list(
        self,
        *,
        since: When = None,
        until: When = None,
        states: Collection[str] | None = None,
        domain: str | None = None,
        job: str | None = None,
        limit: int = LIMIT,
        as_of: When = None,
        known_at: When = None,
        actor: Actor = LOCAL,
    ) -> RunList:
        """Runs that were going on in a span, failed ones first.

        Parameters
        ----------
        since, until
            half-open span; default: the 7 days before ``until``, which is the asked instant by default.
        states
            list only these (``FAIL``, ``COMPLETE``, …, and ``OVERDUE`` for runs without an end); all are counted.
        domain, job
            only runs of jobs of one domain, or of one job.
        limit
            most runs listed.

        Raises
        ------
        UsageError
            for a span or limit that makes no sense.
        HiddenNodeError
            when the actor may not see the job.
        """
        if limit < 1:
            raise UsageError(f"limit: {limit} is less than 1.")
        view = self._lx.view(as_of, known_at, actor)
        last = naive_time(until, "until") or view.as_of
        first = naive_time(since, "since") or last - USUAL
        if first >= last:
            raise UsageError(f"since, until: {iso(first)} is not before {iso(last)}.")
        jobs = _jobs(view, domain, job)
        asked = {**_when(view), "since": first, "until": last}
        counts: Counter[str] = Counter()
        overdue = fit = 0
        for node, state, silent, n in view.store.rows(_COUNTS, asked):
            i = view.snapshot.index(node)
            if i is None or view.hidden(i) or (jobs is not None and node not in jobs):
                continue
            counts[state] += n
            overdue += n if silent else 0
            fit += n if states is None or state in states or (silent and "OVERDUE" in states) else 0
        wanted = {"states": list(states) if states is not None else None,
                  "jobs": None if jobs is None else sorted(jobs), "many": limit}  # fmt: skip
        rows = view.store.rows(_RUNS, {**asked, **wanted})
        return RunList(first, last, fit, dict(counts), overdue, tuple(_rows(view, rows)), view.as_of, view.known_at)

    def show(
        self, run_id: str, *, job: str | None = None, as_of: When = None, known_at: When = None, actor: Actor = LOCAL
    ) -> RunDetail:
        """Everything about one run.

        Parameters
        ----------
        run_id
            its id; a UUID in either case.
        job
            which of several jobs that told this run id; default: the first that began.

        Raises
        ------
        UnknownRunError
            when there is none, or its job may not be seen.
        """
        from lineage.resolve import resolve

        view = self._lx.view(as_of, known_at, actor)
        wanted = run_id.strip()
        rows = view.store.rows(_ONE, {**_when(view), "run_id": wanted, "alike": alike_run_id(wanted)})
        seen = [(row, i) for row in rows if (i := view.snapshot.index(row[2])) is not None and not view.hidden(i)]
        of = resolve(view, job) if job else None
        chosen = next(((row, i) for row, i in seen if of in (None, i)), None)
        if chosen is None:
            raise UnknownRunError(f"run {run_id[:80]}: no run of this id is known at this time. {_where(job)}")
        row, i = chosen
        return _detail(view, row, i, tuple(view.label(k) for other, k in seen if other is not row))


def _where(job: str | None) -> str:
    return f"Or none of {job}." if job else "meshline runs list names those that there are."


def _when(view: View) -> dict[str, datetime]:
    # what is shown of the past is measured by that past, not by today
    return {"at": view.snapshot.as_of, "known": view.snapshot.known_at, "silent": view.as_of - STALE_AFTER}


def _jobs(view: View, domain: str | None, job: str | None) -> set[int] | None:
    """Ids of the jobs that are asked about; ``None``: all, of an actor who may see all."""
    from lineage.resolve import resolve
    from lineage.unknown_yet import note_absent

    if job is not None:
        i = note_absent(view, resolve(view, job))
        view.require(i)
        if view.kind(i) != "job":
            raise UsageError(f"{view.label(i)} is no job; runs are of jobs.")
        return {int(member) for member in view.snapshot.members(i)}
    if domain is None and not view.restricted:
        return None
    found = (i for i, kind in enumerate(view.snapshot.kind.tolist()) if kind == 1 and not view.hidden(i))
    return {
        int(member) for i in found if domain is None or view.domain(i) == domain for member in view.snapshot.members(i)
    }


def _rows(view: View, rows: Sequence[tuple[Any, ...]]) -> list[RunRow]:
    places = {job: view.snapshot.index(job) for job in {row[2] for row in rows}}  # many runs, few jobs
    found = [(row, places[row[2]]) for row in rows]
    view.prepare(sorted({i for i in places.values() if i is not None}))
    return [_row(view, row, i) for row, i in found if i is not None]


def _row(view: View, row: tuple[Any, ...], i: int) -> RunRow:
    _, run_id, _, state, began, ended, nominal, _, overdue, conflict, error, engine, producer, _, _, told = row
    return RunRow(
        run_id, view.label(i), view.domain(i), view.owner(i), state, began, ended,
        (ended - began).total_seconds() if ended else None,
        (began - nominal).total_seconds() if nominal and told else None,
        bool(overdue), bool(conflict), error, engine, producer,
    )  # fmt: skip


def _detail(view: View, row: tuple[Any, ...], i: int, siblings: tuple[str, ...]) -> RunDetail:
    from lineage.marquez_facts import run_facets

    key = row[0]
    when = {"known": view.snapshot.known_at}
    sides: dict[str, list[RunSide]] = {"in": [], "out": []}
    for direction, node, version, *told in view.store.rows(_SIDES, {**when, "run": key}):
        place = view.snapshot.index(node)
        if place is None:
            continue
        facts = (None, None, None, None, False) if view.hidden(place) else (version, *told)
        sides[direction].append(RunSide(view.label(place), view.domain(place), *facts))
    began = row[4]
    usual = view.store.rows(_MEDIAN, {**when, "job": row[2], "since": began - _PAST, "until": began})[0][0]
    parent_run, parent_job = _parent(view, row[13])
    return RunDetail(
        run=_row(view, row, i),
        nominal_start=row[6],
        nominal_end=row[7],
        parent_job=parent_job,
        parent_run=parent_run,
        children=view.store.rows(_CHILDREN, {**when, "run": key})[0][0],
        siblings=siblings,
        inputs=tuple(sides["in"]),
        outputs=tuple(sides["out"]),
        tests=tuple(_tests(view, view.store.rows(_TESTS, {**when, "run": key}))),
        events=tuple(
            RunEvent(at, received, kind, producer, tuple(json.loads(notes)) if notes else ())
            for at, received, kind, producer, notes in view.store.rows(_EVENTS, {**when, "run": key})
        ),
        facets=run_facets(view, [key])[key],
        usual_seconds=usual,
        as_of=view.as_of,
        known_at=view.known_at,
    )


def _parent(view: View, run: int | None) -> tuple[str | None, str | None]:
    """Id and job of the run that started this one; the job is masked when it may not be seen."""
    rows = view.store.rows(_PARENT, {"run": run, "known": view.snapshot.known_at}) if run else []
    place = view.snapshot.index(rows[0][1]) if rows else None
    if place is None:
        return None, None
    return (None if view.hidden(place) else rows[0][0]), view.label(place)


def _tests(view: View, rows: Sequence[tuple[Any, ...]]) -> list[RunTest]:
    found = []
    for node, *told in rows:
        place = view.snapshot.index(node) if node else None
        if place is None or not view.hidden(place):
            found.append(RunTest(None if place is None else view.label(place), *told))
    return sorted(found, key=lambda one: (one.status != "fail", one.dataset or "", one.column, one.name))
