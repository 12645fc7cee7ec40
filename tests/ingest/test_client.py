"""The official OpenLineage client sends to us unchanged, by every transport (Kafka: test_consume.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Dataset, DatasetEvent, InputDataset, Job, JobEvent, OutputDataset, Run, RunEvent
from openlineage.client.event_v2 import RunState as State
from openlineage.client.facet_v2 import documentation_dataset, schema_dataset

from lineage.store import Store
from tests.ingest.cli import Cli
from tests.server.running import Running, serving

RUN_ID = "0190a1b2-3c4d-7e5f-8a9b-000000000001"
COLUMNS = schema_dataset.SchemaDatasetFacet([schema_dataset.SchemaDatasetFacetFields("id", "INT")])
ABOUT = documentation_dataset.DocumentationDatasetFacet("All orders")


def events() -> list[Any]:
    """A run from start to end, a job event and a dataset event."""
    run, job = Run(RUN_ID), Job("nightly", "load")
    inputs = [InputDataset("db", "orders", facets={"schema": COLUMNS})]
    outputs = [OutputDataset("lake", "orders")]
    return [
        RunEvent(eventTime="2026-01-01T00:00:00Z", eventType=State.START, run=run, job=job, inputs=inputs),
        RunEvent(eventTime="2026-01-01T00:01:00Z", eventType=State.COMPLETE, run=run, job=job, outputs=outputs),
        JobEvent(eventTime="2026-01-01T00:02:00Z", job=Job("nightly", "other"), inputs=inputs),
        DatasetEvent(
            eventTime="2026-01-01T00:03:00Z", dataset=Dataset("lake", "orders", facets={"documentation": ABOUT})
        ),
    ]


def emit(transport: dict[str, Any]) -> None:
    """Send everything with a client that is configured as its manual says."""
    client = OpenLineageClient(config={"transport": transport})
    for event in events():
        client.emit(event)
    assert client.close(30)


def check(store: Store) -> None:
    """Everything arrived and is understood."""
    assert store.rows("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind") == [
        ("dataset", 1),
        ("job", 1),
        ("run", 2),
    ]
    assert store.rows("SELECT state, events FROM run WHERE known_to = '9999-12-31'") == [("COMPLETE", 2)]
    assert store.rows("SELECT count(*) FROM edge WHERE kind = 'lineage' AND known_to = '9999-12-31'") == [(1,)]
    assert store.rows("SELECT DISTINCT key FROM facet ORDER BY key") == [("documentation",), ("schema",)]
    assert store.rows("SELECT count(*) FROM quarantine") == [(0,)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path / "served.duckdb") as running:
        yield running


@pytest.mark.parametrize("kind", ["http", "async_http"])
def test_http_transports(server: Running, kind: str) -> None:
    emit({"type": kind, "url": server.url})
    server.settled()
    check(server.inside.store)


@pytest.mark.parametrize("append", [True, False])
@pytest.mark.parametrize("debug_mode", [True, False], ids=["indented", "compact"])
def test_file_transport(meshline: Cli, append: bool, debug_mode: bool) -> None:
    folder = meshline.folder / "out"
    folder.mkdir()
    emit({"type": "file", "log_file_path": str(folder / "ol"), "append": append, "debug_mode": debug_mode})
    assert len(list(folder.iterdir())) == (1 if append else 4)
    assert meshline.json("follow", folder, "--once")["accepted"] == 4
    with Store.open(meshline.db) as store:
        check(store)


def test_composite_transport_reaches_both(server: Running, meshline: Cli) -> None:
    folder = meshline.folder / "out"
    folder.mkdir()
    file = {"type": "file", "log_file_path": str(folder / "ol.ndjson"), "append": True}
    emit({"type": "composite", "transports": {"a": {"type": "http", "url": server.url}, "b": file}})
    server.settled()
    check(server.inside.store)
    assert meshline.json("follow", folder, "--once")["accepted"] == 4
    with Store.open(meshline.db) as store:
        check(store)
