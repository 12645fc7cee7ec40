"""What a durable POST costs, against a POST that does nothing on the same server.

    python benchmarks/serve.py [--seconds 5] [--connections 64]

Each row runs a server of its own (uvicorn with httptools, one process, loopback) and sends it events of about 6 kB,
all different, over keep-alive connections. CPU is that of the server process. "x no-op" compares CPU per request,
"x single" the rate with that of one event a commit. Rates on a busy machine are lower bounds; the ratios hold.

With ``wrk`` (a package of the same name) the client takes a tenth of the server's time; without it a loop in Python
sends the same, and the two share the processors.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # beside this program stands one that is called like a package

ALONE = "one event a transaction, no server"
NEVER = 1e9  # seconds between two projections
ROWS: dict[str, dict[str, Any]] = {
    "no-op": {},
    "one event a commit": {"commit_events": 1, "project_every": NEVER},
    "group commit": {"project_every": NEVER},
    "group commit, projected": {},
}


@dataclass
class Measured:
    """One row: requests a second, CPU of server and client per request and latencies, both in milliseconds."""

    rate: float
    cpu: float
    client: float
    median: float
    p99: float


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--server", nargs=2, metavar=("ROW", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.server:
        serve(*given.server)
        return
    results = {ALONE: alone(given.seconds)}
    for row in ROWS:
        with server(row) as port:
            load(port, row, 1.0, given.connections, 0)  # warm up: imports, first plan, caches
            results[row] = load(port, row, given.seconds, given.connections, 1_000_000)
    print(f"{given.connections} connections, {len(event(0)):,} bytes an event, {os.cpu_count()} cores\n")
    print("| handler | req/s | x single | CPU ms/req | x no-op | median ms | p99 ms | client's CPU ms/req |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    single, noop = results["one event a commit"].rate, results["no-op"].cpu
    for row, got in results.items():
        print(
            f"| {row} | {got.rate:,.0f} | {got.rate / single:.1f} | {got.cpu:.3f} | {got.cpu / noop:.1f} "
            f"| {got.median:.1f} | {got.p99:.1f} | {got.client:.3f} |"
        )
    most = results["no-op"].rate
    print(
        f"\nNo row can be faster than the no-op, which this client and machine drive at {most:,.0f} requests a second."
    )


# -- server


def serve(row: str, folder: str) -> None:
    """Serve a new database in this folder on a free port and print the port."""
    import uvicorn

    from dashboard.server import create_app
    from dashboard.serving import bind, configured, favour_the_loop
    from ingest.live import LiveSettings

    with bind("127.0.0.1", 0) as sock:
        app = create_app(Path(folder) / "bench.duckdb", live=LiveSettings(**ROWS[row]))

        async def outer(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http" or scope["path"] not in ("/noop", "/cpu"):
                await app(scope, receive, send)
                return
            while (await receive()).get("more_body"):
                pass
            body = repr(time.process_time()).encode() if scope["path"] == "/cpu" else b""
            headers = [(b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 201, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        print(sock.getsockname()[1], flush=True)
        favour_the_loop()
        uvicorn.Server(configured(outer)).run([sock])


@contextmanager
def server(row: str) -> Iterator[int]:
    """A server for one row; its port."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--server", row, folder]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        try:
            yield int(child.stdout.readline())
        finally:
            child.kill()  # a clean stop would first make every event visible
            child.wait(60)


# -- client


def load(port: int, row: str, seconds: float, connections: int, first: int) -> Measured:
    """Send from all connections for some seconds, with the client that costs least."""
    send = by_wrk if shutil.which("wrk") else by_loop
    return send(port, "/noop" if row == "no-op" else "/api/v1/lineage", seconds, connections, first)


def by_wrk(port: int, target: str, seconds: float, connections: int, first: int) -> Measured:
    """``wrk``: one thread in C, which puts the number of the run and of the job and the time into the event."""
    with tempfile.TemporaryDirectory() as folder:
        script, body = Path(folder) / "send.lua", Path(folder) / "event.json"
        body.write_bytes(_TEMPLATE)
        script.write_text(_LUA % (str(body), first, target))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "-s", str(script)]
        before, own = cpu(port), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([*command, f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True)
        used, after = cpu(port) - before, resource.getrusage(resource.RUSAGE_CHILDREN)
    told = done.stdout
    assert "Non-2xx" not in told and "Socket errors" not in told, told
    count = int(re.findall(r"(\d+) requests in", told)[0])
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", told)[0])
    median, p99 = (_milliseconds(re.findall(rf"{part}%\s+([\d.]+)(\w+)", told)[0]) for part in (50, 99))
    client = after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
    return Measured(rate, used / count * 1000, client / count * 1000, median, p99)


_LUA = """
local file = io.open("%s", "rb")
local template = file:read("*a")
file:close()
local pieces, marks, from = {}, {}, 1
for start, mark, stop in template:gmatch("()(@%%u%%u%%u)()") do
  pieces[#pieces + 1] = template:sub(from, start - 1)
  marks[#marks + 1] = mark
  from = stop
end
pieces[#pieces + 1] = template:sub(from)
local number = %d
local head = {["Content-Type"] = "application/json"}
function request()
  number = number + 1
  local values = {
    ["@RUN"] = string.format("%%012x", number),
    ["@JOB"] = string.format("%%03d", number %% 500),
    ["@TIM"] = string.format(
      "%%02d:%%02d.%%03d", math.floor(number / 60000) %% 60, math.floor(number / 1000) %% 60, number %% 1000),
  }
  local parts = {}
  for i, mark in ipairs(marks) do
    parts[#parts + 1] = pieces[i]
    parts[#parts + 1] = values[mark]
  end
  parts[#parts + 1] = pieces[#pieces]
  return wrk.format("POST", "%s", head, table.concat(parts))
end
"""


def _milliseconds(told: tuple[str, str]) -> float:
    return float(told[0]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[told[1]]


def by_loop(port: int, target: str, seconds: float, connections: int, first: int) -> Measured:
    """Send from all connections for some seconds: request, answer, request … on each.

    One loop over plain sockets, since what the client takes of the processors the server does not get.
    """
    head = f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ".encode()
    numbers = iter(range(first, first + 10_000_000))
    latencies: list[float] = []
    with selectors.DefaultSelector() as ready:

        def send(sock: socket.socket) -> None:
            body = event(next(numbers))
            sent[sock] = time.perf_counter()
            sock.sendall(b"%b%d\r\n\r\n%b" % (head, len(body), body))

        sent: dict[socket.socket, float] = {}
        socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        before, own = cpu(port), time.process_time()
        began = time.perf_counter()
        for sock in socks:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(sock, selectors.EVENT_READ)
            send(sock)
        while sent:
            for key, _ in ready.select():
                sock = key.fileobj  # type: ignore[assignment]
                answer = sock.recv(65536)
                assert b" 201 " in answer.partition(b"\r\n")[0], answer
                latencies.append(time.perf_counter() - sent.pop(sock))
                if time.perf_counter() < began + seconds:
                    send(sock)
        took, own = time.perf_counter() - began, time.process_time() - own
        used = cpu(port) - before
        for sock in socks:
            sock.close()
    latencies.sort()
    count = len(latencies)
    return Measured(
        count / took,
        used / count * 1000,
        own / count * 1000,
        latencies[count // 2] * 1000,
        latencies[count * 99 // 100] * 1000,
    )


def alone(seconds: float) -> Measured:
    """One transaction an event without a server: what the store and this disk give one thread."""
    from ingest.archive import append_block
    from lineage.store import Store
    from lineage.times import utcnow

    latencies: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Path(folder) / "alone.duckdb") as store,
        store.cursor() as cursor,
    ):
        before, began = time.process_time(), time.perf_counter()
        while (at := time.perf_counter()) < began + seconds:
            append_block(cursor, len(latencies) + 1, [event(len(latencies))], utcnow(), "benchmark")
            latencies.append(time.perf_counter() - at)
        took, used = time.perf_counter() - began, time.process_time() - before
    latencies.sort()
    count = len(latencies)
    middle, worst = latencies[count // 2] * 1000, latencies[count * 99 // 100] * 1000
    return Measured(count / took, used / count * 1000, 0.0, middle, worst)


def cpu(port: int) -> float:
    """CPU seconds of the server so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/cpu") as answer:
        return float(answer.read())


def event(number: int) -> bytes:
    """One of 500 jobs completes a run, a millisecond after the one before; with schema and column lineage."""
    marks = {b"@RUN": b"%012x" % number, b"@JOB": b"%03d" % (number % 500), b"@TIM": _time(number).encode()}
    whole = _TEMPLATE
    for mark, value in marks.items():
        whole = whole.replace(mark, value)
    return whole


def _time(number: int) -> str:
    """Minute and second after 18:00, up to an hour."""
    return f"{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}"


def _template() -> bytes:
    columns = [{"name": f"column_{i}", "type": "VARCHAR", "description": "what it holds"} for i in range(28)]
    source = {"namespace": "postgres://db:5432", "name": "shop.public.source_@JOB"}
    lineage = {
        column["name"]: {"inputFields": [{**source, "field": column["name"]}], "transformationType": "IDENTITY"}
        for column in columns[:14]
    }
    common = {"_producer": "https://example.com/bench", "_schemaURL": "https://openlineage.io/spec/facets/1-0-0/x.json"}
    schema = {"schema": {**common, "fields": columns}}
    whole = {
        "eventType": "COMPLETE",
        "eventTime": "2026-03-31T18:@TIMZ",
        "run": {"runId": "0190a1b2-3c4d-7e5f-8a9b-@RUN", "facets": {}},
        "job": {"namespace": "bench", "name": "job_@JOB", "facets": {}},
        "inputs": [{**source, "facets": schema}],
        "outputs": [
            {
                "namespace": "s3://lake",
                "name": "target_@JOB",
                "facets": {**schema, "columnLineage": {**common, "fields": lineage}},
            }
        ],
        "producer": "https://example.com/bench",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }
    return json.dumps(whole, separators=(",", ":")).encode()


_TEMPLATE = _template()

if __name__ == "__main__":
    main()
