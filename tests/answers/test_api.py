"""The REST API shows what the engine says, and errors as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient

from lineage.actor import LOCAL, Actor
from lineage.answers import to_json
from lineage.api import build_router, explain
from lineage.api.invalid import explain_invalid
from lineage.engine import Lineage
from lineage.errors import MeshlineError
from tests.answers.builder import World, at


class Doors(TestClient):
    """All routes over one engine, as one actor. The application is made once: that takes longer than most tests."""

    _app: FastAPI | None = None
    _asked: Doors

    def __init__(self, lx: Lineage, actor: Actor | None) -> None:
        if Doors._app is None:
            Doors._app = FastAPI()
            Doors._app.include_router(build_router(lambda: Doors._asked.lx, lambda _: Doors._asked.actor))
            Doors._app.add_exception_handler(MeshlineError, explain)
            Doors._app.add_exception_handler(RequestValidationError, explain_invalid)
        super().__init__(Doors._app, raise_server_exceptions=True)
        self.lx, self.actor = lx, actor or LOCAL

    def request(self, *args: Any, **options: Any) -> Any:
        Doors._asked = self
        return super().request(*args, **options)


def client_of(lx: Lineage, actor: Actor | None = None) -> TestClient:
    return Doors(lx, actor)


@pytest.fixture
def api(lx: Lineage) -> TestClient:
    return client_of(lx)


def get(api: TestClient, path: str, **query: Any) -> Any:
    answer = api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_impact_has_the_promised_keys_and_the_engines_values(api: TestClient, lx: Lineage) -> None:
    body = get(api, "/api/v2/impact", node="dataset:pg:raw")
    assert {"node", "direction", "as_of", "partial", "nodes"} <= body.keys()
    assert all({"id", "kind", "hops", "certainty", "path"} <= node.keys() for node in body["nodes"])
    assert body["nodes"] == to_json(lx.impact("raw").nodes)
    assert body["as_of"].endswith("Z")


def test_provenance_and_depth(api: TestClient) -> None:
    body = get(api, "/api/v2/provenance", node="report", depth=1)
    assert [node["id"] for node in body["nodes"]] == ["job:pg:build", "dataset:pg:orders", "job:pg:load"]
    assert body["partial"] and body["frontier"]["nodes"] == 1


def test_times_are_passed_on(api: TestClient) -> None:
    body = get(api, "/api/v2/impact", node="raw", as_of="2025-12-31")
    assert body["nodes"] == [] and body["as_of"] == "2025-12-31T00:00:00Z"


def test_search_nodes_picture_domains_and_summary(api: TestClient) -> None:
    assert get(api, "/api/v2/search", q="ordres", kind="dataset")[0]["id"] == "dataset:pg:orders"
    assert get(api, "/api/v2/nodes", node="orders")["domain"] == "sales"
    picture = get(api, "/api/v2/picture", node="orders", jobs="true")
    assert len(picture["nodes"]) == 5
    assert [domain["name"] for domain in get(api, "/api/v2/domains")] == ["bi", "sales", "unassigned"]
    assert get(api, "/api/v2/summary")["datasets"] == 3


@pytest.mark.parametrize(
    ("path", "query", "status", "key"),
    [
        ("/api/v2/impact", {"node": "nothing"}, 404, "candidates"),
        ("/api/v2/impact", {"node": "o"}, 404, "candidates"),
        ("/api/v2/impact", {"node": ""}, 400, "detail"),
        ("/api/v2/impact", {"node": "orders", "as_of": "soon"}, 400, "detail"),
        ("/api/v2/impact", {"node": "orders", "depth": -1}, 422, "detail"),
        ("/api/v2/impact", {}, 422, "detail"),
        ("/api/v2/column-trace", {"column": "orders"}, 400, "detail"),
        ("/api/v1/lineage", {"nodeId": "dataset:pg:nothing"}, 404, "candidates"),
        ("/api/v1/lineage", {"nodeId": "dataset:pg:orders", "depth": -1}, 400, "detail"),
    ],
)
def test_an_error_is_json_with_its_status(
    api: TestClient, path: str, query: dict[str, Any], status: int, key: str
) -> None:
    answer = api.get(path, params=query)
    assert answer.status_code == status
    assert key in answer.json()


def test_an_ambiguous_name_answers_with_its_candidates(chain: World) -> None:
    chain.dataset("orders", namespace="other")
    answer = client_of(Lineage(chain.store)).get("/api/v2/impact", params={"node": "orders"})
    assert answer.json()["candidates"] == ["dataset:other:orders", "dataset:pg:orders"]


def test_openapi_describes_every_route(api: TestClient) -> None:
    spec = api.get("/openapi.json").json()
    assert {"/api/v1/lineage", "/api/v2/search", "/api/v2/nodes", "/api/v2/impact", "/api/v2/provenance"} <= spec[
        "paths"
    ].keys()
    assert "Answer" in spec["components"]["schemas"]


# -- Marquez


def ids(body: dict[str, Any]) -> list[str]:
    return [node["id"] for node in body["graph"]]


def test_marquez_depth_counts_hops_from_job_to_job(api: TestClient) -> None:
    alone = get(api, "/api/v1/lineage", nodeId="job:pg:load", depth=0)
    assert ids(alone) == ["dataset:pg:orders", "dataset:pg:raw", "job:pg:load"]
    both = get(api, "/api/v1/lineage", nodeId="job:pg:load", depth=1)
    assert ids(both) == ["dataset:pg:orders", "dataset:pg:raw", "dataset:pg:report", "job:pg:build", "job:pg:load"]


def test_marquez_starts_from_the_newest_writer_of_a_dataset(world: World) -> None:
    world.flow(["a"], "old", ["x"])
    world.flow(["b"], "new", ["x"])
    world.run("old", started_at=at("2026-01-01"))
    world.run("new", started_at=at("2026-02-01"))
    body = get(client_of(Lineage(world.store)), "/api/v1/lineage", nodeId="dataset:pg:x", depth=0)
    assert ids(body) == ["dataset:pg:b", "dataset:pg:x", "job:pg:new"]


def test_marquez_two_consumers_of_one_dataset_are_one_hop_apart(world: World) -> None:
    world.flow(["a"], "one", ["x"])
    world.flow(["a"], "two", ["y"])
    body = get(client_of(Lineage(world.store)), "/api/v1/lineage", nodeId="job:pg:one", depth=1)
    assert "job:pg:two" in ids(body)


def test_marquez_edges_stand_at_both_ends(api: TestClient) -> None:
    body = get(api, "/api/v1/lineage", nodeId="dataset:pg:orders")
    orders = next(node for node in body["graph"] if node["id"] == "dataset:pg:orders")
    assert orders["inEdges"] == [{"origin": "job:pg:load", "destination": "dataset:pg:orders"}]
    assert orders["outEdges"] == [{"origin": "dataset:pg:orders", "destination": "job:pg:build"}]


def test_marquez_orphans_and_jobs_without_datasets_are_graphs_of_one_node(world: World) -> None:
    world.dataset("orphan")
    world.job("idle")
    api = client_of(Lineage(world.store))
    assert ids(get(api, "/api/v1/lineage", nodeId="dataset:pg:orphan")) == ["dataset:pg:orphan"]
    assert ids(get(api, "/api/v1/lineage", nodeId="job:pg:idle")) == ["job:pg:idle"]


def test_marquez_nodes_carry_what_its_page_reads(world: World) -> None:
    world.flow(["a"], "j", ["x"])
    run = world.run("j", "7", started_at=at("2026-01-01T00:00:00"), ended_at=at("2026-01-01T00:00:02"))
    world.run_io(run, "j", "x", "out", last_at=at("2026-01-01T00:00:02"))
    world.facet(world.dataset("x"), "schema", {"fields": [{"name": "id", "type": "INT"}]})
    world.facet(world.dataset("x"), "documentation", {"description": "All of it"})
    body = get(client_of(Lineage(world.store)), "/api/v1/lineage", nodeId="job:pg:j")
    data = {node["id"]: node["data"] for node in body["graph"]}
    job, dataset = data["job:pg:j"], data["dataset:pg:x"]
    assert job["id"] == {"namespace": "pg", "name": "j"} and job["type"] == "BATCH"
    assert job["outputs"] == [{"namespace": "pg", "name": "x"}]
    assert job["latestRun"]["state"] == "COMPLETED" and job["latestRun"]["durationMs"] == 2000
    assert dataset["fields"] == [{"name": "id", "type": "INT", "tags": [], "description": None}]
    assert dataset["type"] == "DB_TABLE" and dataset["description"] == "All of it"
    assert dataset["lastModifiedAt"] == "2026-01-01T00:00:02Z"
