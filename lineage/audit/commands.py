"""``meshline audit``: the log of who did what, its check, and its signed checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lineage.errors import MeshlineError
from lineage.options import (
    Database,
    Format,
    Shape,
    TableFormat,
    TableShape,
    Who,
    acting,
    engine,
    open_store,
    show_rows,
    show_value,
)

if TYPE_CHECKING:
    from lineage.audit.checkpoint import Checkpoint
    from lineage.audit.questions import InclusionProof, LogPage
    from lineage.audit.verify import Verification

audit = typer.Typer(help="Who did what: the log, its check, signed checkpoints.", no_args_is_help=True)


class AuditBrokenError(MeshlineError):
    """The log was tampered with."""


class NotSignedError(MeshlineError):
    """A signature was asked for, and there is none."""


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(audit, name="audit")


@audit.command()
def log(
    who: Annotated[str | None, typer.Option("--by", metavar="ACTOR", help="Only acts of this actor.")] = None,
    action: Annotated[
        str | None, typer.Option("--action", metavar="ACTION", help="Only this action: contract.apply, or contract.")
    ] = None,
    resource: Annotated[
        str | None, typer.Option("--resource", metavar="TEXT", help="Only on what has this text in its name.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Only from this time on.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only before this time.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most acts listed, newest first.")] = 100,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Acts, newest first."""
    with engine(db) as lx:
        page = lx.audit.log(who=who, action=action, resource=resource, since=since, until=until, limit=limit)
    show_rows(page, format, _print_log)


@audit.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint that was kept elsewhere.", show_default=False),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="FINGERPRINT", help="Key that has to have signed.", show_default=False),
    ] = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Check the whole log: acts, chain, tree, checkpoints, archived events.

    Exit code 1 when anything was altered, or when --key is given and nothing is signed.
    """
    notes = [_read(path) for path in checkpoint or []]
    with engine(db) as lx:
        found = lx.audit.verify(notes=notes, trusted=key)
    show_value(found, format, _print_verification)
    if not found.intact:
        raise AuditBrokenError(f"The audit log is not intact: {len(found.problems)} findings.")
    if found.unsigned:
        raise NotSignedError(f"Nothing is signed by {key}: sign the log with: meshline audit checkpoint")


@audit.command()
def checkpoint(
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Also write it to this file.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; then signing is logged too.")] = None,
    actor: Who = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Sign the log as it is; keep the text where nobody who can write the database can reach it."""
    from lineage.audit.signing import signing_key
    from lineage.engine import Lineage

    with open_store(db) as store:
        made = Lineage(store).audit.checkpoint(signing_key(), reason=reason, actor=acting(actor))
    if out is not None:
        _write(out, made.note)
    show_value(made, format, _print_checkpoint)


@audit.command()
def prove(
    seq: Annotated[int, typer.Argument(metavar="ACT", help="Number of the act.", show_default=False)],
    size: Annotated[int | None, typer.Option("--size", help="Among the first SIZE acts.", show_default="all")] = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """The hashes that prove one act to be in the log."""
    with engine(db) as lx:
        proof = lx.audit.prove(seq, size=size)
    show_value(proof, format, _print_proof)


def _print_log(page: LogPage) -> None:
    from lineage.tables import line, new_console, second, table

    console = new_console()
    line(console, page.title(), "bold")
    rows = [(str(act.seq), second(act.at), act.actor, act.action, act.resource, act.outcome) for act in page.acts]
    if rows:
        table(console, ("Act", "At", "Actor", "Action", "Resource", "Outcome"), rows)
    if page.partial:
        line(console, "Ask for more with --limit.", "dim")


def _print_verification(found: Verification) -> None:
    from lineage.tables import line, new_console

    console = new_console()
    head = "The log is intact" if found.intact else "The log is NOT intact"
    line(console, f"{head}: {found.acts:,} acts, {found.checkpoints:,} checkpoints, {found.batches:,} batches.", "bold")
    line(console, f"root {found.root}", "dim")
    for key in found.keys:
        line(console, f"signed by key {key}", "dim")
    if found.checkpoints and found.trusted is None:
        line(console, "Integrity only: name the key you trust with --key to check who signed.")
    if not found.checkpoints:
        line(console, "No checkpoint was signed yet, so a log written anew as a whole would not show.")
    elif found.covered < found.acts:
        line(console, f"The last {found.acts - found.covered:,} acts came after the last checkpoint.")
    for problem in found.problems:
        line(console, problem)


def _print_checkpoint(made: Checkpoint) -> None:
    typer.echo(made.note, nl=False)
    typer.echo(f"Signed {made.size:,} acts with key {made.key}", err=True)


def _print_proof(proof: InclusionProof) -> None:
    from lineage.tables import line, new_console

    console = new_console()
    line(console, f"Act {proof.seq} among {proof.size:,} acts", "bold")
    for name, value in [("leaf", proof.leaf), *(("path", step) for step in proof.path), ("root", proof.root)]:
        line(console, f"{name} {value}")


def _read(path: Path) -> str:
    from lineage.audit.checkpoint import read_checkpoint

    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise MeshlineError(f"{path} cannot be read: {reason}.") from None
    read_checkpoint(text)
    return text


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise MeshlineError(f"{path} cannot be written: {error.strerror}.") from None
