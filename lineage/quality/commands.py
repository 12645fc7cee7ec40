"""``meshline quality`` and ``meshline gate``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineage.options import (
    AsOf,
    Database,
    KnownAt,
    Node,
    TableFormat,
    TableShape,
    Who,
    acting,
    engine,
    leaving_with,
    open_store,
    show_rows,
)

if TYPE_CHECKING:
    from pathlib import Path

incidents = typer.Typer(help="What is wrong with data, and what is done about it.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id or the beginning of it.", show_default=False)]
Note = Annotated[str, typer.Option("--note", help="Why; kept with the act.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(quality)
    app.command()(gate)
    app.command()(drill)
    app.command()(promises)
    app.command()(performance)
    app.add_typer(incidents, name="incidents")


def quality(
    node: Annotated[
        str | None,
        typer.Argument(metavar="[NODE]", help="A dataset, column or job; without it all datasets.", show_default=False),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="WHAT", help="dataset, column, job, domain or product.")
    ] = "dataset",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """How good data is: the score of NODE point by point, or of everything."""
    from lineage.quality.tables import print_shown

    with engine(db) as lx:
        if node is not None:
            show_rows(lx.quality.explain(node, as_of=as_of, known_at=known_at), format, print_shown)
        else:
            show_rows(lx.quality.report(by, as_of=as_of, known_at=known_at), format, print_shown)


def gate(
    node: Node,
    trust_sources: Annotated[
        bool, typer.Option("--trust-sources", help="Datasets that no known job writes count as fine.")
    ] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """May a pipeline go on with NODE? Exit code 0: yes, 1: something upstream is wrong, 3: cannot be told."""
    from lineage.quality.gate import EXIT
    from lineage.quality.tables import print_shown

    with engine(db) as lx:
        found = lx.quality.gate(node, trust_sources=trust_sources, as_of=as_of, known_at=known_at)
    with leaving_with(EXIT[found.state]):
        show_rows(found, format, print_shown)


def drill(
    node: Node,
    failure: Annotated[str, typer.Option("--failure", metavar="WHAT", help="late, wrong or missing.")] = "late",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Play a failure of NODE: who would be told, when and by what. Nothing is written."""
    from lineage.quality.tables import print_shown

    with engine(db) as lx:
        found = lx.quality.drill(node, failure, as_of=as_of, known_at=known_at)
    show_rows(found, format, print_shown)


def promises(
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Promises of freshness that history says cannot be kept, and the earliest that could."""
    from lineage.quality.tables import print_shown

    with engine(db) as lx:
        found = lx.quality.promises(as_of=as_of, known_at=known_at)
    show_rows(found, format, print_shown)


@incidents.command("list")
def list_incidents(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Incidents that are not resolved, those of one cause together."""
    from lineage.quality.tables import print_shown

    with engine(db) as lx:
        found = lx.quality.incidents(everything=everything, as_of=as_of, known_at=known_at)
    show_rows(found, format, print_shown)


@incidents.command()
def show(
    incident: Id,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """One incident: cause, whom it hits, what was done."""
    from lineage.quality.tables import print_shown

    with engine(db) as lx:
        found = lx.quality.incident(incident, as_of=as_of, known_at=known_at)
    show_rows(found, format, print_shown)


@incidents.command()
def ack(incident: Id, note: Note = "", actor: Who = None, db: Database = None) -> None:
    """Say that you know of it."""
    _act(db, "acknowledge", incident, note=note, actor=acting(actor))


@incidents.command()
def assign(
    incident: Id,
    to: Annotated[str, typer.Argument(metavar="WHO", help="Who takes care of it.", show_default=False)],
    note: Note = "",
    actor: Who = None,
    db: Database = None,
) -> None:
    """Say who takes care of it."""
    _act(db, "assign", incident, to, note=note, actor=acting(actor))


@incidents.command()
def mute(
    incident: Id,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="End of the silence.", show_default=False)
    ] = None,
    days: Annotated[float, typer.Option("--days", help="Without --until: for so many days.")] = 1.0,
    note: Note = "",
    actor: Who = None,
    db: Database = None,
) -> None:
    """Leave it alone for a time."""
    from lineage.times import utcnow

    end = until or utcnow() + timedelta(days=days)
    _act(db, "mute", incident, end, note=note, actor=acting(actor))


@incidents.command()
def resolve(incident: Id, note: Note = "", actor: Who = None, db: Database = None) -> None:
    """Say that it is over; a later pass of the check says so too."""
    _act(db, "resolve", incident, note=note, actor=acting(actor))


def _act(db: Path | None, what: str, *words: Any, **more: Any) -> None:
    from lineage.engine import Lineage
    from lineage.tables import clean

    with open_store(db) as store:
        done = getattr(Lineage(store).quality, what)(*words, **more)
    typer.echo(clean(f"{done.id} {done.state}: {done.node}: {done.what}"))


def performance(
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="A job; without it all jobs.", show_default=False)
    ] = None,
    days: Annotated[int, typer.Option("--days", metavar="N", help="How many days back.")] = 90,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """How jobs run: durations, delay, failures, bytes, and what is odd about the last run."""
    from lineage.quality.tables import print_shown

    with engine(db) as lx:
        show_rows(lx.quality.performance(job, days=days, as_of=as_of, known_at=known_at), format, print_shown)
