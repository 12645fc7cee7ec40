"""A real server and a real browser. Each test gets a page of its own, without memory of others, that must stay clean.

Clean means: no request leaves this machine, no error on the console, no uncaught exception, no breach of the
Content-Security-Policy (the browser reports one as a console error).
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page, Playwright, Request, expect, sync_playwright

from dashboard.app import create_dash
from lineage.engine import Lineage
from lineage.store import Store
from tests.browser.fake import FakeLineage

expect.set_options(timeout=30_000)  # a busy machine with two cores still gets there
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--no-opt",  # pages of a test live for seconds: code that runs so short is not worth optimising
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # nothing leaves this machine, whoever asks
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser, which two busy cores may starve: it is tried once more, and told."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))


class Server:
    """An ASGI application on a free port, in a thread."""

    def __init__(self, app: Any, port: int = 0) -> None:
        self.jobs = app.state.jobs if isinstance(app, FastAPI) else None  # nobody else closes them here
        self.socket = socket.socket()
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # a port whose last server has stopped is free
        self.socket.bind(("127.0.0.1", port))
        self.port = int(self.socket.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            self.thread.join(0.02)
        assert self.server.started, "the server did not start"

    def stop(self) -> None:
        """End the server and wait for it; the files of its jobs go."""
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()
        if self.jobs is not None:
            self.jobs.close()


class Served:
    """Servers of this session. A port is used again: the browser keeps what it compiled by address."""

    def __init__(self) -> None:
        self.running: list[Server] = []
        self.free: list[int] = []

    def start(self, lx: Any, base_path: str = "/", banner: str | None = None) -> str:
        """Serve an engine; gives the address."""
        app = create_dash(lx, FastAPI(), base_path=base_path, banner=banner)
        self.running.append(Server(app.server, self.free.pop() if self.free else 0))
        return self.running[-1].url

    def stop(self, after: int) -> None:
        """End all servers but the first ``after``."""
        while len(self.running) > after:
            server = self.running.pop()
            self.free.append(server.port)
            server.stop()


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    servers = Served()
    yield servers
    servers.stop(0)


@pytest.fixture(scope="module")
def serve(served: Served, retail: str, demo_url: str) -> Iterator[Callable[..., str]]:
    """Serve an engine; gives the address. What a test serves ends with it, what a fixture serves with the module."""
    before = len(served.running)
    yield served.start
    served.stop(before)


@pytest.fixture(scope="session")
def retail(served: Served) -> str:
    """Address of a dashboard over the invented retail mesh."""
    return served.start(FakeLineage.retail(), banner="Sample data")


@pytest.fixture(scope="session")
def demo(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineage]:
    """The sample company as ``meshline demo`` loads it, for all files of this folder; tests only read it."""
    copy = tmp_path_factory.mktemp("demo") / "demo.duckdb"
    shutil.copyfile(demo_file, copy)
    with Store.open(copy) as store:
        yield Lineage(store)


@pytest.fixture(scope="session")
def demo_url(served: Served, demo: Lineage) -> str:
    """Address of a dashboard over the sample company."""
    return served.start(demo, banner="Sample data")


@pytest.fixture
def empty() -> Iterator[Lineage]:
    """An empty store. A test takes it before its page, so that no question is on its way when it is closed."""
    with Store.open(":memory:") as store:
        yield Lineage(store)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright, for the tests of this folder only: while it lives, no other test may run an event loop."""
    with sync_playwright() as started:
        yield started


def chromium() -> str:
    """Path of Debian's Chromium, if it is there without windows. Without any tests are skipped, but on CI they fail."""
    found = map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))
    path = os.environ.get("CHROMIUM") or next(filter(None, found), None)
    if path is None:
        reason = "no Chromium found: apt-get install chromium, or set CHROMIUM"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path


class Guarded:
    """Collects everything that must not happen while one test runs in the shared context."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.problems: list[str] = []
        self.allowed: list[str] = []  # parts of messages that a test expects

    def request(self, request: Request) -> None:
        """Name a request that leaves this machine; the browser finds no address for it either."""
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.problems.append(f"external request: {request.url}")

    def watch(self, page: Page) -> None:
        """Listen to one page."""
        page.on("console", lambda m: self.problems.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))

    def left(self) -> list[str]:
        """Problems that no test expected."""
        return [p for p in self.problems if not any(part in p for part in self.allowed)]


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile on disk: only there Chromium keeps what it compiled of the scripts."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="package")
def context(playwright: Playwright, profile: Path) -> Iterator[BrowserContext]:
    """One context for all tests between which no others run."""
    opened = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=chromium(),
        args=ARGS,
        viewport={"width": 1440, "height": 900},
        reduced_motion="reduce",
    )
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


@pytest.fixture
def guard(context: BrowserContext, served: Served) -> Iterator[Guarded]:
    servers = len(served.running)
    guarded = Guarded(context)
    context.on("request", guarded.request)
    context.on("page", guarded.watch)
    yield guarded
    for page in context.pages:
        if page.url.startswith("http://127.0.0.1:"):
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        page.close()
    context.clear_cookies()
    context.clear_permissions()
    context.remove_listener("request", guarded.request)
    context.remove_listener("page", guarded.watch)
    served.stop(servers)
    assert guarded.left() == []


@pytest.fixture
def page(guard: Guarded) -> Page:
    """A page like that of somebody who was never here, guarded."""
    return guard.context.new_page()
