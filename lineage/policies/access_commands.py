"""``meshline access``: who may read which product."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lineage.decisions import Reason, add_acts, add_list
from lineage.options import Database, Who, acting, open_store

if TYPE_CHECKING:
    from lineage.policies.access import AccessRow

access = typer.Typer(help="Access to products: list, request, approve, deny, revoke.", no_args_is_help=True)


class Consumer(StrEnum):
    """Who may be allowed to read."""

    domain = "domain"
    product = "product"
    team = "team"


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


def _print(row: AccessRow) -> None:
    from lineage.times import iso

    typer.echo(
        f"{row.id}: {row.consumer_kind} {row.consumer} and product {row.product}: {row.state}, until {iso(row.expires)}"
    )
    if row.note:
        typer.echo(f"  {row.note}")


ACTS = {
    "approve": "Grant what was asked for: by the owner of the product or its domain, never by whom it came from.",
    "deny": "Refuse a request.",
    "revoke": "End a grant, or refuse a request.",
}
add_list(
    access,
    lambda lx: lx.access,
    "Grants and requests, shadow edges (read, not granted) and zombie grants (granted, not read).",
)
add_acts(access, lambda lx: lx.access, ACTS, _print)


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(access, name="access")
