"""``meshline sources``: the blind-spot ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from lineage.answers import to_json
from lineage.options import Database, Format, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.inventory import FacetUse, Inventory
    from lineage.blindspots import Ledger

_EVENTS = 5_000
_FACETS_SHOWN = 8


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(sources)


def sources(
    stale_after: Annotated[
        float,
        typer.Option("--stale-after", metavar="HOURS", min=0, help="Silence after which a run without end is broken."),
    ] = 24.0,
    events: Annotated[int, typer.Option("--events", min=1, help="Newest events whose facets are looked at.")] = _EVENTS,
    all_: Annotated[bool, typer.Option("--all", help="Name every node of a finding, not only the first.")] = False,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Who sends what, what of it is understood, and what looks broken: the blind-spot ledger."""
    import lineage
    from ingest.inventory import inventory
    from lineage.blindspots import EXAMPLES, ledger
    from lineage.tables import print_json
    from lineage.times import utcnow

    with lineage.open(db) as lx:
        found = ledger(
            lx.view(), now=utcnow(), stale_after=timedelta(hours=stale_after), examples=None if all_ else EXAMPLES
        )
        facets = inventory(lx.store, events)
    if format is Format.json:
        print_json(_as_json(found, facets))
    else:
        _print(found, facets)


def _as_json(found: Ledger, facets: Inventory) -> dict[str, object]:
    answer: dict[str, object] = to_json(found)
    told = [{**to_json(source), "facets": to_json(facets.facets.get(source.producer, ()))} for source in found.sources]
    return {**answer, "sources": told, "facets_of_events": facets.events}


def _print(found: Ledger, facets: Inventory) -> None:
    from lineage.tables import clean
    from lineage.times import iso

    for source in found.sources:
        typer.echo(clean(source.producer or "(no producer named)"))
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in source.kinds.items())
        heard = f", last received {iso(source.last_received)}" if source.last_received else ""
        typer.echo(f"  {source.events:,} events ({kinds or 'none'}) of {source.jobs:,} jobs{heard}")
        if source.odd:
            typer.echo(f"  {source.odd:,} events accepted with a note")
        if source.quarantined:
            refused = ", ".join(f"{reason} {count:,}" for reason, count in source.quarantined.items())
            typer.echo(f"  refused: {clean(refused)}; see meshline rejects list")
        uses = facets.facets.get(source.producer, ())
        if uses:
            understood = sum(use.understood for use in uses)
            typer.echo(f"  {len(uses)} facets, {understood} of them become rows; only kept: {_kept(uses)}")
    if facets.events:
        typer.echo(f"Facets are those of the newest {facets.events:,} events.")
    for finding in found.findings:
        typer.echo(f"\n{finding.nodes:,} {finding.what} ({finding.kind})")
        for spot in finding.spots:
            last = f", last {iso(spot.last.replace(microsecond=0))}" if spot.last else ""
            why = f": {spot.reason}" if spot.reason else ""
            typer.echo(clean(f"  {spot.node}: {spot.cases:,}{last}{why}"))
        if finding.nodes > len(finding.spots):
            typer.echo(f"  … {finding.nodes - len(finding.spots):,} more; see them with --all")
    if not found.findings:
        typer.echo("Nothing looks broken.")


def _kept(uses: Sequence[FacetUse]) -> str:
    """Facets that are kept and shown, and nothing else."""
    from lineage.tables import clean

    names = [f"{use.entity} {use.key}" for use in uses if not use.understood]
    more = f", … {len(names) - _FACETS_SHOWN} more" if len(names) > _FACETS_SHOWN else ""
    return clean(", ".join(names[:_FACETS_SHOWN]) + more) or "none"
