"""Lists and single things in the shape of Marquez's read API (``/api/v1``), looked through a view.

Pages are cut before anything is looked up for them, and totals are those of everything that fits: see docs/marquez.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from lineage.columns import entries, tag_text
from lineage.errors import MeshlineError
from lineage.marquez import _STATES, _Data, _text
from lineage.marquez_columns import column_lineage_of
from lineage.marquez_facts import (
    RunRow,
    facets_of,
    first_version,
    job_version,
    name_of,
    run_facets,
    run_items,
    runs_of,
    sets_of,
    versions_of,
)
from lineage.presence import of_kind
from lineage.times import iso

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.view import View

T = TypeVar("T")
_RECENT = 10  # runs beside a job
_SIDES = "inputs", "outputs"
_DECLARED = """
-- what job events declared at T as known at K, the newest last
SELECT entity, edge_set, event_time FROM declaration
WHERE entity IN (SELECT unnest($members::UBIGINT[])) AND edge_set IS NOT NULL
  AND event_time <= $at AND known_from <= $known
ORDER BY event_time, hash
"""
_TAGS = "SELECT DISTINCT entity FROM facet WHERE key = 'tags' AND known_from <= $known AND known_to > $known"
_SOURCES = "SELECT DISTINCT entity FROM facet WHERE key = 'dataSource' AND known_from <= $known AND known_to > $known"
_TOLD = """
-- datasets that a run read or wrote, or an event described
SELECT dataset FROM run_io WHERE known_from <= $known
UNION SELECT entity FROM declaration WHERE known_from <= $known
"""
_STATE = """
-- state of the newest run of each job
SELECT job, state FROM (
  SELECT job, state, row_number() OVER (PARTITION BY job ORDER BY coalesce(started_at, first_event) DESC, run) AS n
  FROM run WHERE events > 0 AND first_event <= $at AND known_from <= $known AND known_to > $known
) WHERE n = 1
"""


class NotThereError(MeshlineError):
    """What was asked for by name does not exist, or may not be seen."""

    status = 404


def page(items: Sequence[T], limit: int, offset: int) -> Sequence[T]:
    """One page."""
    return items[offset : offset + limit]


def nodes_of(view: View, kind: str) -> list[int]:
    """All visible jobs or datasets that were there, by namespace and name; asked once for an instant."""

    def find() -> list[tuple[str, str, int]]:
        snapshot = view.snapshot
        found = of_kind(view.instant, ("dataset", "job", "column").index(kind)).tolist()
        if kind == "dataset":  # one that lineage merely names is no dataset there
            asked = {"known": snapshot.known_at}
            told = {snapshot.index(row[0]) for row in view.store.rows(_TOLD, asked)}
            found = [i for i in found if i in told]
        return sorted((snapshot.namespace(i), snapshot.name(i), i) for i in found)

    named = view.instant.remember(f"marquez {kind}", find)
    return [i for _, _, i in named if not view.hidden(i)]


def find_node(view: View, kind: str, namespace: str, name: str) -> int:
    """A job or dataset by its exact name, or by one of its aliases.

    Raises
    ------
    NotThereError
        when there is none.
    """
    from lineage.identity import node_id

    i = view.snapshot.index(node_id(kind, namespace, name))
    if i is None or view.hidden(i):
        raise NotThereError(f"There is no {kind} “{name}” in the namespace “{namespace}”.")
    return i


# -- namespaces, sources, tags


def namespaces(view: View) -> list[dict[str, Any]]:
    """All namespaces of jobs and datasets."""
    names = sorted({view.snapshot.namespace(i) for kind in ("job", "dataset") for i in nodes_of(view, kind)})
    return [_namespace(name) for name in names]


def namespace(view: View, name: str) -> dict[str, Any]:
    """One namespace."""
    if not any(item["name"] == name for item in namespaces(view)):
        raise NotThereError(f"There is no namespace “{name}”.")
    return _namespace(name)


def _namespace(name: str) -> dict[str, Any]:
    return {
        "name": name, "createdAt": None, "updatedAt": None, "ownerName": "anonymous", "description": None,
        "isHidden": False,
    }  # fmt: skip


def sources(view: View) -> list[dict[str, Any]]:
    """Data sources that datasets name, and the namespaces of the others."""
    told = facets_of(view, _with(view, _SOURCES, "dataset"))
    found: dict[str, dict[str, Any]] = {}
    for i in nodes_of(view, "dataset"):
        facet = told.get(i, {}).get("dataSource")
        name = _text(facet, "name") or view.snapshot.namespace(i)
        uri = _text(facet, "uri")
        if name not in found or (uri and not found[name]["connectionUrl"]):
            scheme = (uri or name).removeprefix("jdbc:").partition(":")[0].upper()
            found[name] = {
                "type": scheme, "name": name, "createdAt": None, "updatedAt": None, "connectionUrl": uri or "",
                "description": None,
            }  # fmt: skip
    return [found[name] for name in sorted(found)]


def source(view: View, name: str) -> dict[str, Any]:
    """One data source."""
    found = next((item for item in sources(view) if item["name"] == name), None)
    if found is None:
        raise NotThereError(f"There is no source “{name}”.")
    return found


def tags(view: View) -> list[dict[str, Any]]:
    """All tags that the facets of visible jobs and datasets carry."""
    nodes = [*_with(view, _TAGS, "dataset"), *_with(view, _TAGS, "job")]
    names = {tag_text(tag) for facets in facets_of(view, nodes).values() for tag in entries(facets.get("tags"), "tags")}
    return [{"name": name, "description": None} for name in sorted(names)]


def _with(view: View, sql: str, kind: str) -> list[int]:
    """Visible nodes of a kind that have a facet."""
    found = {view.snapshot.index(row[0]) for row in view.store.rows(sql, {"known": view.snapshot.known_at})}
    return [i for i in sorted(n for n in found if n is not None) if view.kind(i) == kind and not view.hidden(i)]


# -- datasets


def datasets(view: View, namespace_: str | None, limit: int, offset: int) -> dict[str, Any]:
    """A page of the datasets of a namespace."""
    found = _in(view, "dataset", namespace_)
    return {"totalCount": len(found), "datasets": dataset_items(view, page(found, limit, offset))}


def dataset_items(view: View, nodes: Sequence[int]) -> list[dict[str, Any]]:
    """Datasets as Marquez gives them."""
    data, facets, versions = _Data(view, nodes), facets_of(view, nodes), versions_of(view, nodes)
    columns = column_lineage_of(view, nodes)
    return [
        {
            **data._dataset(i),
            "facets": facets[i],
            "currentVersion": versions[i][0]["version"] if versions[i] else first_version(view, i),
            "columnLineage": columns.get(i, []),
        }
        for i in nodes
    ]


def dataset_versions(view: View, i: int, limit: int, offset: int) -> dict[str, Any]:
    """A page of the versions of a dataset, newest first."""
    found = version_items(view, i)
    return {"totalCount": len(found), "versions": [make() for make in page(found, limit, offset)]}


def dataset_version(view: View, i: int, version: str) -> dict[str, Any]:
    """One version of a dataset."""
    for make in version_items(view, i):
        found = make()
        if found["version"] == version:
            return found
    raise NotThereError(f"{view.label(i)} has no version {version}.")


def version_items(view: View, i: int) -> list[Callable[[], dict[str, Any]]]:
    """Versions of a dataset, each made when it is wanted; a dataset nobody wrote has one."""
    base = dataset_items(view, [i])[0]
    found = versions_of(view, [i])[i]
    runs = {run["run"]: run for run in runs_of(view, runs=[version["run"] for version in found])}

    def item(version: dict[str, Any] | None) -> dict[str, Any]:
        number = version["version"] if version else first_version(view, i)
        told = sets_of(view, [version["facet_set"]]).get(version["facet_set"], {}) if version else {}
        facets = {key: body for (place, key), body in told.items() if place == "facets"} if version else base["facets"]
        run = runs.get(version["run"]) if version else None
        schema = facets.get("schema")
        return {
            **{key: base[key] for key in ("type", "name", "physicalName", "namespace", "sourceName", "description")},
            "id": {**name_of(view, i), "version": number},
            "version": number,
            "createdAt": iso(version["made"]) if version else base["createdAt"],
            "fields": _fields(schema) if schema else base["fields"],
            "tags": base["tags"],
            "lifecycleState": _text(facets.get("lifecycleStateChange"), "lifecycleStateChange"),
            "createdByRun": run_items(view, [run])[0] if run else None,
            "facets": facets,
        }

    return [partial(item, version) for version in found] or [partial(item, None)]


def _fields(schema: Any) -> list[dict[str, Any]]:
    return [
        {"name": str(f.get("name")), "type": f.get("type"), "tags": [], "description": f.get("description")}
        for f in entries(schema, "fields")
    ]


# -- jobs and runs


def jobs(view: View, namespace_: str | None, states: Collection[str], limit: int, offset: int) -> dict[str, Any]:
    """A page of the jobs of a namespace; the total respects ``states`` (of the newest run)."""
    found = _in(view, "job", namespace_)
    if states:
        wanted = {state.upper() for state in states}
        newest: dict[int | None, str] = {}
        asked = {"at": view.snapshot.as_of, "known": view.snapshot.known_at}
        for job, state in view.store.rows(_STATE, asked):
            newest[view.snapshot.index(job)] = _STATES.get(state, "RUNNING")
        found = [i for i in found if newest.get(i) in wanted]
    return {"totalCount": len(found), "jobs": job_items(view, page(found, limit, offset))}


def job_items(view: View, nodes: Sequence[int]) -> list[dict[str, Any]]:
    """Jobs as Marquez gives them, with their newest runs."""
    data, facets = _Data(view, nodes), facets_of(view, nodes)
    recent: dict[int, list[RunRow]] = {i: [] for i in nodes}
    for run in runs_of(view, nodes):
        if len(recent[run["i"]]) < _RECENT:
            recent[run["i"]].append(run)
    runs = [run for some in recent.values() for run in some]
    items = dict(zip([run["run"] for run in runs], run_items(view, runs), strict=True))
    listed = set(nodes_of(view, "dataset"))
    declared = _declared(view, [i for i in nodes if not recent[i]])
    found = []
    for i in nodes:
        latest = [items[run["run"]] for run in recent[i]]
        told = recent[i][0]["edge_set"] if recent[i] else declared[i][0] if i in declared else None
        into, out = view.snapshot.inputs(i).tolist(), view.snapshot.outputs(i).tolist()
        found.append(
            {
                **data._job(i, [d for d in into if d in listed], [d for d in out if d in listed]),
                "latestRun": latest[0] if latest else None,
                "latestRuns": latest,
                "facets": facets[i],
                "currentVersion": job_version(view, i, told)["version"] if told is not None else None,
            }
        )
    return found


def _declared(view: View, nodes: Sequence[int]) -> dict[int, tuple[int, datetime]]:
    """What the newest job event of each job declares, and when."""
    owner = {member: i for i in nodes for member in view.snapshot.members(i)}
    when = {"members": list(owner), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    rows = view.store.rows(_DECLARED, when) if owner else []
    return {owner[entity]: (edge_set, at) for entity, edge_set, at in rows}


def job_versions(view: View, i: int) -> list[dict[str, Any]]:
    """Versions of a job, newest first: its runs by what they read and wrote."""
    base = job_items(view, [i])[0]
    newest: dict[int, RunRow] = {}
    oldest: dict[int, RunRow] = {}
    for run in runs_of(view, [i]):
        newest.setdefault(run["edge_set"], run)
        oldest[run["edge_set"]] = run
    items = run_items(view, list(newest.values()))
    declared = {} if newest else _declared(view, [i])
    if i in declared:
        edge_set, at = declared[i]
        names = {side: [{key: d[key] for key in ("namespace", "name")} for d in base[side]] for side in _SIDES}
        number = job_version(view, i, edge_set)
        version = {"id": number, **number, "createdAt": iso(at), "location": base["location"], **names}
        return [{**version, "latestRun": None}]
    return [
        {
            "id": job_version(view, i, edge_set),
            **job_version(view, i, edge_set),
            "createdAt": iso(oldest[edge_set]["first_event"]),
            "location": base["location"],
            "inputs": [_plain(version) for version in item["inputDatasetVersions"]],
            "outputs": [_plain(version) for version in item["outputDatasetVersions"]],
            "latestRun": item,
        }
        for edge_set, item in zip(newest, items, strict=True)
    ]


def job_runs(view: View, i: int, limit: int, offset: int) -> dict[str, Any]:
    """A page of the runs of a job, newest first."""
    found = runs_of(view, [i])
    return {"totalCount": len(found), "runs": run_items(view, page(found, limit, offset))}


def run(view: View, run_id: str) -> dict[str, Any]:
    """One run."""
    return run_items(view, [_run_row(view, run_id)])[0]


def facets(view: View, run_id: str, of: str) -> dict[str, Any]:
    """Facets of a run, or of its job as the run told them."""
    row = _run_row(view, run_id)
    return {"runId": run_id, "facets": run_facets(view, [row["run"]])[row["run"]][of]}


def run_lineage(view: View, run_id: str, depth: int) -> dict[str, Any]:
    """Runs upstream of a run, over the versions that it read."""
    frontier = [_run_row(view, run_id)]
    seen: set[int] = set()
    found: list[dict[str, Any]] = []
    for _ in range(depth + 1):
        frontier = [row for row in frontier if row["run"] not in seen]
        if not frontier:
            break
        seen.update(row["run"] for row in frontier)
        before: set[int] = set()
        for row, item in zip(frontier, run_items(view, frontier), strict=True):
            inputs = []
            for version in item["inputDatasetVersions"]:
                maker = _maker(view, version["datasetVersionId"])
                before |= {maker} if maker is not None else set()
                inputs.append({**version["datasetVersionId"], "producedByRunId": maker})
            job = {**name_of(view, row["i"]), "version": item["jobVersion"]["version"]}
            state = {"id": row["run_id"], "start": item["startedAt"], "end": item["endedAt"], "status": item["state"]}
            found.append({"job": job, "run": state, "inputs": inputs})
        frontier = runs_of(view, runs=before)
    names = {row["run"]: row["run_id"] for row in runs_of(view, runs=_makers(found))}
    for entry in found:
        for source_ in entry["inputs"]:
            source_["producedByRunId"] = names.get(source_["producedByRunId"])
    return {"runs": found}


def _makers(found: Iterable[dict[str, Any]]) -> list[int]:
    return [s["producedByRunId"] for e in found for s in e["inputs"] if s["producedByRunId"] is not None]


def _maker(view: View, version: dict[str, str]) -> int | None:
    i = find_node(view, "dataset", version["namespace"], version["name"])
    return next((int(v["run"]) for v in versions_of(view, [i])[i] if v["version"] == version["version"]), None)


def _run_row(view: View, run_id: str) -> RunRow:
    found = runs_of(view, run_id=run_id)
    if not found:
        raise NotThereError(f"There is no run “{run_id}”.")
    return found[0]


def _in(view: View, kind: str, namespace_: str | None) -> list[int]:
    found = nodes_of(view, kind)
    return found if namespace_ is None else [i for i in found if namespace_ in _spaces(view, i)]


def _spaces(view: View, i: int) -> set[str]:
    """The namespaces of a node and of its aliases, as far as they may be seen."""
    return {view.snapshot.namespace(i), *(text.split(":", 1)[1].rpartition(":")[0] for text in view.aliases(i))}


def _plain(version: dict[str, Any]) -> dict[str, str]:
    return {key: version["datasetVersionId"][key] for key in ("namespace", "name")}
