"""Sub-commands of ``meshline`` that bring events in. Thin: what they do is in the modules they call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineage.errors import MeshlineError, UsageError
from lineage.options import register_parts

if TYPE_CHECKING:
    from ingest.forward import Forwarder
    from ingest.outcome import Outcome
    from ingest.sources.files import Source
    from ingest.writer import Writer
    from lineage.store import Store

Db = Annotated[
    Path | None,
    typer.Option("--db", metavar="FILE", help="Database file; default: MESHLINE_DB, else meshline.duckdb."),
]
Format = Annotated[str, typer.Option("--format", help="table (for people) or json.")]


class NothingIngestedError(MeshlineError):
    """Not one event could be taken from what was named."""


PARTS: dict[str, tuple[str, ...]] = {
    "ingest.source_commands": ("follow", "consume"),
    "ingest.reject_commands": ("rejects",),
    "ingest.archive_commands": ("export", "recover", "redact"),
    "ingest.ledger_commands": ("sources",),
    "ingest.retention_commands": ("retention",),
}
"""Modules with further commands, and the words of these."""


def register(app: typer.Typer, word: str | None = None) -> None:
    """Add the commands of this package."""
    app.command("ingest")(ingest)
    app.command("rebuild")(rebuild)
    register_parts(app, PARTS, word)


def ingest(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Files, folders (with all they hold), glob patterns, or - for stdin."),
    ],
    db: Db = None,
    format_: Format = "table",
    server: Annotated[
        str | None,
        typer.Option("--server", metavar="URL", help="Send the events to a running server instead of a file."),
    ] = None,
) -> None:
    """Read OpenLineage events into the database: NDJSON, JSON objects or arrays; plain, gzip or zstd."""
    from ingest.outcome import Outcome
    from ingest.sources import files
    from ingest.sql_step import read_pending
    from ingest.writer import Writer
    from lineage.audit.batches import log_batches
    from lineage.engine import Lineage
    from lineage.policies.turns import look
    from lineage.store import Store

    _check_format(format_)
    sources, missing = files.find(paths)
    if not sources:
        raise UsageError("\n".join(f"{text}. Name files, folders or patterns that exist." for text in missing))
    outcome = Outcome()
    if server is not None:
        _send(server, sources, outcome, missing, format_)
        return
    with Store.open(db) as store:
        _read_all(Writer(store), sources, outcome)
        read_pending(store)
        log_batches(store)
        look(Lineage(store))
        report = _report(store, outcome, sources, missing)
    if format_ == "json":
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _print_report(report)
    if not outcome.accepted and not outcome.duplicates:
        raise NothingIngestedError(_nothing(outcome, report))


def _send(server: str, sources: list[Source], outcome: Outcome, missing: list[str], format_: str) -> None:
    """Send everything to a server; what the database holds then is the server's to tell."""
    from ingest.forward import Forwarder

    _read_all(Forwarder(server), sources, outcome)
    problems = missing + [problem for source in sources for problem in source.problems]
    if format_ == "json":
        kept = {"read": outcome.read, "accepted": outcome.accepted, "quarantined": outcome.quarantined}
        typer.echo(json.dumps({**kept, "reasons": dict(outcome.reasons), "problems": problems, "server": server}))
        return
    lines = [f"{outcome.read:,} read: {server} keeps {outcome.accepted:,}, {outcome.quarantined:,} quarantined"]
    lines += [f"  quarantined as {reason}: {count:,}" for reason, count in sorted(outcome.reasons.items())]
    typer.echo("\n".join([*lines, *(f"  {problem}" for problem in problems)]))


def rebuild(
    db: Db = None,
    format_: Format = "table",
    end_after: Annotated[
        int | None,
        typer.Option(
            "--end-after",
            min=1,
            metavar="RUNS",
            help="Complete runs without an edge that end it.",
            show_default="as before; 3 in a new database",
        ),
    ] = None,
) -> None:
    """Derive every table anew from the archived events; the old file is kept beside the new one."""
    from ingest.progress import Progress
    from ingest.rebuild import rebuild_file
    from lineage.store import default_path
    from lineage.store.store import Store

    _check_format(format_)
    path = db or default_path()
    with Store.open(path, create=False) as store:
        total = int(store.rows("SELECT coalesce(sum(n), 0) FROM raw")[0][0])
    with Progress("Rebuilding", total) as progress:
        done, old = rebuild_file(path, progress.to, end_after)
    if format_ == "json":
        typer.echo(json.dumps({"events": done, "database": str(path), "before": str(old)}))
        return
    typer.echo(f"Rebuilt {path} from {done:,} archived events. The former file is {old}; remove it when all is well.")


def _read_all(writer: Writer | Forwarder, sources: list[Source], outcome: Outcome) -> None:
    from ingest.progress import Progress
    from ingest.sources import files

    with Progress("Reading", sum(source.size for source in sources)) as progress:

        def done(source: Source) -> None:
            if len(sources) > 1 or source.skipped:
                progress.line(f"{source.name}: {'skipped, ' + source.skipped if source.skipped else 'read'}")

        label = sources[0].name if len(sources) == 1 else f"{len(sources)} files"
        for batch in files.batches_of(sources, done):
            outcome.add(writer.ingest(batch, source=label))
            progress.to(sum(source.consumed for source in sources))


def _report(store: Store, outcome: Outcome, sources: list[Source], missing: list[str]) -> dict[str, Any]:
    """What was done, and what the database holds now."""
    problems = [problem for source in sources for problem in source.problems]
    return {
        "read": outcome.read,
        "accepted": outcome.accepted,
        "duplicates": outcome.duplicates,
        "quarantined": outcome.quarantined,
        "reasons": dict(sorted(outcome.reasons.items())),
        "noted": outcome.noted,
        "notes": [f"{one.source}:{one.number}: {one.note}" for one in outcome.notes],
        **totals(store),
        "skipped_files": {source.name: source.skipped for source in sources if source.skipped},
        "problems": missing + problems,
        "database": str(store.path),
    }


def totals(store: Store) -> dict[str, int]:
    """Size of the database, from the same counts as the first page (:class:`lineage.overview.Summary`).

    ``datasets`` and ``columns`` are those that an event described; those that lineage or a symlink merely names are
    ``named_datasets`` and ``named_columns``. The first page shows the sums.
    ``edges`` are pairs of datasets between which data flows.
    """
    import lineage

    summary = lineage.open(store).summary()
    names = ("runs", "jobs", "datasets", "columns", "edges", "column_edges", "named_datasets", "named_columns")
    found = {name: int(getattr(summary, name) or 0) for name in names}
    for of in ("datasets", "columns"):
        found[of] -= found[f"named_{of}"]
    return found


def nodes_text(held: dict[str, Any]) -> str:
    """Datasets and columns in words, from :func:`totals`.

    >>> nodes_text({"datasets": 13, "columns": 91, "named_datasets": 1, "named_columns": 2})
    '14 datasets (1 of them only named) with 93 columns (2 of them only named)'
    """

    def count(described: int, named: int, word: str) -> str:
        return f"{described + named:,} {word}" + (f" ({named:,} of them only named)" if named else "")

    datasets = count(held["datasets"], held["named_datasets"], "datasets")
    return f"{datasets} with {count(held['columns'], held['named_columns'], 'columns')}"


def _print_report(report: dict[str, Any]) -> None:
    lines = [
        f"{report['read']:,} read: {report['accepted']:,} accepted, {report['duplicates']:,} already known, "
        f"{report['quarantined']:,} quarantined"
    ]
    lines += [f"  quarantined as {reason}: {count:,}" for reason, count in report["reasons"].items()]
    lines += [f"  {note}" for note in report["notes"]]
    if report["noted"] > len(report["notes"]):
        lines.append(f"  … and {report['noted'] - len(report['notes']):,} more notes, kept with their events")
    lines += [f"  {problem}" for problem in report["problems"]]
    skipped = report["skipped_files"]
    if len(skipped) > 10:
        lines.append(f"  {len(skipped):,} files hold no events and were skipped (--format json names them all)")
    else:
        lines += [f"  {name}: skipped, {why}" for name, why in skipped.items()]
    lines.append(
        f"{report['database']} now holds {report['runs']:,} runs of {report['jobs']:,} jobs, {nodes_text(report)}, "
        f"{report['edges']:,} edges and {report['column_edges']:,} column edges"
    )
    typer.echo("\n".join(lines))


def _nothing(outcome: Outcome, report: dict[str, Any]) -> str:
    if outcome.read:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in report["reasons"].items())
        return f"None of the {outcome.read:,} inputs is a usable event: {reasons}. They are in the quarantine."
    return "No events found. An event is a JSON object with eventTime and a run, job or dataset; see docs/cli.md."


def _check_format(format_: str) -> None:
    if format_ not in ("table", "json"):
        raise UsageError(f"--format {format_}: choose table or json.")
