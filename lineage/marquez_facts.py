"""What Marquez's read paths ask the store for: versions, runs and facets of some nodes, in Marquez's words.

Marquez has numbers of its own for versions. Here they are UUIDs made of what a version is (:func:`version_id`): of a
dataset, what one run wrote to it; of a job, its set of edges. So they are the same in every database.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.identity import alike_run_id, digest64
from lineage.marquez import _run
from lineage.redact import redact_value
from lineage.store.blocks import fetch
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.view import View

_KNOWN = "known_from <= $known AND known_to > $known"
_FACETS = """
-- facets of some jobs and datasets that hold, the general place only, oldest first
SELECT f.entity, f.key, b.json FROM facet f JOIN facet_body b USING (body)
WHERE f.entity IN (SELECT unnest($members::UBIGINT[])) AND f.place = 'facets'
  AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
ORDER BY f.valid_from, f.body
"""
_VERSIONS = f"""
-- one version of one dataset: what one run wrote
SELECT dataset, run, job, facet_set, coalesce(last_at, seen_at) AS made, count(*) OVER (PARTITION BY dataset)
FROM run_io WHERE dataset IN (SELECT unnest($members::UBIGINT[])) AND direction = 'out' AND seen_at <= $at AND {_KNOWN}
ORDER BY made DESC, run
"""  # noqa: S608 - a constant
_RUNS = f"""
-- runs, newest first; of jobs, or by their keys
SELECT run, job, run_id, state, started_at, ended_at, nominal_start, nominal_end, first_event, last_event, edge_set
FROM run WHERE (job IN (SELECT unnest($jobs::UBIGINT[])) OR run IN (SELECT unnest($runs::UBIGINT[]))
  OR run_id = $run_id OR lower(run_id) = $alike) AND events > 0 AND first_event <= $at AND {_KNOWN}
ORDER BY coalesce(started_at, first_event) DESC, run
"""  # noqa: S608
_IO = f"""
-- one dataset on one side of one run
SELECT run, direction, dataset, facet_set, seen_at FROM run_io
WHERE run IN (SELECT unnest($runs::UBIGINT[])) AND {_KNOWN} ORDER BY dataset
"""  # noqa: S608
_SETS = """
-- facets of some sets
SELECT s.set_id, s.place, s.key, b.json FROM facet_set s JOIN facet_body b USING (body)
WHERE s.set_id IN (SELECT unnest(?::UBIGINT[])) ORDER BY s.set_id, s.place DESC, s.key
"""
_EVENTS = """
-- where the events of some runs are, as far as their bytes are kept
SELECT run, block, position FROM event WHERE run IN (SELECT unnest(?::UBIGINT[])) AND block IS NOT NULL
ORDER BY event_time, hash
"""

RunRow = dict[str, Any]


def version_id(*parts: object) -> str:
    """UUID of a version.

    >>> version_id("dataset", 1, 2) == version_id("dataset", 1, 2) != version_id("dataset", 1, 3)
    True
    """
    high, low = digest64("marquez", *map(str, parts)), digest64("marquez", "low", *map(str, parts))
    return str(uuid.UUID(int=high << 64 | low, version=5))


def when(view: View) -> dict[str, datetime]:
    """The two times of a view, as parameters."""
    return {"at": view.snapshot.as_of, "known": view.snapshot.known_at}


def owners(view: View, nodes: Collection[int]) -> dict[int, int]:
    """Node id → dense index, for every identifier of nodes that may be seen."""
    return {member: i for i in nodes if not view.hidden(i) for member in view.snapshot.members(i)}


def facets_of(view: View, nodes: Collection[int]) -> dict[int, dict[str, Any]]:
    """Facets that hold, by dense index and key, secrets masked."""
    owner = owners(view, nodes)
    found: dict[int, dict[str, Any]] = {i: {} for i in nodes}
    for entity, key, text in view.store.rows(_FACETS, {"members": list(owner), **when(view)}) if owner else []:
        found[owner[entity]][key] = redact_value(json.loads(text))
    return found


def versions_of(view: View, nodes: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Versions of datasets, newest first: ``version``, ``run`` (its key), ``job``, ``facet_set``, ``made``."""
    owner = owners(view, nodes)
    found: dict[int, list[dict[str, Any]]] = {i: [] for i in nodes}
    for dataset, run, job, facet_set, made, _ in (
        view.store.rows(_VERSIONS, {"members": list(owner), **when(view)}) if owner else []
    ):
        i = owner[dataset]
        found[i].append(
            {"version": version_id("dataset", i_id(view, i), run), "run": run, "job": job, "made": made,
             "facet_set": facet_set}
        )  # fmt: skip
    return found


def i_id(view: View, i: int) -> int:
    """Node id behind a dense index."""
    return int(view.snapshot.ids[i])


def first_version(view: View, i: int) -> str:
    """Version of a dataset before any run wrote it."""
    return version_id("dataset", i_id(view, i), 0)


def sets_of(view: View, sets: Collection[int]) -> dict[int, dict[tuple[str, str], Any]]:
    """Facets of some sets by (place, key), secrets masked."""
    found: dict[int, dict[tuple[str, str], Any]] = {}
    for set_id, place, key, text in view.store.rows(_SETS, [list(set(sets))]) if sets else []:
        found.setdefault(set_id, {})[place, key] = redact_value(json.loads(text))
    return found


def runs_of(
    view: View, jobs: Collection[int] = (), runs: Collection[int] = (), run_id: str | None = None
) -> list[RunRow]:
    """Runs of visible jobs (dense indices), by key or by runId, newest first; ``i`` is their job."""
    owner = owners(view, jobs)
    asked = {"jobs": list(owner), "runs": list(runs), "run_id": run_id, **when(view)}
    asked["alike"] = alike_run_id(run_id) if run_id else None
    names = (
        "run", "job", "run_id", "state", "started_at", "ended_at", "nominal_start", "nominal_end", "first_event",
        "last_event", "edge_set",
    )  # fmt: skip
    found = []
    for row in view.store.rows(_RUNS, asked):
        item: RunRow = dict(zip(names, row, strict=True))
        i = view.snapshot.index(item["job"])
        if i is not None and not view.hidden(i):
            found.append({**item, "i": i})
    return found


def run_facets(view: View, runs: Collection[int]) -> dict[int, dict[str, dict[str, Any]]]:
    """Facets of runs and of their jobs as the events told them, merged in order of time: ``run`` and ``job``."""
    found: dict[int, dict[str, dict[str, Any]]] = {run: {"run": {}, "job": {}} for run in runs}
    places = view.store.rows(_EVENTS, [list(runs)]) if runs else []
    with view.store.cursor() as cursor:
        bodies = fetch(cursor, [(block, position) for _, block, position in places]) if places else {}
    for run, block, position in places:
        event = json.loads(bodies[block, position])
        for part in ("run", "job"):
            told = event.get(part)
            facets = told.get("facets") if isinstance(told, dict) else None
            if isinstance(facets, dict):
                found[run][part].update({key: redact_value(body) for key, body in facets.items() if body is not None})
    return found


def run_items(view: View, runs: Sequence[RunRow]) -> list[dict[str, Any]]:
    """Runs as Marquez gives them, with the versions they read and wrote and their facets."""
    keys = [run["run"] for run in runs]
    facets = run_facets(view, keys)
    io = view.store.rows(_IO, {"runs": keys, "known": view.snapshot.known_at}) if keys else []
    indices = {dataset: view.snapshot.index(dataset) for _, _, dataset, _, _ in io}
    versions = versions_of(view, {i for i in indices.values() if i is not None and not view.hidden(i)})
    sets = sets_of(view, {facet_set for *_, facet_set, _ in io})
    sides: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for run, side, dataset, facet_set, seen in io:
        i = indices[dataset]
        if i is None or view.hidden(i):
            continue
        place = "inputFacets" if side == "in" else "outputFacets"
        made = version_id("dataset", i_id(view, i), run) if side == "out" else version_at(view, i, versions[i], seen)
        sides.setdefault((run, side), []).append(
            {
                "datasetVersionId": {**name_of(view, i), "version": made},
                "facets": {key: body for (where, key), body in sets.get(facet_set, {}).items() if where == place},
            }
        )
    return [_item(view, run, facets[run["run"]]["run"], sides) for run in runs]


def version_at(view: View, i: int, versions: Sequence[dict[str, Any]], at: datetime) -> str:
    """The version of a dataset that was current at a time."""
    return next((str(v["version"]) for v in versions if v["made"] <= at), first_version(view, i))


def name_of(view: View, i: int) -> dict[str, str]:
    """Namespace and name."""
    return {"namespace": view.snapshot.namespace(i), "name": view.snapshot.name(i)}


def job_version(view: View, i: int, edge_set: int) -> dict[str, str]:
    """Name and number of a version of a job."""
    return {**name_of(view, i), "version": version_id("job", i_id(view, i), edge_set)}


def _item(
    view: View, run: RunRow, facets: dict[str, Any], sides: dict[tuple[int, str], list[dict[str, Any]]]
) -> dict[str, Any]:
    times = {"nominal_start_time": run["nominal_start"], "nominal_end_time": run["nominal_end"]}
    return {
        **_run(run),
        "args": {key: iso(at) for key, at in times.items() if at is not None},
        "jobVersion": job_version(view, run["i"], run["edge_set"]),
        "inputDatasetVersions": sides.get((run["run"], "in"), []),
        "outputDatasetVersions": sides.get((run["run"], "out"), []),
        "facets": facets,
    }
