"""``meshline retention``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from lineage.options import Database, Format, Shape, Who, acting


class Kind(StrEnum):
    """What retention knows."""

    quarantine = "quarantine"
    events = "events"
    metrics = "metrics"
    assertions = "assertions"
    edges = "edges"
    runs = "runs"
    all = "all"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(retention)


def retention(
    kind: Annotated[
        Kind,
        typer.Argument(
            help="quarantine: refused inputs. events: their bytes. metrics, assertions, edges (ended ones), runs: what "
            "follows from events without bytes and nothing rests on. all: these five, in this order."
        ),
    ] = Kind.quarantine,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", help="Only what is older than that.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option("--keep", metavar="N", help="The newest N stay in any case (of each job, test, …).")
    ] = None,
    replayed: Annotated[bool, typer.Option("--replayed", help="Only refused inputs that were accepted later.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Remove it; without it this only says what would go.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for the audit log.")] = None,
    actor: Who = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Let old things go by age and by number; says what would go, unless --apply is given."""
    from ingest.retention import KINDS, Rule, retain, retain_quarantine
    from lineage.audit.signing import signing_key
    from lineage.store import Store
    from lineage.tables import print_json
    from lineage.times import iso, utcnow

    rule, now, who = Rule(older_than, keep, replayed), utcnow(), acting(actor).name
    quarantine = kind is Kind.quarantine
    with Store.open(db, create=False, read_only=quarantine and not apply) as store:
        if quarantine:
            done = [retain_quarantine(store, rule, now=now, actor=who, apply=apply, reason=reason)]
        else:
            kinds = KINDS if kind is Kind.all else (kind.value,)
            done = retain(store, kinds, rule, now=now, actor=who, key=signing_key() if apply else None, reason=reason)
    if format is Format.json:
        print_json(done if len(done) > 1 else done[0])
        return
    verb = "removed" if apply else "would go (nothing was changed; say --apply)"
    for item in done:
        since = f" from before {iso(item.before.replace(microsecond=0))}" if item.before else ""
        typer.echo(f"{item.kind}: {item.rows:,} rows{since}, {item.bytes:,} bytes, {verb}; {item.kept:,} stay")
