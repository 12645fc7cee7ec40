"""Aliases and edges by hand through the other doors: the command line and HTTP."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient

import lineage
from ingest.writer import Writer
from lineage.api.errors import explain
from lineage.api.router import build_router
from lineage.errors import MeshlineError
from lineage.store import Store
from tests.ingest.build import loaded, run_event
from tests.ingest.cli import Cli

EVENTS = [run_event("r1", "one", inputs=["a"], outputs=["b"]), run_event("r2", "two", inputs=["c"], outputs=["d"])]


def test_the_command_line_adds_previews_lists_and_takes_back(meshline: Cli) -> None:

    def said(*words: str) -> str:
        code, out, err = meshline(*words)
        assert code == 0, err
        return out.decode()

    with Store.open(meshline.db) as store:
        Writer(store).ingest(EVENTS, source="test")
    assert "2 edges would join" in said("alias", "add", "b", "c", "--dry-run")
    said("alias", "add", "b", "c", "--reason", "one table", "--actor", "ann")
    assert meshline.json("alias", "list")["groups"][0]["evidence"] == ["manual"]
    assert "dataset:warehouse:d" in {node["id"] for node in meshline.json("impact", "a")["nodes"]}
    said("alias", "remove", "b", "c", "--reason", "two tables", "--actor", "ann")
    said("edge", "add", "a", "d", "--reason", "a script", "--since", "2026-01-01", "--actor", "ann")
    said("edge", "remove", "a", "b", "--reason", "wrong", "--actor", "ann")
    marks = meshline.json("edge", "list")["marks"]
    assert [(mark["sort"], mark["actor"]) for mark in marks] == [("manual", "ann"), ("refuted", "ann")]
    assert "slash" in said("alias", "rule", "slash", "--off")
    assert "0 suggestions" in said("alias", "suggest")
    assert meshline("alias", "add", "b", "nothing", "--reason", "x")[0] == 2
    assert meshline("alias", "add", "b", "d")[0] == 2


def test_http_says_and_answers_the_same() -> None:
    with loaded(*EVENTS) as store, lineage.open(store) as lx:
        server = FastAPI()
        server.include_router(build_router(lx))
        server.add_exception_handler(MeshlineError, explain)
        client = TestClient(server)
        pair = {"left": "b", "right": "c"}
        assert client.get("/api/v2/aliases/preview", params=pair).json()["edges"] == [1, 1]
        added = client.post("/api/v2/aliases/add", json={**pair, "reason": "one table"})
        assert len(added.json()["groups"]) == 1
        assert client.get("/api/v2/aliases").json() == added.json()
        assert client.post("/api/v2/aliases/add", json={**pair, "reason": "again"}).status_code == 400
        assert client.post("/api/v2/aliases/remove", json={**pair, "reason": "no"}).json()["groups"] == []
        assert client.get("/api/v2/aliases/suggestions").json()["items"] == []
        rejected = client.post("/api/v2/aliases/reject", json={**pair, "reason": "two"}).json()
        assert [mark["sort"] for mark in rejected["marks"]] == ["veto"]
        assert client.post("/api/v2/aliases/reject", json={**pair, "reason": "again"}).status_code == 400
        assert client.post("/api/v2/aliases/lift", json={**pair, "reason": "no"}).json()["marks"] == []
        assert client.post("/api/v2/aliases/lift", json={**pair, "reason": "again"}).status_code == 400
        edge = {"source": "a", "target": "d", "reason": "a script"}
        assert client.post("/api/v2/edges/add", json=edge).json() == client.get("/api/v2/edges").json()
        assert client.post("/api/v2/edges/remove", json=edge).json()["marks"] == []
