"""``meshline history``: when the mesh changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lineage.options import AsOf, Database, KnownAt, TableFormat, TableShape, engine, show_rows

if TYPE_CHECKING:
    from lineage.history import History


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(history)


def history(
    node: Annotated[
        str | None,
        typer.Argument(metavar="[NODE]", help="Only what is up- or downstream of it.", show_default="the whole mesh"),
    ] = None,
    buckets: Annotated[int, typer.Option("--buckets", help="Into how many parts the time is cut.")] = 30,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """When the mesh changed: how many edges between datasets began and ended in each part of the time."""
    with engine(db) as lx:
        answer = lx.history(node, buckets=buckets, as_of=as_of, known_at=known_at)
    show_rows(answer, format, _print)


def _print(found: History) -> None:
    from lineage.tables import line, new_console, second, table

    console = new_console()
    line(console, found.title(), "bold")
    rows = [(second(b.start), second(b.end), f"{b.opened:,}", f"{b.closed:,}") for b in found.buckets]
    if rows:
        table(console, ("From", "To", "Began", "Ended"), rows)
    line(console, f"{found.opened:,} edges began, {found.closed:,} ended", "dim")
