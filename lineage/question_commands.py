"""Commands that ask about two things: path (two nodes) and diff (two instants)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lineage.errors import UsageError
from lineage.options import (
    AnswerFormat,
    AsOf,
    Database,
    Format,
    KnownAt,
    Shape,
    TableFormat,
    TableShape,
    engine,
    show_rows,
    show_value,
)


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(path)
    app.command()(diff)


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


def diff(
    from_time: Annotated[str, typer.Option("--from", metavar="TIME", help="The earlier instant.", show_default=False)],
    to_time: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="The later instant.", show_default="now")
    ] = None,
    node: Annotated[
        str | None,
        typer.Option("--node", metavar="NODE", help="Only this node and one side of it.", show_default=False),
    ] = None,
    side: Annotated[
        str, typer.Option("--side", metavar="SIDE", help="With --node: upstream, downstream, both or self.")
    ] = "upstream",
    known_from: Annotated[
        str | None, typer.Option("--known-from", metavar="TIME", help="As known then.", show_default="now")
    ] = None,
    known_to: Annotated[
        str | None, typer.Option("--known-to", metavar="TIME", help="As known then.", show_default="now")
    ] = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """What changed between two instants, and which run and code version did it."""
    from lineage.question_tables import print_diff

    with engine(db) as lx:
        answer = lx.diff(from_time, to_time, node=node, side=side, known_from=known_from, known_to=known_to)
    show_rows(answer, format, print_diff)


def run_provenance(
    node: str,
    column: str | None,
    depth: int | None,
    as_of: str | None,
    known_at: str | None,
    shape: AnswerFormat,
    db: Path | None,
    filters: dict[str, Any],
) -> None:
    """``meshline provenance --runs``.

    Raises
    ------
    UsageError
        for a filter or a format that it does not have.
    """
    from lineage.question_tables import print_trail

    given = [name for name, value in filters.items() if value is not None]
    if given:
        raise UsageError(f"{given[0]} does not go with --runs, which lists runs.")
    if shape not in (AnswerFormat.table, AnswerFormat.json, AnswerFormat.csv):
        raise UsageError(f"--format {shape.value} does not go with --runs; table, json and csv do.")
    with engine(db) as lx:
        trail = lx.run_provenance(node, column=column, depth=depth, as_of=as_of, known_at=known_at)
    show_rows(trail, TableFormat(shape.value), print_trail)
