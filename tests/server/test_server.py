"""The composed server: who is let in, what is served where, what never leaves."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboard.compress import Compress
from dashboard.guard import Guard
from dashboard.offload import Offload
from lineage.errors import StoreError
from lineage.store import Store
from tests.server.running import Running, run_event, serving, until


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server for questions that leave nothing behind."""
    with serving(tmp_path_factory.mktemp("shared") / "shared.duckdb") as running:
        yield running


# -- health


def test_health_tells_the_real_state(server: Running) -> None:
    assert server.send(run_event(1)).status_code == 201
    server.send({"eventTime": "soon", "job": {"name": "j"}})
    server.settled()
    answer = server.http.get("health")
    assert answer.status_code == 200
    assert answer.json() | {"version": ""} == {
        "status": "ok",
        "version": "",
        "database": "open",
        "queue": {"events": 0, "limit": 20_000},
        "projector": {"pending_events": 0, "lag_seconds": 0.0},
        "received": {"accepted": 1, "rejected": 1},
        "problem": None,
    }


def test_health_fails_when_the_database_cannot_be_read(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise StoreError("/secret/place/db.duckdb is gone")

    with monkeypatch.context() as patch:
        patch.setattr(server.inside.store, "rows", broken)
        answer = server.http.get("health")
    assert (answer.status_code, answer.json()["database"]) == (503, "unreadable")
    assert "secret" not in answer.text


# -- what is served


def test_an_event_can_be_asked_for_in_marquez_shape(server: Running) -> None:
    server.send(run_event(1))
    server.settled()
    graph = server.http.get("api/v1/lineage", params={"nodeId": "dataset:db:orders"}).json()["graph"]
    nodes = {node["id"]: node for node in graph}
    assert list(nodes) == ["dataset:db:orders", "dataset:lake:orders_load", "job:nightly:load"]
    assert nodes["job:nightly:load"]["type"] == "JOB"
    assert nodes["job:nightly:load"]["inEdges"] == [{"origin": "dataset:db:orders", "destination": "job:nightly:load"}]
    assert nodes["dataset:lake:orders_load"]["inEdges"] == [
        {"origin": "job:nightly:load", "destination": "dataset:lake:orders_load"}
    ]


def test_impact_over_http_is_the_answer_of_the_engine(server: Running) -> None:
    server.send(run_event(1))
    server.settled()
    answer = server.http.get("api/v2/impact", params={"node": "dataset:db:orders"}).json()
    assert answer["direction"] == "downstream"
    assert [(node["id"], node["hops"]) for node in answer["nodes"] if node["kind"] == "dataset"] == [
        ("dataset:lake:orders_load", 1)
    ]


def test_an_unknown_node_is_a_404_with_words(shared: Running) -> None:
    answer = shared.http.get("api/v2/impact", params={"node": "nothing"})
    assert answer.status_code == 404
    assert "nothing" in answer.json()["detail"]


def test_an_unknown_path_of_the_api_is_a_404_in_json(shared: Running) -> None:
    answer = shared.http.get("api/v2/nothing", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")


def test_pages_are_served_beside_the_api(shared: Running) -> None:
    answer = shared.http.get("")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_every_answer_to_a_browser_carries_security_headers(shared: Running) -> None:
    for path in ("", "api/docs", "health", "api/v2/nothing"):
        headers = shared.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["referrer-policy"] == "same-origin", path


def test_errors_inside_are_not_shown_outside(shared: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret text")

    with monkeypatch.context() as patch:
        patch.setattr(shared.inside.lineage, "search", broken)
        answer = shared.http.get("api/v2/search", params={"q": "orders"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["connection"] == "close"  # as it is: the next question needs a connection of its own


def test_the_openapi_description_tells_of_the_receiving_routes(shared: Running) -> None:
    paths = shared.http.get("api/openapi.json").json()["paths"]
    assert {"get", "post"} <= set(paths["/api/v1/lineage"])
    assert set(paths["/api/v1/lineage/batch"]) == {"post"}
    assert "get" in paths["/health"]


def test_a_snapshot_over_http_is_a_whole_database(server: Running, tmp_path: Path, database: Path) -> None:
    for number in range(20):
        server.send(run_event(number))
    server.settled()
    with ThreadPoolExecutor(4) as pool:  # events go on arriving meanwhile
        more = [pool.submit(server.send, run_event(number)) for number in range(20, 60)]
        assert server.http.post("api/v2/snapshot", params={"as_of": "2026-01-01"}).status_code == 400, "takes none"
        answer = server.http.post("api/v2/snapshot")
        assert {one.result().status_code for one in more} == {201}
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(answer.content)
    with Store.open(copy, read_only=True) as store:
        assert store.rows("SELECT count(*) FROM event")[0][0] >= 20
    until(lambda: not list(database.parent.glob(".meshline-snapshot-*")))


def test_a_server_under_a_path_answers_with_and_without_it(database: Path) -> None:
    with serving(database, base_path="/tools/meshline") as server:
        assert server.url.endswith("/tools/meshline/")
        assert server.send(run_event(1)).status_code == 201
        assert server.health()["status"] == "ok"
        assert server.http.get("").status_code == 200
        assert server.http.get("api/openapi.json").json()["servers"] == [{"url": "/tools/meshline"}]
        assert '"/tools/meshline/api/openapi.json"' in server.http.get("api/docs").text.replace("'", '"')
        root = server.url.removesuffix("tools/meshline/")
        assert httpx.get(f"{root}health").status_code == 200  # a proxy that cuts the path off
        assert httpx.post(f"{root}api/v1/lineage", json=run_event(2)).status_code == 201


# -- who is let in


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:80", "127.9.9.9", "x.localhost"])
def test_local_names_are_served(shared: Running, host: str) -> None:
    assert shared.http.get("health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1"])
def test_a_request_under_another_name_is_refused_with_the_way_out(shared: Running, host: str) -> None:
    for method, path in (("GET", ""), ("GET", "api/v2/search"), ("POST", "api/v1/lineage")):
        answer = shared.http.request(method, path, headers={"host": host})
        assert answer.status_code == 403
        assert answer.json()["error"] == "host-not-allowed"
        assert "--allow-host" in answer.json()["detail"]


def test_an_admitted_name_is_served(database: Path) -> None:
    with serving(database, allowed_hosts=["lineage.example"]) as server:
        assert server.http.get("health", headers={"host": "Lineage.example:443"}).status_code == 200
        assert server.http.get("health", headers={"host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize("path", ["api/v1/lineage", "api/v2/snapshot", "_dash-update-component"])
def test_a_foreign_page_cannot_change_anything(shared: Running, origin: str, path: str) -> None:
    answer = shared.http.post(path, json=run_event(1), headers={"origin": origin, "sec-fetch-site": "cross-site"})
    assert (answer.status_code, answer.json()["error"]) == (403, "cross-origin")


def test_our_own_page_may_send(server: Running) -> None:
    assert server.send(run_event(1), origin=server.url.rstrip("/")).status_code == 201
    assert server.send(run_event(2), origin="https://proxy.example", sec_fetch_site="same-origin").status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"evil.example"), (b"origin", b"http://evil.example")],
        [(b"host", b"127.0.0.1"), (b"origin", b"http://evil.example")],
    ],
)
def test_a_websocket_from_elsewhere_is_closed(headers: list[tuple[bytes, bytes]]) -> None:
    sent: list[dict[str, Any]] = []

    async def never(*_: object) -> None:
        raise AssertionError("let through")

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(never)({"type": "websocket", "headers": headers}, receive, send))
    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", 4403)]


# -- pages do not hold up producers


def test_a_slow_page_does_not_hold_up_the_event_loop() -> None:
    entered, leave = threading.Event(), threading.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        entered.set()
        assert leave.wait(60)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body[::-1]})

    async def main() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        parts = [
            {"type": "http.request", "body": b"ab", "more_body": True},
            {"type": "http.request", "body": b"c", "more_body": False},
        ]

        async def receive() -> dict[str, Any]:
            return parts.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        page = asyncio.create_task(Offload(slow, threads=1)({"type": "http"}, receive, send))
        await asyncio.to_thread(entered.wait, 60)
        assert not page.done()  # the loop runs while the page thinks
        leave.set()
        await page
        return sent

    sent = asyncio.run(main())
    assert sent[-1]["body"] == b"cba"


# -- compression


def answer_of(app: Compress, path: str, accept: bytes = b"gzip, br") -> tuple[dict[bytes, bytes], bytes]:
    """Headers and body of a GET."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"accept-encoding", accept)],
    }
    asyncio.run(app(scope, receive, send))
    return dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def texts(kind: bytes, *parts: bytes) -> Any:
    """An application that answers with these parts."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert not any(name == b"accept-encoding" for name, _ in scope["headers"]) or kind == b"plain"
        size = str(sum(map(len, parts))).encode()
        headers = [(b"content-type", kind), (b"content-length", size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for i, part in enumerate(parts):
            await send({"type": "http.response.body", "body": part, "more_body": i + 1 < len(parts)})

    return app


def test_a_text_is_compressed_whole() -> None:
    parts = (b"a" * 40_000, b"b" * 40_000)
    headers, body = answer_of(Compress(texts(b"text/css", *parts)), "/x.css")
    assert headers[b"content-encoding"] == b"gzip"
    assert int(headers[b"content-length"]) == len(body)
    assert gzip.decompress(body) == b"".join(parts)


@pytest.mark.parametrize(
    ("kind", "size", "accept"),
    [(b"image/png", 50_000, b"gzip"), (b"text/css", 100, b"gzip"), (b"text/css", 50_000, b"identity")],
)
def test_what_gains_nothing_goes_out_as_it_is(kind: bytes, size: int, accept: bytes) -> None:
    app = texts(b"plain" if accept == b"identity" else kind, b"x" * size)
    headers, body = answer_of(Compress(app), "/x", accept)
    assert b"content-encoding" not in headers
    assert body == b"x" * size


def test_a_lasting_file_is_compressed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[int] = []
    real = gzip.compress

    def counting(data: bytes, *args: Any, **more: Any) -> bytes:
        packed.append(len(data))
        return real(data, *args, **more)

    monkeypatch.setattr("dashboard.compress.gzip.compress", counting)
    app = Compress(texts(b"text/css", b"x" * 50_000), lasting=("/assets/",))
    first, second = answer_of(app, "/assets/a.css"), answer_of(app, "/assets/a.css")
    assert first == second
    assert packed == [50_000]
    answer_of(app, "/other/a.css")
    answer_of(app, "/other/a.css")
    assert packed == [50_000] * 3


def test_answers_of_the_api_are_compressed(shared: Running) -> None:
    assert shared.http.get("api/openapi.json").headers["content-encoding"] == "gzip"
    assert json.loads(shared.http.get("api/openapi.json").text)["info"]["title"] == "Meshline"


def test_an_answer_without_a_type_is_compressed_like_the_json_it_is() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 5_000})

    headers, body = answer_of(Compress(app), "/_dash-update-component")
    assert headers[b"content-encoding"] == b"gzip"
    assert gzip.decompress(body) == b"x" * 5_000


def test_an_idle_server_logs_the_batches_it_accepted(server: Running) -> None:
    assert server.send(run_event()).status_code == 201
    store = server.inside.live.store
    accepted = "SELECT count(*) FROM audit WHERE action = 'events.accept'"
    until(lambda: store.rows(accepted) == store.rows("SELECT count(*) FROM raw") != [(0,)])
