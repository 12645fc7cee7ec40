"""One process, one ASGI application: guard → event receiver | JSON API | pages.

``POST /api/v1/lineage`` and its batch form go to the raw handler of ``ingest``, everything else under ``/api``,
``/health`` and ``/metrics`` to FastAPI, the rest to Dash, whose requests run in threads. All parts share one store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.background import BackgroundTask

from dashboard.apidocs import add_docs
from dashboard.compress import Compress
from dashboard.guard import App, Guard, Message, Receive, Scope, Send, secured
from dashboard.noting import Noting
from dashboard.offload import Offload
from dashboard.scratch import Scratch
from dashboard.warming import Warming
from ingest.feeds import Feeds
from ingest.live import LiveIngest, LiveSettings
from ingest.metrics import CONTENT_TYPE
from ingest.sources.http import MAX_BODY, ROUTES, LineageReceiver
from lineage import __version__
from lineage.api import build_router
from lineage.api.errors import as_json
from lineage.api.invalid import explain_invalid
from lineage.api.strict import STRICT
from lineage.errors import MeshlineError, StoreError
from lineage.policies.turns import EVERY, GovernanceLoop
from lineage.store import Store

if TYPE_CHECKING:
    from lineage.engine import Lineage

log = logging.getLogger("meshline.server")

_LASTING = ("/_dash-component-suites/", "/assets/", "/api/docs-files/")  # addresses change with their files


def create_app(
    store_path: str | Path | Store,
    *,
    base_path: str = "/",
    banner: str | None = None,
    allowed_hosts: Collection[str] | None = (),
    max_body: int = MAX_BODY,
    live: LiveSettings | None = None,
    follow: Collection[Path] = (),
    consume: Collection[str] = (),
    check_every: timedelta | None = EVERY,
) -> Guard:
    """The whole server as one ASGI application.

    Parameters
    ----------
    store_path
        the database file (created when missing), or an open store. It is opened at once, so that a locked or damaged
        file is an error here; it is closed when the application shuts down.
    base_path
        path under which a proxy shows it, for instance ``/meshline/``; requests are served with and without it.
    banner
        one line shown on top of every page.
    allowed_hosts
        names besides loopback ones that requests may be addressed to; ``None`` admits all.
    max_body
        most bytes of a request body after inflating.
    live
        bounds of the write queue.
    follow, consume
        folders and topics (``kafka://host:port/topic``) that the server reads by itself.
    check_every
        time between two runs of all policies that were applied; ``None``: they do not run by themselves.

    Raises
    ------
    StoreError
        when the database cannot be opened.
    """
    store = store_path if isinstance(store_path, Store) else Store.open(store_path)
    try:
        return Guard(
            Server(store, base(base_path), banner, max_body, live, (follow, consume), check_every), allowed_hosts
        )
    except BaseException:
        store.close()
        raise


def base(path: str) -> str:
    """A base path with one slash on either side.

    >>> base("meshline"), base("/a/b/"), base("/")
    ('/meshline/', '/a/b/', '/')
    """
    inner = path.strip("/")
    return f"/{inner}/" if inner else "/"


class Server:
    """The switch behind the guard, and the life of everything that runs."""

    def __init__(
        self,
        store: Store,
        base_path: str,
        banner: str | None,
        max_body: int,
        settings: LiveSettings | None,
        feeds: tuple[Collection[Path], Collection[str]] = ((), ()),
        check_every: timedelta | None = EVERY,
    ) -> None:
        import lineage
        from dashboard.app import create_dash

        self.store = store
        self.base_path = base_path
        self.live = LiveIngest(store, settings)
        self.feeds = Feeds(self.live, *feeds)
        self.receiver = LineageReceiver(self.live, max_body=max_body)
        self.lineage: Lineage = lineage.open(store)
        self.live.around = self.lineage.following
        self.governance = GovernanceLoop(self.lineage, check_every)
        self._pages = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self._pages.state.live = self.live  # for acts that must not write beside it
        create_dash(self.lineage, self._pages, base_path=base_path, banner=banner)
        self._offload = Offload(self._pages)
        self.warming = self._pages.state.warming = Warming.of(self.lineage, lambda: self._offload.busy)
        self.api = Compress(Noting(build_api(self.lineage, self.live)), _LASTING)
        self.files = Compress(self._pages, _LASTING)
        self.callbacks = Compress(self._offload)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send one request to where it belongs."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        path = self._inner(scope["path"])
        if path in ROUTES and scope["type"] == "http" and scope["method"] == "POST":
            await self.receiver(scope, receive, send, batch=ROUTES[path])
            return
        if scope["type"] == "http":
            send = secured(send)
        if path.startswith("/api/") or path in ("/health", "/metrics"):
            root = self.base_path.rstrip("/")
            await self.api({**scope, "root_path": root, "path": root + path}, receive, send)
            return
        scope = {**scope, "path": self.base_path + path[1:]}
        thinks = "/_dash-" in path and "/_dash-component-suites/" not in path
        app = self.callbacks if thinks and scope["type"] == "http" else self.files
        await app(scope, receive, send)

    def leave(self) -> None:
        """Open pages are told that nothing will come any more; requests of producers go on."""
        self.warming.stop(0.0)
        self._offload.leave()

    def _inner(self, path: str) -> str:
        """A path as seen from inside, whether a proxy cut the base path off or not."""
        root = self.base_path[:-1]
        if root and path.startswith(self.base_path):
            return path[len(root) :]
        return "/" if root and path == root else path

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        async with contextlib.AsyncExitStack() as stack:
            await receive()
            try:
                stack.push_async_callback(self._stop)
                await stack.enter_async_context(_running(self._pages))
                self.feeds.start()
                self.governance.start()
                self.warming.start()
                self.live.start()  # last: what a killed server left over is projected while this one serves already
            except Exception as error:
                log.exception("The server cannot start")
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _stop(self) -> None:
        """Pages end first, then what waits is written and projected, then the file is closed."""
        await asyncio.to_thread(self.warming.stop)
        await asyncio.to_thread(self._pages.state.jobs.close)
        await asyncio.to_thread(self._offload.close)
        await asyncio.to_thread(self.feeds.stop)
        await asyncio.to_thread(self.governance.stop)
        await asyncio.to_thread(self.live.stop)
        self.store.close(patience=0.5)  # who still asks is a page that nobody waits for


def build_api(lx: Lineage, live: LiveIngest) -> FastAPI:
    """FastAPI with the routers of ``lineage.api``, ``/health``, the snapshot and the OpenAPI page."""
    api = FastAPI(
        title="Meshline",
        version=__version__,
        description="Lineage and observability of data meshes, fed by OpenLineage events.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    add_docs(api)
    api.router.routes.extend(build_router(lx).routes)  # include_router would make each of them once more
    api.add_exception_handler(MeshlineError, _explain)
    api.add_exception_handler(RequestValidationError, explain_invalid)
    api.add_exception_handler(Exception, _hide)

    @api.get("/health", tags=["operations"], summary="Whether the server works, and how far behind it is")
    def health() -> JSONResponse:
        content = health_of(live)
        return JSONResponse(content, status_code=200 if content["status"] in ("ok", "degraded") else 503)

    @api.get("/metrics", tags=["operations"], summary="Figures of this server for Prometheus")
    def metrics() -> Response:
        return Response(live.metrics.render(), media_type=CONTENT_TYPE)

    @api.post(
        "/api/v2/snapshot",
        tags=["operations"],
        summary="A copy of the database as it is now",
        response_class=FileResponse,
        dependencies=[STRICT],
    )
    def snapshot() -> FileResponse:
        return _snapshot(live)

    return api


def health_of(live: LiveIngest) -> dict[str, Any]:
    """State of database, write queue and projector.

    ``status`` is ``ok``; ``degraded`` when events are safe but cannot be made visible; ``failing`` when events cannot
    be written or the database not be read; ``stopped``.
    """
    now = live.health()
    status: str = now.status
    database = "open"
    try:
        live.store.rows("SELECT 1")
    except Exception as error:  # whatever it is, who asks for the health is told
        log.error("The database cannot be read: %s", error)
        database, status = "unreadable", "failing"
    return {
        "status": status,
        "version": __version__,
        "database": database,
        "queue": {"events": now.queued_events, "limit": now.queue_limit},
        "projector": {"pending_events": now.pending_events, "lag_seconds": now.lag_seconds},
        "received": {"accepted": now.committed_events, "rejected": now.rejected_events},
        "problem": now.problem,
    }


def _snapshot(live: LiveIngest) -> FileResponse:
    """Copy the file beside itself while nobody commits, send the copy, remove it."""
    if live.store.path is None:
        raise StoreError("A database in memory has no file to copy.")
    scratch = Scratch(".meshline-snapshot-", live.store.path.resolve().parent)
    scratch.sweep()
    try:
        copy = scratch.path() / "meshline.duckdb"
        with live.paused():
            live.store.snapshot(copy)
        if copy.with_name(copy.name + ".wal").exists():  # fold it in: one file is what travels
            with Store.open(copy) as opened:
                opened.checkpoint()
    except BaseException:
        scratch.close()
        raise
    return FileResponse(
        copy,
        media_type="application/vnd.duckdb",
        filename="meshline.duckdb",
        background=BackgroundTask(scratch.close),
    )


async def _explain(_request: Request, error: Exception) -> JSONResponse:
    """An error that is meant for people; what the store says names files of this machine, so it stays in the log."""
    assert isinstance(error, MeshlineError)
    content = as_json(error)
    if isinstance(error, StoreError):
        log.error("%s", error)
        content["detail"] = "The database cannot be used right now; the server's log says why."
    return JSONResponse(content, status_code=error.status)


async def _hide(_request: Request, error: Exception) -> JSONResponse:
    """Anything else is a defect: its text goes to the log only."""
    told = {"error": "InternalError", "detail": "Something went wrong; see the server's log."}
    # the error goes on to uvicorn, which closes the connection: who asked must not send his next question into it
    return JSONResponse(told, 500, headers={"Connection": "close"})


@contextlib.asynccontextmanager
async def _running(app: App) -> AsyncIterator[None]:
    """Send an application its own start and stop; Dash adds its last route at the start."""
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    outbox: asyncio.Queue[Message] = asyncio.Queue()
    scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.ensure_future(app(scope, inbox.get, outbox.put))

    async def phase(name: str) -> None:
        await inbox.put({"type": f"lifespan.{name}"})
        message = await outbox.get()
        if message["type"] != f"lifespan.{name}.complete":
            raise RuntimeError(f"{name} failed: {message.get('message', '')}")

    await phase("startup")
    try:
        yield
    finally:
        await phase("shutdown")
        await task
