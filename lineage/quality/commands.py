"""``meshline quality`` and ``meshline gate``."""

from __future__ import annotations

from typing import Annotated

import typer

from lineage.options import AsOf, Database, KnownAt, Node, TableFormat, TableShape, engine, show_rows


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(quality)
    app.command()(gate)


def quality(
    node: Annotated[
        str | None,
        typer.Argument(metavar="[NODE]", help="A dataset or column; without it all datasets.", show_default=False),
    ] = None,
    by: Annotated[str, typer.Option("--by", metavar="WHAT", help="dataset, domain or product.")] = "dataset",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """How good data is: the score of NODE point by point, or of everything."""
    from lineage.quality.tables import print_shown

    with engine(db) as lx:
        if node is not None:
            show_rows(lx.quality.explain(node, as_of=as_of, known_at=known_at), format, print_shown)
        else:
            show_rows(lx.quality.report(by, as_of=as_of, known_at=known_at), format, print_shown)


def gate(
    node: Node,
    trust_sources: Annotated[
        bool, typer.Option("--trust-sources", help="Datasets that no known job writes count as fine.")
    ] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """May a pipeline go on with NODE? Exit code 0: yes, 1: something upstream is wrong, 3: cannot be told."""
    from lineage.quality.gate import EXIT
    from lineage.quality.tables import print_shown

    with engine(db) as lx:
        found = lx.quality.gate(node, trust_sources=trust_sources, as_of=as_of, known_at=known_at)
    show_rows(found, format, print_shown)
    raise typer.Exit(EXIT[found.state])
