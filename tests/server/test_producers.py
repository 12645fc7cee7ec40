"""The official OpenLineage client sends to us as it is."""

from __future__ import annotations

from typing import Any

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Dataset, Job, Run, RunEvent, RunState

from tests.server.running import Running

TRANSPORTS: dict[str, dict[str, Any]] = {
    "http": {"type": "http"},
    "http, gzip": {"type": "http", "compression": "gzip"},
    "async_http": {"type": "async_http"},
    "composite": {"type": "composite", "transports": {"one": {"type": "http"}}},
}


@pytest.mark.parametrize("name", TRANSPORTS)
def test_the_openlineage_client_sends_unchanged(server: Running, name: str) -> None:
    config = TRANSPORTS[name]
    for target in config.get("transports", {"": config}).values():
        target["url"] = server.url.rstrip("/")
    client = OpenLineageClient(config={"transport": config})
    for state in (RunState.START, RunState.COMPLETE):
        client.emit(
            RunEvent(
                eventTime="2026-03-31T18:00:00Z",
                producer="https://example.com/test",
                eventType=state,
                run=Run(runId="0190a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b"),
                job=Job(namespace="nightly", name="load"),
                inputs=[Dataset(namespace="db", name="orders")],
                outputs=[Dataset(namespace="lake", name="orders")],
            )
        )
    assert client.close(30)
    server.settled()
    assert server.inside.store.rows("SELECT event_type FROM event ORDER BY event_type") == [("COMPLETE",), ("START",)]
    impact = server.http.get("api/v2/impact", params={"node": "dataset:db:orders"}).json()
    assert "dataset:lake:orders" in [node["id"] for node in impact["nodes"]]
