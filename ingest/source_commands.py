"""Commands that keep bringing events in: ``meshline follow`` and ``meshline consume``."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.logs import LogFormat
from lineage.options import Database, Format, Shape

if TYPE_CHECKING:
    from ingest.outcome import Outcome
    from ingest.sources.kafka import Topic
    from lineage.store import Store

log = logging.getLogger("meshline.follow")

Logs = Annotated[LogFormat, typer.Option("--log-format", help="Log lines for people, or JSON for machines.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(follow)
    app.command()(consume)


class Start(StrEnum):
    """Where to begin in what was never read."""

    earliest = "earliest"
    latest = "latest"


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
    from ingest.outcome import Outcome
    from ingest.sources.folder import Folder
    from ingest.writer import Writer
    from lineage.store import Store

    configure(log_format)
    total = Outcome()
    with Store.open(db) as store, stopped_by_signals():
        folder = Folder(directory, store, Writer(store))
        if not once:
            log.info("Following %s into %s", directory, store.path)
        with reading_sql(store, once=once):
            repeat(folder.look, total, once=once, pause=every)
    report(total, format, waiting=folder.incomplete)


def consume(
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="kafka://host:port/topic; several brokers with commas.", show_default=False),
    ],
    once: Annotated[bool, typer.Option("--once", help="Take what is there and leave (for cron).")] = False,
    from_: Annotated[
        Start, typer.Option("--from", help="Where to begin in a topic that was never read.")
    ] = Start.earliest,
    group: Annotated[
        str | None,
        typer.Option("--group", help="Move the offsets of this consumer group along, for those who watch the lag."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Client settings such as security.protocol, key=value lines."),
    ] = None,
    log_format: Logs = LogFormat.text,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Take events from a Kafka topic; each counts exactly once."""
    from ingest.logs import configure
    from ingest.outcome import Outcome
    from ingest.sources.kafka import Topic, address, read_settings
    from ingest.writer import Writer
    from lineage.store import Store

    configure(log_format)
    where = address(url)
    settings = read_settings(config) if config is not None else {}
    total = Outcome()
    with Store.open(db) as store, stopped_by_signals():
        topic = Topic(where, store, Writer(store), settings=settings, start=from_.value, group=group)
        with contextlib.closing(topic), reading_sql(store, once=once):
            if not once:
                logging.getLogger("meshline.consume").info("Consuming %s into %s", where.url, store.path)
            drain(topic, total, once=once)
    report(total, format)


def drain(topic: Topic, total: Outcome, *, once: bool) -> None:
    """Take messages until the process is told to stop, or, with ``once``, until the ends at the start are reached."""
    while not (once and topic.finished):
        outcome = topic.look()
        total.add(outcome)
        if outcome.read and not once:
            logging.getLogger("meshline.consume").info(words(outcome), extra=counts(outcome))
        if once and not outcome.read:
            topic.wait_for_silence()


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
def reading_sql(store: Store, *, once: bool) -> Iterator[None]:
    """Columns are read from SQL beside what is inside, with ``once`` behind it; at the end batches are logged."""
    from ingest.sql_loop import SqlLoop
    from ingest.sql_step import read_pending
    from lineage.audit.batches import log_batches

    if not once:
        try:
            with SqlLoop(store):
                yield
        finally:  # Ctrl-C is how it ends
            log_batches(store)
        return
    yield
    read_pending(store)
    log_batches(store)


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
