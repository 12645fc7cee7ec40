"""What the store knows of runs with SQL at one known time: the facts a question is made of."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ingest.facets.dataset import schema, symlinks
from ingest.sql_reading import Known, Question, dialect_of
from ingest.values import text

if TYPE_CHECKING:
    import duckdb

_KNOWN = "known_from <= make_timestamp($k) AND known_to > make_timestamp($k)"
_RUNS = f"""
-- one run: its SQL and what makes it evidence, as known at K
SELECT r.job, epoch_us(r.first_event), r.run, r.edge_set, r.state = 'COMPLETE' AND r.processing = 'BATCH',
  (SELECT min(b.json) FROM facet_set s JOIN facet_body b USING (body)
   WHERE s.set_id = r.job_facets AND s.key = 'sql'),
  EXISTS (SELECT 1 FROM facet_set s WHERE s.set_id = r.job_facets AND s.key = 'lineage' AND s.body <> 0)
FROM run r
WHERE r.job IN (SELECT unnest($jobs::UBIGINT[])) AND r.events > 0 AND {_KNOWN}
  AND ($only IS NULL OR r.run IN (SELECT unnest($only::UBIGINT[])))
ORDER BY 1, 2, 3
"""  # noqa: S608 - constants
_IO = f"""
-- one dataset on one side of one run, with what the run said of it that matters
SELECT io.run, io.direction, io.dataset, n.namespace, n.name,
  (SELECT min(b.json) FROM facet_set s JOIN facet_body b USING (body)
   WHERE s.set_id = io.facet_set AND s.key = 'symlinks'),
  EXISTS (SELECT 1 FROM facet_set s
   WHERE s.set_id = io.facet_set AND s.key IN ('columnLineage', 'lineage') AND s.body <> 0)
FROM run_io io JOIN node n ON n.id = io.dataset
WHERE io.run IN (SELECT unnest($runs::UBIGINT[])) AND io.{_KNOWN.replace("known_to", "io.known_to")}
ORDER BY n.namespace, n.name, io.dataset
"""  # noqa: S608
_SCHEMAS = f"""
-- one body of the schema of one dataset and when it held; where several places tell one, the general one
SELECT f.entity, epoch_us(f.valid_from), epoch_us(f.valid_to), b.json
FROM facet f JOIN facet_body b USING (body)
WHERE f.key = 'schema' AND f.entity IN (SELECT unnest($datasets::UBIGINT[])) AND {_KNOWN}
ORDER BY f.entity, f.valid_from, f.place, f.body
"""  # noqa: S608
_TOLD = """
-- outputs whose columns a producer told, by job
SELECT DISTINCT e.job, coalesce(n.dataset, e.dst) FROM column_edge e LEFT JOIN node n ON n.id = e.dst
WHERE e.job IN (SELECT unnest($jobs::UBIGINT[])) AND e.provenance <> 'sql'
  AND e.known_from <= make_timestamp($k) AND e.known_to > make_timestamp($k)
"""


class Place(NamedTuple):
    """One dataset of a run, and the names it may have."""

    dataset: int
    namespace: str
    name: str
    names: tuple[str, ...]


@dataclass
class SqlRun:
    """One run with its SQL, if it has any."""

    job: int
    at: int
    run: int
    edge_set: int
    complete: bool
    sql: str | None
    dialect: str | None
    explicit: bool
    inputs: list[Place] = field(default_factory=list)
    outputs: list[Place] = field(default_factory=list)
    told: set[int] = field(default_factory=set)  # outputs of which this run told columns or edges itself


def runs_at(
    cursor: duckdb.DuckDBPyConnection, jobs: Collection[int], known_at: int, only: Collection[int] | None = None
) -> list[SqlRun]:
    """Runs of some jobs as known at one time (microseconds), all or only those named."""
    asked = {"jobs": list(jobs), "k": known_at, "only": None if only is None else list(only)}
    found = {}
    for job, at, run, edge_set, complete, body, explicit in cursor.execute(_RUNS, asked).fetchall():
        sql, dialect = _sql(body)
        found[run] = SqlRun(job, at, run, edge_set, bool(complete), sql, dialect, bool(explicit))
    with_sql = [run for run, facts in found.items() if facts.sql and not facts.explicit]
    if with_sql:
        for run, side, dataset, namespace, name, links, told in cursor.execute(
            _IO, {"runs": with_sql, "k": known_at}
        ).fetchall():
            place = Place(dataset, namespace, name, _names(name, links))
            (found[run].inputs if side == "in" else found[run].outputs).append(place)
            if told:
                found[run].told.add(dataset)
    return list(found.values())


def told_outputs(cursor: duckdb.DuckDBPyConnection, jobs: Collection[int], known_at: int) -> dict[int, set[int]]:
    """Datasets whose columns the producers of each job told."""
    found: dict[int, set[int]] = {job: set() for job in jobs}
    for job, dataset in cursor.execute(_TOLD, {"jobs": list(jobs), "k": known_at}).fetchall():
        found[job].add(dataset)
    return found


class Schemas:
    """Columns of datasets in valid time, as known at one time."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, datasets: Iterable[int], known_at: int) -> None:
        self._starts: dict[int, list[int]] = {}
        self._spans: dict[int, list[tuple[int, tuple[str, ...]]]] = {}
        wanted = list(set(datasets))
        bodies: dict[str, tuple[str, ...]] = {}
        rows = cursor.execute(_SCHEMAS, {"datasets": wanted, "k": known_at}).fetchall() if wanted else []
        for dataset, start, end, body in rows:
            if body not in bodies:
                bodies[body] = tuple(path for path in schema(_object(body)) if path)
            starts = self._starts.setdefault(dataset, [])
            if starts and starts[-1] == start:
                continue
            starts.append(start)
            self._spans.setdefault(dataset, []).append((end, bodies[body]))

    def at(self, dataset: int, when: int) -> tuple[str, ...] | None:
        """Columns that held at a time; ``None`` when they are not known."""
        place = bisect_right(self._starts.get(dataset, []), when) - 1
        if place < 0:
            return None
        end, columns = self._spans[dataset][place]
        return columns if when < end and columns else None


def question_of(run: SqlRun, outputs: Collection[Place], schemas: Schemas) -> Question:
    """What is asked of a run's SQL; positions are those of its inputs and of ``outputs``."""
    assert run.sql is not None
    spaces = tuple(place.namespace for place in (*run.inputs, *run.outputs))
    return Question(
        run.sql,
        dialect_of(run.dialect, spaces),
        tuple(Known(place.names, schemas.at(place.dataset, run.at)) for place in run.inputs),
        tuple(Known(place.names, schemas.at(place.dataset, run.at)) for place in outputs),
    )


def _names(name: str, links: str | None) -> tuple[str, ...]:
    names = [name, *(link.name for link in symlinks(_object(links)))] if links else [name]
    return tuple(sorted(set(names)))


def _sql(body: str | None) -> tuple[str | None, str | None]:
    value = _object(body)
    query = value.get("query")
    return (query if isinstance(query, str) and query.strip() else None), text(value.get("dialect"))


def _object(body: str | None) -> dict[str, Any]:
    try:
        value = json.loads(body or "null")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
