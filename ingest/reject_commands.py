"""``meshline rejects``: look at what could not be read, and try it again."""

from __future__ import annotations

import base64
import sys
from typing import Annotated

import typer

from lineage.errors import MeshlineError, UsageError
from lineage.options import Database, Format, Shape

_SHOWN = 50
_ID = 12  # digits of an id shown to people; any unique beginning is understood

Reason = Annotated[
    str | None, typer.Option("--reason", help="Only inputs refused for this reason, e.g. not-json.", show_default="all")
]


class StillRefusedError(MeshlineError):
    """Nothing of what was tried again can be read."""


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    group = typer.Typer(
        help="Inputs that could not be read: list them, show their bytes, try them again.", no_args_is_help=True
    )
    group.command("list")(list_)
    group.command()(show)
    group.command()(replay)
    app.add_typer(group, name="rejects")


def list_(
    reason: Reason = None,
    replayed: Annotated[bool, typer.Option("--replayed", help="Also those that were accepted later.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most inputs shown.")] = _SHOWN,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Refused inputs, newest first, with reason and place."""
    from ingest.quarantine import places
    from lineage.store import Store
    from lineage.tables import clean, print_json

    with Store.open(db, create=False, read_only=True) as store:
        found, reasons = places(store, reason=reason, replayed=replayed, limit=limit)
    if format is Format.json:
        print_json({"total": sum(reasons.values()), "reasons": reasons, "rejects": found})
        return
    for place in found:
        again = " (accepted later)" if place.replayed_at else ""
        typer.echo(clean(f"{place.id[:_ID]}  {place.reason:<12}  {place.where}{again}"))
        typer.echo(clean(f"{'':{_ID}}  {place.detail}"))
    total = sum(reasons.values())
    parts = ", ".join(f"{name} {count:,}" for name, count in reasons.items())
    typer.echo(f"{total:,} refused{': ' + clean(parts) if parts else ''}")
    if total > len(found):
        typer.echo(f"{total - len(found):,} more; see them with --limit {total} or --reason.")


def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="Id or any unique beginning of it.", show_default=False)],
    raw: Annotated[bool, typer.Option("--raw", help="Exactly the bytes that came, secrets included.")] = False,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """One refused input: its bytes on standard output, with secrets masked; the rest on standard error."""
    from ingest.quarantine import find, original
    from lineage.redact import redact_event
    from lineage.store import Store
    from lineage.tables import clean, print_json

    with Store.open(db, create=False, read_only=True) as store:
        found = find(store, id)
        data = original(store, found[0].id)
    size, shown = len(data), data if raw else redact_event(data)
    masked = shown != data
    if format is Format.json:
        print_json({"id": found[0].id, "bytes": size, "masked": masked, "places": found, **_body(shown)})
        return
    note = "; secrets are masked, --raw shows them" if masked else ""
    typer.echo(f"{found[0].id}: {size:,} bytes{note}", err=True)
    for place in found:
        again = f", accepted {place.replayed_at:%Y-%m-%d %H:%M:%S} UTC" if place.replayed_at else ""
        when = f"{place.received_at:%Y-%m-%d %H:%M:%S} UTC"
        typer.echo(clean(f"{place.where}, received {when}{again}"), err=True)
        typer.echo(clean(f"  {place.reason}: {place.detail}"), err=True)
    if sys.stdout.isatty():  # what a producer sent must not steer a terminal
        text = shown.decode("utf-8", "backslashreplace")
        typer.echo("\n".join(clean(line) for line in text.split("\n")))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(shown)


def replay(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Ids of refused inputs.", show_default=False)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything that was not accepted yet.")] = False,
    reason: Reason = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Try refused inputs again, for instance after an upgrade; what can be read now counts as received now."""
    from ingest.quarantine import find, waiting
    from ingest.quarantine import replay as replay_inputs
    from ingest.sql_step import read_pending
    from ingest.writer import Writer
    from lineage.store import Store
    from lineage.tables import print_json

    if (bool(ids) + all_ + (reason is not None)) != 1:
        raise UsageError("Name ids, or say --all, or --reason REASON: one of the three.")
    with Store.open(db, create=False) as store:
        chosen = [find(store, id_)[0].id for id_ in ids] if ids else waiting(store, reason)
        done = replay_inputs(store, Writer(store), chosen)
        read_pending(store)
    if format is Format.json:
        print_json(
            {
                "read": done.read,
                "accepted": done.accepted,
                "duplicates": done.duplicates,
                "still_refused": dict(sorted(done.still.items())),
            }
        )
    else:
        typer.echo(
            f"{done.read:,} tried again: {done.accepted:,} accepted, {done.duplicates:,} already known, "
            f"{done.still.total():,} still refused"
        )
        for name, count in sorted(done.still.items()):
            typer.echo(f"  refused as {name}: {count:,}")
    if done.read and done.still.total() == done.read:
        raise StillRefusedError(
            "Nothing of it can be read. Put it right by hand: meshline rejects show ID --raw > event.json"
        )


def _body(data: bytes) -> dict[str, str]:
    """The bytes as text when they are text, else in base 64."""
    try:
        return {"body": data.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(data).decode()}
