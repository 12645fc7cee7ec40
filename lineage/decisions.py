"""Commands and routes of what one person asks for and another one decides: waivers, access, stops of tags.

They are a list at an instant, a request, which differs, and some acts on the id of one: approve, refuse, revoke. The
list and the acts are here, so that they take the same options everywhere. A *field* is an object with
``list(as_of=, known_at=)`` and one method an act, ``(id, reason, *, actor)``, each of which gives the row after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

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
    from lineage.engine import Lineage

Field = Callable[["Lineage"], Any]
Which = Annotated[str, typer.Argument(metavar="ID", help="Its id; list shows it.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.", show_default=False)]


def add_list(app: typer.Typer, field: Field, help: str) -> None:
    """Add ``list`` to a group of commands."""

    def list_(
        as_of: AsOf = None, known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None
    ) -> None:
        from lineage.contracts.tables import print_shown

        with engine(db) as lx:
            answer = field(lx).list(as_of=as_of, known_at=known_at)
        show_rows(answer, format, print_shown)

    app.command("list", help=help)(list_)


def add_acts(app: typer.Typer, field: Field, acts: Mapping[str, str], show: Callable[[Any], None]) -> None:
    """Add acts to a group of commands.

    Parameters
    ----------
    acts
        help by name; the method of the field is called the same.
    show
        prints the row that an act leaves.
    """
    for name, help in acts.items():
        app.command(name, help=help)(_act(field, name, show))


def _act(field: Field, name: str, show: Callable[[Any], None]) -> Callable[..., None]:
    def run(id: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
        from lineage.engine import Lineage

        with open_store(db) as store:
            show(getattr(field(Lineage(store)), name)(id, reason, actor=acting(actor)))

    return run
