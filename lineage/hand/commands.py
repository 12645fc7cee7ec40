"""``meshline alias`` and ``meshline edge``: what people say about names and edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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
    from pathlib import Path

    from lineage.hand.aliases import Preview
    from lineage.shown import Shown

alias = typer.Typer(help="Names that are one dataset: list, suggest, add, remove, reject, lift.", no_args_is_help=True)
edge = typer.Typer(help="Edges by hand: add missing ones, call observed ones wrong.", no_args_is_help=True)

_DATASET = "A dataset under one of its names: dataset:NAMESPACE:NAME or a unique end of it."
Left = Annotated[str, typer.Argument(metavar="DATASET", help=_DATASET, show_default=False)]
Right = Annotated[str, typer.Argument(metavar="OTHER", help="The other dataset.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(alias, name="alias")
    app.add_typer(edge, name="edge")


@alias.command("list")
def list_aliases(
    as_of: AsOf = None, known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None
) -> None:
    """Datasets with several names, what joins them, and what people said about it."""
    with engine(db) as lx:
        found = lx.aliases.list(as_of=as_of, known_at=known_at)
    show_rows(found, format, _print)


@alias.command()
def suggest(
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most suggestions listed.")] = 100,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Names that may mean one dataset: letter case, partitions. Nothing is joined."""
    with engine(db) as lx:
        found = lx.aliases.suggest(limit=limit)
    show_rows(found, format, _print)


@alias.command("add")
def add_alias(
    dataset: Left,
    other: Right,
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be connected.")] = False,
    actor: Who = None,
    db: Database = None,
) -> None:
    """Say that two names are one dataset, or take back that they are not."""
    if dry_run:
        with engine(db) as lx:
            _print_preview(lx.aliases.preview(dataset, other))
        return
    _act(db, "aliases", "add", dataset, other, reason=reason, actor=acting(actor))


@alias.command("remove")
def remove_alias(dataset: Left, other: Right, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Say that two names are not one dataset, whatever evidence comes; what was added by hand is taken back."""
    _act(db, "aliases", "remove", dataset, other, reason=reason, actor=acting(actor))


@alias.command("reject")
def reject_alias(dataset: Left, other: Right, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Say that two suggested names are not one dataset: they are suggested no more, and kept apart."""
    _act(db, "aliases", "reject", dataset, other, reason=reason, actor=acting(actor))


@alias.command("lift")
def lift_alias(dataset: Left, other: Right, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Take back that two names are kept apart: evidence and suggestions count again."""
    _act(db, "aliases", "lift", dataset, other, reason=reason, actor=acting(actor))


@alias.command()
def rule(
    name: Annotated[str, typer.Argument(metavar="RULE", help="scheme, port or slash.", show_default=False)],
    on: Annotated[bool, typer.Option("--on/--off", help="Whether it joins names.")] = True,
    actor: Who = None,
    db: Database = None,
) -> None:
    """Switch a rule that joins spellings on or off."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        off = Lineage(store).aliases.switch(name, on, actor=acting(actor))
    typer.echo(f"Rules switched off: {', '.join(off) or 'none'}")


@edge.command("list")
def list_edges(known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None) -> None:
    """Edges added by hand, and observed ones that were called wrong."""
    with engine(db) as lx:
        found = lx.edges.list(known_at=known_at)
    show_rows(found, format, _print)


@edge.command("add")
def add_edge(
    source: Left,
    target: Right,
    reason: Reason = "",
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="True from then on.", show_default="now")
    ] = None,
    actor: Who = None,
    db: Database = None,
) -> None:
    """Say that data flows from one dataset to another, or take back that this edge is wrong."""
    _act(db, "edges", "add", source, target, reason=reason, since=since, actor=acting(actor))


@edge.command("remove")
def remove_edge(source: Left, target: Right, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Take back an edge added by hand, or say that an observed one is wrong."""
    _act(db, "edges", "remove", source, target, reason=reason, actor=acting(actor))


def _act(db: Path | None, field: str, verb: str, *ends: str, **more: Any) -> None:
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(getattr(getattr(Lineage(store), field), verb)(*ends, **more))


def _print(found: Shown) -> None:
    from lineage.tables import line, new_console, second, table

    console = new_console()
    line(console, found.title(), "bold")
    rows = [tuple(_text(value, second) for value in row) for row in found.rows()]
    if rows:
        table(console, found.heads(), rows)
    for remark in found.remarks():
        line(console, remark)


def _text(value: Any, second: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else second(value)


def _print_preview(found: Preview) -> None:
    from lineage.tables import line, new_console

    console = new_console()
    if found.joined:
        line(console, "They are one dataset already.", "bold")
        return
    line(
        console,
        f"{sum(found.edges)} edges would join: {found.edges[0]} at the one, {found.edges[1]} at the other.",
        "bold",
    )
    for k, text in enumerate((found.left, found.right)):
        line(console, f"{text}: {found.upstream[k]} nodes upstream, {found.downstream[k]} downstream")
    for node in found.nodes:
        line(console, node)
