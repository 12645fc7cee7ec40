"""``meshline policies`` and ``meshline check``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
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
    Who,
    acting,
    engine,
    leaving_with,
    open_store,
    show_rows,
    show_value,
)

if TYPE_CHECKING:
    from lineage.policies.model import Policy

policies = typer.Typer(help="Policies as code: list, show, test, the shipped library.", no_args_is_help=True)


class Severity(StrEnum):
    """How grave a violation is."""

    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(policies, name="policies")
    app.command()(check)


@policies.command("list")
def list_(
    as_of: AsOf = None, known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None
) -> None:
    """The policies that hold; when none was applied, those of the library."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.policies.list(as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)


@policies.command()
def show(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="Its id.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """One policy with its SQL."""
    with engine(db) as lx:
        found = lx.policies.show(policy, as_of=as_of, known_at=known_at)
    show_value(found, format, _print_policy)


@policies.command()
def test(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Files or folders.", show_default="all that hold", exists=True),
    ] = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Run the tests of policies: rows in, violations out. Exit code 1 when one fails or is missing.

    Files are tested without a database, as before a merge.
    """
    from lineage.contracts.tables import print_shown
    from lineage.engine import Lineage
    from lineage.store import Store

    if files:
        with Store.open(":memory:") as store:
            answer = Lineage(store).policies.test(files)
    else:
        with engine(db) as lx:
            answer = lx.policies.test()
    with leaving_with(0 if answer.passed else 1):
        show_rows(answer, format, print_shown)


@policies.command()
def backtest(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The proposed policy.", exists=True, dir_okay=False)],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="First instant.")],
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Last instant.", show_default="now")] = None,
    step: Annotated[str, typer.Option("--step", help="Time between two instants: 12h, 1d, 2w.")] = "1d",
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """What a proposed policy would have said over past states of the mesh, beside what was recorded."""
    from lineage.contracts.tables import print_shown
    from lineage.policies.load import read_policies

    (policy,) = read_policies([file])
    with engine(db) as lx:
        answer = lx.policies.backtest(policy, start=start, end=end, step=step)
    show_rows(answer, format, print_shown)


@policies.command("library")
def library_(
    write: Annotated[
        Path | None, typer.Option("--write", metavar="DIR", help="Copy them into DIR/policies to be applied.")
    ] = None,
    format: TableShape = TableFormat.table,
) -> None:
    """The policies that Meshline ships."""
    from lineage.contracts.tables import print_shown
    from lineage.policies.load import write_library
    from lineage.policies.questions import shipped

    if write is not None:
        for path in write_library(write):
            typer.echo(str(path))
        return
    show_rows(shipped(), format, print_shown)


def check(
    policy: Annotated[str | None, typer.Option("--policy", metavar="ID", help="Only this policy.")] = None,
    fail_on: Annotated[Severity, typer.Option("--fail-on", help="Least severity that fails.")] = Severity.high,
    record: Annotated[bool, typer.Option("--record", help="Keep the results: violations open and close.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    actor: Who = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Run the policies. Exit code 1 when a violation is grave enough or a policy is in error."""
    from lineage.contracts.tables import print_shown
    from lineage.engine import Lineage
    from lineage.errors import UsageError

    if record:
        if as_of is not None or known_at is not None:
            raise UsageError("--record keeps what holds now; leave --as-of and --known-at out.")
        with open_store(db) as store:
            kept = Lineage(store).policies.record(policy, actor=acting(actor))
        typer.echo(f"recorded: {kept.changed:,} results changed", err=True)
    with engine(db) as lx:
        answer = lx.policies.check(policy, as_of=as_of, known_at=known_at)
    with leaving_with(1 if answer.fails(fail_on.value) else 0):
        show_rows(answer, format, print_shown)


def _print_policy(policy: Policy) -> None:
    from lineage.tables import line, new_console

    console = new_console()
    line(console, f"{policy.id} {policy.version}: {policy.title}", "bold")
    domain = "everywhere" if policy.domain == "*" else f"in domain {policy.domain}"
    line(
        console,
        f"{policy.severity}, {domain}, {policy.stage}; {policy.days} days to mend; {policy.owner or 'no owner'}",
    )
    for text in (policy.description, f"scope:\n{policy.scope_sql}", f"violations:\n{policy.violation_sql}"):
        line(console, text.rstrip())
