"""``meshline owner``."""

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
    from lineage.owners.questions import OwnerMarks

owner = typer.Typer(help="Owners of datasets and jobs that people name by hand.", no_args_is_help=True)
Node = Annotated[str, typer.Argument(metavar="NODE", help="A dataset or job.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(owner, name="owner")


@owner.command("list")
def list_owners(
    as_of: AsOf = None, known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None
) -> None:
    """Owners that were named by hand and hold, beside those that events tell."""
    with engine(db) as lx:
        found = lx.owners.list(as_of=as_of, known_at=known_at)
    show_rows(found, format, _print)


@owner.command("set")
def set_owner(
    node: Node,
    name: Annotated[str, typer.Argument(metavar="OWNER", help="A person or a team.", show_default=False)],
    reason: Reason = "",
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From then on.", show_default="now")
    ] = None,
    actor: Who = None,
    db: Database = None,
) -> None:
    """Say who owns NODE, whatever events tell."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).owners.set(node, name, reason=reason, since=since, actor=acting(actor)))


@owner.command("clear")
def clear_owner(node: Node, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Take back what was said by hand: the owner of NODE is whom events tell."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).owners.clear(node, reason=reason, actor=acting(actor)))


def _print(found: OwnerMarks) -> None:
    from lineage.contracts.tables import print_shown

    print_shown(found)
