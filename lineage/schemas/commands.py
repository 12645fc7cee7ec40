"""``meshline schema``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from lineage.options import AsOf, Database, KnownAt, Node, TableFormat, TableShape, engine, show_rows

if TYPE_CHECKING:
    from lineage.schemas.questions import SchemaVersions


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(schema)


def schema(
    node: Node,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Versions of the schema of a dataset, and what each changed for whoever reads it."""
    with engine(db) as lx:
        found = lx.schemas.versions(node, as_of=as_of, known_at=known_at)
    show_rows(found, format, _print)


def _print(found: SchemaVersions) -> None:
    from lineage.contracts.tables import print_shown

    print_shown(found)
