"""Options that several commands share, and how commands open the database and print."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lineage.actor import Actor
    from lineage.answers import Answer
    from lineage.engine import Lineage
    from lineage.shown import Shown
    from lineage.store import Store


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"


class TableFormat(StrEnum):
    """How an answer that is one table is printed."""

    table = "table"
    json = "json"
    csv = "csv"


class AnswerFormat(StrEnum):
    """How impact and provenance are printed."""

    table = "table"
    json = "json"
    csv = "csv"
    md = "md"
    mermaid = "mermaid"
    graphml = "graphml"
    openlineage = "openlineage"


LINKED = frozenset({AnswerFormat.mermaid, AnswerFormat.graphml, AnswerFormat.openlineage})  # they show edges

_NODE_HELP = "dataset:NAMESPACE:NAME, job:NAMESPACE:NAME, column:NAMESPACE:NAME:COLUMN, or a unique end of a name."

Node = Annotated[str, typer.Argument(metavar="NODE", help=_NODE_HELP, show_default=False)]
Database = Annotated[
    Path | None,
    typer.Option("--db", help="Database file.", show_default="MESHLINE_DB, else meshline.duckdb"),
]
Shape = Annotated[Format, typer.Option("--format", help="Table for people or JSON for programs.")]
TableShape = Annotated[TableFormat, typer.Option("--format", help="Table for people, JSON or CSV.")]
AnswerShape = Annotated[AnswerFormat, typer.Option("--format", help="Table for people, the others to pass on.")]
Depth = Annotated[int | None, typer.Option("--depth", help="Greatest number of hops.", show_default="no limit")]
Hops = Annotated[
    int | None, typer.Option("--hops", metavar="N", help="Only what is exactly N hops away.", show_default=False)
]
MaxNodes = Annotated[
    int | None, typer.Option("--max-nodes", metavar="N", help="Greatest number of rows.", show_default="no limit")
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="As it was at this time, e.g. 2026-03-31.", show_default="now"),
]
KnownAt = Annotated[
    str | None, typer.Option("--known-at", metavar="TIME", help="As it was known at this time.", show_default="now")
]
Who = Annotated[
    str | None,
    typer.Option("--actor", envvar="MESHLINE_ACTOR", help="Who does it.", show_default="user of the system"),
]
Column = Annotated[
    str | None, typer.Option("--column", metavar="COLUMN", help="Ask for this column of NODE.", show_default=False)
]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="KINDS",
        help="List only these: dataset,job,column,product,domain,application.",
        show_default=False,
    ),
]
Domains = Annotated[
    list[str] | None,
    typer.Option("--domain", metavar="DOMAINS", help="List only nodes of these domains.", show_default=False),
]
Certainties = Annotated[
    list[str] | None,
    typer.Option(
        "--certainty",
        metavar="LEVELS",
        help="List and follow only what is certain,probable,stale.",
        show_default=False,
    ),
]


Bridge = Annotated[
    bool, typer.Option("--bridge", help="Leave temporary datasets out: the way through them is one hop.")
]


def register_parts(app: typer.Typer, parts: Mapping[str, tuple[str, ...]], word: str | None) -> None:
    """Add the commands of some modules, each of which has ``register(app)``.

    Parameters
    ----------
    app
        where they are added.
    parts
        words of the commands and groups of each module, in the order of ``--help``.
    word
        import only the module that has this one; ``None``: all of them.
    """
    for module, words in parts.items():
        if word is None or word in words:
            import_module(module).register(app)


def engine(db: Path | None) -> Lineage:
    """The query layer over a database file; one of an older format is upgraded first, after a copy was made.

    Raises
    ------
    StoreError
        when it cannot be opened, or is of an older format and cannot be written.
    """
    from lineage import engine
    from lineage.errors import StoreError, StoreOutdatedError
    from lineage.store import Store

    try:
        return engine.open(db)
    except StoreOutdatedError as outdated:
        try:
            with Store.open(db, create=False) as store:
                typer.echo(f"meshline: {store.path} was upgraded; the former file is kept beside it.", err=True)
        except StoreError as error:
            raise StoreError(f"{outdated} It cannot be upgraded now: {error}") from None
        return engine.open(db)


def open_store(db: Path | None, *, create: bool = False) -> Store:
    """A database file for writing."""
    from lineage.store import Store

    return Store.open(db, create=create)


def acting(name: str | None) -> Actor:
    """Who acts: the named one, else the user of the operating system.

    >>> acting("ann").name
    'ann'
    """
    import getpass

    from lineage.actor import Actor

    if name and name.strip():
        return Actor(name.strip())
    try:
        return Actor(getpass.getuser())
    except (KeyError, OSError, ImportError):  # a container whose user has no name
        return Actor("unknown")


def check_depth(depth: int | None, option: str = "--depth") -> int | None:
    """Refuse a negative number of hops under the name of the option.

    Raises
    ------
    UsageError
        when it is negative.
    """
    from lineage.errors import UsageError

    if depth is not None and depth < 0:
        raise UsageError(f"{option}: {depth} is negative; leave it out for no limit.")
    return depth


def check_limits(depth: int | None, hops: int | None, max_nodes: int | None) -> dict[str, Any]:
    """Limits of impact and provenance as their keyword arguments, refused under the names of the options.

    Raises
    ------
    UsageError
        for a negative number of hops, for fewer than one row, and for a depth and hops together.
    """
    from lineage.errors import UsageError

    if max_nodes is not None and max_nodes < 1:
        raise UsageError(f"--max-nodes: {max_nodes} is below 1; leave it out for no limit.")
    if depth is not None and hops is not None:
        raise UsageError(
            "--depth and --hops do not go together: --depth lists all up to a distance, --hops what is at it."
        )
    return {"depth": check_depth(depth), "hops": check_depth(hops, "--hops"), "max_nodes": max_nodes}


@contextmanager
def leaving_with(code: int) -> Iterator[None]:
    """Print a verdict and leave with its exit code, also when the reader of the output (``| head``) has gone.

    Raises
    ------
    typer.Exit
        with the code, unless it is 0.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        pipe_closed()
    except SystemExit as leaving:  # a console leaves so when its pipe is closed
        if not isinstance(leaving.__context__, BrokenPipeError):
            raise
        pipe_closed()
    if code:
        raise typer.Exit(code)


def pipe_closed() -> None:
    """The reader of the output has gone: stay silent, also when Python flushes at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())


def show_value(value: Any, shape: Format, as_table: Any) -> None:
    """Print an answer as JSON, or with the function that makes a table of it."""
    from lineage.tables import print_json

    if shape is Format.json:
        print_json(value)
    else:
        as_table(value)


def show_rows(value: Shown, shape: TableFormat, as_table: Any) -> None:
    """Print an answer that is one table, as JSON, CSV or for people."""
    from lineage.formats.flat import to_csv
    from lineage.tables import print_json

    if shape is TableFormat.json:
        print_json(value)
    elif shape is TableFormat.csv:
        write_text(to_csv(value))
    else:
        as_table(value)


def show_answer(answer: Answer, shape: AnswerFormat) -> None:
    """Print impact or provenance."""
    from lineage.tables import print_answer, print_json

    if shape is AnswerFormat.table:
        print_answer(answer)
    elif shape is AnswerFormat.json:
        print_json(answer)
    else:
        from lineage.formats import render, unsaid

        write_text(render(answer, shape.value))
        for text in unsaid(answer, shape.value):
            typer.echo(text, err=True)


def write_text(text: str) -> None:
    """Write a document to standard output, always as UTF-8: files made by redirection must not depend on a terminal."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None or (sys.stdout.encoding or "").lower().replace("-", "") == "utf8":
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        buffer.write(text.encode("utf-8"))
