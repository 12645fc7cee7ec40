"""Commands that keep bringing events in: ``meshline follow``."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.logs import LogFormat
from lineage.commands import Database, Format, Shape

if TYPE_CHECKING:
    from ingest.writer import Outcome

log = logging.getLogger("meshline.follow")

Logs = Annotated[LogFormat, typer.Option("--log-format", help="Log lines for people, or JSON for machines.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(follow)


def follow(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder into which producers write events.", show_default=False)
    ],
    once: Annotated[bool, typer.Option("--once", help="Take what is there and leave (for cron).")] = False,
    every: Annotated[float, typer.Option("--every", metavar="SECONDS", min=0.05, help="Time between two looks.")] = 1.0,
    log_format: Logs = LogFormat.text,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Take new events of a folder as they are written: one file an event, or files that grow."""
    from ingest.logs import configure
    from ingest.sources.folder import Folder
    from ingest.writer import Outcome, Writer
    from lineage.store import Store

    configure(log_format)
    total = Outcome()
    with Store.open(db) as store, stopped_by_signals():
        folder = Folder(directory, store, Writer(store))
        if not once:
            log.info("Following %s into %s", directory, store.path)
        repeat(folder.look, total, once=once, pause=every)
    report(total, format, waiting=folder.incomplete)


def repeat(look: Callable[[], Outcome], total: Outcome, *, once: bool, pause: float) -> None:
    """Call ``look`` until the process is told to stop; every outcome with something in it is logged."""
    while True:
        outcome = look()
        total.add(outcome)
        if outcome.read and not once:
            log.info(words(outcome), extra=counts(outcome))
        if once:
            return
        time.sleep(pause)


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM end what is inside, between two transactions or by rolling one back: a normal end."""

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def counts(outcome: Outcome) -> dict[str, object]:
    """An outcome as plain values."""
    return {**asdict(outcome), "reasons": dict(sorted(outcome.reasons.items()))}


def words(outcome: Outcome) -> str:
    """An outcome in words."""
    return (
        f"{outcome.read:,} read: {outcome.accepted:,} accepted, {outcome.duplicates:,} already known, "
        f"{outcome.quarantined:,} quarantined"
    )


def report(total: Outcome, format: Format, **more: list[str]) -> None:
    """The sum of everything, on standard output."""
    if format is Format.json:
        typer.echo(json.dumps({**counts(total), **more}, ensure_ascii=False))
        return
    typer.echo(words(total))
    for reason, count in sorted(total.reasons.items()):
        typer.echo(f"  quarantined as {reason}: {count:,}")
    for name in more.get("waiting", []):
        typer.echo(f"  not complete yet, or no event: {name}")
