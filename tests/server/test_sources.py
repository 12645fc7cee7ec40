"""A running server reads topics, derives columns from SQL beside what it takes, and masks secrets before it stores."""

from __future__ import annotations

import json
from pathlib import Path

import zstandard

from ingest.altered import NOTE, switch
from ingest.archive import unpack
from tests.ingest.brokers import running
from tests.server.running import json_type, run_event, serving, until

SQL = {"sql": {"query": "create table orders_load as select id, total as amount from orders"}}
SECRET = "s3cret-of-ada"


def test_a_server_reads_a_topic_infers_columns_and_masks_what_it_stores(database: Path) -> None:
    with running("mock") as broker:
        topic = broker.topic()
        told = run_event(1)
        told["job"]["facets"] = SQL
        broker.send(topic, json.dumps(told).encode(), b"no event", partition=1)
        with serving(database, consume=[broker.url(topic)]) as server:
            store = server.inside.store
            until(lambda: store.rows("SELECT count(*) FROM event") == [(1,)])
            assert store.rows("SELECT source FROM quarantine") == [(f"{broker.url(topic)}/1",)]
            inferred = "SELECT count(*) FROM column_edge WHERE provenance = 'sql' AND known_to = '9999-12-31'"
            until(lambda: store.rows(inferred) == [(2,)])
            found = server.http.get("api/v2/impact", params={"node": "orders", "column": "total"}).json()
            assert [node["certainty"] for node in found["nodes"] if node["id"].endswith("amount")] == ["probable"]

            switch(store, True, "ann")
            server.inside.live.mask(True)
            secret = run_event(2, job="other")
            secret["job"]["facets"] = {"env": {"url": f"postgres://ada:{SECRET}@db/shop"}}
            for _ in range(2):  # it is known again by the hash that it came with
                assert server.send(secret).status_code == 201
            body = json.dumps(secret)[:-1]
            assert server.http.post("api/v1/lineage", content=body, headers=json_type({})).status_code == 400
            broker.send(topic, json.dumps({**secret, "eventTime": "2026-04-01T00:00:00Z"}).encode())
            until(lambda: store.rows("SELECT count(*) FROM event") == [(3,)])
            assert store.rows("SELECT count(*) FROM event WHERE notes LIKE ?", [f"%{NOTE}%"]) == [(2,)]
            held = [event for (block,) in store.rows("SELECT body FROM raw") for event in unpack(block)]
            assert len(held) >= 3 and not any(SECRET.encode() in event for event in held)
            refused = [zstandard.decompress(body) for (body,) in store.rows("SELECT body FROM quarantine")]
            assert len(refused) == 2 and not any(SECRET.encode() in body for body in refused)
