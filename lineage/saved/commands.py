"""``meshline views``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lineage.options import Database, TableFormat, TableShape, Who, acting, engine, open_store, show_rows

if TYPE_CHECKING:
    from lineage.shown import Shown

views = typer.Typer(help="Views of the dashboard that somebody saved.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="Of a saved view.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(views, name="views")


@views.command("list")
def list_views(format: TableShape = TableFormat.table, db: Database = None) -> None:
    """Saved views, what changed last first."""
    with engine(db) as lx:
        found = lx.saved.list()
    show_rows(found, format, _print)


@views.command()
def save(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="Its name.", show_default=False)],
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Page and query, as in cost?by=job.", show_default=False)
    ],
    reason: Reason = "",
    actor: Who = None,
    db: Database = None,
) -> None:
    """Keep ADDRESS under TITLE, for everybody; prints its id."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        typer.echo(Lineage(store).saved.save(title, address, reason=reason, actor=acting(actor)).id)


@views.command()
def change(
    id: Id,
    title: Annotated[str | None, typer.Option("--title", help="Another name.", show_default="as it is")] = None,
    address: Annotated[
        str | None, typer.Option("--address", help="Another page and query.", show_default="as it is")
    ] = None,
    reason: Reason = "",
    actor: Who = None,
    db: Database = None,
) -> None:
    """Give a view another name or address."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        done = Lineage(store).saved.change(id, title=title, address=address, reason=reason, actor=acting(actor))
    typer.echo(f"{done.id}: {done.title}, {done.address}")


@views.command()
def remove(id: Id, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Take a view away; its acts stay in the audit log."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).saved.remove(id, reason=reason, actor=acting(actor)))


def _print(found: Shown) -> None:
    from lineage.contracts.tables import print_shown

    print_shown(found)
