"""``meshline serve`` and ``meshline demo`` as processes of their own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboard.commands import _told_of_new
from dashboard.demo import BANNER, make_room, sample_size
from ingest.archive import unpack
from lineage import cli
from lineage.errors import MeshlineError
from lineage.store import Store
from lineage.store.store import server_note
from lineage.times import utcnow
from tests.server.running import PATIENCE, address, process, run_event, serving, until


def meshline(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    code = "from lineage.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=PATIENCE,
        env={name: text for name, text in os.environ.items() if name != "MESHLINE_DB"},
    )


# -- serve


def test_serve_on_every_address_says_to_whom_and_stops_cleanly_at_sigterm(database: Path) -> None:
    options = ["--host", "0.0.0.0", "--port", "0", "--log-format", "json"]
    with process("serve", "--db", str(database), *options) as child:
        local = f"http://127.0.0.1:{address(child).rstrip('/').rpartition(':')[2]}"
        assert httpx.get(f"{local}/health", headers={"host": "some.name"}).status_code == 200
        assert httpx.post(f"{local}/api/v1/lineage", json=run_event(1)).status_code == 201
        errors = stopped(child, signal.SIGTERM, database)
    assert "no passwords" in errors
    (new,) = [line for line in errors.splitlines() if "a new, empty database was made" in line]
    assert "meshline ingest PATH --server http://" in json.loads(new)["message"]
    assert all(json.loads(line)["level"] for line in errors.splitlines() if "no passwords" not in line)


def stopped(child: subprocess.Popen[str], way_out: signal.Signals, database: Path) -> str:
    """End a server that was sent one event; what it wrote as errors."""
    child.send_signal(way_out)
    rest, errors = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0
    assert "written" in rest
    assert "Traceback" not in errors
    assert not server_note(database).exists()
    with Store.open(database) as store:
        assert store.rows("SELECT count(*) FROM event") == [(1,)]
    return errors


def test_who_serves_an_empty_database_beside_the_sample_learns_where_the_sample_is(tmp_path: Path) -> None:
    sample = tmp_path / "meshline-demo.duckdb"
    assert "sample" not in _told_of_new(tmp_path / "meshline.duckdb", "http://here/")
    sample.touch()
    assert f"serve --db {sample}" in _told_of_new(tmp_path / "meshline.duckdb", "http://here/")


def test_a_port_in_use_is_one_line_that_names_the_option(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = meshline("serve", "--db", str(database), "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "--port" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not database.exists()


@pytest.mark.parametrize("host", ["nowhere.invalid", "203.0.113.7"])
def test_an_address_of_another_machine_is_one_line(database: Path, host: str) -> None:
    ended = meshline("serve", "--db", str(database), "--host", host, "--port", "0")
    assert ended.returncode == 1
    assert "--host" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_database_that_a_server_holds_names_the_server_and_can_be_copied_until_sigint(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open(database):
        pass
    with process("serve", "--db", str(database), "--port", "0") as child:
        url = address(child).rstrip("/")
        assert json.loads(server_note(database).read_text()) == {"pid": child.pid, "url": url}
        assert httpx.get(f"{url}/health", headers={"host": "some.name"}).status_code == 403
        assert httpx.post(f"{url}/api/v1/lineage", json=run_event(1)).status_code == 201
        for refused in (["serve", "--db", str(database), "--port", "0"], ["doctor", "--db", str(database)]):
            assert cli.run(refused) != 0
            told = capsys.readouterr().err
            assert url in told
            assert len(told.splitlines()) == 1
        assert cli.run(["snapshot", str(tmp_path / "copy.duckdb"), "--server", url]) == 0
        errors = stopped(child, signal.SIGINT, database)
    assert "no passwords" not in errors
    assert "empty database" not in errors
    with Store.open(tmp_path / "copy.duckdb", read_only=True) as store:
        assert [unpack(body)[0] for (body,) in store.rows("SELECT body FROM raw")]


# -- durability


class Producer(threading.Thread):
    """Sends events until the server dies and remembers which were acknowledged."""

    def __init__(self, url: str, first: int, enough: threading.Semaphore) -> None:
        super().__init__()
        self.url, self.first, self.enough = url, first, enough
        self.acknowledged: list[str] = []

    def run(self) -> None:
        with httpx.Client() as client:
            number = self.first
            while True:
                event = run_event(number)
                try:
                    answer = client.post(f"{self.url}api/v1/lineage", json=event)
                except httpx.HTTPError:
                    return
                if answer.status_code == 201:
                    self.acknowledged.append(event["run"]["runId"])
                    self.enough.release()
                number += 1


def kill(database: Path, round_: int) -> set[str]:
    """Start a server, send from five sides, kill it; the runs it acknowledged."""
    enough = threading.Semaphore(0)
    with process("serve", "--db", str(database), "--port", "0") as child:
        url = address(child)
        producers = [Producer(url, 100_000 * round_ + 10_000 * i, enough) for i in range(5)]
        for producer in producers:
            producer.start()
        for _ in range(random.Random(round_).randint(5, 60)):
            assert enough.acquire(timeout=PATIENCE)
        child.send_signal(signal.SIGKILL)
        for producer in producers:
            producer.join(PATIENCE)
    return {run for producer in producers for run in producer.acknowledged}


def test_no_acknowledged_event_is_lost_when_the_server_is_killed(database: Path) -> None:
    first = kill(database, 1)
    acknowledged = first | kill(database, 2)  # it starts on what the first kill left
    assert first
    with Store.open(database) as store:
        events: list[dict[str, Any]] = [
            json.loads(event) for (body,) in store.rows("SELECT body FROM raw") for event in unpack(body)
        ]
    kept = {event["run"]["runId"] for event in events}
    assert acknowledged - kept == set()
    with serving(database) as server:  # none of them half applied, and a restart makes all of them visible
        until(lambda: server.inside.store.rows("SELECT count(DISTINCT run) FROM event") == [(len(kept),)])


FULL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, 2_500_000))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a POSIX thing")
def test_a_full_disk_is_refused_and_what_was_acknowledged_stays(database: Path) -> None:
    def noise(number: int) -> dict[str, Any]:
        return run_event(number, noise=random.Random(number).randbytes(200_000).hex())

    with process("serve", "--db", str(database), "--port", "0", preface=FULL_DISK) as child:
        url = address(child)
        with httpx.Client(timeout=PATIENCE) as client, ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda number: client.post(f"{url}api/v1/lineage", json=noise(number)), range(24)))
            while answers[-1].status_code == 201:  # one alone may find room where several together did not
                answers.append(client.post(f"{url}api/v1/lineage", json=noise(len(answers))))
            alive = client.get(f"{url}health")
        child.send_signal(signal.SIGKILL)
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {201, 503}
    assert "served" not in next(answer.text for answer in answers if answer.status_code == 503)
    assert alive.json()["status"] in ("failing", "degraded")
    with Store.open(database) as store:
        kept = sum(n for (n,) in store.rows("SELECT n FROM raw"))
    assert kept >= codes.count(201)


# -- demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[Any]]:
    """A folder in which ``meshline demo`` served for a while; its first page, and what a search found."""
    folder = tmp_path_factory.mktemp("demo")
    with process("demo", "--port", "0", cwd=folder) as child:
        url = address(child)
        layout = httpx.get(f"{url}_dash-layout").text
        found = httpx.get(f"{url}api/v2/search", params={"q": "orders"}).json()
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE)
    assert child.returncode == 0
    return folder, layout, found


def test_demo_serves_the_sample_under_a_banner_that_says_so(demo: tuple[Path, str, list[Any]]) -> None:
    folder, layout, found = demo
    assert [file.name for file in folder.iterdir()] == ["meshline-demo.duckdb"]
    assert "Sample data" in layout
    assert found


def test_demo_loads_everything_with_both_clocks(demo: tuple[Path, str, list[Any]]) -> None:
    with Store.open(demo[0] / "meshline-demo.duckdb", read_only=True) as store:
        assert store.rows("SELECT count(*) FROM event") == [(sample_size(),)]
        assert store.rows("SELECT count(*) FROM quarantine") == [(0,)]
        assert store.rows("SELECT count(DISTINCT name) FROM domain")[0][0] == 6
        (receipts,) = store.rows("SELECT count(DISTINCT received_at) FROM event")[0]
        (late,) = store.rows("SELECT count(*) FROM event WHERE received_at > event_time + INTERVAL 3 DAY")[0]
    assert receipts > 90  # one or more a day: the second clock has something to show
    assert late > 0


def test_demo_moves_the_sample_to_end_in_the_week_before_now(demo: tuple[Path, str, list[Any]]) -> None:
    now = utcnow()
    with Store.open(demo[0] / "meshline-demo.duckdb", read_only=True) as store:
        (newest, received) = store.rows("SELECT max(event_time), max(received_at) FROM event")[0]
    assert now - timedelta(days=8) < newest <= received <= now


def test_demo_replaces_its_own_database_only(tmp_path: Path) -> None:
    mine, sample = tmp_path / "company.duckdb", tmp_path / "sample.duckdb"
    with Store.open(mine):
        pass
    with pytest.raises(MeshlineError, match="no sample data"):
        make_room(mine)
    assert mine.exists()
    with Store.open(sample) as store, store.transaction() as cursor:
        store.set_meta(cursor, BANNER, "Sample data")
    assert make_room(sample)
    assert not sample.exists()
    assert not make_room(sample)
