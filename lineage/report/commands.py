"""``meshline report``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lineage.options import Database, engine, write_text


class ReportFormat(StrEnum):
    """How the report is written."""

    html = "html"
    md = "md"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(report)


def report(
    domain: Annotated[str | None, typer.Option("--domain", help="Only this domain.", show_default="the mesh")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Begin.", show_default="30 days before its end")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="End.", show_default="now")] = None,
    format: Annotated[ReportFormat, typer.Option("--format", help="For paper, wikis or programs.")] = ReportFormat.html,
    mail: Annotated[bool, typer.Option("--mail", help="The text of the weekly mail: the last seven days.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write it here.", show_default="standard output")
    ] = None,
    db: Database = None,
) -> None:
    """The report for people who decide: scorecard, violations, contracts, incidents, cost, risks, changes."""
    from lineage.errors import UsageError
    from lineage.report.questions import text_of

    with engine(db) as lx:
        text = text_of(lx, "mail" if mail else format.value, domain, start=start, end=end)
    if out is None:
        write_text(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from None
    typer.echo(f"{out}: {len(text):,} characters", err=True)
