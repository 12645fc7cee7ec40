"""``meshline feedback``."""

from __future__ import annotations

from pathlib import Path
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
    from collections.abc import Iterator

    from lineage.feedback.questions import FeedbackQuestions

feedback = typer.Typer(help="What consumers say of products, and what owners answer.", no_args_is_help=True)
Product = Annotated[str, typer.Argument(metavar="PRODUCT", help="Its id.", show_default=False)]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="What it is.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(feedback, name="feedback")


@feedback.command()
def give(
    product: Product,
    rating: Annotated[int, typer.Argument(metavar="1..5", help="From useless to excellent.", show_default=False)],
    text: Annotated[str, typer.Option("--text", help="Why.")] = "",
    actor: Who = None,
    db: Database = None,
) -> None:
    """Rate PRODUCT; the newest rating of a person counts."""
    for asked in _opened(db):
        typer.echo(asked.give(product, rating, text, actor=acting(actor)).id)


@feedback.command()
def report(product: Product, text: Text, actor: Who = None, db: Database = None) -> None:
    """Report a problem with PRODUCT."""
    for asked in _opened(db):
        typer.echo(asked.report(product, text, actor=acting(actor)).id)


@feedback.command()
def answer(
    name: Annotated[str, typer.Argument(metavar="ID", help="Of a rating or problem.", show_default=False)],
    text: Text,
    close: Annotated[bool, typer.Option("--close", help="It is done.")] = False,
    actor: Who = None,
    db: Database = None,
) -> None:
    """Answer as an owner of the product."""
    for asked in _opened(db):
        typer.echo(f"{name}: {asked.answer(name, text, close=close, actor=acting(actor)).state}")


@feedback.command("list")
def list_(
    product: Annotated[str | None, typer.Argument(metavar="[PRODUCT]", help="Only of it.", show_default="all")] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="Only of products of this domain.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only of products that this one answers for.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """What was said, problems without an answer first."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        found = lx.feedback.list(product, domain=domain, owner=owner, as_of=as_of, known_at=known_at)
    show_rows(found, format, print_shown)


def _opened(db: Path | None) -> Iterator[FeedbackQuestions]:
    from lineage.engine import Lineage

    with open_store(db) as store:
        yield Lineage(store).feedback
