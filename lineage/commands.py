"""Commands that ask: impact, provenance, show, search; and those that keep house: apply, doctor, snapshot."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.store import Store


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"


Node = Annotated[
    str,
    typer.Argument(
        metavar="NODE",
        help="dataset:NAMESPACE:NAME, job:NAMESPACE:NAME, column:NAMESPACE:NAME:COLUMN, or a unique end of a name.",
        show_default=False,
    ),
]
Database = Annotated[
    Path | None,
    typer.Option("--db", help="Database file.", show_default="MESHLINE_DB, else meshline.duckdb"),
]
Shape = Annotated[Format, typer.Option("--format", help="Table for people or JSON for programs.")]
Depth = Annotated[int | None, typer.Option("--depth", help="Greatest number of hops.", show_default="no limit")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="As it was at this time, e.g. 2026-03-31.", show_default="now"),
]
KnownAt = Annotated[
    str | None, typer.Option("--known-at", metavar="TIME", help="As it was known at this time.", show_default="now")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the root; called through the entry point group ``meshline.commands``."""
    app.command()(impact)
    app.command()(provenance)
    app.command()(show)
    app.command()(search)
    app.command()(apply)
    app.command()(doctor)
    app.command()(snapshot)


def impact(
    node: Node,
    depth: Depth = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Everything downstream of NODE: what breaks when it changes."""
    from lineage.tables import print_answer

    with _engine(db) as lx:
        answer = lx.impact(node, depth=_depth(depth), as_of=as_of, known_at=known_at)
    _print(answer, format, print_answer)


def provenance(
    node: Node,
    depth: Depth = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Everything upstream of NODE: where its data comes from."""
    from lineage.tables import print_answer

    with _engine(db) as lx:
        answer = lx.provenance(node, depth=_depth(depth), as_of=as_of, known_at=known_at)
    _print(answer, format, print_answer)


def show(
    node: Node,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Everything about one NODE: columns, neighbours, runs, tests, facets."""
    from lineage.tables import print_node

    with _engine(db) as lx:
        detail = lx.show(node, as_of=as_of, known_at=known_at)
    _print(detail, format, print_node)


def search(
    text: Annotated[str, typer.Argument(help="Any part of a name; typing errors are forgiven.", show_default=False)],
    kind: Annotated[list[str] | None, typer.Option("--kind", help="dataset, job or column; may be repeated.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="Most hits shown.")] = 20,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Datasets, jobs and columns by name."""
    from lineage.tables import print_hits

    with _engine(db) as lx:
        hits = lx.search(text, kinds=kind, limit=limit, as_of=as_of, known_at=known_at)
    _print(hits, format, lambda found: print_hits(text, found))


def apply(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that holds domains/ with YAML files.", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    actor: Annotated[str, typer.Option("--actor", help="Who does it; kept with every version.")] = "local",
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Bring the store in line with declared files: all of them or none."""
    from lineage.actor import Actor
    from lineage.declared import apply as apply_files
    from lineage.tables import print_plan

    with _store(db, create=True) as store:
        plan = apply_files(store, directory, dry_run=dry_run, actor=Actor(actor))
    _print(plan, format, print_plan)


def doctor(
    fingerprint: Annotated[
        bool, typer.Option("--fingerprint", help="Print the hash of all derived content too.")
    ] = False,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Examine the store; exit code 1 when something is wrong."""
    from lineage.doctor import examine
    from lineage.tables import print_report

    with _store(db) as store:
        report = examine(store, with_fingerprint=fingerprint)
    _print(report, format, print_report)
    if not report.healthy:
        raise typer.Exit(1)


def snapshot(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The copy to write.", show_default=False)],
    server: Annotated[
        str | None, typer.Option("--server", metavar="URL", help="Take the copy from a running server.")
    ] = None,
    db: Database = None,
) -> None:
    """Copy the database as it is now; the copy opens anywhere."""
    from lineage.copying import copy_from_server

    if server is not None:
        copy_from_server(server, target)
    else:
        with _store(db) as store:
            store.snapshot(target)
    typer.echo(f"{target}: {target.stat().st_size:,} bytes")


def _engine(db: Path | None) -> Lineage:
    from lineage import engine

    return engine.open(db)


def _store(db: Path | None, *, create: bool = False) -> Store:
    from lineage.store import Store

    return Store.open(db, create=create)


def _depth(depth: int | None) -> int | None:
    from lineage.errors import UsageError

    if depth is not None and depth < 0:
        raise UsageError(f"--depth: {depth} is negative; leave it out for no limit.")
    return depth


def _print(value: Any, shape: Format, as_table: Any) -> None:
    from lineage.tables import print_json

    if shape is Format.json:
        print_json(value)
    else:
        as_table(value)
