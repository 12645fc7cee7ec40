"""``meshline contracts``, ``meshline products``, ``meshline init`` and ``meshline change``."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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
    leaving_with,
    open_store,
    show_rows,
    show_value,
    write_text,
)

contracts = typer.Typer(help="Data contracts (ODCS): list, check, draft, import, export.", no_args_is_help=True)
products = typer.Typer(help="Data products (Bitol ODPS): list, show.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="CONTRACT", help="Id or name; ID@1 for major version 1.")]


class ChangeFormat(StrEnum):
    """How a change is printed."""

    table = "table"
    json = "json"
    md = "md"


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(contracts, name="contracts")
    app.add_typer(products, name="products")
    app.command()(init)
    app.command()(change)


@contracts.command("list")
def list_(
    status: Annotated[str | None, typer.Option("--status", help="Only those with this status.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Contracts, what they bind, who reads it, and what did not bind."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.contracts.list(status, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)


@contracts.command()
def show(contract: Which, known_at: KnownAt = None, format: Shape = Format.table, db: Database = None) -> None:
    """All versions of a contract, and the newest as it was written."""
    from lineage.contracts.tables import print_versions

    with engine(db) as lx:
        found = lx.contracts.versions(contract, known_at=known_at)
    show_value(found, format, print_versions)


@contracts.command()
def check(
    only: Annotated[
        str | None, typer.Argument(metavar="[CONTRACT]", help="A contract or dataset.", show_default="all active")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 4 when a promise is broken.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Is each promise kept? Verdict and evidence for schema, quality, SLA and classification."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.contracts.check(only, as_of=as_of, known_at=known_at)
    with leaving_with(4 if strict and answer.count("broken") else 0):
        show_rows(answer, format, print_shown)


@contracts.command()
def draft(dataset: Node, as_of: AsOf = None, known_at: KnownAt = None, db: Database = None) -> None:
    """A first contract for a dataset, from what was observed."""
    with engine(db) as lx:
        text = lx.contracts.draft(dataset, as_of=as_of, known_at=known_at)
    write_text(text)


@contracts.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="ODCS files.", show_default=False)],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="The folder of declared files.")] = Path(),
    apply: Annotated[bool, typer.Option("--apply", help="Apply DIR at once.")] = False,
    actor: Who = None,
    db: Database = None,
) -> None:
    """Check ODCS files and copy them into DIR/contracts; all of them or none."""
    from lineage.contracts.questions import read_file
    from lineage.declared import apply as apply_files
    from lineage.errors import DeclarationError, UsageError
    from lineage.tables import print_plan

    problems: list[str] = []
    for file in files:
        try:
            read_file(file)
        except DeclarationError as error:
            problems += error.problems
    if problems:
        raise DeclarationError(problems)
    folder = into / "contracts"
    taken = [folder / file.name for file in files if (folder / file.name).exists()]
    if taken:
        raise UsageError(f"{taken[0]} is there already; it is left as it is.")
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)
        typer.echo(f"{folder / file.name}")
    if apply:
        with open_store(db, create=True) as store:
            print_plan(apply_files(store, into, actor=acting(actor)))


@contracts.command()
def export(
    contract: Which,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write.", show_default="stdout")] = None,
    known_at: KnownAt = None,
    db: Database = None,
) -> None:
    """A contract exactly as it was written."""
    with engine(db) as lx:
        text = lx.contracts.written(contract, known_at=known_at)
    if output is None:
        write_text(text)
    else:
        output.write_text(text, encoding="utf-8")


@products.command("list")
def list_products(
    as_of: AsOf = None, known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None
) -> None:
    """Products, their datasets and consumers, and where they differ from what runs did."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.products.list(as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)


@products.command("show")
def show_product(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="Id or name.")],
    known_at: KnownAt = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """All versions of a product, and the newest as it was written."""
    from lineage.contracts.tables import print_versions

    with engine(db) as lx:
        found = lx.products.versions(product, known_at=known_at)
    show_value(found, format, print_versions)


@products.command()
def drift(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="Id or name.")],
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Begin.", show_default="90 days before the end")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="End.", show_default="now")] = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Where a product was other than declared, day by day: differences that came and went."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.products.drift(product, start, end, known_at=known_at)
    show_rows(answer, format, print_shown)


def init(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="domain, product, contract or policy.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Id of the new thing.")],
    directory: Annotated[Path, typer.Option("--dir", metavar="DIR", help="The folder of declared files.")] = Path(),
) -> None:
    """Write a commented template for a declared file."""
    from lineage.contracts.templates import write_template

    typer.echo(str(write_template(kind, name, directory)))


def change(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[OLD] [NEW]", help="Contract files; NEW alone is compared with the store."),
    ] = None,
    drop: Annotated[list[str] | None, typer.Option("--drop", metavar="NODE", help="It goes; repeatable.")] = None,
    rename: Annotated[tuple[str, str] | None, typer.Option("--rename", metavar="NODE NAME", help="New name.")] = None,
    retype: Annotated[tuple[str, str] | None, typer.Option("--retype", metavar="COLUMN TYPE", help="New type.")] = None,
    retire: Annotated[list[str] | None, typer.Option("--retire", metavar="PRODUCT", help="A product goes.")] = None,
    late: Annotated[tuple[str, float] | None, typer.Option("--late", metavar="NODE HOURS", help="It is late.")] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit code 0 whatever is found.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Annotated[ChangeFormat, typer.Option("--format", help="md is for pull requests.")] = ChangeFormat.table,
    db: Database = None,
) -> None:
    """What a change would break, and for whom. Exit code 3 risky, 4 breaking, 5 version step too small."""
    from lineage.contracts.tables import print_change
    from lineage.errors import UsageError
    from lineage.tables import print_json

    nodes = bool(drop or rename or retype or retire or late)
    if nodes == bool(files) or len(files or ()) > 2:
        raise UsageError(
            "meshline change wants one or two contract files, or --drop, --rename, --retype, --retire, --late."
        )
    with engine(db) as lx:
        if files:
            old = files[0] if len(files) == 2 else None
            answer = lx.contracts.change(files[-1], old, as_of=as_of, known_at=known_at)
        else:
            answer = lx.contracts.change_nodes(
                drop=drop or (),
                rename=dict([rename]) if rename else None,
                retype=dict([retype]) if retype else None,
                retire=retire or (),
                late=dict([late]) if late else None,
                as_of=as_of,
                known_at=known_at,
            )
    with leaving_with(0 if exit_zero else answer.exit_code):
        if format is ChangeFormat.json:
            print_json(answer)
        elif format is ChangeFormat.md:
            write_text(answer.markdown())
        else:
            print_change(answer)
