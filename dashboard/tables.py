"""Tables: AG Grid (community) with one look, keyboard, and files that hold what the table shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dash_ag_grid as dag
from dash import html

from dashboard.page import Part
from dashboard.theme import icon


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: key in the row, heading, relative width; ``link`` leads to the row's ``href``.

    ``short`` shows the pair of texts that the row's ``short`` has for this key, the second one greyed; sorting,
    filters, tooltip and files keep the whole value.
    """

    key: str
    title: str
    width: float = 1.0
    number: bool = False
    link: bool = False
    short: bool = False


THEME = {
    "function": "themeQuartz.withParams({backgroundColor: 'var(--card)', foregroundColor: 'var(--text)', "
    "borderColor: 'var(--line)', headerBackgroundColor: 'var(--card)', headerTextColor: 'var(--muted)', "
    "rowHoverColor: 'var(--hover)', accentColor: 'var(--accent)', wrapperBorder: false, "
    "fontFamily: 'inherit', fontSize: 13, headerFontWeight: 600, browserColorScheme: 'inherit', "
    "inputFocusBorder: '1px solid var(--accent)', menuBackgroundColor: 'var(--card)'})"
}


def cell(value: Any) -> Any:
    """A value as a table shows it: times in UTC to the second, lists joined by commas.

    >>> from datetime import datetime
    >>> cell(datetime(2026, 3, 1, 6, 30)), cell(("a", "b")), cell(None)
    ('2026-03-01 06:30:00', 'a, b', '')
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def _least(column: Column) -> int:
    """Narrowest width in pixels: the heading is never cut, beside it stand a filter and the padding."""
    heading = 66 + int(8.2 * len(column.title))
    return max(heading, 84 if column.number else int(20 + 100 * column.width))


OPTIONS: dict[str, Any] = {
    "theme": THEME, "animateRows": False, "rowHeight": 36, "headerHeight": 40, "enableCellTextSelection": True,
    "tooltipShowDelay": 500,
}  # fmt: skip
"""What all tables have in common."""


def definition(column: Column) -> dict[str, Any]:
    """A column as the grid takes it."""
    renderer = "PageLink" if column.link else "ShortName" if column.short else None
    found: dict[str, Any] = {
        "field": column.key,
        "headerName": column.title,
        "flex": column.width,
        "minWidth": _least(column),
        "type": "rightAligned" if column.number else None,
        "filter": "agNumberColumnFilter" if column.number else "agTextColumnFilter",
        "tooltipField": column.key,
    }
    return found | ({"cellRenderer": renderer} if renderer else {})


def grid(name: str, rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> Part:
    """A table with a line above it: how many rows, and a button that saves them.

    Parameters
    ----------
    name
        id of the grid; the button has the id ``NAME-csv``.
    rows, columns
        what it shows; every column sorts and filters in the browser.
    """
    return html.Div(
        [
            html.Div(
                [
                    html.Span(
                        f"{len(rows):,} row{'s' if len(rows) != 1 else ''} · times in UTC",
                        className="num",
                        id=f"{name}-count",
                    ),
                    html.Button(
                        [icon("download", size=16), "CSV of these rows"], id=f"{name}-csv", className="btn small"
                    ),
                ],
                className="grid-head",
            ),
            dag.AgGrid(
                id=name,
                rowData=list(rows),
                columnDefs=[definition(column) for column in columns],
                defaultColDef={"sortable": True, "resizable": True},
                dashGridOptions=OPTIONS,
                csvExportParams={"fileName": f"{name}.csv"},
                className="grid",
            ),
        ],
        className="grid-box",
    )
