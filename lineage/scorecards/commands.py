"""``meshline scorecards`` and ``meshline risk``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
    from lineage.shown import Shown

scorecards = typer.Typer(help="How well the mesh is governed, each figure with the rows behind it.")


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(scorecards, name="scorecards")
    app.command()(risk)


@scorecards.callback(invoke_without_command=True)
def report(
    context: typer.Context,
    by: Annotated[str, typer.Option("--by", help="mesh, domain, product or tier.")] = "mesh",
    domain: Annotated[str | None, typer.Option("--domain", help="Count only what belongs to it.")] = None,
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Only this one; may be repeated.")] = None,
    rows: Annotated[bool, typer.Option("--rows", help="The rows behind the one --metric.")] = False,
    scope: Annotated[str, typer.Option("--scope", help="With --rows: which domain, product or tier.")] = "",
    history: Annotated[bool, typer.Option("--history", help="Day by day, --from until before --to.")] = False,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="First day of a history.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="End of a history.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Figures of governance now, at any past instant, or day by day."""
    from lineage.contracts.tables import print_shown
    from lineage.errors import UsageError

    if context.invoked_subcommand is not None:
        return
    if rows and len(metric or ()) != 1:
        raise UsageError("--rows shows what is behind one figure: name one --metric.")
    if rows and history:
        raise UsageError("--rows and --history are two questions; ask one.")
    if history and start is None:
        raise UsageError("--history wants --from TIME.")
    if history and (as_of or known_at):
        raise UsageError("--history has --from and --to; leave --as-of and --known-at out.")
    answer: Shown
    with engine(db) as lx:
        asked = lx.scorecards
        if history:
            answer = asked.history(by, start=start, end=end, domain=domain, metrics=metric or ())
        elif rows:
            name = (metric or [""])[0]
            answer = asked.rows(name, by=by, scope=scope, domain=domain, as_of=as_of, known_at=known_at)
        else:
            answer = asked.report(by, domain=domain, metrics=metric or (), as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)


@scorecards.command()
def snapshot(actor: Who = None, db: Database = None) -> None:
    """Keep the figures of today; a running server does it once a day."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        taken = Lineage(store).scorecards.snapshot(actor=acting(actor))
    typer.echo(f"{taken.day:%Y-%m-%d}: {taken.figures:,} figures")


@scorecards.command()
def drill(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="Its id.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What was played, and what came of it.")],
    actor: Who = None,
    db: Database = None,
) -> None:
    """Write down that PRODUCT held a drill; its maturity asks for one a year."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        Lineage(store).scorecards.drill(product, reason, actor=acting(actor))
    typer.echo(f"The drill of {product} is in the audit log.")


def risk(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="Its id.", show_default=False)],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Risk of PRODUCT: classification × exposure × open violations, point by point."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.scorecards.risk(product, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)
