"""Commands that ask about the graph as a whole: tags, cause, attention, rank, dead, mesh."""

from __future__ import annotations

from typing import Annotated

import typer

from lineage.options import AsOf, Database, Domains, KnownAt, TableFormat, TableShape, engine, show_rows

AnyNode = Annotated[
    str | None,
    typer.Argument(metavar="[NODE]", help="A dataset or column, or a unique end of a name.", show_default="all"),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(tags)
    app.command()(cause)
    app.command()(attention)
    app.command()(rank)
    app.command()(dead)
    app.command()(mesh)


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


def attention(
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="DOMAIN", help="Only what is in this domain.", show_default="all")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help="Most rows shown.")] = 20,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """What is not well, of every kind: the graver and the more data behind it, the higher."""
    from lineage.graph_tables import print_attention

    with engine(db) as lx:
        answer = lx.attention(domain=domain, limit=limit, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_attention)


def rank(
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="FIGURE",
            help="criticality, downstream, upstream, dependents, feeders, readers, sources or rank.",
        ),
    ] = "criticality",
    level: Annotated[str, typer.Option("--level", metavar="LEVEL", help="dataset or column.")] = "dataset",
    domain: Domains = None,
    limit: Annotated[int, typer.Option("--limit", help="Most rows shown.")] = 20,
    cycles: Annotated[bool, typer.Option("--cycles", help="Show where data goes in circles instead.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """The nodes that matter most: reach, single points of failure, hubs, cycles."""
    from lineage.graph_tables import print_cycles, print_ranking

    with engine(db) as lx:
        if cycles:
            show_rows(lx.cycles(as_of=as_of, known_at=known_at), format, print_cycles)
            return
        answer = lx.rank(by, level=level, domains=domain, limit=limit, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_ranking)


def dead(
    ends: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATASET]...", help="Datasets that are not needed.", show_default="list what is unread"
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="DATASET", help="Needed all the same; may be repeated.", show_default=False),
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """What nobody reads, and the safe order to remove it with all that exists only for it."""
    from lineage.graph_tables import print_dead

    with engine(db) as lx:
        answer = lx.dead(ends or None, keep=keep or (), as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_dead)


def mesh(
    level: Annotated[
        str, typer.Option("--level", metavar="LEVEL", help="domain, product, application, dag or job.")
    ] = "domain",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """The graph one level up: which domains, products, applications or jobs feed which."""
    from lineage.graph_tables import print_mesh

    with engine(db) as lx:
        answer = lx.mesh(level, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_mesh)
