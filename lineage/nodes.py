"""``meshline show``: everything one page says about one node."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.answers import NodeRef
from lineage.blindspots import STALE_AFTER
from lineage.columns import ColumnFacts, column_facts, column_infos, entries, facts_of, tag_text
from lineage.details import NodeDetail, RunInfo
from lineage.hand.marks import Mark, as_marks

if TYPE_CHECKING:
    from lineage.view import View

RUNS = 50  # newest runs shown
_FREE_TEXT = frozenset({"sql", "sourceCode", "errorMessage", "spark.logicalPlan", "lineage"})

_FACETS = """
-- facets of a node at T as known at K: general place first, newest first
SELECT f.key, f.place, b.json, f.entity, f.valid_from, f.body FROM facet f JOIN facet_body b USING (body)
WHERE f.entity IN (SELECT unnest($members::UBIGINT[]))
  AND f.valid_from <= $at AND f.valid_to > $at AND f.known_from <= $known AND f.known_to > $known
ORDER BY f.key, f.place <> 'facets', f.place, f.valid_from DESC, f.body
"""
_JOB_RUNS = """
-- newest runs of a job
SELECT job, run_id, state, started_at, ended_at, conflict, error, producer,
       ended_at IS NULL AND processing = 'BATCH' AND state <> 'UNSEEN' AND last_event < $overdue FROM run
WHERE job IN (SELECT unnest($members::UBIGINT[])) AND first_event <= $at AND known_from <= $known AND known_to > $known
ORDER BY coalesce(started_at, first_event) DESC, run_id LIMIT $many
"""
_DATASET_RUNS = """
-- newest runs that read or wrote a dataset
SELECT job, run_id, state, started_at, ended_at, conflict, error, producer,
       ended_at IS NULL AND processing = 'BATCH' AND state <> 'UNSEEN' AND last_event < $overdue FROM run
WHERE run IN (
    SELECT run FROM run_io WHERE dataset IN (SELECT unnest($members::UBIGINT[]))
      AND known_from <= $known AND known_to > $known
  ) AND first_event <= $at AND known_from <= $known AND known_to > $known
ORDER BY coalesce(started_at, first_event) DESC, run_id LIMIT $many
"""
_METRICS = """
-- last value of each metric of a node
SELECT name, arg_max(value, (measured_at, value)) FROM (
  SELECT name, value, measured_at FROM metric
  WHERE node IN (SELECT unnest($members::UBIGINT[])) AND measured_at <= $at
    AND known_from <= $known AND known_to > $known
  UNION ALL
  -- volumes of runs, apart from the profile of the whole table, whose metrics have the same names
  SELECT CASE direction WHEN 'in' THEN 'inputStatistics.' ELSE 'outputStatistics.' END || key, value, last_at FROM (
    SELECT direction, last_at, unnest(['rowCount', 'size', 'fileCount']) AS key,
      unnest([row_count, byte_count, file_count])::DOUBLE AS value
    FROM run_io WHERE dataset IN (SELECT unnest($members::UBIGINT[])) AND last_at <= $at
      AND known_from <= $known AND known_to > $known
  ) WHERE value IS NOT NULL
) GROUP BY name ORDER BY name
"""
_ASSERTIONS = """
-- last result of each test of a dataset
SELECT name, field, status, severity, expected, actual, description, tested_at FROM (
  SELECT *, row_number() OVER (PARTITION BY name, field ORDER BY tested_at DESC, status) AS place FROM assertion
  WHERE dataset IN (SELECT unnest($members::UBIGINT[])) AND tested_at <= $at
    AND known_from <= $known AND known_to > $known
) WHERE place = 1 ORDER BY field, name
"""
_SEEN = """
-- first and last time anything told of a node
SELECT min(first), max(last) FROM (
  SELECT first_event AS first, last_event AS last FROM run
  WHERE job IN (SELECT unnest($members::UBIGINT[])) AND first_event <= $at
    AND known_from <= $known AND known_to > $known
  UNION ALL
  SELECT seen_at, coalesce(last_at, seen_at) FROM run_io
  WHERE dataset IN (SELECT unnest($members::UBIGINT[])) AND seen_at <= $at
    AND known_from <= $known AND known_to > $known
  UNION ALL
  SELECT event_time, event_time FROM declaration
  WHERE entity IN (SELECT unnest($members::UBIGINT[])) AND event_time <= $at AND known_from <= $known
)
"""


def show(view: View, i: int) -> NodeDetail:
    """Everything about one node.

    Parameters
    ----------
    view
        the instant and the actor.
    i
        dense index of the node. A hidden one gives a detail that says only ``hidden (domain X)``.
    """
    if view.hidden(i):
        return _hidden(view, i)
    snapshot = view.snapshot
    ref = view.ref(i)
    is_column, is_job = ref.kind == "column", ref.kind == "job"
    owner = snapshot.dataset_of(i) if is_column else i
    when = {"at": snapshot.as_of, "known": snapshot.known_at}
    mine = {**when, "members": snapshot.members(i)}
    around = {**when, "members": snapshot.members(owner)}
    told = [] if is_column else view.store.rows(_FACETS, mine)
    facets = _facets(view, i, told)
    facts: dict[str, ColumnFacts] = {}
    if is_column:
        facts = column_facts(view, [owner]).get(owner, {})
    elif not is_job:
        oldest_first = sorted(told, key=lambda row: (row[4], row[1], row[5]))
        rows = [(row[3], row[0], row[2]) for row in oldest_first if row[0] in ("schema", "tags")]
        facts = facts_of(dict.fromkeys(snapshot.members(i), i), rows).get(i, {})
    fact = facts.get(ref.field) if is_column else None
    first_seen, last_seen = _seen(view, around)
    readers = [] if is_job else snapshot.readers(owner).tolist()
    writers = [] if is_job else snapshot.writers(owner).tolist()
    return NodeDetail(
        id=ref.id,
        kind=ref.kind,
        namespace=ref.namespace,
        name=ref.name,
        field=ref.field,
        domain=ref.domain,
        owner=ref.owner,
        aliases=ref.aliases,
        description=(fact.description if fact else None) if is_column else _description(facets),
        tags=tuple(dict.fromkeys(fact.tags)) if fact else _tags(facets),
        columns=column_infos(view, owner, facts, [i] if is_column else None) if not is_job else (),
        upstream=_refs(view, snapshot.ends(i, "upstream")),
        downstream=_refs(view, snapshot.ends(i, "downstream")),
        readers=_refs(view, readers),
        writers=_refs(view, writers),
        runs=_runs(view, around, is_job),
        metrics=dict(view.store.rows(_METRICS, mine)),
        assertions=_assertions(view, around, ref.field),
        facets=facets,
        first_seen=first_seen,
        last_seen=last_seen,
        as_of=view.as_of,
        known_at=view.known_at,
        parents=_refs(view, snapshot.parents(i)) if is_job else (),
        children=_refs(view, snapshot.children(i)) if is_job else (),
        edge_marks=_edge_marks(view, owner) if not is_job else (),
        self_loop=snapshot.self_loop(i),
    )


def _edge_marks(view: View, dataset: int) -> tuple[Mark, ...]:
    names = set(view.snapshot.member_texts(dataset))
    return tuple(mark for mark in as_marks(view, "edge_mark") if names & {mark.left, mark.right})


def _hidden(view: View, i: int) -> NodeDetail:
    label = view.label(i)
    return NodeDetail(
        id=label,
        kind=view.kind(i),
        namespace="",
        name=label,
        field="",
        domain=view.domain(i),
        owner=None,
        aliases=(),
        description=None,
        tags=(),
        columns=(),
        upstream=(),
        downstream=(),
        readers=(),
        writers=(),
        runs=(),
        metrics={},
        assertions=(),
        facets={},
        first_seen=None,
        last_seen=None,
        as_of=view.as_of,
        known_at=view.known_at,
        hidden=True,
    )


def _refs(view: View, nodes: Iterable[Any]) -> tuple[NodeRef, ...]:
    rows = {view.row_of(i): i for i in map(int, nodes)}
    refs = map(view.ref, rows.values())
    return tuple(sorted(refs, key=lambda ref: (ref.id.startswith("hidden ("), ref.id)))


def _facets(view: View, i: int, rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """Facets by key; a key that stands in a second place too is shown there as ``place.key``."""
    found: dict[str, Any] = {}
    for key, place, text, *_ in rows:
        name = key if key not in found or place == "facets" else f"{place}.{key}"
        found.setdefault(name, json.loads(text))
    if not view.restricted:
        return found
    return {key: _masked(view, i, key, body) for key, body in found.items()}


def _masked(view: View, i: int, key: str, body: Any) -> Any:
    """A facet without the names of hidden nodes; free text beside hidden neighbours is withheld altogether."""
    if key.rpartition(".")[2] in _FREE_TEXT or key in _FREE_TEXT:
        snapshot = view.snapshot
        beside = (*snapshot.ends(i, "upstream").tolist(), *snapshot.ends(i, "downstream").tolist())
        if any(view.hidden(end) for end in beside):
            return {"withheld": "may name nodes of a hidden domain"}
    return _mask_names(view, body)


def _mask_names(view: View, value: Any) -> Any:
    """Every ``{namespace, name}`` of a hidden dataset or job inside a JSON value, blotted out."""
    from lineage.identity import node_id

    if isinstance(value, list):
        return [_mask_names(view, entry) for entry in value]
    if not isinstance(value, dict):
        return value
    namespace, name = value.get("namespace"), value.get("name")
    if isinstance(namespace, str) and isinstance(name, str):
        for kind in ("dataset", "job"):
            i = view.snapshot.index(node_id(kind, namespace, name))
            domain = view.instant.domains.of(kind, [(namespace, name)])
            if (i is not None and view.hidden(i)) or not view.actor.may_see(domain):
                return {"name": view.label(i) if i is not None and view.hidden(i) else f"hidden (domain {domain})"}
    return {key: _mask_names(view, entry) for key, entry in value.items()}


def _description(facets: dict[str, Any]) -> str | None:
    found = facets.get("documentation")
    text = found.get("description") if isinstance(found, dict) else None
    return str(text) if text else None


def _tags(facets: dict[str, Any]) -> tuple[str, ...]:
    tags = entries(facets.get("tags"), "tags")
    return tuple(dict.fromkeys(tag_text(tag) for tag in tags if not tag.get("field")))


def _runs(view: View, when: dict[str, Any], is_job: bool) -> tuple[RunInfo, ...]:
    """Newest runs; those of hidden jobs are left out."""
    sql = _JOB_RUNS if is_job else _DATASET_RUNS
    found: list[RunInfo] = []
    many = RUNS if not view.restricted else RUNS * 20
    for job, run_id, state, started, ended, conflict, error, producer, overdue in view.store.rows(
        sql, {**when, "many": many, "overdue": when["at"] - STALE_AFTER}
    ):
        i = view.snapshot.index(job)
        if i is None or view.hidden(i):
            continue
        shown = error if not view.restricted else None
        told = (run_id, view.label(i), state or "", started, ended, bool(conflict), shown, producer)
        found.append(RunInfo(*told, no_end_seen=bool(overdue)))
    return tuple(found[:RUNS])


def _assertions(view: View, when: dict[str, Any], column: str) -> tuple[dict[str, Any], ...]:
    names = ("name", "column", "status", "severity", "expected", "actual", "description", "tested_at")
    rows = view.store.rows(_ASSERTIONS, when)
    return tuple(dict(zip(names, row, strict=True)) for row in rows if not column or row[1] == column)


def _seen(view: View, when: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    first, last = view.store.rows(_SEEN, when)[0]
    return first, last
