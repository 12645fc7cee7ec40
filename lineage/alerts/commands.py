"""``meshline alerts``: what is told, to whom, and whether it arrived."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineage.options import (
    Database,
    Format,
    Shape,
    TableFormat,
    TableShape,
    Who,
    acting,
    engine,
    leaving_with,
    open_store,
    show_rows,
    show_value,
)

if TYPE_CHECKING:
    from lineage.alerts.model import Delivery

alerts = typer.Typer(help="Alerts out: list, routes, send, test, resend.", no_args_is_help=True)


class State(StrEnum):
    """What became of a delivery."""

    waiting = "waiting"
    sent = "sent"
    dead = "dead"


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(alerts, name="alerts")


@alerts.command("list")
def list_(
    state: Annotated[State | None, typer.Option("--state", help="Only these deliveries.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most rows.")] = 200,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Alerts and their deliveries, the newest first."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.alerts.list(state=state.value if state else None, limit=limit)
    show_rows(answer, format, print_shown)


@alerts.command()
def routes(format: Shape = Format.table, db: Database = None) -> None:
    """The routes that hold; of addresses and keys only the names of their variables."""
    with engine(db) as lx:
        found = lx.alerts.routes()
    show_value(found, format, _print_routes)


@alerts.command()
def send(db: Database = None) -> None:
    """Raise what is new and deliver what is due, once. A server does it by itself."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        done = Lineage(store).alerts.send()
    typer.echo(f"{done.raised} raised, {done.delivered} delivered, {done.failed} failed, {done.waiting} waiting")
    for problem in done.problems:
        typer.echo(f"could not ask for {problem}", err=True)


@alerts.command()
def test(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="Its id.", show_default=False)],
    actor: Who = None,
    db: Database = None,
) -> None:
    """Send a made-up alert by one route. Exit code 1 when it does not arrive."""
    with engine(db) as lx:
        done = lx.alerts.test(route, actor=acting(actor))
    with leaving_with(0 if done.state == "sent" else 1):
        _print(done)


@alerts.command()
def resend(
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="Its id.", show_default=False)],
    actor: Who = None,
    db: Database = None,
) -> None:
    """Let a delivery that is dead be tried again."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).alerts.resend(delivery, actor=acting(actor)))


def _print(one: Delivery) -> None:
    typer.echo(f"{one.id} by {one.route} ({one.channel}): {one.state}{f', {one.error}' if one.error else ''}")


def _print_routes(found: Any) -> None:
    for one in found:
        where = ", ".join(one.domains) if one.domains is not None else "every domain"
        at = ", ".join(f"${{{name}}}" for name in (one.url, one.secret, one.smtp) if name)
        typer.echo(f"{one.id}: {one.channel} {at}: {', '.join(one.kinds)} from {one.severity} on, {where}")
    if not found:
        typer.echo("No route is declared, so nothing is sent (alerts/*.yaml, then meshline apply).")
