"""Commands of the server: ``meshline serve`` and ``meshline demo``."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.logs import LogFormat
from lineage.errors import UsageError

if TYPE_CHECKING:
    import socket

log = logging.getLogger("meshline.server")

DEFAULT_PORT = 8080
DEMO_FILE = Path("meshline-demo.duckdb")

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes any free one.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("serve")(serve)
    app.command("demo")(demo)


def serve(
    db: Annotated[
        Path | None,
        typer.Option("--db", envvar="MESHLINE_DB", help="Database file; made when it is not there."),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Port = DEFAULT_PORT,
    base_path: Annotated[
        str, typer.Option("--base-path", help="Path under which a proxy shows the server, e.g. /meshline.")
    ] = "/",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="Name that requests may be addressed to; may be repeated."),
    ] = None,
    max_body: Annotated[
        int,
        typer.Option("--max-body", envvar="MESHLINE_MAX_BODY", min=1, help="Largest request body, in MB (inflated)."),
    ] = 64,
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", help="Log lines for people, or JSON for machines.")
    ] = LogFormat.text,
    follow: Annotated[
        list[Path] | None,
        typer.Option("--follow", metavar="DIR", help="Folder whose new events are taken too; may be repeated."),
    ] = None,
    consume: Annotated[
        list[str] | None,
        typer.Option("--consume", metavar="URL", help="Topic whose events are taken too; may be repeated."),
    ] = None,
    check_every: Annotated[
        float,
        typer.Option("--check-every", metavar="HOURS", min=0, help="Run the applied policies so often; 0: never."),
    ] = 24,
) -> None:
    """Serve the dashboard and the HTTP interface, and receive OpenLineage events."""
    from dashboard.serving import bind
    from lineage.store import default_path

    _check_sources(follow or (), consume or ())
    with bind(host, port) as sock:
        _serve(
            sock,
            db or default_path(),
            base_path=base_path,
            allow_host=allow_host,
            max_body=max_body,
            log_format=log_format,
            follow=follow or (),
            consume=consume or (),
            check_every=check_every,
        )


def demo(
    db: Annotated[
        Path, typer.Option("--db", help="Database file; an older demo database of this name is replaced.")
    ] = DEMO_FILE,
    port: Port = DEFAULT_PORT,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Only load the sample, do not serve it.")] = False,
) -> None:
    """Load ninety days of a made-up retail company and serve the dashboard."""
    from dashboard.serving import bind

    if no_serve:
        _load_sample(db)
        return
    with bind("127.0.0.1", port) as sock:  # before the loading: a port in use should be told at once
        _load_sample(db)
        _serve(sock, db)


def _check_sources(follow: Collection[Path], consume: Collection[str]) -> None:
    """A name that cannot be right is told at once, not by a thread."""
    for folder in follow:
        if not folder.is_dir():
            raise UsageError(f"--follow {folder} is no folder. Name the folder into which events are written.")
    if consume:
        from ingest.sources.kafka import address

        for url in consume:
            address(url)


def _load_sample(database: Path) -> None:
    from dashboard.demo import load, make_room, sample_size
    from ingest.commands import nodes_text, totals
    from ingest.progress import Progress
    from lineage.audit.batches import log_batches
    from lineage.store import Store

    replaced = make_room(database)
    typer.echo(f"Loading the sample company into {database}{' (replacing the older sample)' if replaced else ''} …")
    with Store.open(database) as store:
        with Progress("Loading", sample_size()) as progress:
            loaded = load(store, progress=progress.to)
        log_batches(store)
        held = totals(store)
    typer.echo(
        f"{loaded.events:,} events of {held['jobs']:,} jobs, {nodes_text(held)} "
        f"and {held['edges']:,} edges; {loaded.quarantined:,} quarantined."
    )
    if loaded.days:
        typer.echo(
            f"All times are moved by {loaded.days} days: the last event is of {loaded.newest:%Y-%m-%d %H:%M} UTC."
        )


def _told_of_new(database: Path, url: str) -> str:
    """That a database was made where there was none, and how something gets into it.

    Whoever mistyped a name, or forgot it after ``meshline demo``, would take the empty pages for the answer.
    """
    told = f"There was no {database}: a new, empty database was made. Load events: meshline ingest PATH --server {url}"
    sample = database.parent / DEMO_FILE
    if not sample.is_file():
        return told
    return f"{told} (the sample company is in another file: meshline serve --db {shlex.quote(str(sample))})"


def _serve(
    sock: socket.socket,
    database: Path,
    *,
    base_path: str = "/",
    allow_host: list[str] | None = None,
    max_body: int = 64,
    log_format: LogFormat = LogFormat.text,
    follow: Collection[Path] = (),
    consume: Collection[str] = (),
    check_every: float = 24,
) -> None:
    """Open the database and serve it until told to stop."""
    from dashboard.demo import BANNER
    from dashboard.server import base, create_app
    from dashboard.serving import address_of, listens_locally, run
    from lineage.store import Store

    if any(mark in base_path for mark in "?#% "):
        raise UsageError(f"--base-path: “{base_path}” is no path; write it like /meshline.")
    local = listens_locally(sock)
    allowed = list(allow_host or ()) if local or allow_host else None
    made = not database.exists()
    store = Store.open(database)
    app = create_app(
        store,
        base_path=base_path,
        banner=store.get_meta(BANNER),
        allowed_hosts=allowed,
        max_body=max_body * 1024 * 1024,
        follow=follow,
        consume=consume,
        check_every=timedelta(hours=check_every) if check_every else None,
    )
    url = address_of(sock, base(base_path))
    if not local:
        typer.echo("Anyone who can reach this port may read and write: there are no passwords yet.", err=True)

    def ready() -> None:
        typer.echo(f"Meshline serves {database} at {url}")
        typer.echo(f"Events: POST {url}api/v1/lineage · API: {url}api/docs · stop with Ctrl-C")
        if made:
            log.warning(_told_of_new(database, url))

    run(app, sock, database=database, url=url, ready=ready, log_format=log_format)
    typer.echo("Stopped; everything received is written.")
