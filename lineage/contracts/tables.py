"""Contracts, promises and changes as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.shown import Shown, cell_text
from lineage.tables import line, new_console, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.contracts.overview import Version
    from lineage.contracts.report import ChangeReport

_SHOWN = 25  # consumers of one change that a person reads


def print_shown(answer: Shown) -> None:
    """Any answer that is one table."""
    console = new_console()
    line(console, answer.title(), "bold")
    rows = answer.rows()
    if rows:
        heads = [head.replace("_", " ").capitalize() for head in answer.heads()]
        table(console, heads, [[cell_text(value) for value in row] for row in rows])
    for remark in answer.remarks():
        line(console, remark)


def print_versions(found: Sequence[Version]) -> None:
    """The newest version as it was written, and the list of all."""
    console = new_console()
    rows = [[cell_text(x) for x in (v.version, v.status, v.valid_from, v.actor, v.hash[:12], v.path)] for v in found]
    table(console, ("Version", "Status", "Since", "By", "Hash", "File"), rows)
    if found:
        for text in found[0].text.rstrip().splitlines():
            line(console, text)


def print_change(report: ChangeReport) -> None:
    """Each change with whom it meets."""
    console = new_console()
    line(console, report.title(), "bold")
    rows = []
    for one in report.changes:
        finding = "" if one.finding == "as formal" else one.finding
        move = f"{one.change.old or '–'} → {one.change.new or '–'}"
        formal = f"{one.change.consumer.value}{' G' if one.change.governed else ''}"
        rows.append((formal, one.real.value, one.change.what, one.change.place, move, finding))
    if rows:
        table(console, ("Formally", "Really", "Change", "Where", "From → to", "Finding"), rows)
    for one in report.changes:
        for consumer in one.consumers[:_SHOWN]:
            on = f"; contract {', '.join(consumer.contracts)}" if consumer.contracts else ""
            who = consumer.owner or f"domain {consumer.domain}"
            line(console, f"{one.change.place}: {consumer.id}: {consumer.why} ({consumer.use}, {who}{on})")
        if len(one.consumers) > _SHOWN:
            line(console, f"{one.change.place}: and {len(one.consumers) - _SHOWN:,} more (--format json lists all)")
    for remark in (*report.reasons(), *report.remarks()):
        line(console, remark)
