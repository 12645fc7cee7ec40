"""``meshline evidence``: packs that prove themselves, what differs between two, and the program that checks them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lineage.errors import MeshlineError
from lineage.options import (
    AsOf,
    Column,
    Database,
    Format,
    KnownAt,
    Node,
    Shape,
    TableFormat,
    TableShape,
    Who,
    acting,
    open_store,
    show_rows,
    show_value,
)

if TYPE_CHECKING:
    from lineage.audit.pack.build import Pack
    from lineage.audit.pack.differences import PackDiff


class _PackByDefault(TyperGroup):
    """``meshline evidence NODE`` is ``meshline evidence pack NODE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the default command before arguments that begin with none."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["pack", *args]
        return list(super().parse_args(ctx, args))


evidence = typer.Typer(
    cls=_PackByDefault,
    help="Evidence packs: where a figure came from, as a file that proves itself offline.",
    no_args_is_help=True,
)


class EvidenceError(MeshlineError):
    """A pack cannot be written, or does not verify."""


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(evidence, name="evidence")


@evidence.command()
def pack(
    node: Node,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="The zip file to write.", show_default=False)
    ],
    column: Column = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    events: Annotated[
        bool, typer.Option("--events/--no-events", help="Put the archived events into it; they may hold secrets.")
    ] = True,
    actor: Who = None,
    format: Shape = Format.table,
    db: Database = None,
) -> None:
    """Write the evidence pack of NODE; the word "pack" may be left out."""
    from lineage.audit.signing import signing_key
    from lineage.engine import Lineage

    if out.exists():
        raise EvidenceError(f"{out} is already there; name another file or remove it first.")
    with open_store(db) as store:
        made = Lineage(store).audit.evidence(
            node, signing_key(), column=column, as_of=as_of, known_at=known_at, raw_events=events, actor=acting(actor)
        )
    try:
        out.write_bytes(made.data)
    except OSError as error:
        raise EvidenceError(f"{out} cannot be written: {error.strerror}.") from None
    show_value(summary(made, out), format, _print_pack)


@evidence.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="The earlier pack.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="B", help="The later pack.", show_default=False)],
    format: TableShape = TableFormat.table,
) -> None:
    """What differs between two packs: runs, versions, code, inputs, owners, tests, files, gaps."""
    from lineage.audit.pack.differences import diff_packs

    show_rows(diff_packs(before, after), format, _print_diff)


@evidence.command()
def verify(
    pack: Annotated[Path, typer.Argument(metavar="PACK", help="The zip file.", show_default=False)],
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="FINGERPRINT", help="Key that has to have signed.", show_default=False),
    ] = None,
) -> None:
    """Check a pack with the verifier of this Meshline, not with the one inside the pack."""
    from lineage.audit.pack.build import verifier

    command = [sys.executable, "-I", "-c", verifier().decode(), str(pack), *(["--key", key] if key else [])]
    if subprocess.run(command, check=False).returncode:
        raise EvidenceError(f"{pack} does not verify.")


@evidence.command("verifier")
def write_verifier(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Where to write it.", show_default=False)],
) -> None:
    """Write verify.py, the program that checks packs with Python alone; prints its SHA-256."""
    from lineage.audit.pack.build import verifier

    try:
        out.write_bytes(verifier())
    except OSError as error:
        raise EvidenceError(f"{out} cannot be written: {error.strerror}.") from None
    typer.echo(f"{hashlib.sha256(verifier()).hexdigest()}  {out}")


def summary(made: Pack, out: Path | None = None) -> dict[str, Any]:
    """What is said of a pack beside its bytes."""
    names = ("node", "as_of", "known_at", "events", "members", "sha256", "verifier", "key", "gaps")
    told = {name: getattr(made, name) for name in names}
    return {"file": str(out), **told} if out else told


def _print_pack(told: dict[str, Any]) -> None:
    from lineage.tables import line, new_console, second

    console = new_console()
    line(console, f"{told['file']}: {told['node']}", "bold")
    line(console, f"as of {second(told['as_of'])} · known at {second(told['known_at'])}", "dim")
    line(console, f"{told['members']:,} members, {told['events']:,} events")
    line(console, f"SHA-256 of the pack       {told['sha256']}")
    line(console, f"SHA-256 of its verify.py  {told['verifier']}")
    line(console, f"signed by key             {told['key']}")
    for gap in told["gaps"]:
        line(console, f"stated gap: {gap}")


def _print_diff(found: PackDiff) -> None:
    from lineage.tables import line, new_console, table

    console = new_console()
    line(console, found.title(), "bold")
    rows = [(c.what, c.subject, c.before or "–", c.after or "–") for c in found.changes]
    if rows:
        table(console, ("What", "Of", "Before", "After"), rows)
    else:
        line(console, "Nothing differs.")
