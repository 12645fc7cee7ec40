"""``meshline access``: who may read which product."""

from __future__ import annotations

from enum import StrEnum
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
    from lineage.policies.access import AccessRow

access = typer.Typer(help="Access to products: list, request, approve, deny, revoke.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="ID", help="A request or grant.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.", show_default=False)]


class Consumer(StrEnum):
    """Who may be allowed to read."""

    domain = "domain"
    product = "product"
    team = "team"


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(access, name="access")


@access.command("list")
def list_(
    as_of: AsOf = None, known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None
) -> None:
    """Grants and requests, shadow edges (read, not granted) and zombie grants (granted, not read)."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.access.list(as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)


@access.command()
def request(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="What to read.", show_default=False)],
    consumer: Annotated[str, typer.Argument(metavar="CONSUMER", help="A domain, product or team.", show_default=False)],
    purpose: Annotated[str, typer.Option("--purpose", help="What for.", show_default=False)],
    expires: Annotated[str, typer.Option("--expires", metavar="TIME", help="Its end.", show_default=False)],
    kind: Annotated[Consumer, typer.Option("--kind", help="What CONSUMER is.")] = Consumer.domain,
    reason: Reason = "",
    actor: Who = None,
    db: Database = None,
) -> None:
    """Ask that somebody may read a product; a rule approves at once what it may, people decide on the rest."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        lx = Lineage(store)
        who = acting(actor)
        _print(lx.access.request(product, consumer, purpose, expires, kind=kind.value, reason=reason, actor=who))


@access.command()
def approve(request: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Grant what was asked for: by the owner of the product or its domain, never by whom it came from."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).access.approve(request, reason, actor=acting(actor)))


@access.command()
def deny(request: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Refuse a request."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).access.deny(request, reason, actor=acting(actor)))


@access.command()
def revoke(grant: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """End a grant, or refuse a request."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).access.revoke(grant, reason, actor=acting(actor)))


def _print(row: AccessRow) -> None:
    from lineage.times import iso

    typer.echo(
        f"{row.id}: {row.consumer_kind} {row.consumer} and product {row.product}: {row.state}, until {iso(row.expires)}"
    )
    if row.note:
        typer.echo(f"  {row.note}")
