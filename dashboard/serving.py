"""Bind, run and stop the server; what ``meshline serve`` and ``meshline demo`` have in common."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.guard import App, Guard, is_loopback
from ingest.logs import LogFormat, settings
from lineage.errors import MeshlineError
from lineage.store.store import server_note

if TYPE_CHECKING:
    import uvicorn


class PortError(MeshlineError):
    """The server cannot listen where it was told to."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Parameters
    ----------
    host
        address or name of an interface.
    port
        0 takes any free one.

    Raises
    ------
    PortError
        when the port is in use, forbidden, or the address is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, OverflowError):
        raise PortError(f"“{host}” is no address of this machine; use --host 127.0.0.1.") from None
    sock = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # a port whose last server has just stopped is free
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(2048)
    except OSError as error:
        sock.close()
        raise _port_error(host, port, error) from None
    return sock


def address_of(sock: socket.socket, base_path: str = "/") -> str:
    """Address to open in a browser.

    >>> with bind("127.0.0.1", 0) as sock:
    ...     address_of(sock, "/meshline/").startswith("http://127.0.0.1:")
    True
    """
    host, port = sock.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - told to listen everywhere; a browser wants one name
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{base_path}"


def listens_locally(sock: socket.socket) -> bool:
    """Whether only this machine can reach the socket."""
    return is_loopback(sock.getsockname()[0])


def run(
    app: App,
    sock: socket.socket,
    *,
    database: Path | None,
    url: str,
    ready: Callable[[], None],
    log_format: LogFormat = LogFormat.text,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then finish open requests, write what waits and close the database.

    Parameters
    ----------
    app
        from :func:`dashboard.server.create_app`.
    sock
        from :func:`bind`.
    database
        file beside which a note tells other processes who holds it.
    url
        the address that the note names.
    ready
        called once the server answers.
    log_format
        how log records stand on stderr.
    """
    import uvicorn

    class Announcing(uvicorn.Server):  # type: ignore[misc]  # uvicorn is not type-checked here
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            if isinstance(app, Guard):
                app.leave()
            await super().shutdown(sockets)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    favour_the_loop()
    with _note(database, url), _terminated_by_sigterm(), contextlib.suppress(KeyboardInterrupt):
        Announcing(configured(app, log_format)).run([sock])


def configured(app: App, log_format: LogFormat = LogFormat.text) -> uvicorn.Config:
    """uvicorn's settings: the fast parser, one process, warnings and errors on stderr."""
    import uvicorn

    return uvicorn.Config(
        app,
        http="httptools",
        lifespan="on",
        log_config=settings(log_format),
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody asks for the client's address
        timeout_keep_alive=75,  # longer than proxies and clients wait: who closes first must be the one who asks
        timeout_graceful_shutdown=10,
    )


def favour_the_loop() -> None:
    """Let the event loop have the interpreter sooner while projector and pages compute in threads.

    Python's 5 ms would be waited for after every read and write of a socket.
    """
    sys.setswitchinterval(0.0005)


@contextlib.contextmanager
def _note(database: Path | None, url: str) -> Iterator[None]:
    """A file beside the database that says which process serves it, and where."""
    if database is None:
        yield
        return
    note = server_note(database)
    note.write_text(json.dumps({"pid": os.getpid(), "url": url.rstrip("/")}), "utf-8")
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


@contextlib.contextmanager
def _terminated_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the server like Ctrl-C; uvicorn raises the signal once more when it is done."""

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _port_error(host: str, port: int, error: OSError) -> PortError:
    if error.errno == errno.EADDRINUSE:
        return PortError(f"Port {port} on {host} is in use. Choose another with --port, or any free one with --port 0.")
    if error.errno == errno.EACCES:
        return PortError(f"Port {port} needs more rights than this user has. Choose one above 1023 with --port.")
    return PortError(f"Cannot listen on {host}, port {port}: {error.strerror}. Choose others with --host and --port.")
