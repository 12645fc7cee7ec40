"""Small events for claims that no recorded event covers."""

from __future__ import annotations

import json
from typing import Any

from ingest.writer import Writer
from lineage.identity import NodeKey, run_key
from lineage.store import Store

NS = "warehouse"


def run_event(
    run: str = "r1",
    job: str = "load",
    at: str = "2026-01-01T00:00:00Z",
    kind: str | None = "COMPLETE",
    inputs: Any = (),
    outputs: Any = (),
    **extra: Any,
) -> bytes:
    """A run event; inputs and outputs are names, or (name, facets) pairs. ``run_facets``, ``job_facets`` in extra."""
    event: dict[str, Any] = {
        "eventTime": at,
        "producer": extra.pop("producer", "https://example.com/tests"),
        "run": {"runId": run, "facets": extra.pop("run_facets", {})},
        "job": {"namespace": NS, "name": job, "facets": extra.pop("job_facets", {})},
        "inputs": [dataset(item) for item in inputs] if inputs is not None else None,
        "outputs": [dataset(item) for item in outputs] if outputs is not None else None,
        **extra,
    }
    if kind is not None:
        event["eventType"] = kind
    return json.dumps(event).encode()


def job_event(
    job: str = "load", at: str = "2026-01-01T00:00:00Z", inputs: Any = (), outputs: Any = (), **facets: Any
) -> bytes:
    """A job event."""
    return json.dumps(
        {
            "eventTime": at,
            "producer": "https://example.com/tests",
            "job": {"namespace": NS, "name": job, "facets": facets},
            "inputs": [dataset(item) for item in inputs],
            "outputs": [dataset(item) for item in outputs],
        }
    ).encode()


def dataset_event(name: str, at: str = "2026-01-01T00:00:00Z", **facets: Any) -> bytes:
    """A dataset event."""
    return json.dumps(
        {"eventTime": at, "producer": "https://example.com/tests", "dataset": dataset((name, facets))}
    ).encode()


def dataset(item: str | tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A dataset with facets; facets whose key stands in its own place are sorted there."""
    name, facets = (item, {}) if isinstance(item, str) else item
    found: dict[str, Any] = {"namespace": NS, "name": name}
    for key, value in facets.items():
        if key in ("inputFacets", "outputFacets"):
            found[key] = value
        else:
            found.setdefault("facets", {})[key] = value
    return found


def schema(*names: str) -> dict[str, Any]:
    """A schema facet."""
    return {"fields": [{"name": name, "type": "INT"} for name in names]}


def column_lineage(fields: dict[str, list[tuple[str, str]]], **more: Any) -> dict[str, Any]:
    """A columnLineage facet: output column → (input dataset, input column) pairs."""
    return {
        "fields": {
            column: {"inputFields": [{"namespace": NS, "name": name, "field": field} for name, field in uses]}
            for column, uses in fields.items()
        },
        **more,
    }


def loaded(*events: bytes, one_by_one: bool = False) -> Store:
    """A store in memory with these events."""
    store = empty_store()
    writer = Writer(store)
    for part in [[event] for event in events] if one_by_one else [events]:
        writer.ingest(part, source="test")
    return store


class _Lent(Store):
    """A store in memory that is emptied when it is closed, and lent again: making all tables is slow."""

    def close(self) -> None:
        filled = self.rows("SELECT table_name FROM duckdb_tables() WHERE estimated_size > 0 AND table_name <> 'meta'")
        with self.transaction() as cursor:
            for (table,) in filled:
                cursor.execute(f"DELETE FROM {table}")
            cursor.execute("DELETE FROM meta WHERE key <> 'format'")
        _FREE.append(self)


_FREE: list[Store] = []


def empty_store() -> Store:
    """An empty store in memory; close it, so that the next test can have it."""
    return _FREE.pop() if _FREE else _Lent.open(":memory:")


def ds(name: str) -> int:
    """Node id of a dataset."""
    return NodeKey("dataset", NS, name).id


def job_id(name: str) -> int:
    """Node id of a job."""
    return NodeKey("job", NS, name).id


def run_id(run: str, job: str = "load") -> int:
    """Key of a run."""
    return run_key(run, NS, job)


def edges(store: Store, kind: str = "lineage", current: bool = True) -> set[tuple[str, str, str, str]]:
    """(source name, target name, provenance, state) of the edges that hold now."""
    until = "AND e.valid_to = '9999-12-31'" if current else ""
    return set(
        store.rows(
            f"""
            SELECT s.name, d.name, e.provenance, e.state FROM edge e
            JOIN node s ON s.id = e.src JOIN node d ON d.id = e.dst
            WHERE e.kind = ? AND e.known_to = '9999-12-31' {until}
            """,
            [kind],
        )
    )


def run_row(store: Store, run: str = "r1", job: str = "load") -> dict[str, Any]:
    """What is known of a run now."""
    names = "run_id, state, conflict, processing, first_event, started_at, ended_at, nominal_start, error, events"
    rows = store.rows(f"SELECT {names} FROM run WHERE run = ? AND known_to = '9999-12-31'", [run_id(run, job)])
    assert len(rows) == 1
    return dict(zip(names.split(", "), rows[0], strict=True))
