"""``meshline violations``: what was recorded, and what people do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lineage.options import (
    AsOf,
    Database,
    Format,
    KnownAt,
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
    from lineage.policies.violations import Violation

violations = typer.Typer(help="Recorded violations of policies: list, groups, show, ack, assign.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="VIOLATION", help="Its id.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(violations, name="violations")


@violations.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that were fixed.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: TableShape = TableFormat.table,
    db: Database = None,
) -> None:
    """Violations that meshline check --record kept, those past their deadline first."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.policies.violations(everything=everything, as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)


@violations.command()
def groups(
    as_of: AsOf = None, known_at: KnownAt = None, format: TableShape = TableFormat.table, db: Database = None
) -> None:
    """The same under their most upstream causes: one row for what one repair may mend."""
    from lineage.contracts.tables import print_shown

    with engine(db) as lx:
        answer = lx.policies.groups(as_of=as_of, known_at=known_at)
    show_rows(answer, format, print_shown)


@violations.command()
def show(
    violation: Which, as_of: AsOf = None, known_at: KnownAt = None, format: Shape = Format.table, db: Database = None
) -> None:
    """One violation with its path, its deadline and what people did."""
    with engine(db) as lx:
        found = lx.policies.violation(violation, as_of=as_of, known_at=known_at)
    show_value(found, format, _print)


@violations.command()
def ack(violation: Which, reason: Reason = "", actor: Who = None, db: Database = None) -> None:
    """Say that somebody looks after it."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).policies.acknowledge(violation, reason, actor=acting(actor)))


@violations.command()
def assign(
    violation: Which,
    assignee: Annotated[str, typer.Argument(metavar="WHO", help="Who mends it.", show_default=False)],
    reason: Reason = "",
    actor: Who = None,
    db: Database = None,
) -> None:
    """Say who mends it."""
    from lineage.engine import Lineage

    with open_store(db) as store:
        _print(Lineage(store).policies.assign(violation, assignee, reason, actor=acting(actor)))


def _print(one: Violation) -> None:
    from lineage.tables import line, new_console
    from lineage.times import iso

    console = new_console()
    line(console, f"{one.id}: {one.policy} ({one.severity}), {one.state}", "bold")
    line(console, f"{one.subject}: {one.message}")
    late = " (past)" if one.overdue else ""
    line(console, f"opened {iso(one.opened)}, deadline {iso(one.deadline)}{late}, with {one.escalation or 'nobody'}")
    if one.next_step and not late:
        line(console, f"next step of its escalation: {iso(one.next_step)}")
    if one.waiver:
        line(console, f"waived by {one.waiver} until {iso(one.waived_until)}")
    for label, text in (("assigned to", one.assignee), ("caused by", one.cause), ("fixed", iso(one.fixed))):
        if text:
            line(console, f"{label} {text}")
    if one.path:
        line(console, " → ".join(one.path))
    for act in one.acts:
        line(console, f"{iso(act.acted_at)} {act.actor}: {act.act} {act.assignee or ''} {act.reason}".rstrip())
