"""Answers about quality as tables for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineage.shown import Shown
from lineage.tables import clean, line, new_console, second, table


def print_shown(found: Shown) -> None:
    """Any answer about quality: title, table, remarks."""
    console = new_console()
    line(console, clean(found.title()), "bold")
    rows = [tuple(_text(value) for value in row) for row in found.rows()]
    if rows:
        table(console, tuple(head.replace("_", " ") for head in found.heads()), rows)
    for remark in found.remarks():
        line(console, clean(remark))


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return second(value)
    return clean(", ".join(map(str, value)) if isinstance(value, list | tuple) else value)
