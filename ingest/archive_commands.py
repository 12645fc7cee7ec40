"""Commands around the archive: ``meshline export`` and ``meshline recover``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.export import Layout
from lineage.answers import to_json
from lineage.options import Database, Format, Shape, Who, acting
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.store import Store


class ExportFormat(StrEnum):
    """What can be exported."""

    openlineage = "openlineage"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("export")(export)
    app.command()(recover)
    app.command()(redact)


def export(
    format: Annotated[
        ExportFormat, typer.Option("--format", help="openlineage: events as they were received.")
    ] = ExportFormat.openlineage,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Events from this event time on.", show_default="the oldest"),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Events before this time.", show_default="the newest")
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option("--namespace", help="Only jobs (and dataset events) of this namespace; may be repeated."),
    ] = None,
    job: Annotated[
        list[str] | None, typer.Option("--job", help="Only events of the job with this name; may be repeated.")
    ] = None,
    layout: Annotated[
        Layout,
        typer.Option("--layout", help="ndjson: one event a line; array: one JSON array; auto: ndjson where possible."),
    ] = Layout.auto,
    raw: Annotated[
        bool, typer.Option("--raw", help="With the secrets in them: every event byte for byte as it was received.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="File to write; .gz and .zst are compressed."),
    ] = None,
    db: Database = None,
) -> None:
    """Write the archived events back, oldest first by event time; secrets in them are masked unless --raw is said."""
    from ingest.export import Masked, Selection, choose, events, opened, write
    from lineage.times import parse_instant

    selection = Selection(
        since=parse_instant(from_, name="--from") if from_ else None,
        until=parse_instant(to, name="--to") if to else None,
        namespaces=tuple(namespace) if namespace else None,
        jobs=tuple(job) if job else None,
    )
    with _complete(db) as store:
        chosen = choose(events(store, selection), layout)
        masked = Masked()
        with opened(output) as stream:
            found = events(store, selection)
            count = write(found if raw else masked(found), chosen, stream)
    how = "one JSON array, since some hold line breaks" if chosen is Layout.array else "one a line"
    if layout is Layout.array:
        how = "one JSON array"
    typer.echo(f"{count:,} events, {how}{f': {output}' if output else ''}", err=True)
    if masked.count:
        typer.echo(
            f"Secrets were masked in {masked.count:,} of them; the others are byte for byte (all are with --raw)",
            err=True,
        )


def recover(format: Shape = Format.table, db: Database = None) -> None:
    """Open a database whose log is damaged: copy the files, cut the log, restore what can be found behind the cut."""
    from ingest.recovery import recover as recover_file
    from lineage.store import default_path
    from lineage.tables import print_json

    path = db or default_path()
    done = recover_file(path)
    if format is Format.json:
        print_json({**to_json(done), "copies": [str(copy) for copy in done.copies], "database": str(path)})
        return
    if not done.damaged:
        typer.echo(f"{path} opens as it is; there is nothing to recover.")
        return
    lost = done.log_bytes - done.kept_bytes
    newest = f", the newest received at {iso(done.newest)}" if done.newest else ""
    typer.echo(f"{path} opens again: the last {lost:,} of {done.log_bytes:,} bytes of its log were cut off.")
    typer.echo(f"Before the cut it held {done.events:,} events{newest}.")
    typer.echo(f"In the cut part {done.found:,} whole events were found; {done.restored:,} were restored.")
    typer.echo("What else was received after that time is lost: let producers send it again, known events do no harm.")
    typer.echo(f"The files as they were: {', '.join(str(copy) for copy in done.copies)}")


@contextlib.contextmanager
def _complete(db: Path | None) -> Iterator[Store]:
    """The store for reading; opened for writing first when a killed server left events without their rows."""
    from ingest.writer import Writer
    from lineage.store import Store

    with Store.open(db, create=False, read_only=True) as store:
        pending = Writer(store).has_pending()
        if not pending:
            yield store
            return
    with Store.open(db, create=False) as store:
        Writer(store).catch_up()
        yield store


class Switch(StrEnum):
    """On or off."""

    on = "on"
    off = "off"


def redact(
    archive: Annotated[
        Switch | None, typer.Option("--archive", help="on: mask secrets before storage; the original never gets there.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for the audit log.")] = None,
    actor: Who = None,
    db: Database = None,
) -> None:
    """Say whether secrets are masked before events are stored, or switch it; what is shown is always masked."""
    from ingest.altered import is_on, switch
    from lineage.store import Store

    with Store.open(db, create=archive is not None, read_only=archive is None) as store:
        if archive is not None:
            switch(store, archive is Switch.on, acting(actor).name, reason=reason)
        with store.cursor() as cursor:
            typer.echo(f"redact.archive: {'on' if is_on(cursor) else 'off'}")
