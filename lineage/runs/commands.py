"""``meshline runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lineage.options import (
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

if TYPE_CHECKING:
    from lineage.shown import Shown

runs = typer.Typer(help="Runs one by one: what failed, how long it took, what it read and wrote.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(runs, name="runs")


@runs.command("list")
def list_runs(
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Begin of the span.", show_default="7 days before --to")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="End of the span.", show_default="the asked instant")
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="Only FAIL, ABORT, COMPLETE, RUNNING, START, OTHER, OVERDUE.", show_default="all"),
    ] = None,
    domain: Annotated[
        str | None, typer.Option("--domain", help="Only jobs of this domain.", show_default="all")
    ] = None,
    job: Annotated[str | None, typer.Option("--job", help="Only runs of this job.", show_default="all")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most runs listed.")] = 50,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Runs of a span, failed ones first."""
    with engine(db) as lx:
        found = lx.runs.list(
            since=since, until=until, states=[one.upper() for one in state] if state else None, domain=domain, job=job,
            limit=limit, as_of=as_of, known_at=known_at,
        )  # fmt: skip
    show_rows(found, format, _print)


@runs.command()
def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Its id.", show_default=False)],
    job: Annotated[
        str | None, typer.Option("--job", help="Of several jobs that told this id, this one.", show_default="the first")
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """One run: what it read and wrote, its error, its tests."""
    with engine(db) as lx:
        found = lx.runs.show(run_id, job=job, as_of=as_of, known_at=known_at)
    show_value(found, format, _print)


def _print(found: Shown) -> None:
    from lineage.contracts.tables import print_shown

    print_shown(found)
