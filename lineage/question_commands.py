"""Commands that ask about two things: path (two nodes) and diff (two instants)."""

from __future__ import annotations

from typing import Annotated

import typer

from lineage.options import AsOf, Database, Format, KnownAt, Shape, engine, show_value


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(path)


def path(
    start: Annotated[str, typer.Argument(metavar="A", help="Where the data is.", show_default=False)],
    end: Annotated[str, typer.Argument(metavar="B", help="Where it may go.", show_default=False)],
    every: Annotated[bool, typer.Option("--all", help="Also every edge on any path.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """How data gets from A to B, or whether it cannot."""
    from lineage.question_tables import print_path

    with engine(db) as lx:
        answer = lx.path(start, end, every=every, as_of=as_of, known_at=known_at)
    show_value(answer, format, print_path)
