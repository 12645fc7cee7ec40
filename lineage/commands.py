"""Commands that ask: impact, provenance, show, search; and those that keep house: apply, doctor, snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lineage import question_commands
from lineage.options import (
    LINKED,
    AnswerFormat,
    AnswerShape,
    AsOf,
    Bridge,
    Certainties,
    Column,
    Database,
    Depth,
    Domains,
    Format,
    Hops,
    Kinds,
    KnownAt,
    MaxNodes,
    Node,
    Shape,
    Who,
    acting,
    check_depth,
    check_limits,
    engine,
    leaving_with,
    open_store,
    register_parts,
    show_answer,
    show_value,
)
from lineage.question_commands import run_provenance


def register(app: typer.Typer, word: str | None = None) -> None:
    """Add the commands to the root; called through the entry point group ``meshline.commands``."""
    app.command()(impact)
    app.command()(provenance)
    question_commands.register(app)
    app.command()(show)
    app.command()(search)
    app.command()(apply)
    app.command()(doctor)
    app.command()(snapshot)
    register_parts(app, FIELDS, word)


FIELDS: dict[str, tuple[str, ...]] = {
    "lineage.graph_commands": ("tags", "cause", "attention", "rank", "dead", "mesh"),
    "lineage.history_commands": ("history",),
    "lineage.audit.commands": ("audit",),
    "lineage.contracts.commands": ("contracts", "products", "init", "change"),
    "lineage.audit.pack.commands": ("evidence",),
    "lineage.hand.commands": ("alias", "edge"),
    "lineage.cost.commands": ("cost",),
    "lineage.quality.commands": ("quality", "gate", "drill", "promises", "performance", "incidents"),
    "lineage.policies.commands": ("policies", "check"),
    "lineage.policies.violation_commands": ("violations",),
    "lineage.policies.waiver_commands": ("waivers",),
    "lineage.policies.access_commands": ("access",),
    "lineage.alerts.commands": ("alerts",),
    "lineage.stops.commands": ("stops",),
    "lineage.scorecards.commands": ("scorecards", "risk"),
    "lineage.feedback.commands": ("feedback",),
    "lineage.report.commands": ("report",),
    "lineage.owners.commands": ("owner",),
    "lineage.saved.commands": ("views",),
    "lineage.runs.commands": ("runs",),
    "lineage.schemas.commands": ("schema",),
}
"""Modules of further fields (contracts, cost, …) with the words of their commands and groups; each has
``register(app)`` and imports nothing heavy."""


def impact(
    node: Node,
    column: Column = None,
    depth: Depth = None,
    hops: Hops = None,
    max_nodes: MaxNodes = None,
    kind: Kinds = None,
    domain: Domains = None,
    certainty: Certainties = None,
    bridge: Bridge = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: AnswerShape = AnswerFormat.table,
    db: Database = None,
) -> None:
    """Everything downstream of NODE: what breaks when it changes."""
    with engine(db) as lx:
        answer = lx.impact(
            node,
            column=column,
            **check_limits(depth, hops, max_nodes),
            kinds=kind,
            domains=domain,
            certainty=certainty,
            links=format in LINKED,
            bridge=bridge,
            facts=format is not AnswerFormat.table,
            as_of=as_of,
            known_at=known_at,
        )
    show_answer(answer, format)


def provenance(
    node: Node,
    column: Column = None,
    depth: Depth = None,
    hops: Hops = None,
    max_nodes: MaxNodes = None,
    kind: Kinds = None,
    domain: Domains = None,
    certainty: Certainties = None,
    bridge: Bridge = False,
    runs: Annotated[bool, typer.Option("--runs", help="The exact runs and input versions behind NODE.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: AnswerShape = AnswerFormat.table,
    db: Database = None,
) -> None:
    """Everything upstream of NODE: where its data comes from."""
    if runs:
        filters: dict[str, Any] = {
            "--kind": kind,
            "--domain": domain,
            "--certainty": certainty,
            "--bridge": bridge or None,
        }
        filters |= {"--hops": hops, "--max-nodes": max_nodes}
        run_provenance(node, column, check_depth(depth), as_of, known_at, format, db, filters)
        return
    with engine(db) as lx:
        answer = lx.provenance(
            node,
            column=column,
            **check_limits(depth, hops, max_nodes),
            kinds=kind,
            domains=domain,
            certainty=certainty,
            links=format in LINKED,
            bridge=bridge,
            facts=format is not AnswerFormat.table,
            as_of=as_of,
            known_at=known_at,
        )
    show_answer(answer, format)


def show(
    node: Node,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Everything about one NODE: columns, neighbours, runs, tests, facets."""
    from lineage.tables import print_node

    with engine(db) as lx:
        detail = lx.show(node, as_of=as_of, known_at=known_at)
    show_value(detail, format, print_node)


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

    with engine(db) as lx:
        hits = lx.search(text, kinds=kind, limit=limit, as_of=as_of, known_at=known_at)
    show_value(hits, format, lambda found: print_hits(text, found))


def apply(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that holds domains/ with YAML files.", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    actor: Who = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Bring the store in line with declared files: all of them or none."""
    from lineage.declared import apply as apply_files
    from lineage.engine import Lineage
    from lineage.tables import print_plan

    with open_store(db, create=True) as store:
        plan = apply_files(store, directory, dry_run=dry_run, actor=acting(actor))
        if plan.applied and plan.touches("policy", "waiver", "access_grant", "tag_stop"):
            Lineage(store).policies.record(actor=acting(actor))
    show_value(plan, format, print_plan)


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

    with open_store(db) as store:
        report = examine(store, with_fingerprint=fingerprint)
    with leaving_with(0 if report.healthy else 1):
        show_value(report, format, print_report)


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
        with open_store(db) as store:
            store.snapshot(target)
    typer.echo(f"{target}: {target.stat().st_size:,} bytes")
