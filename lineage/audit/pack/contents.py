"""What goes into an evidence pack besides the answers: events, declared files, quality, each as it was then."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.store.blocks import unpack
from lineage.store.version import DECLARED

if TYPE_CHECKING:
    import duckdb

    from lineage.run_trail import RunTrail
    from lineage.view import View

_RUNS = """
-- runs by the id that producers gave them, as known at K
SELECT run, run_id, job FROM run
WHERE run_id IN (SELECT unnest($ids::VARCHAR[])) AND known_from <= $known AND known_to > $known
"""
_EVENTS = """
-- where the events of some runs, and the declarations of some entities until T, are
SELECT e.block, e.position, e.hash, e.event_time FROM event e
WHERE e.received_at <= $known AND e.block IS NOT NULL AND (
  e.run IN (SELECT unnest($runs::UBIGINT[]))
  OR (e.kind <> 'run' AND e.event_time <= $at
      AND coalesce(e.dataset, e.job) IN (SELECT unnest($entities::UBIGINT[])))
)
ORDER BY e.event_time, e.hash
"""
_ASSERTIONS = """
-- last result of every test of some datasets until T, as known at K
SELECT dataset, field, name, arg_max(status, tested_at), arg_max(severity, tested_at), arg_max(expected, tested_at),
  arg_max(actual, tested_at), max(tested_at)
FROM assertion
WHERE dataset IN (SELECT unnest($entities::UBIGINT[])) AND tested_at <= $at
  AND known_from <= $known AND known_to > $known
GROUP BY dataset, field, name ORDER BY dataset, field, name
"""
_METRICS = """
-- last value of every metric of some datasets and their columns until T, as known at K
SELECT coalesce(n.dataset, n.id), n.field, m.name, arg_max(m.value, m.measured_at), max(m.measured_at)
FROM metric m JOIN node n ON n.id = m.node
WHERE coalesce(n.dataset, n.id) IN (SELECT unnest($entities::UBIGINT[])) AND m.measured_at <= $at
  AND m.known_from <= $known AND m.known_to > $known
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a pack and its place in the archive."""

    block: int
    position: int
    sha256: bytes
    data: bytes


def events_behind(
    view: View, cursor: duckdb.DuckDBPyConnection, trail: RunTrail, datasets: Sequence[int]
) -> list[Event]:
    """Every archived event that told of a run of the trail, or declared one of its datasets or jobs."""
    index = view.snapshot.index
    wanted = {(step.run_id, step.job) for step in trail.steps}
    when = {"known": view.snapshot.known_at}
    runs: list[int] = []
    jobs: set[int] = set()
    for run, run_id, job in cursor.execute(_RUNS, {**when, "ids": sorted({one for one, _ in wanted})}).fetchall():
        i = index(job)
        if i is not None and (run_id, view.label(i)) in wanted:
            runs.append(run)
            jobs.add(job)
    entities = sorted(jobs | {member for i in datasets for member in view.snapshot.members(i)})
    found = cursor.execute(_EVENTS, {**when, "at": view.snapshot.as_of, "runs": runs, "entities": entities}).fetchall()
    return list(_read(cursor, found))


def _read(cursor: duckdb.DuckDBPyConnection, places: Iterable[tuple[int, int, bytes, Any]]) -> Iterable[Event]:
    held: dict[int, list[bytes]] = {}
    for block, position, _, _ in places:
        if block not in held:
            rows = cursor.execute("SELECT body FROM raw WHERE block = ?", [block]).fetchall()
            held[block] = unpack(rows[0][0]) if rows else []
        events = held[block]
        if position < len(events):
            # by its stored bytes, which are what was accepted into the tree: an event may be known by another hash
            # when its secrets were masked before storage
            yield Event(block, position, hashlib.sha256(events[position].strip()).digest(), events[position])


def datasets_of(view: View, trail: RunTrail) -> list[int]:
    """Dense indices of the asked dataset and of all that the trail names and the actor may see."""
    from lineage.asking import known_nodes

    texts = [trail.node, *(step.dataset for step in trail.steps)]
    texts += [read.dataset for step in trail.steps for read in step.inputs]
    found = known_nodes(view, list(dict.fromkeys(texts)))
    homes = (view.snapshot.dataset_of(i) if view.kind(i) == "column" else i for i in found)
    return sorted({i for i in homes if view.kind(i) == "dataset" and not view.hidden(i)})


def quality_then(view: View, cursor: duckdb.DuckDBPyConnection, datasets: Sequence[int]) -> dict[str, Any]:
    """The last test results and metrics of the datasets at the asked instant, as known then."""
    owner = {member: i for i in datasets for member in view.snapshot.members(i)}
    when = {"known": view.snapshot.known_at, "at": view.snapshot.as_of, "entities": sorted(owner)}
    tests = [
        {
            "dataset": view.label(owner[dataset]), "column": field or None, "test": name, "status": status,
            "severity": severity, "expected": expected, "actual": actual, "tested_at": tested,
        }
        for dataset, field, name, status, severity, expected, actual, tested in cursor.execute(
            _ASSERTIONS, when
        ).fetchall()
    ]  # fmt: skip
    metrics = [
        {"dataset": view.label(owner[dataset]), "column": field or None, "metric": name, "value": value, "at": at}
        for dataset, field, name, value, at in cursor.execute(_METRICS, when).fetchall()
    ]
    return {"tests": tests, "metrics": metrics}


def stops_then(view: View, datasets: Sequence[int]) -> list[dict[str, Any]]:
    """Every approved stop of a tag at the datasets and their columns that held at the asked instant, as known then."""
    from lineage.jsonable import to_json
    from lineage.stops.questions import stops_at

    nodes = [i for home in datasets for i in (home, *view.snapshot.columns_of(home).tolist())]
    subjects = {view.label(i) for i in nodes}
    return [to_json(one) for one in stops_at(view) if one.state == "holds" and one.node in subjects]


def declared_then(view: View, cursor: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Every declared file (domains, products, contracts, policies, …) that held at the asked instant, by its path."""
    found: dict[str, str] = {}
    for table in DECLARED:
        rows = cursor.execute(
            f"SELECT path, body FROM {table} WHERE valid_from <= $at AND valid_to > $at "  # noqa: S608 - ours
            "AND path <> '' AND known_from <= $known AND known_to > $known ORDER BY path",
            {"at": view.snapshot.as_of, "known": view.snapshot.known_at},
        ).fetchall()
        found.update(rows)
    return found
