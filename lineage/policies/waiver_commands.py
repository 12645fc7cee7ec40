"""``meshline waivers``: exceptions from policies."""

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
    from lineage.policies.waiving import WaiverRow

waivers = typer.Typer(help="Exceptions from policies: list, request, approve, refuse, revoke.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="ID", help="A request or waiver.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(waivers, name="waivers")


@waivers.command("list")
def list_(
    as_of: AsOf = None, known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None
) -> None:
    """Waivers that hold or held, and requests for them."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.waivers.list(as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)


@waivers.command()
def request(
    violation: Annotated[str, typer.Argument(metavar="VIOLATION", help="Its id.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="Why it may stay.", show_default=False)],
    expires: Annotated[str, typer.Option("--expires", metavar="TIME", help="Its end.", show_default=False)],
    actor: Who = None,
    db: Database = None,
) -> None:
    """Ask that a violation may stay for a time, at most 180 days."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).waivers.request(violation, reason, expires, actor=acting(actor)))


@waivers.command()
def approve(request: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Let it stay; never by whom the request came from."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).waivers.approve(request, reason, actor=acting(actor)))


@waivers.command()
def refuse(request: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Refuse a request."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).waivers.refuse(request, reason, actor=acting(actor)))


@waivers.command()
def revoke(waiver: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """End a waiver now."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).waivers.revoke(waiver, reason, actor=acting(actor)))


def _print(row: WaiverRow) -> None:
    from lineage.times import iso

    typer.echo(f"{row.id}: {row.policy} on {row.subject}: {row.state}, until {iso(row.expires)}")
