"""Marquez's own client and its own events: the answers its users know (docs/marquez.md)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from ingest.writer import Writer
from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.store import Store
from tests.answers.test_api import client_of, get
from tests.ingest.build import dataset_event, job_event, run_event, schema

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from marquez_client import MarquezClient
    from marquez_client.errors import APIError

NS = "food_delivery"


def store_of(*lines: bytes) -> Store:
    store = Store.open(":memory:")
    Writer(store).ingest(lines, source="test")
    return store


@pytest.fixture(scope="module")
def seed() -> Iterator[TestClient]:
    """The API over Marquez's seed data."""
    folder = Path(__file__).parents[1] / "data/events/marquez"
    with store_of(*(folder / "seed-food-delivery.ndjson").read_bytes().splitlines()) as store:
        yield client_of(Lineage(store))


@pytest.fixture
def marquez(seed: TestClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Marquez's client; what it sends over requests goes to our routes without a socket."""
    return client(seed, monkeypatch)


def client(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    import requests

    def send(method: str) -> Any:
        def call(url: str, params: Any = None, json: Any = None, **_: Any) -> Any:
            answer = api.request(method, url.removeprefix("http://meshline"), params=_words(params), json=json)
            found = requests.Response()
            found.status_code, found._content, found.url = answer.status_code, answer.content, url
            return found

        return call

    for method in ("get", "put", "post"):
        monkeypatch.setattr(requests, method, send(method.upper()))
    return MarquezClient(url="http://meshline")


def _words(params: Any) -> Any:
    return {
        key: str(value) if isinstance(value, bool) else value
        for key, value in (params or {}).items()
        if value is not None
    }


# -- the seed data's counts


def test_the_seed_data_has_the_counts_marquez_has(marquez: Any) -> None:
    jobs, datasets = marquez.list_jobs(NS), marquez.list_datasets(NS)
    assert jobs["totalCount"] == len(jobs["jobs"]) == 13
    assert datasets["totalCount"] == len(datasets["datasets"]) == 13
    assert {job["latestRun"]["state"] for job in jobs["jobs"]} == {"COMPLETED"}
    assert sum(len(job["latestRuns"]) for job in jobs["jobs"]) == 13
    assert sum(len(dataset["fields"]) for dataset in datasets["datasets"]) == 91
    assert sum(len(job["inputs"]) for job in jobs["jobs"]) == 14
    assert sum(len(job["outputs"]) for job in jobs["jobs"]) == 13
    versions = [marquez.list_dataset_versions(NS, d["name"])["totalCount"] for d in datasets["datasets"]]
    assert sum(versions) == 13


def test_column_lineage_that_marquez_drops_is_kept(marquez: Any) -> None:
    """39 pairs are declared; Marquez stores 37, for want of a field in a schema facet."""
    pairs = {
        (dataset["name"], column["name"], source["dataset"], source["field"])
        for dataset in marquez.list_datasets(NS)["datasets"]
        for column in dataset["columnLineage"]
        for source in column["inputFields"]
    }
    assert len(pairs) == 39


# -- the client


def test_every_read_of_the_client_is_answered(marquez: Any) -> None:
    names = [item["name"] for item in marquez.list_namespaces()["namespaces"]]
    assert names == ["food_delivery"]
    assert marquez.get_namespace(NS)["name"] == NS
    dataset = marquez.get_dataset(NS, "public.delivery_7_days")
    assert dataset["id"] == {"namespace": NS, "name": "public.delivery_7_days"}
    assert dataset["currentVersion"] == marquez.list_dataset_versions(NS, dataset["name"])["versions"][0]["version"]
    version = marquez.get_dataset_version(NS, dataset["name"], dataset["currentVersion"])
    assert version["fields"] and version["createdByRun"]["state"] == "COMPLETED"
    assert version["createdByRun"]["outputDatasetVersions"][0]["datasetVersionId"]["version"] == version["version"]
    job = marquez.get_job(NS, marquez.list_jobs(NS, limit=1)["jobs"][0]["name"])
    runs = marquez.list_job_runs(NS, job["name"])
    assert runs["totalCount"] == 1 and marquez.get_job_run(runs["runs"][0]["id"]) == runs["runs"][0]
    assert len(marquez.list_events(limit=5)["events"]) == 5
    assert marquez.list_events(namespace=NS)["totalCount"] == 26
    source = marquez.list_sources()["sources"][0]
    assert marquez.get_source(source["name"]) == source
    assert marquez.list_tags()["tags"] == []


def test_column_lineage_of_dataset_field_and_job(marquez: Any) -> None:
    whole = marquez.get_column_lineage_by_dataset(NS, "public.delivery_7_days")
    assert {node["type"] for node in whole["graph"]} == {"DATASET_FIELD"}
    field = next(node for node in whole["graph"] if node["inEdges"])["data"]
    one = marquez.get_column_lineage_by_dataset_field(NS, field["dataset"], field["field"])
    assert {node["id"] for node in one["graph"]} <= {node["id"] for node in whole["graph"]}
    assert marquez.get_column_lineage_by_job(NS, _writer(marquez))["graph"]


def _writer(marquez: Any) -> str:
    jobs = marquez.list_jobs(NS)["jobs"]
    return str(
        next(job["name"] for job in jobs if job["outputs"] == [{"namespace": NS, "name": "public.delivery_7_days"}])
    )


def test_writes_are_refused_with_the_way_that_works(marquez: Any, seed: TestClient) -> None:
    with pytest.raises(APIError):
        marquez.create_namespace("new", "ann")
    answer = seed.post(f"/api/v1/namespaces/{NS}/datasets/public.orders/tags/PII")
    assert answer.status_code == 501 and "tags" in answer.json()["detail"]


# -- pages, totals, names


def test_pages_add_up_and_the_total_is_of_everything(seed: TestClient) -> None:
    whole = [d["name"] for d in get(seed, f"/api/v1/namespaces/{NS}/datasets")["datasets"]]
    cut = [get(seed, f"/api/v1/namespaces/{NS}/datasets", limit=5, offset=n) for n in (0, 5, 10)]
    assert [d["name"] for page in cut for d in page["datasets"]] == whole
    assert {page["totalCount"] for page in cut} == {13}
    failed = get(seed, "/api/v1/jobs", lastRunStates="FAILED")
    assert failed == {"totalCount": 0, "jobs": []}
    assert get(seed, "/api/v1/events/lineage", limit=1, offset=100)["totalCount"] == 26
    found = get(seed, "/api/v1/search", q="DELIVERY", filter="DATASET", limit=1)
    assert len(found["results"]) == 1 and found["totalCount"] == 2


def test_names_with_slashes_and_colons_are_path_parameters() -> None:
    event = json.loads(run_event("r", inputs=["/a/b c"], outputs=["o"]))
    event["inputs"][0]["namespace"] = "s3://bucket"
    event["job"] = {"namespace": "https://airflow/é", "name": "dag/task.x"}
    with store_of(json.dumps(event).encode()) as store:
        api = client_of(Lineage(store))
        path = f"/api/v1/namespaces/{quote('s3://bucket', safe='')}/datasets/{quote('/a/b c', safe='')}"
        assert get(api, path)["name"] == "/a/b c"
        path = f"/api/v1/namespaces/{quote('https://airflow/é', safe='')}/jobs/{quote('dag/task.x', safe='')}"
        assert get(api, path)["name"] == "dag/task.x"
        assert get(api, f"{path}/runs")["totalCount"] == 1
        assert api.get("/api/v1/namespaces/none/jobs/none").status_code == 404


# -- runs and versions


def chain() -> list[bytes]:
    stats = {"outputFacets": {"outputStatistics": {"rowCount": 7}}}
    output = {"namespace": "warehouse", "name": "b", "facets": {"schema": schema("x")}, **stats}
    first = json.loads(run_event("r1", job="one", at="2026-01-01T00:00:00Z", inputs=["a"], outputs=["b"]))
    first["outputs"] = [output]
    first["run"]["facets"] = {"custom": {"n": 1}, "environmentVariables": {
        "environmentVariables": [{"name": "DB_PASSWORD", "value": "hunter2"}]}}  # fmt: skip
    return [
        json.dumps(first).encode(),
        run_event("r2", job="two", at="2026-01-02T00:00:00Z", inputs=["b"], outputs=["c"]),
        run_event("r3", job="two", at="2026-01-03T00:00:00Z", inputs=["b", "a"], outputs=["c"]),
        dataset_event("only", schema=schema("q")),
    ]


def test_run_lineage_follows_versions_upstream() -> None:
    with store_of(*chain()) as store:
        found = get(client_of(Lineage(store)), "/api/v1/runlineage/upstream", runId="r2")["runs"]
    assert [entry["run"]["id"] for entry in found] == ["r2", "r1"]
    assert [source["producedByRunId"] for source in found[0]["inputs"]] == ["r1"]
    assert [source["producedByRunId"] for source in found[1]["inputs"]] == [None]


def test_facets_stand_where_marquez_puts_them_and_hold_no_secret() -> None:
    with store_of(*chain()) as store:
        api = client_of(Lineage(store))
        run = get(api, "/api/v1/jobs/runs/r1")
        assert run["facets"]["custom"] == {"n": 1}
        assert run["outputDatasetVersions"][0]["facets"] == {}  # statistics are rows of the run, see docs/marquez.md
        assert get(api, "/api/v1/jobs/runs/r1/facets", type="job")["facets"] == {}
        assert get(api, "/api/v1/namespaces/warehouse/datasets/b")["facets"]["schema"] == schema("x")
        every = [get(api, path) for path in ("/api/v1/jobs/runs/r1/facets", "/api/v1/events/lineage", "/api/v1/jobs")]
        assert "hunter2" not in json.dumps(every)


def test_a_job_with_other_inputs_has_another_version() -> None:
    with store_of(*chain()) as store:
        api = client_of(Lineage(store))
        found = get(api, "/api/v1/namespaces/warehouse/jobs/two/versions")["versions"]
        assert [sorted(i["name"] for i in version["inputs"]) for version in found] == [["a", "b"], ["b"]]
        job = get(api, "/api/v1/namespaces/warehouse/jobs/two")
        assert job["currentVersion"] == found[0]["version"]
        one = get(api, f"/api/v1/namespaces/warehouse/jobs/two/versions/{found[1]['version']}")
        assert one["latestRun"]["id"] == "r2"


def test_a_job_that_is_declared_has_a_version_without_a_run() -> None:
    later = job_event("plan", at="2026-01-02T00:00:00Z", inputs=["a"], outputs=["b", "c"])
    with store_of(job_event("plan", inputs=["a"], outputs=["b"]), later) as store:
        api = client_of(Lineage(store))
        (version,) = get(api, "/api/v1/namespaces/warehouse/jobs/plan/versions")["versions"]
        assert sorted(item["name"] for item in version["outputs"]) == ["b", "c"]
        assert version["latestRun"] is None and version["createdAt"] == "2026-01-02T00:00:00Z"
        assert get(api, "/api/v1/namespaces/warehouse/jobs/plan")["currentVersion"] == version["version"]


def test_a_dropped_dataset_is_deleted_until_it_is_made_again() -> None:
    drop = {"lifecycleStateChange": {"lifecycleStateChange": "DROP"}}
    events = [run_event("r1", outputs=["b", "c"]), dataset_event("b", at="2026-01-02T00:00:00Z", **drop)]
    events.append(run_event("r2", at="2026-01-02T00:00:00Z", job="ddl", outputs=[("c", drop)]))
    events.append(run_event("r3", at="2026-01-03T00:00:00Z", outputs=["c"]))
    with store_of(*events) as store:
        found = get(client_of(Lineage(store)), "/api/v1/namespaces/warehouse/datasets")["datasets"]
        assert {item["name"]: item["deleted"] for item in found} == {"b": True, "c": False}


def test_a_dataset_with_two_names_has_the_times_of_both() -> None:
    events = []
    for k in range(8):
        table = {"symlinks": {"identifiers": [{"namespace": "warehouse", "name": f"table{k}", "type": "TABLE"}]}}
        days = ("2026-01-01", "2026-01-05") if k % 2 else ("2026-01-05", "2026-01-01")
        for name, facets, day in ((f"table{k}", {}, days[0]), (f"path{k}", table, days[1])):
            events.append(run_event(f"{name}-{day}", at=f"{day}T00:00:00Z", outputs=[(name, facets)]))
    with store_of(*events) as store:
        found = get(client_of(Lineage(store)), "/api/v1/namespaces/warehouse/datasets")["datasets"]
    assert len(found) == 8
    for one in found:
        assert (one["createdAt"], one["updatedAt"]) == ("2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z")
        assert one["lastModifiedAt"] == "2026-01-05T00:00:00Z"


def test_columns_downstream_of_a_source_are_found() -> None:
    """Marquez gives none (its recursion starts at outputs)."""
    lineage = {"columnLineage": {"fields": {"y": {"inputFields": [
        {"namespace": "warehouse", "name": "a", "field": "x"}]}}}}  # fmt: skip
    with store_of(run_event("r", inputs=[("a", {"schema": schema("x")})], outputs=[("b", lineage)])) as store:
        api = client_of(Lineage(store))
        node = "datasetField:warehouse:a:x"
        found = get(api, "/api/v1/column-lineage", nodeId=node, withDownstream="true")
        assert [n["id"] for n in found["graph"]] == [node, "datasetField:warehouse:b:y"]
        assert get(api, "/api/v1/column-lineage", nodeId=node)["graph"] == []


def test_figures_over_time_have_their_buckets() -> None:
    with store_of(*chain()) as store:
        api = client_of(Lineage(store))
        assert len(get(api, "/api/v1/stats/lineage-events")) == 24
        week = get(api, "/api/v1/stats/jobs", period="WEEK", timezone="Europe/Berlin")
        assert len(week) == 7 and week[-1]["count"] == 2
        assert get(api, "/api/v1/stats/sources")[0]["count"] == 1
        assert api.get("/api/v1/stats/jobs", params={"period": "WEEK", "timezone": "Nowhere/X"}).status_code == 400


def test_apples_and_fixtures_are_taken(events: Path) -> None:
    for name in ("apples", "api-fixtures"):
        with store_of(*(events / f"marquez/{name}.ndjson").read_bytes().splitlines()) as store:
            api = client_of(Lineage(store))
            spaces = get(api, "/api/v1/namespaces")["namespaces"]
            assert spaces
            for space in spaces:
                for of in ("jobs", "datasets"):
                    found = get(api, f"/api/v1/namespaces/{quote(space['name'], safe='')}/{of}")
                    assert found["totalCount"] == len(found[of])


# -- masking


def test_nothing_of_a_hidden_domain_comes_through_any_of_these_doors(tmp_path: Path) -> None:
    from lineage.declared import apply

    (tmp_path / "domains").mkdir()
    (tmp_path / "domains/secret.yaml").write_text("name: secret\nowner: x\npatterns: ['b*', 'two*']\n")
    with store_of(*chain()) as store:
        apply(store, tmp_path)
        api = client_of(Lineage(store), Actor("guest", hidden_domains=frozenset({"secret"})))
        paths = [
            "jobs", "namespaces/warehouse/jobs", "namespaces/warehouse/datasets", "events/lineage", "events",
            "namespaces/warehouse/jobs/one", "namespaces/warehouse/jobs/one/runs", "jobs/runs/r1", "sources", "tags",
            "namespaces/warehouse/datasets/a/versions", "namespaces/warehouse/jobs/one/versions",
            "runlineage/upstream?runId=r1", "search?q=b", "search?q=two",
        ]  # fmt: skip
        for path in paths:
            text = api.get(f"/api/v1/{path}").text
            assert '"b"' not in text and '"two"' not in text, path
        for path in ("namespaces/warehouse/datasets/b", "namespaces/warehouse/jobs/two/runs", "jobs/runs/r2"):
            assert api.get(f"/api/v1/{path}").status_code == 404
