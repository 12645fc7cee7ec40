"""The rows behind the counts of :mod:`lineage.overview`: every number of the first page can be looked up here.

The total of a list is the number that the summary prints, for the same instant and the same actor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lineage.answers import Certainty
from lineage.beginning import unknown_then
from lineage.columns import absent_columns
from lineage.errors import UsageError
from lineage.graph.arrays import I64, NONE, pair_keys
from lineage.graph.sorting import unique
from lineage.graph.whole import distinct_pairs, edges_between

if TYPE_CHECKING:
    from lineage.graph import Snapshot
    from lineage.view import View

ListName = Literal["datasets", "jobs", "columns", "edges", "runs", "events", "quarantine"]
_RECEIVED = ("events", "quarantine")  # lists of what came, not of what was told
LIMIT = 2_000  # rows of one list; the total is always that of all

_RUNS = """
-- runs as known at K, newest first
SELECT job, run_id, state, started_at, ended_at, conflict, error, producer
FROM run WHERE known_from <= $known AND known_to > $known AND first_event <= $at
ORDER BY coalesce(started_at, first_event) DESC, run_id
"""
_EVENTS = """
-- events, newest first
SELECT event_time, received_at, kind, event_type, job, dataset, producer, notes
FROM event WHERE received_at <= $known AND event_time <= $at ORDER BY event_time DESC, hash LIMIT $many
"""
_EVENT_COUNT = "SELECT count(*) FROM event WHERE received_at <= $known AND event_time <= $at"
_QUARANTINE = """
-- refused inputs that were not replayed, newest first
SELECT received_at, source, line, reason, detail FROM quarantine
WHERE received_at <= $known AND replayed_at IS NULL ORDER BY received_at DESC, source, line
"""
_DAYS = """
-- runs per day, job and state
SELECT CAST(coalesce(started_at, first_event) AS DATE) AS day, job, state, count(*) FROM run
WHERE known_from <= $known AND known_to > $known AND first_event <= $at GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One dataset, job or column. ``upstream`` and ``downstream`` count direct neighbours."""

    id: str
    name: str
    namespace: str
    field: str
    domain: str
    owner: str | None
    columns: int = 0
    upstream: int = 0
    downstream: int = 0
    status: str | None = None
    last_run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """One pair of datasets with data flowing from one to the other."""

    src: str
    dst: str
    src_domain: str
    dst_domain: str
    provenance: str
    certainty: Certainty
    jobs: tuple[str, ...]
    valid_from: datetime | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run."""

    run_id: str
    job: str
    domain: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    conflict: bool
    error: str | None
    producer: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One accepted event."""

    event_time: datetime
    received_at: datetime
    kind: str
    type: str | None
    about: str
    producer: str | None
    notes: str | None


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One refused input."""

    received_at: datetime
    source: str
    line: int | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of one list; ``total`` counts all, ``rows`` may be fewer.

    Before anything was told, ``total`` of nodes, edges and runs is unknown (``None``), and ``notes`` say so.
    """

    of: ListName
    total: int | None
    rows: tuple[Any, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DayRuns:
    """Number of runs of one day that are in one state."""

    day: date
    state: str
    runs: int


def listing(
    view: View,
    of: ListName,
    *,
    domain: str | None = None,
    states: Collection[str] | None = None,
    limit: int = LIMIT,
) -> Listing:
    """One list.

    Parameters
    ----------
    view
        the instant and the actor.
    of
        which list.
    domain
        only what belongs to this domain (no meaning for events and quarantine, which have none).
    states
        only runs in one of these states.
    limit
        most rows wanted.

    Raises
    ------
    UsageError
        for a list that does not exist.
    """
    lists: dict[str, Callable[[], tuple[int, Iterable[Any]]]] = {
        "datasets": lambda: _nodes(view, 0, domain, limit),
        "jobs": lambda: _nodes(view, 1, domain, limit),
        "columns": lambda: _columns(view, domain, limit),
        "edges": lambda: _edges(view, domain, limit),
        "runs": lambda: _runs(view, domain, states, limit),
        "events": lambda: _events(view, limit),
        "quarantine": lambda: _quarantine(view, limit),
    }
    if of not in lists:
        raise UsageError(f"list: “{of}” is none of {', '.join(lists)}.")
    why = unknown_then(view) if of not in _RECEIVED else None
    if why is not None:
        return Listing(of, None, (), (why,))
    total, rows = lists[of]()
    return Listing(of, total, tuple(rows))


def runs_per_day(view: View, days: int = 30) -> tuple[DayRuns, ...]:
    """Runs of the last ``days`` days before the newest run, by day and state; days without runs are left out."""
    counts: Counter[tuple[date, str]] = Counter()
    rows = view.store.rows(_DAYS, _when(view))
    nodes = view.snapshot.indices([row[1] for row in rows]).tolist()
    for (day, _, state, runs), i in zip(rows, nodes, strict=True):
        if i >= 0 and not view.hidden(i):
            counts[day, state] += runs
    if not counts:
        return ()
    first = max(day for day, _ in counts) - timedelta(days=days - 1)
    return tuple(DayRuns(day, state, n) for (day, state), n in sorted(counts.items()) if day >= first)


def _when(view: View) -> dict[str, datetime]:
    return {"at": view.snapshot.as_of, "known": view.snapshot.known_at}


def _visible(view: View, kind: int, domain: str | None) -> list[int]:
    """Nodes of a kind that were there at the instant and that the actor may see."""
    nodes: list[int] = view.nodes(kind).tolist()
    return nodes if domain is None else [i for i in nodes if view.domain(i) == domain]


def _nodes(view: View, kind: int, domain: str | None, limit: int) -> tuple[int, list[NodeRow]]:
    """Datasets or jobs, those with the most direct neighbours first."""
    from lineage.last_runs import last_runs

    snapshot = view.snapshot
    nodes = _visible(view, kind, domain)
    ups: Counter[int] = Counter()
    downs: Counter[int] = Counter()
    if kind == 0:
        for src, dst in _pairs(view):
            downs[src] += 1
            ups[dst] += 1
    else:
        arrows: tuple[tuple[Counter[int], Literal["read", "write"]], ...] = ((ups, "read"), (downs, "write"))
        for counts, arrow in arrows:
            every = _datasets_of_jobs(snapshot, arrow)
            counts.update(dict(zip(nodes, every[nodes].tolist(), strict=True)))
    text = dict(zip(nodes, view.instant.texts(nodes), strict=True))
    shown = sorted(nodes, key=lambda i: (-(ups[i] + downs[i]), text[i]))[:limit]
    runs = last_runs(view, shown)
    view.prepare(shown)
    over = absent_columns(view, shown) if kind == 0 else frozenset()
    rows = []
    for i, namespace, title in zip(shown, *snapshot.names(shown), strict=True):
        state, at = runs.get(i, (None, None))
        columns = sum(c not in over for c in snapshot.columns_of(i).tolist()) if kind == 0 else 0
        name = (text[i], title, namespace, "")
        rows.append(NodeRow(*name, view.domain(i), view.owner(i), columns, ups[i], downs[i], state, at))
    return len(nodes), rows


def _datasets_of_jobs(snapshot: Snapshot, arrow: Literal["read", "write"]) -> I64:
    """How many datasets each job reads (writes), by dense index of the job; one by one it takes ten times as long."""
    datasets = np.flatnonzero(snapshot.kind == 0).astype(np.uint32)
    at, jobs, _ = snapshot.arrows(datasets, arrow)
    pairs = unique(pair_keys(jobs, datasets[at]))
    return np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=snapshot.n)


def _pairs(view: View) -> set[tuple[int, int]]:
    """Visible pairs of different datasets that an edge joins."""
    found = set()
    for key in distinct_pairs(view.snapshot).tolist():
        a, b = key >> 32, key & NONE
        if a == b or view.hidden(a) or view.hidden(b):
            continue
        found.add((a, b))
    return found


def _columns(view: View, domain: str | None, limit: int) -> tuple[int, list[NodeRow]]:
    snapshot = view.snapshot
    columns = _visible(view, 2, domain)
    rows = []
    for i in columns[:limit]:
        name = (snapshot.text(i), snapshot.name(i), snapshot.namespace(i), snapshot.field(i))
        up, down = (len(snapshot.neighbours(i, direction)) for direction in ("upstream", "downstream"))
        rows.append(NodeRow(*name, view.domain(i), view.owner(i), 0, up, down))
    return len(columns), rows


def _edges(view: View, domain: str | None, limit: int) -> tuple[int, list[EdgeRow]]:
    """Pairs of datasets; of several edges between two the best certainty counts."""
    pairs = sorted((a, b) for a, b in _pairs(view) if domain is None or domain in (view.domain(a), view.domain(b)))
    edges = edges_between(view.snapshot, pairs[:limit])
    view.prepare(sorted({i for edge in edges for i in (edge.src, edge.dst, *edge.jobs)}))
    rows = []
    for edge in edges:
        a, b = edge.src, edge.dst
        jobs = tuple(dict.fromkeys(view.label(job) for job in edge.jobs))
        domains = (view.domain(a), view.domain(b))
        rows.append(
            EdgeRow(view.label(a), view.label(b), *domains, edge.provenance, edge.certainty, jobs, edge.valid_from)
        )
    return len(pairs), rows


def _runs(view: View, domain: str | None, states: Collection[str] | None, limit: int) -> tuple[int, list[RunRow]]:
    rows: list[RunRow] = []
    total = 0
    for job, run_id, state, started, ended, conflict, error, producer in view.store.rows(_RUNS, _when(view)):
        i = view.snapshot.index(job)
        if i is None or view.hidden(i) or (states is not None and state not in states):
            continue
        if domain is not None and view.domain(i) != domain:
            continue
        total += 1
        if len(rows) < limit:
            place = (view.label(i), view.domain(i))
            rows.append(RunRow(run_id, *place, state, started, ended, bool(conflict), error, producer))
    return total, rows


def _events(view: View, limit: int) -> tuple[int, list[EventRow]]:
    """The newest events; what an event is about is masked like everything else."""
    when = _when(view)
    rows = []
    for at, received, kind, kind_of, job, dataset, producer, notes in view.store.rows(_EVENTS, {**when, "many": limit}):
        i = view.snapshot.index(job if job is not None else dataset)
        about = "(not part of the mesh at this time)" if i is None else view.label(i)
        rows.append(EventRow(at, received, kind, kind_of, about, producer, notes))
    return view.store.rows(_EVENT_COUNT, when)[0][0], rows


def _quarantine(view: View, limit: int) -> tuple[int, list[QuarantineRow]]:
    found = view.store.rows(_QUARANTINE, {"known": view.snapshot.known_at})
    return len(found), [QuarantineRow(*row) for row in found[:limit]]
