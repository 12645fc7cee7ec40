"""Column lineage as SQLMesh recorded it, with a tag that a dataset event gives to one of its columns."""

from __future__ import annotations

import json
from datetime import datetime

from ingest.writer import Writer
from lineage.store import Store
from tests.conftest import EVENTS

NAMESPACE = "sqlmesh-sushi"
CUSTOMERS = f"dataset:{NAMESPACE}:duckdb.sushi.customers"
ZIP = f"column:{NAMESPACE}:duckdb.sushi.customers:zip"
RECEIVED = datetime(2024, 1, 1)  # noqa: DTZ001 - naive UTC like all stored times


def lines(**tags: tuple[str, str]) -> list[bytes]:
    """The recorded events; of ``tags`` each is a column of the raw demographics with key and value."""
    told = [{"key": key, "value": value, "source": "test", "field": field} for field, (key, value) in tags.items()]
    tagged = {
        "eventTime": "2023-01-01T00:00:00Z",
        "producer": "https://example.com/tests",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/definitions/DatasetEvent",
        "dataset": {
            "namespace": NAMESPACE,
            "name": "duckdb.raw.demographics",
            "facets": {"tags": {"_producer": "p", "_schemaURL": "s", "tags": told}},
        },
    }
    recorded = (EVENTS / "sqlmesh" / "sushi.ndjson").read_bytes().splitlines()
    return [*recorded, json.dumps(tagged).encode()]


def sushi(path: str = ":memory:") -> Store:
    """A store with them."""
    store = Store.open(path)
    Writer(store).ingest(lines(zip=("pii", "zip"), customer_id=("key", "customer")), source="test")
    return store
