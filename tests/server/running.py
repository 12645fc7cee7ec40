"""A real server on a free port, in a thread of the test process or in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from dashboard.server import Server, create_app
from dashboard.serving import address_of, bind

PATIENCE = 60.0  # seconds until a test gives up waiting for a state; never how long it takes


@dataclass
class Running:
    """A server that answers at ``url``; ``inside`` is the object that serves."""

    url: str
    http: httpx.Client
    inside: Server

    def send(self, event: object, **headers: str) -> httpx.Response:
        """Post one event."""
        return self.http.post("api/v1/lineage", content=json.dumps(event), headers=json_type(headers))

    def health(self) -> dict[str, Any]:
        """The health object."""
        return self.http.get("health").json()

    def settled(self) -> None:
        """Wait until everything received is visible."""
        until(lambda: self.health()["projector"]["pending_events"] == 0)


def json_type(headers: dict[str, str]) -> dict[str, str]:
    return {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}


def run_event(number: int = 1, *, job: str = "load", state: str = "COMPLETE", **more: object) -> dict[str, Any]:
    """An event that is different for every number."""
    return {
        "eventType": state,
        "eventTime": f"2026-03-31T18:{number // 60 % 60:02}:{number % 60:02}Z",
        "run": {"runId": f"0190a1b2-3c4d-7e5f-8a9b-{number:012x}"},
        "job": {"namespace": "nightly", "name": job},
        "inputs": [{"namespace": "db", "name": "orders"}],
        "outputs": [{"namespace": "lake", "name": f"orders_{job}"}],
        "producer": "https://example.com/test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        **more,
    }


def until(ready: Callable[[], object]) -> None:
    """Wait for a state; an error when it never comes."""
    end = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not ready():
        assert time.monotonic() < end, "the awaited state never came"
        pause.wait(0.005)


@contextlib.contextmanager
def serving(database: Path, **options: Any) -> Iterator[Running]:
    """The application in a thread, stopped cleanly at the end."""
    guard = create_app(database, **options)
    base_path = guard.app.base_path  # type: ignore[attr-defined]
    started = threading.Event()

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started.set()

    with bind("127.0.0.1", 0) as sock:
        config = uvicorn.Config(
            guard,
            http="httptools",
            lifespan="on",
            log_level="critical",
            access_log=False,
            timeout_keep_alive=75,  # type: ignore[arg-type]
        )
        server = Announcing(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            assert started.wait(PATIENCE)
            url = address_of(sock, base_path)
            with httpx.Client(base_url=url, timeout=PATIENCE) as http:
                yield Running(url, http, guard.app)  # type: ignore[attr-defined]
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()


@contextlib.contextmanager
def process(*arguments: str, cwd: Path | None = None, preface: str = "") -> Iterator[subprocess.Popen[str]]:
    """``meshline`` with these arguments in a process of its own; killed at the end if it still runs."""
    code = f"{preface}\nfrom lineage.cli import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def address(child: subprocess.Popen[str]) -> str:
    """The address that a starting server prints."""
    assert child.stdout is not None
    for line in child.stdout:
        found = re.search(r"(http://\S+/) *$", line)
        if found:
            return found[1]
    raise AssertionError(f"the server did not start: {child.stderr.read() if child.stderr else ''}")
