"""``meshline stops``: where tags do not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lineage.options import (
    AsOf,
    Database,
    KnownAt,
    TableFormat,
    TableShape,
    Who,
    acting,
    engine,
    open_store,
    show_rows,
)

if TYPE_CHECKING:
    from lineage.stops.questions import StopRow

stops = typer.Typer(help="Approved stops of tags: list, request, approve, refuse, revoke.", no_args_is_help=True)

_NODE = "A dataset, with all its columns, or a column; or a unique end of a name."
Which = Annotated[str, typer.Argument(metavar="ID", help="A request or stop.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(stops, name="stops")


@stops.command("list")
def list_(
    as_of: AsOf = None, known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None
) -> None:
    """Stops that hold, held or are ahead, and requests for them."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.stops.list(as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)


@stops.command()
def request(
    node: Annotated[str, typer.Argument(metavar="NODE", help=_NODE, show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="Why the tag may stop there.", show_default=False)],
    tag: Annotated[
        str | None,
        typer.Option("--tag", metavar="TAG", help="A whole tag (pii:email) or a key (pii).", show_default="every tag"),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From then on.", show_default="when approved")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Its end.", show_default="none")] = None,
    actor: Who = None,
    db: Database = None,
) -> None:
    """Ask that a tag does not go into NODE, and so not beyond it."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).stops.request(node, reason, tag=tag, start=start, until=until, actor=acting(actor)))


@stops.command()
def approve(request: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Let the tag stop there; never by whom the request came from."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).stops.approve(request, reason, actor=acting(actor)))


@stops.command()
def refuse(request: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Refuse a request."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).stops.refuse(request, reason, actor=acting(actor)))


@stops.command()
def revoke(stop: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """End a stop now: the tag goes on again."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).stops.revoke(stop, reason, actor=acting(actor)))


def _print(row: StopRow) -> None:
    from lineage.stops.questions import EVERY
    from lineage.times import iso

    until = f", until {iso(row.until)}" if row.until else ""
    typer.echo(f"{row.id}: {row.tag or EVERY} at {row.node}: {row.state}{until}")
