"""``meshline retention``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from lineage.options import Database, Format, Shape, Who, acting


class Kind(StrEnum):
    """What retention knows."""

    quarantine = "quarantine"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(retention)


def retention(
    kind: Annotated[Kind, typer.Argument(help="quarantine: refused inputs.")] = Kind.quarantine,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", help="Only what was received before that.")
    ] = None,
    keep: Annotated[int | None, typer.Option("--keep", metavar="N", help="The newest N stay in any case.")] = None,
    replayed: Annotated[bool, typer.Option("--replayed", help="Only inputs that were accepted later.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Remove it; without it this only says what would go.")] = False,
    actor: Who = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Let old things go by age and by number; says what would go, unless --apply is given."""
    from ingest.retention import Rule, retain_quarantine
    from lineage.store import Store
    from lineage.tables import print_json
    from lineage.times import iso, utcnow

    with Store.open(db, create=False, read_only=not apply) as store:
        done = retain_quarantine(
            store, Rule(older_than, keep, replayed), now=utcnow(), actor=acting(actor).name, apply=apply
        )
    if format is Format.json:
        print_json(done)
        return
    since = f" received before {iso(done.before.replace(microsecond=0))}" if done.before else ""
    verb = "removed" if apply else "would go (nothing was changed; say --apply)"
    typer.echo(f"{kind.value}: {done.rows:,} rows{since}, {done.bytes:,} bytes, {verb}; {done.kept:,} stay")
