"""The lineage graph in the shape of Marquez's ``GET /api/v1/lineage``, so that its clients and its page can be pointed
at Meshline.

Depth means what it means there: hops from job to job over shared datasets, in either direction at once, from the asked
job; from a dataset, from the job that wrote it last, else from the one that read it last. 0 is that job alone with its
datasets. A dataset without jobs is a graph of one node. Where Marquez's data model has one value and OpenLineage
another (run states, dataset types), Marquez's words are used.

Source: Marquez's REST API, https://marquezproject.github.io/marquez/openapi.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.columns import column_facts, entries, tag_text
from lineage.errors import UsageError
from lineage.stand_ins import stand_ins
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.columns import ColumnFacts
    from lineage.view import View

DEPTH = 20  # Marquez's default
_STATES = {"COMPLETE": "COMPLETED", "FAIL": "FAILED", "ABORT": "ABORTED", "START": "RUNNING", "OTHER": "RUNNING"}
_TYPES = {"TOPIC": "STREAM", "STREAM": "STREAM"}
_PROCESSING = {"STREAMING": "STREAM", "STREAM": "STREAM", "SERVICE": "SERVICE"}

_LATEST = """
-- newest run of each job
SELECT job, run_id, state, started_at, ended_at, nominal_start, nominal_end, first_event, last_event, processing FROM (
  SELECT *, row_number() OVER (PARTITION BY job ORDER BY coalesce(started_at, first_event) DESC, run_id) AS place
  FROM run WHERE job IN (SELECT unnest($members::UBIGINT[])) AND first_event <= $at
    AND known_from <= $known AND known_to > $known
) WHERE place = 1
"""
_SEEN = """
-- first and last time anything told of each node
SELECT node, min(first), max(last) FROM (
  SELECT job AS node, first_event AS first, last_event AS last FROM run
  WHERE job IN (SELECT unnest($members::UBIGINT[])) AND first_event <= $at
    AND known_from <= $known AND known_to > $known
  UNION ALL
  SELECT dataset, seen_at, coalesce(last_at, seen_at) FROM run_io
  WHERE dataset IN (SELECT unnest($members::UBIGINT[])) AND seen_at <= $at
    AND known_from <= $known AND known_to > $known
  UNION ALL
  SELECT entity, event_time, event_time FROM declaration
  WHERE entity IN (SELECT unnest($members::UBIGINT[])) AND event_time <= $at AND known_from <= $known
) GROUP BY node
"""
_WRITTEN = """
-- last time each dataset was written
SELECT dataset, max(coalesce(last_at, seen_at)) FROM run_io
WHERE direction = 'out' AND dataset IN (SELECT unnest($members::UBIGINT[])) AND seen_at <= $at
  AND known_from <= $known AND known_to > $known
GROUP BY dataset
"""
_DROPPED = """
-- datasets that were dropped, and neither written nor declared since
SELECT dataset FROM (
  SELECT dataset, turned_at AS dropped, NULL AS made FROM turn
  WHERE successor IS NULL AND turned_at <= $at AND known_from <= $known AND known_to > $known
  UNION ALL
  SELECT dataset, NULL, seen_at FROM run_io
  WHERE direction = 'out' AND dropped_at IS NULL AND seen_at <= $at AND known_from <= $known AND known_to > $known
  UNION ALL
  SELECT entity, NULL, event_time FROM declaration WHERE NOT dropped AND event_time <= $at AND known_from <= $known
) WHERE dataset IN (SELECT unnest($members::UBIGINT[]))
GROUP BY dataset HAVING max(dropped) >= coalesce(max(made), max(dropped))
"""
_FACETS = """
-- facets that Marquez's nodes show, oldest first
SELECT f.entity, f.key, b.json FROM facet f JOIN facet_body b USING (body)
WHERE f.entity IN (SELECT unnest($members::UBIGINT[]))
  AND f.key IN ('documentation', 'dataSource', 'datasetType', 'lifecycleStateChange', 'sourceCodeLocation', 'tags')
  AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
ORDER BY f.valid_from, f.place, f.body
"""


def lineage_graph(view: View, i: int, depth: int = DEPTH) -> dict[str, Any]:
    """Jobs and datasets around a node.

    Parameters
    ----------
    view
        the instant and the actor.
    i
        dense index of a dataset or job.
    depth
        hops from job to job.

    Returns
    -------
    dict
        ``{"graph": [{"id", "type", "data", "inEdges", "outEdges"}]}``, sorted by id.

    Raises
    ------
    HiddenNodeError
        when the actor may not see the node.
    UsageError
        when the depth is negative or the node a column.
    """
    view.require(i)
    if depth < 0:
        raise UsageError(f"depth: {depth} is negative.")
    if view.kind(i) == "column":
        raise UsageError("nodeId: a column has no graph here; name its dataset, or ask /api/v2/picture.")
    start = i if view.kind(i) == "job" else _newest_job(view, i)
    if start is None:
        return {"graph": [_Data(view, [i]).node(i, [], [])]}
    jobs = _jobs(view, start, depth)
    into: dict[int, list[int]] = {job: [] for job in jobs}
    out: dict[int, list[int]] = {job: [] for job in jobs}
    for job in jobs:
        for dataset in view.snapshot.inputs(job).tolist():
            into[job].append(dataset)
            out.setdefault(dataset, []).append(job)
        for dataset in view.snapshot.outputs(job).tolist():
            out[job].append(dataset)
            into.setdefault(dataset, []).append(job)
    if view.restricted:
        into, out = _fold_hidden(view, into, out)
    nodes = sorted(set(into) | set(out))
    data = _Data(view, nodes)
    graph = [data.node(node, into.get(node, []), out.get(node, [])) for node in nodes]
    return {"graph": sorted(graph, key=lambda node: str(node["id"]))}


def _fold_hidden(
    view: View, into: dict[int, list[int]], out: dict[int, list[int]]
) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """As few hidden nodes as show what leads to what (:mod:`lineage.stand_ins`)."""
    nodes = {*into, *out}
    hidden = {i: view.row_of(i) for i in nodes if view.hidden(i)}
    pairs = {(i, j) for i, ends in out.items() for j in ends} | {(i, j) for j, ends in into.items() for i in ends}
    stands, arrows = stand_ins(hidden, [(src, dst, 0) for src, dst in sorted(pairs)])
    kept = [pair for pair in pairs if not hidden.keys() & set(pair)] + [(arrow.src, arrow.dst) for arrow in arrows]
    shown = {stands.get(i, i) for i in nodes}
    into, out = {i: [] for i in shown}, {i: [] for i in shown}
    for src, dst in sorted(kept):
        out[src].append(dst)
        into[dst].append(src)
    return into, out


def _newest_job(view: View, dataset: int) -> int | None:
    """The job that wrote a dataset last, else the one that read it last."""
    sides: list[list[int]] = [view.snapshot.writers(dataset).tolist(), view.snapshot.readers(dataset).tolist()]
    for jobs in sides:
        if jobs:
            latest = _latest_runs(view, jobs)
            never = datetime.min  # noqa: DTZ901 - naive UTC like all stored times
            return max(jobs, key=lambda job: (latest[job]["last_event"] if job in latest else never, -job))
    return None


def _jobs(view: View, start: int, depth: int) -> set[int]:
    """Jobs within so many hops over shared datasets."""
    snapshot = view.snapshot
    seen = {start}
    frontier = [start, *(_same_domain(view, [start], seen) if view.restricted else ())]
    datasets: set[int] = set()
    for _ in range(depth):
        beside = {d for job in frontier for ds in (snapshot.inputs(job), snapshot.outputs(job)) for d in ds.tolist()}
        fresh = beside - datasets
        datasets |= fresh
        found = {j for d in fresh for js in (snapshot.readers(d), snapshot.writers(d)) for j in js.tolist()}
        frontier = sorted(found - seen)
        if not frontier:
            break
        seen.update(frontier)
        if view.restricted:
            frontier += _same_domain(view, frontier, seen)
    return seen


def _same_domain(view: View, jobs: Iterable[int], seen: set[int]) -> list[int]:
    """Hidden jobs that hidden ones reach within their domain: no hop is counted there. They are noted as seen."""
    snapshot, found = view.snapshot, []
    waiting = [job for job in jobs if view.hidden(job)]
    while waiting:
        job = waiting.pop()
        for dataset in {*snapshot.inputs(job).tolist(), *snapshot.outputs(job).tolist()}:
            if not view.as_one(job, dataset):
                continue
            for other in {*snapshot.readers(dataset).tolist(), *snapshot.writers(dataset).tolist()} - seen:
                if view.as_one(dataset, other):
                    seen.add(other)
                    found.append(other)
                    waiting.append(other)
    return found


def _latest_runs(view: View, jobs: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Newest run of each job."""
    names = (
        "job", "run_id", "state", "started_at", "ended_at", "nominal_start", "nominal_end", "first_event",
        "last_event", "processing",
    )  # fmt: skip
    owner = {member: job for job in jobs for member in view.snapshot.members(job)}
    when = {"members": list(owner), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    return {owner[row[0]]: dict(zip(names, row, strict=True)) for row in view.store.rows(_LATEST, when)}


class _Data:
    """What the nodes of one graph carry, looked up for all of them at once."""

    def __init__(self, view: View, nodes: Iterable[int]) -> None:
        self.view = view
        shown = [i for i in nodes if not view.hidden(i)]
        owner = {member: i for i in shown for member in view.snapshot.members(i)}
        when = {"members": list(owner), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
        self.masks = {i: n for n, i in enumerate((i for i in nodes if view.hidden(i)), 1)}
        self.seen: dict[int, tuple[datetime, datetime]] = {}  # of all members of a group
        for node, first, last in view.store.rows(_SEEN, when):
            since, until = self.seen.get(owner[node], (first, last))
            self.seen[owner[node]] = min(since, first), max(until, last)
        self.written: dict[int, datetime] = {}
        for node, last in view.store.rows(_WRITTEN, when):
            self.written[owner[node]] = max(last, self.written.get(owner[node], last))
        self.dropped = {owner[node] for (node,) in view.store.rows(_DROPPED, when)}
        self.runs = _latest_runs(view, [i for i in shown if view.kind(i) == "job"])
        self.columns = column_facts(view, [i for i in shown if view.kind(i) == "dataset"])
        self.facets: dict[int, dict[str, Any]] = {}
        for entity, key, text in view.store.rows(_FACETS, when):
            self.facets.setdefault(owner[entity], {})[key] = json.loads(text)

    def id(self, i: int) -> str:
        """Node id; of hidden nodes a numbered mask."""
        label = self.view.label(i)
        return f"{label} #{self.masks[i]}" if i in self.masks else label

    def node(self, i: int, into: list[int], out: list[int]) -> dict[str, Any]:
        """One entry of the graph."""
        mine = self.id(i)
        job = self.view.kind(i) == "job"
        data = self._hidden(i) if i in self.masks else self._job(i, into, out) if job else self._dataset(i)
        return {
            "id": mine,
            "type": "JOB" if job else "DATASET",
            "data": data,
            "inEdges": [{"origin": origin, "destination": mine} for origin in sorted(self.id(o) for o in into)],
            "outEdges": [{"origin": mine, "destination": to} for to in sorted(self.id(o) for o in out)],
        }

    def _hidden(self, i: int) -> dict[str, Any]:
        label = self.view.label(i)
        return {"id": {"namespace": "", "name": label}, "namespace": "", "name": label, "hidden": True}

    def _name(self, i: int) -> dict[str, str]:
        if i in self.masks:
            return {"namespace": "", "name": self.id(i)}
        return {"namespace": self.view.snapshot.namespace(i), "name": self.view.snapshot.name(i)}

    def _common(self, i: int) -> dict[str, Any]:
        first, last = self.seen.get(i, (None, None))
        facets = self.facets.get(i, {})
        return {
            "id": self._name(i),
            **self._name(i),
            "createdAt": iso(first),
            "updatedAt": iso(last),
            "description": _text(facets.get("documentation"), "description"),
            "tags": [tag_text(tag) for tag in entries(facets.get("tags"), "tags") if not tag.get("field")],
        }

    def _dataset(self, i: int) -> dict[str, Any]:
        facets = self.facets.get(i, {})
        columns = self.columns.get(i, {})
        kind = (_text(facets.get("datasetType"), "datasetType") or "").upper()
        written = self.written.get(i)
        return {
            **self._common(i),
            "type": _TYPES.get(kind, "DB_TABLE"),
            "physicalName": self.view.snapshot.name(i),
            "sourceName": _text(facets.get("dataSource"), "name") or self.view.snapshot.namespace(i),
            "fields": [_field(path, columns[path]) for path in sorted(columns, key=lambda p: (columns[p].order, p))],
            "lastModifiedAt": iso(written),
            "lastLifecycleState": _text(facets.get("lifecycleStateChange"), "lifecycleStateChange"),
            "currentVersion": None,
            "facets": {},
            "deleted": i in self.dropped,
        }

    def _job(self, i: int, into: list[int], out: list[int]) -> dict[str, Any]:
        run = self.runs.get(i)
        name = self.view.snapshot.name(i)
        parents = [p for p in self.view.snapshot.parents(i).tolist() if not self.view.hidden(p)]
        parent = self.view.snapshot.name(parents[0]) if parents else None
        latest = _run(run) if run else None
        return {
            **self._common(i),
            "type": _PROCESSING.get((run or {}).get("processing") or "", "BATCH"),
            "simpleName": name.removeprefix(f"{parent}.") if parent else name,
            "parentJobName": parent,
            "parentJobUuid": None,
            "inputs": [self._name(d) for d in into],
            "outputs": [self._name(d) for d in out],
            "location": _text(self.facets.get(i, {}).get("sourceCodeLocation"), "url"),
            "latestRun": latest,
            "latestRuns": [latest] if latest else [],
            "currentVersion": None,
            "facets": {},
            "labels": [],
            "deleted": False,
        }


def _run(run: dict[str, Any]) -> dict[str, Any]:
    """A run in Marquez's words."""
    start, end = run["started_at"], run["ended_at"]
    return {
        "id": run["run_id"],
        "createdAt": iso(run["first_event"]),
        "updatedAt": iso(run["last_event"]),
        "nominalStartTime": iso(run["nominal_start"]),
        "nominalEndTime": iso(run["nominal_end"]),
        "state": _STATES.get(run["state"], "RUNNING"),
        "startedAt": iso(start),
        "endedAt": iso(end),
        "durationMs": round((end - start).total_seconds() * 1000) if start and end else None,
        "args": {},
        "jobVersion": None,
        "inputDatasetVersions": [],
        "outputDatasetVersions": [],
        "facets": {},
    }


def _field(path: str, facts: ColumnFacts) -> dict[str, Any]:
    return {"name": path, "type": facts.type, "tags": facts.tags, "description": facts.description}


def _text(facet: Any, key: str) -> str | None:
    value = facet.get(key) if isinstance(facet, dict) else None
    return str(value) if value else None
