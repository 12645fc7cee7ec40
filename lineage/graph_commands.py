"""Commands that ask about the graph as a whole: tags, cause."""

from __future__ import annotations

from typing import Annotated

import typer

from lineage.options import AsOf, Database, KnownAt, TableFormat, TableShape, engine, show_rows

AnyNode = Annotated[
    str | None,
    typer.Argument(metavar="[NODE]", help="A dataset or column, or a unique end of a name.", show_default="all"),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(tags)
    app.command()(cause)


def tags(
    node: AnyNode = None,
    tag: Annotated[
        str | None,
        typer.Option("--tag", metavar="TAG", help="A key (pii) or a whole tag (pii:email).", show_default="all"),
    ] = None,
    indirect: Annotated[bool, typer.Option("--indirect", help="Also through filters, joins and groups.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Which columns carry which tags, from where, and what stops them."""
    from lineage.graph_tables import print_tags

    with engine(db) as lx:
        answer = lx.tags(node, tag=tag, indirect=indirect, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_tags)


def cause(
    nodes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NODE]...", help="What fails.", show_default="failed jobs and failing tests"),
    ] = None,
    passing: Annotated[
        list[str] | None,
        typer.Option("--passing", metavar="NODE", help="Known to be well; may be repeated.", show_default=False),
    ] = None,
    certainty: Annotated[
        str, typer.Option("--certainty", metavar="LEVEL", help="Follow only edges that are at least so certain.")
    ] = "stale",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """The smallest set of failing nodes that explains all that fail."""
    from lineage.graph_tables import print_causes

    with engine(db) as lx:
        answer = lx.cause(nodes or None, passing=passing or (), certainty=certainty, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_causes)
