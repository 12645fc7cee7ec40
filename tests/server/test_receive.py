"""``POST /api/v1/lineage`` and ``/batch``: what is answered, what is kept."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import httpx
import pytest
import zstandard

import ingest.live
import ingest.projection_loop
from ingest.archive import unpack
from ingest.live import LiveSettings
from lineage.store import Store
from tests.server.running import Running, json_type, run_event, serving, until


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server for claims that do not depend on what others sent."""
    with serving(tmp_path_factory.mktemp("shared") / "shared.duckdb") as running:
        yield running


def archived(store: Store) -> list[bytes]:
    """Every event of the archive in order of arrival."""
    return [event for (body,) in store.rows("SELECT body FROM raw ORDER BY block") for event in unpack(body)]


def test_an_acknowledged_event_is_on_disk_byte_for_byte(server: Running, database: Path, tmp_path: Path) -> None:
    body = json.dumps(run_event(1), indent=3).encode() + b"\n"
    answer = server.http.post("api/v1/lineage", content=body, headers=json_type({}))
    copy = tmp_path / "copy.duckdb"
    shutil.copyfile(database, copy)
    shutil.copyfile(f"{database}.wal", f"{copy}.wal")
    assert (answer.status_code, answer.content) == (201, b"")
    with Store.open(copy) as store:
        assert archived(store) == [body]


def test_an_event_is_visible_soon_after_its_acknowledgement(server: Running) -> None:
    assert server.send(run_event(1)).status_code == 201
    until(lambda: server.http.get("api/v2/search", params={"q": "orders_load"}).json())


def test_concurrent_posts_of_one_event_are_all_acknowledged_and_counted_once(server: Running) -> None:
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: server.send(run_event(7)).status_code, range(64)))
    server.settled()
    assert set(codes) == {201}
    assert server.inside.store.rows("SELECT count(*) FROM event") == [(1,)]


def test_many_requests_share_a_commit(server: Running) -> None:
    with ThreadPoolExecutor(32) as pool:
        with server.inside.live.paused():
            answers = [pool.submit(server.send, run_event(number)) for number in range(32)]
            until(lambda: server.health()["queue"]["events"] == 32)
        assert {answer.result().status_code for answer in answers} == {201}
    (blocks, events) = server.inside.store.rows("SELECT count(*), sum(n) FROM raw")[0]
    assert events == 32
    assert blocks <= 2  # what the committer held when it was stopped, and all the others


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.ZstdCompressor().compress)],
)
def test_compressed_bodies_are_kept_as_plain_events(shared: Running, encoding: str, pack: object) -> None:
    body = json.dumps(run_event(1)).encode()
    assert callable(pack)
    headers = json_type({"content_encoding": encoding})
    assert shared.http.post("api/v1/lineage", content=pack(body), headers=headers).status_code == 201
    assert archived(shared.inside.store)[-1] == body


def test_a_body_too_large_after_inflating_is_refused(database: Path) -> None:
    with serving(database, max_body=5_000) as server:
        event = run_event(1, padding="x" * 20_000)
        packed = gzip.compress(json.dumps(event).encode())
        assert len(packed) < 1_000
        inflated = server.http.post("api/v1/lineage", content=packed, headers=json_type({"content_encoding": "gzip"}))
        plain = server.send(event)
        chunked = server.http.post("api/v1/lineage", content=iter([b" " * 3_000] * 3), headers=json_type({}))
        assert [answer.status_code for answer in (inflated, plain, chunked)] == [413, 413, 413]
        assert "5,000 bytes" in inflated.json()["detail"]
        assert server.send(run_event(2)).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not-json"),
        (b"\x00\xff\xfe garbage", 400, "not-utf8"),
        (b'{"eventTime": "2026', 400, "not-json"),
        (b"[" * 100_000, 422, "not-an-event"),
        (b'{"job":' * 100_000, 400, "not-json"),
        (b'"text"', 422, "not-an-event"),
        (b'{"hello": "world"}', 422, "not-an-event"),
        (b'{"eventTime": "2026-01-01T00:00:00Z"}', 422, "no-job"),
        (b'{"eventTime": "soon", "job": {"namespace": "n", "name": "j"}}', 422, "bad-time"),
    ],
)
def test_unusable_input_is_refused_with_a_reason(shared: Running, body: bytes, status: int, code: str) -> None:
    answer = shared.http.post("api/v1/lineage", content=body, headers=json_type({}))
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.json()["detail"]
    assert shared.send(run_event(1)).status_code == 201


def test_what_was_meant_as_an_event_is_quarantined_before_the_refusal(server: Running) -> None:
    server.http.post("api/v1/lineage", content=b'{"eventTime": "soon"', headers=json_type({}))
    server.send({"eventTime": "soon", "job": {"namespace": "n", "name": "j"}})
    server.send({"hello": "world"})
    assert server.inside.store.rows("SELECT reason, source FROM quarantine ORDER BY reason") == [
        ("bad-time", "http"),
        ("not-json", "http"),
    ]
    assert archived(server.inside.store) == []


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"content-type": "text/plain"}, "application/json"),
        ({"content-type": "application/x-www-form-urlencoded"}, "-H 'Content-Type: application/json'"),
        ({"content-type": "application/json; charset=utf-16"}, "UTF-8"),
        ({"content-type": "application/json", "content-encoding": "br"}, "gzip"),
    ],
)
def test_another_type_is_refused_with_the_one_to_use(shared: Running, headers: dict[str, str], word: str) -> None:
    answer = shared.http.post("api/v1/lineage", content=json.dumps(run_event(1)), headers=headers)
    assert answer.status_code == 415
    assert word in answer.json()["detail"]


@pytest.mark.parametrize("root", ["", "meshline/"])
def test_a_slash_at_the_end_of_the_path_changes_nothing(database: Path, root: str) -> None:
    with serving(database, base_path=f"/{root}") as server:
        one = server.http.post("api/v1/lineage/", json=run_event(1))
        assert (one.status_code, one.content) == (201, b"")
        many = server.http.post("api/v1/lineage/batch/", json=[run_event(2), run_event(3)])
        assert (many.status_code, many.json()["summary"]["successful"]) == (200, 2)
        assert len(archived(server.inside.store)) == 3
        assert server.http.post("api/v1/lineage//", json=run_event(4)).status_code in (404, 405)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.openlineage+json", None])
def test_usual_types_are_taken(shared: Running, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = shared.http.post("api/v1/lineage", content=json.dumps(run_event(1)).encode(), headers=headers)
    assert answer.status_code == 201


def test_a_batch_says_which_events_failed_and_why(server: Running) -> None:
    batch = [run_event(1), {"hello": "world"}, run_event(2), {"eventTime": "soon", "job": {"name": "j"}}]
    answer = server.http.post("api/v1/lineage/batch", json=batch)
    status = answer.json()
    assert answer.status_code == 200
    assert status["status"] == "partial_success"
    assert status["summary"] == {
        "received": 4,
        "successful": 2,
        "failed": 2,
        "retriable": 0,
        "non_retriable": 2,
    }
    assert [(item["index"], item["retriable"]) for item in status["failed_events"]] == [(1, False), (3, False)]
    assert "bad-time" in status["failed_events"][1]["reason"]
    assert len(archived(server.inside.store)) == 2
    assert server.inside.store.rows("SELECT line, reason FROM quarantine") == [(3, "bad-time")]


def test_a_batch_without_faults_is_a_success(server: Running) -> None:
    status = server.http.post("api/v1/lineage/batch", json=[run_event(n) for n in range(300)]).json()
    assert (status["status"], status["summary"]["successful"], status["failed_events"]) == ("success", 300, [])
    server.settled()
    assert server.inside.store.rows("SELECT count(*) FROM event") == [(300,)]


def test_an_empty_batch_is_a_success(shared: Running) -> None:
    assert shared.http.post("api/v1/lineage/batch", json=[]).json()["summary"]["received"] == 0


@pytest.mark.parametrize("body", [b"{}", b"", b"[1, 2", b"[" * 100_000])
def test_a_batch_that_is_no_array_is_refused(shared: Running, body: bytes) -> None:
    answer = shared.http.post("api/v1/lineage/batch", content=body, headers=json_type({}))
    assert (answer.status_code, answer.json()["error"]) == (400, "not-an-array")


def test_a_full_queue_answers_come_back_later_and_loses_nothing(database: Path) -> None:
    with (
        serving(database, live=LiveSettings(queue_events=3)) as server,
        ThreadPoolExecutor(8) as pool,
        httpx.Client(base_url=server.url) as client,
    ):
        with server.inside.live.paused():
            waiting = [pool.submit(server.send, run_event(number)) for number in range(3)]
            until(lambda: server.health()["queue"] == {"events": 3, "limit": 3})
            refused = client.post("api/v1/lineage", json=run_event(3))
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["error"] == "queue-full"
        assert {answer.result().status_code for answer in waiting} == {201}
        assert len(archived(server.inside.store)) == 3


def test_a_store_that_refuses_is_told_without_names_of_files_and_recovers(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise duckdb.IOException('Could not write file "/secret/place/db.wal": No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr(ingest.live, "append_block", full)
        refused = server.send(run_event(1))
        ailing = server.http.get("health")
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["error"] == "store-refused"
    assert "secret" not in refused.text + ailing.text
    assert (ailing.status_code, ailing.json()["status"]) == (503, "failing")
    assert server.send(run_event(1)).status_code == 201
    assert server.http.get("health").status_code == 200
    assert len(archived(server.inside.store)) == 1


def test_a_client_that_leaves_in_the_middle_harms_nobody(server: Running) -> None:
    host, port = server.url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(
            b"POST /api/v1/lineage HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\n\r\n{"
        )
    assert server.send(run_event(1)).status_code == 201
    assert len(archived(server.inside.store)) == 1


def test_shutdown_answers_everyone_and_projects_everything(database: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        with serving(database) as server:
            answers = [pool.submit(server.send, run_event(number)) for number in range(50)]
            codes = [answer.result().status_code for answer in answers]
        assert codes == [201] * 50
    with Store.open(database) as store:
        assert len(archived(store)) == 50
        assert store.rows("SELECT count(*) FROM event") == [(50,)]
    assert not Path(f"{database}.wal").exists()


def test_what_was_archived_before_a_crash_is_projected_at_the_start(database: Path) -> None:
    with serving(database) as server:
        server.inside.live.projector._project = lambda: 0  # archived, never projected
        assert server.send(run_event(1)).status_code == 201
    with Store.open(database) as store:
        assert store.rows("SELECT count(*) FROM event") == [(0,)]
    with serving(database) as server:
        until(lambda: server.inside.store.rows("SELECT count(*) FROM event") == [(1,)])


def test_a_failing_projection_is_told_and_tried_again(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    working = server.inside.live.projector._project
    failed = threading.Event()

    def broken() -> int:
        failed.set()
        raise RuntimeError("a defect at /secret/place")

    monkeypatch.setattr(ingest.projection_loop, "_BACKOFF", (0.01, 0.05))
    with monkeypatch.context() as patch:
        patch.setattr(server.inside.live.projector, "_project", broken)
        assert server.send(run_event(1)).status_code == 201
        until(failed.is_set)
        until(lambda: server.health()["status"] == "degraded")
        assert "secret" not in server.http.get("health").text
        assert server.http.get("health").json()["projector"]["pending_events"] == 1
    assert server.inside.live.projector._project == working
    server.settled()
    assert server.health()["status"] == "ok"
