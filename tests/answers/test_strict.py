"""What a route does not take, in its query or body, is refused; the paths of Marquez ignore it, as Marquez does."""

from __future__ import annotations

import json
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lineage.api.strict import refusal
from lineage.engine import Lineage
from tests.answers.test_api import client_of, get


@pytest.fixture
def api(asked: Lineage) -> TestClient:
    return client_of(asked)


def test_every_route_of_our_own_refuses_what_it_does_not_take(api: TestClient) -> None:
    assert isinstance(api.app, FastAPI)
    asked = 0
    for path, methods in api.app.openapi()["paths"].items():
        address = re.sub(r"\{[^}]+\}", "x", path)
        for method in methods.keys() & {"get", "post", "put", "patch", "delete"} if path.startswith("/api/v2") else ():
            answer = api.request(method, address, params={"no-such-parameter": "1"})
            assert answer.status_code == 400, (method, path, answer.text)
            assert answer.json()["error"] == "UnknownParameterError"
            assert "no-such-parameter" in answer.json()["detail"]
            asked += 1
    assert asked > 50


@pytest.mark.parametrize(
    ("path", "given", "meant"),
    [
        ("impact", "as-of", "as_of"),
        ("impact", "kinds", "kind"),
        ("impact", "asof", "as_of"),
        ("impact", "Depth", "depth"),
        ("provenance", "certainity", "certainty"),
        ("rank", "domains", "domain"),
        ("cost/report", "know_at", "known_at"),
    ],
)
def test_the_known_parameter_that_comes_near_is_named(api: TestClient, path: str, given: str, meant: str) -> None:
    answer = api.get(f"/api/v2/{path}", params={"node": "orders", given: "1"} if path != "cost/report" else {given: 1})
    assert answer.status_code == 400
    assert f"“{given}” here; did you mean {meant}?" in answer.json()["detail"]


def test_what_is_meant_by_nothing_known_is_told_what_there_is(api: TestClient) -> None:
    told = api.get("/api/v2/provenance", params={"node": "orders", "runs": "true"}).json()["detail"]
    assert "“runs” here; known are as_of, bridge" in told


def test_known_parameters_pass_with_their_values(api: TestClient) -> None:
    found = get(api, "/api/v2/impact", node="raw", depth=1, kind="dataset", as_of="2026-02-01")
    assert (found["as_of"], [node["kind"] for node in found["nodes"]]) == ("2026-02-01T00:00:00Z", ["dataset"])
    assert get(api, "/api/v2/path", **{"from": "raw", "to": "report", "all": "true"})["verdict"] == "found"
    assert get(api, "/api/v2/summary", as_of="2025-01-01")["edges"] is None, "unknown before anything was told"
    assert [one["datasets"] for one in get(api, "/api/v2/domains", as_of="2026-02-01") if one["name"] == "bi"] == [1]


def test_the_paths_of_marquez_ignore_what_they_do_not_know(api: TestClient) -> None:
    for path, query in (("lineage", {"nodeId": "dataset:pg:raw"}), ("namespaces", {}), ("jobs", {})):
        assert api.get(f"/api/v1/{path}", params={**query, "withWhatever": "1"}).status_code == 200, path


def test_a_list_of_unknown_parameters_is_cut_and_a_long_name_too() -> None:
    told = refusal([f"p{n}{'x' * 500}" for n in range(9)], ["node"])
    assert told.endswith("And 6 more.") and len(told) < 400


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"untill": "2027-01-01"}, "“untill” here; did you mean until?"),
        ({"start": "2027-01-01"}, "“start” here; known are from, node, reason, tag, until."),
        ({"tags": "pii"}, "“tags” here; did you mean tag?"),
        ({"x\ud800": 1}, "“x?” here; known are"),
        ({"node": "fct\ud800"}, "half a surrogate pair"),
    ],
)
def test_a_field_of_the_body_that_is_not_taken_is_refused_too(
    api: TestClient, body: dict[str, object], told: str
) -> None:
    asked = {"node": "report", "reason": "hashed", **body}
    answer = api.post("/api/v2/stops/request", content=json.dumps(asked), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert told in answer.json()["detail"]
    assert get(api, "/api/v2/stops")["stops"] == []


@pytest.mark.parametrize("body", ["", "[]", "{bad", '"x"', "5", "null"])
def test_a_body_that_is_no_object_is_refused_by_its_path(api: TestClient, body: str) -> None:
    sent = api.post("/api/v2/stops/approve", content=body, headers={"Content-Type": "application/json"})
    assert sent.status_code == 422
    plain = api.post("/api/v2/stops/approve", content='{"idd": "x"}', headers={"Content-Type": "text/plain"})
    assert 400 <= plain.status_code < 500


def test_a_second_value_is_refused_where_one_is_taken(api: TestClient) -> None:
    for name, first, second in (("node", "raw", "report"), ("depth", "1", "2")):
        asked = [("node", "raw")] * (name != "node") + [(name, first), (name, second)]
        answer = api.get("/api/v2/impact", params=asked)
        assert (answer.status_code, answer.json()["detail"].split(":")[0]) == (400, name)
    kinds = api.get("/api/v2/impact", params=[("node", "raw"), ("kind", "dataset"), ("kind", "job")])
    assert kinds.status_code == 200
