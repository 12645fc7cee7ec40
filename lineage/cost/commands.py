"""``meshline cost``: import bills, report, explain, showback, budgets, waste."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lineage.errors import MeshlineError
from lineage.options import (
    AsOf,
    Database,
    Format,
    KnownAt,
    Node,
    Shape,
    TableFormat,
    TableShape,
    Who,
    acting,
    engine,
    open_store,
    show_rows,
    show_value,
)

cost = typer.Typer(help="What data costs: bills, attribution, budgets, waste.", no_args_is_help=True)

Period = Annotated[
    str | None,
    typer.Option(
        "--period", metavar="P", help="2026-06, 2026-Q2, 2026, 2026-04..2026-06.", show_default="newest billed month"
    ),
]
Metric = Annotated[str, typer.Option("--metric", metavar="M", help="billed, effective, contracted or listed.")]


class OverBudgetError(MeshlineError):
    """A budget is overrun (``meshline cost budgets --check``)."""


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(cost, name="cost")


@cost.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="FOCUS CSV or Parquet, simple CSV, or a folder.", show_default=False),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing when a row cannot be used.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also files that a later bill replaced.")] = False,
    actor: Who = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Bring bills in; files of one command add up, a later command replaces the same account and period."""
    from lineage.cost.importing import import_files
    from lineage.cost.tables import print_import

    with open_store(db, create=True) as store:
        summary = import_files(store, files, actor=acting(actor), strict=strict, force=force)
    show_value(summary, format, print_import)


@cost.command()
def report(
    by: Annotated[
        str, typer.Option("--by", metavar="WHAT", help="domain, product, dataset, job, consumer or service.")
    ] = "domain",
    period: Period = None,
    full: Annotated[bool, typer.Option("--full", help="The dearest in full cost first.")] = False,
    metric: Metric = "billed",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """What a period cost: own, charged back along lineage, full."""
    from lineage.cost.report import by_full
    from lineage.cost.tables import print_cost

    with engine(db) as lx:
        answer = lx.cost.report(by, period=period, metric=metric, as_of=as_of, known_at=known_at)
    show_rows(by_full(answer) if full else answer, format, print_cost)


@cost.command()
def explain(
    node: Node,
    period: Period = None,
    metric: Metric = "billed",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Which bills, runs and neighbours make up the cost of a node."""
    from lineage.cost.tables import print_explanation

    with engine(db) as lx:
        answer = lx.cost.explain(node, period=period, metric=metric, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_explanation)


@cost.command()
def showback(
    period: Period = None,
    metric: Metric = "billed",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """What each domain pays, and which domain pays for which."""
    from lineage.cost.tables import print_showback

    with engine(db) as lx:
        answer = lx.cost.showback(period=period, metric=metric, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_showback)


@cost.command()
def budgets(
    period: Period = None,
    metric: Metric = "effective",
    check: Annotated[bool, typer.Option("--check", help="Exit code 1 when a budget is overrun.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Budgets: month to date, forecast, alerts; and days that cost more than expected."""
    from lineage.cost.tables import print_budgets

    with engine(db) as lx:
        answer = lx.cost.budgets(period=period, metric=metric, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_budgets)
    over = [one.name for one in answer.budgets if one.state == "over"]
    if check and over:
        raise OverBudgetError(f"Over budget: {', '.join(over)}.")


@cost.command()
def waste(
    days: Annotated[int, typer.Option("--days", help="Nobody read it for so many days.")] = 60,
    period: Period = None,
    metric: Metric = "effective",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Datasets nobody reads with all that exists only for them, and jobs that write what they wrote before."""
    from lineage.cost.tables import print_waste

    with engine(db) as lx:
        answer = lx.cost.waste(days=days, period=period, metric=metric, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_waste)


@cost.command()
def watch(
    node: Node,
    days: Annotated[int, typer.Option("--days", help="How long to watch.")] = 30,
    actor: Who = None,
    db: Database = None,
) -> None:
    """Watch a dataset that is to be removed; waste then tells if somebody reads it."""
    from lineage.engine import Lineage

    with open_store(db) as store, Lineage(store) as lx:
        until = lx.cost.watch(node, days=days, actor=acting(actor))
    typer.echo(f"Watched until {until:%Y-%m-%d %H:%M} UTC.")
