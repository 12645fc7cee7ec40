"""Everything derived that does not depend on when it was learned: what two stores must have in common."""

from __future__ import annotations

from typing import Any

from lineage.store import Store

COLUMNS = {
    "run": "run, run_id, job, state, conflict, processing, first_event, last_event, started_at, ended_at, "
    "nominal_start, nominal_end, parent_run, parent_job, root_run, root_job, engine, error, producer, events, "
    "edge_set, column_set, job_facets",
    "run_io": "run, job, dataset, direction, seen_at, last_at, facet_set, version, dropped_at, "
    "row_count, byte_count, file_count",
    "facet": "entity, place, key, body, run, producer, valid_from, valid_to",
    "edge": "src, dst, job, kind, provenance, state, first_run, producer, end_reason, valid_from, valid_to",
    "column_edge": "src, dst, job, type, subtype, masking, description, provenance, state, first_run, producer, "
    "end_reason, valid_from, valid_to",
    "alias": "a, b, type, basis, valid_from, valid_to",
    "run_stage": "run, job, since, edge_set, column_set",
    "run_told": "run, entity, direction, first_at, last_at, facet_set",
    "turn": "dataset, successor, turned_at, run, hash",
    "metric": "node, run, name, measured_at, value",
    "assertion": "dataset, field, run, job, name, status, severity, expected, actual, description, tested_at",
}
PLAIN = {
    "node": "id, kind, namespace, name, field, dataset",
    "declaration": "entity, event_time, hash, producer, facet_set, edge_set, column_set, dropped",
    "event": "hash, event_time, kind, event_type, run, job, dataset, producer, notes",
}


def state(store: Store, known_at: str | None = None) -> dict[str, set[tuple[Any, ...]]]:
    """Rows per table, as known now or at ``known_at`` (a SQL timestamp text)."""
    if known_at is None:
        visible, seen, received = "known_to = '9999-12-31'", "true", "true"
    else:
        visible = f"known_from <= '{known_at}' AND '{known_at}' < known_to"
        seen, received = f"known_from <= '{known_at}'", f"received_at <= '{known_at}'"
    rows = {table: store.rows(f"SELECT {columns} FROM {table} WHERE {visible}") for table, columns in COLUMNS.items()}
    for table, columns in PLAIN.items():
        condition = received if table == "event" else seen
        rows[table] = store.rows(f"SELECT {columns} FROM {table} WHERE {condition}")
    for table, found in rows.items():
        assert len(found) == len(set(found)), f"{table} has a row twice"
    return {table: set(found) for table, found in rows.items()}


def difference(one: dict[str, set[tuple[Any, ...]]], other: dict[str, set[tuple[Any, ...]]]) -> dict[str, Any]:
    """Rows that only one of two states has, per table; empty when they are equal."""
    return {
        table: {
            "only first": sorted(map(repr, one[table] - other[table])),
            "only second": sorted(map(repr, other[table] - one[table])),
        }
        for table in one
        if one[table] != other[table]
    }
