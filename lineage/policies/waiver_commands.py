"""``meshline waivers``: exceptions from policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lineage.decisions import add_acts, add_list
from lineage.options import Database, Who, acting, open_store

if TYPE_CHECKING:
    from lineage.policies.waiving import WaiverRow

waivers = typer.Typer(help="Exceptions from policies: list, request, approve, refuse, revoke.", no_args_is_help=True)


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


def _print(row: WaiverRow) -> None:
    from lineage.times import iso

    typer.echo(f"{row.id}: {row.policy} on {row.subject}: {row.state}, until {iso(row.expires)}")


ACTS = {
    "approve": "Let it stay; never by whom the request came from.",
    "refuse": "Refuse a request.",
    "revoke": "End a waiver now.",
}
add_list(waivers, lambda lx: lx.waivers, "Waivers that hold or held, and requests for them.")
add_acts(waivers, lambda lx: lx.waivers, ACTS, _print)


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(waivers, name="waivers")
