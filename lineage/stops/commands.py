"""``meshline stops``: where tags do not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lineage.decisions import add_acts, add_list
from lineage.options import Database, Who, acting, open_store

if TYPE_CHECKING:
    from lineage.stops.questions import StopRow

stops = typer.Typer(help="Approved stops of tags: list, request, approve, refuse, revoke.", no_args_is_help=True)

_NODE = "A dataset, with all its columns, or a column; or a unique end of a name."


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


def _print(row: StopRow) -> None:
    from lineage.stops.questions import EVERY
    from lineage.times import iso

    until = f", until {iso(row.until)}" if row.until else ""
    typer.echo(f"{row.id}: {row.tag or EVERY} at {row.node}: {row.state}{until}")


ACTS = {
    "approve": "Let the tag stop there; never by whom the request came from.",
    "refuse": "Refuse a request.",
    "revoke": "End a stop now: the tag goes on again.",
}
add_list(stops, lambda lx: lx.stops, "Stops that hold, held or are ahead, and requests for them.")
add_acts(stops, lambda lx: lx.stops, ACTS, _print)


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(stops, name="stops")
