"""A request that FastAPI refuses is answered in the house's shape under /api/v2, and described so in OpenAPI."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lineage.engine import Lineage
from tests.answers.test_api import client_of


@pytest.fixture
def api(asked: Lineage) -> TestClient:
    return client_of(asked)


@pytest.mark.parametrize(
    ("path", "query", "name", "given", "allowed"),
    [
        ("impact", {"node": "raw", "depth": "-1"}, "depth", "-1", "0 or more"),
        ("impact", {"node": "raw", "depth": "two"}, "depth", "two", "a whole number"),
        ("impact", {"node": "raw", "depth": "1.5"}, "depth", "1.5", "a whole number"),
        ("impact", {"node": "raw", "links": "perhaps"}, "links", "perhaps", "true or false"),
        ("impact", {}, "node", None, "it is required"),
        ("diff", {"from": "now", "side": "upsteam"}, "side", "upsteam", "one of upstream, downstream, both, self"),
    ],
)
def test_a_parameter_is_named_with_what_was_given_and_what_is_allowed(
    api: TestClient, path: str, query: dict[str, str], name: str, given: str | None, allowed: str
) -> None:
    answer = api.get(f"/api/v2/{path}", params=query)
    body = answer.json()
    assert (answer.status_code, body["error"]) == (422, "InvalidParameterError")
    [one] = body["parameters"]
    assert (one["name"], one["place"], one["given"], one["allowed"]) == (name, "query", given, allowed)
    assert name in body["detail"] and (given or "missing") in body["detail"]


def test_a_word_that_comes_near_is_a_candidate(api: TestClient) -> None:
    body = api.get("/api/v2/diff", params={"from": "now", "side": "upsteam"}).json()
    assert body["parameters"][0]["candidates"][0] == "upstream"
    assert body["detail"].endswith("did you mean upstream?")


def test_all_that_is_wrong_is_told_at_once(api: TestClient) -> None:
    body = api.get("/api/v2/impact", params={"depth": "x"}).json()
    assert {one["name"] for one in body["parameters"]} == {"node", "depth"}


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [("{bad", "body", "no JSON"), ("[]", "body", "JSON object"), ("{}", "id", "missing"), ("", "body", "missing")],
)
def test_a_body_that_cannot_be_used(api: TestClient, content: str, name: str, words: str) -> None:
    answer = api.post("/api/v2/stops/approve", content=content, headers={"Content-Type": "application/json"})
    body = answer.json()
    assert (answer.status_code, body["error"]) == (422, "InvalidParameterError"), body
    assert name in {one["name"] for one in body["parameters"]}, body
    assert words in body["detail"]


def test_half_a_letter_and_a_long_value_are_repeated_in_part(api: TestClient) -> None:
    long = api.get("/api/v2/impact", params={"node": "raw", "depth": "x" * 5_000})
    assert long.status_code == 422 and len(long.text) < 1_000
    half = api.post("/api/v2/stops/approve", content='{"id": 5, "reason": "\\ud800"}',
                    headers={"Content-Type": "application/json"})  # fmt: skip
    assert 400 <= half.status_code < 500


def test_marquez_paths_keep_the_shape_that_their_clients_know(api: TestClient) -> None:
    answer = api.get("/api/v1/lineage", params={"nodeId": "dataset:pg:raw", "depth": "x"})
    assert answer.status_code == 422 and isinstance(answer.json()["detail"], list)


def test_the_openapi_document_describes_the_shape_that_is_sent(api: TestClient) -> None:
    assert isinstance(api.app, FastAPI)
    told: dict[str, Any] = api.app.openapi()
    shapes = set()
    for path, methods in told["paths"].items():
        for method in methods.values() if path.startswith("/api/v2") else ():
            if "422" in method["responses"]:
                shapes.add(method["responses"]["422"]["content"]["application/json"]["schema"]["$ref"])
    assert shapes == {"#/components/schemas/InvalidParameters"}
    sent = api.get("/api/v2/impact").json()
    assert sent.keys() == told["components"]["schemas"]["InvalidParameters"]["properties"].keys()
