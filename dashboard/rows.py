"""Tables whose rows stay on the server: a hundred thousand rows scroll as a hundred do.

The browser asks for the blocks that it shows; sorting, filters and the file are worked out here, by one function, so
the file holds what the table shows. Sorting and filters stand in the address (``sort``, ``filter``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from zlib import crc32

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard.jobs import Made
from dashboard.jobs_tray import jobs_of, started
from dashboard.memo import OLD
from dashboard.page import Part, callback
from dashboard.tables import OPTIONS, Column, definition
from dashboard.theme import icon
from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from dashboard.jobs import Progress
    from dashboard.memo import Memo

LARGE = 20_000  # rows; a file of more is made by a job, beside the answers of the pages
_STEP = 5_000  # rows between two words about how far it is
Row = dict[str, Any]
UNKNOWN = "unknown"
_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda value, wanted: wanted in value,
    "notContains": lambda value, wanted: wanted not in value,
    "equals": lambda value, wanted: value == wanted,
    "notEqual": lambda value, wanted: value != wanted,
    "startsWith": lambda value, wanted: value.startswith(wanted),
    "endsWith": lambda value, wanted: value.endswith(wanted),
    "blank": lambda value, _: not value,
    "notBlank": lambda value, _: bool(value),
}
_NUMBER: Mapping[str, Callable[[float, float], bool]] = {
    "equals": lambda value, wanted: value == wanted,
    "notEqual": lambda value, wanted: value != wanted,
    "lessThan": lambda value, wanted: value < wanted,
    "lessThanOrEqual": lambda value, wanted: value <= wanted,
    "greaterThan": lambda value, wanted: value > wanted,
    "greaterThanOrEqual": lambda value, wanted: value >= wanted,
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its columns, all its rows, the name of its file, and what it says when there are none.

    ``key`` names the rows for the memory of answers: same key, same rows, for ``old`` seconds while the store stays.
    """

    key: tuple[Any, ...]
    columns: Sequence[Column]
    rows: Sequence[Row]
    file: str
    empty: str = "There are no rows here at this time."
    notes: Sequence[Part] = field(default_factory=tuple)
    old: float = OLD


def filters_of(search: str | None) -> dict[str, dict[str, Any]]:
    """The filters of an address, as the grid takes them; what is none is ignored.

    >>> filters_of("?filter=state:equals:open&filter=lost:greaterThan:3&filter=x")["lost"]["filter"]
    3.0
    """
    found: dict[str, dict[str, Any]] = {}
    for text in parse_qs((search or "").lstrip("?")).get("filter", []):
        column, _, rest = text.partition(":")
        kind, _, wanted = rest.partition(":")
        number = _as_number(wanted) if kind in _NUMBER and kind not in ("equals", "notEqual") else None
        if number is not None:
            found[column] = {"filterType": "number", "type": kind, "filter": number}
        elif kind in _TEXT and column:
            found[column] = {"filterType": "text", "type": kind, "filter": wanted}
    return found


def sort_of(search: str | None) -> list[dict[str, str]]:
    """The order of an address.

    >>> sort_of("?sort=cost:desc")
    [{'colId': 'cost', 'sort': 'desc'}]
    """
    found = []
    for text in parse_qs((search or "").lstrip("?")).get("sort", []):
        column, _, way = text.partition(":")
        if column and way in ("asc", "desc"):
            found.append({"colId": column, "sort": way})
    return found


def select(
    rows: Sequence[Row], columns: Sequence[Column], filters: Mapping[str, Any] | None, sort: Sequence[Mapping[str, str]]
) -> list[Row]:
    """The rows that pass all filters, in order. What is unknown comes last, whatever the order.

    Parameters
    ----------
    rows, columns
        all rows.
    filters, sort
        models of the grid; columns that the table does not have are ignored.

    Examples
    --------
    >>> rows = [{"n": "b", "x": 2}, {"n": "a", "x": None}, {"n": "Ab", "x": 9}]
    >>> columns = (Column("n", "N"), Column("x", "X", number=True))
    >>> [r["n"] for r in select(rows, columns, {"n": {"type": "contains", "filter": "a"}}, [])]
    ['a', 'Ab']
    >>> [r["x"] for r in select(rows, columns, None, [{"colId": "x", "sort": "desc"}])]
    [9, 2, None]
    """
    known = {column.key: column for column in columns}
    found = list(rows)
    for key, model in (filters or {}).items():
        if key in known:
            found = [row for row in found if _passes(row.get(key), model, number=known[key].number)]
    for one in reversed(list(sort)):
        column = known.get(one["colId"])
        if column is not None:
            found = _ordered(found, column, one["sort"] == "desc")
    return found


def _ordered(rows: Sequence[Row], column: Column, down: bool) -> list[Row]:
    told = [row for row in rows if row.get(column.key) not in (None, "")]
    rest = [row for row in rows if row.get(column.key) in (None, "")]

    def place(row: Row) -> Any:
        value = row[column.key]
        return value if column.number else str(value).lower()

    return sorted(told, key=place, reverse=down) + rest


def _passes(value: Any, model: Mapping[str, Any], *, number: bool) -> bool:
    kind, wanted = str(model.get("type")), model.get("filter")
    if kind in ("blank", "notBlank"):
        return (value in (None, "")) == (kind == "blank")
    if number:
        limit = _as_number(wanted)
        if value is None or limit is None:
            return str(wanted).lower() == UNKNOWN and value is None
        if kind == "inRange":
            end = _as_number(model.get("filterTo"))
            return end is not None and limit <= value <= end
        return _NUMBER[kind](float(value), limit) if kind in _NUMBER else True
    test = _TEXT.get(kind)
    return test is None or test(str("" if value is None else value).lower(), str(wanted or "").lower())


def _as_number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def to_csv(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """The rows as a file: the headings and values of the table; what could start a formula gets an apostrophe.

    >>> to_csv([{"a": "=1", "n": None}], (Column("a", "A"), Column("n", "N", number=True)))
    "A,N\\r\\n'=1,unknown\\r\\n"
    """
    return _lines([[column.title for column in columns]]) + _cells(rows, columns)


def as_file(sheet: Sheet, rows: Sequence[Row], progress: Progress) -> Made:
    """The same as a job, which tells how far it is."""
    parts = [to_csv((), sheet.columns)]
    for start in range(0, len(rows), _STEP):
        progress(start / len(rows), f"{start:,} of {len(rows):,} rows")
        parts.append(_cells(rows[start : start + _STEP], sheet.columns))
    return Made(f"{sheet.file}.csv", "".join(parts).encode(), "text/csv")


def _cells(rows: Iterable[Row], columns: Sequence[Column]) -> str:
    return _lines([_cell(row.get(column.key), column) for column in columns] for row in rows)


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _cell(value: Any, column: Column) -> Any:
    if value is None and column.number:
        return UNKNOWN
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t"):
        return f"'{value}"
    return "" if value is None else value


def frame(name: str, sheet: Sheet, search: str | None, height: int | str = 460) -> Part:
    """The table of a sheet, with a line above it: how many rows, and a button that saves them.

    Parameters
    ----------
    name
        id of the grid; the page registers it with :func:`register`.
    sheet
        what it shows.
    search
        the address, for sorting and filters.
    height
        in pixels, or a CSS length.
    """
    if not sheet.rows:
        return html.Div([icon("circle-check", size=22), html.P(sheet.empty)], className="card-none", role="status")
    filters = filters_of(search)
    first = _count(len(select(sheet.rows, sheet.columns, filters, [])), len(sheet.rows))
    sort = {one["colId"]: (n, one["sort"]) for n, one in enumerate(sort_of(search))}
    return html.Div(
        [
            html.Div(
                [
                    html.Span(first, className="num", id=f"{name}-count", role="status"),
                    html.Div(
                        [
                            html.Button("Clear filters", id=f"{name}-clear", className="btn small"),
                            html.Button(
                                [icon("download", size=16), "CSV of these rows"], id=f"{name}-csv",
                                className="btn small",
                            ),
                        ],
                        className="grid-tools",
                    ),
                ],
                className="grid-head",
            ),
            dcc.Download(id=f"{name}-saved"),
            dag.AgGrid(
                id=name,
                rowModelType="infinite",
                columnDefs=[_definition(column, sort) for column in sheet.columns],
                defaultColDef={"sortable": True, "resizable": True, "filterParams": {"maxNumConditions": 1}},
                dashGridOptions={
                    **OPTIONS, "cacheBlockSize": 100, "maxBlocksInCache": 20,
                    "maxConcurrentDatasourceRequests": 1,  # a second question would take the answer of the first away
                    "initialState": {"filter": {"filterModel": filters}},  # the first rows are asked for with them
                },
                filterModel=filters,
                className="grid",
            ),
        ],
        className="grid-box sheet",
        style={"height": height},
        id=f"{name}-{crc32(f'{sheet.key}{search}'.encode()):08x}",  # another table is another grid: it asks anew
    )  # fmt: skip


def _definition(column: Column, sort: Mapping[str, tuple[int, str]]) -> dict[str, Any]:
    at, found = sort.get(column.key), definition(column)
    if column.number:
        text = "params.data ? (params.value == null ? 'unknown' : d3.format(',.10~g')(params.value)) : ''"
        found["valueFormatter"] = {"function": text}
    if at is not None:
        found["sort"], found["sortIndex"] = at[1], at[0]
    return found


def register(
    app: Dash, name: str, memo: Memo, here: Callable[[str | None], bool], find: Callable[[str | None], Sheet | None]
) -> None:
    """Callbacks of the table with the id ``name``.

    Parameters
    ----------
    memo
        memory of answers, which keeps the last selections.
    here
        whether an address's path is that of the page of this table.
    find
        the sheet of an address; ``None`` when it asks for none.
    """

    def chosen(search: str | None, request: Mapping[str, Any] | None) -> tuple[Sheet | None, list[Row]]:
        sheet = find(search)
        if sheet is None:
            return None, []
        filters, sort = (request or {}).get("filterModel") or {}, (request or {}).get("sortModel") or []
        key = ("rows", name, sheet.key, repr(sorted(filters.items())), repr(sort))
        return sheet, memo.get(key, lambda: select(sheet.rows, sheet.columns, filters, sort), old=sheet.old)

    @callback(
        app,
        Output(name, "getRowsResponse"),
        Output(f"{name}-count", "children"),
        Input(name, "getRowsRequest"),
        State("url", "search"),
        State("url", "pathname"),
        prevent_initial_call=True,
    )
    def block(request: dict[str, Any] | None, search: str | None, pathname: str | None) -> tuple[Any, Any]:
        if request is None or not here(pathname):
            return no_update, no_update
        try:
            sheet, rows = chosen(search, request)
        except MeshlineError as error:
            return {"rowData": [], "rowCount": 0}, str(error)
        part = list(rows[request["startRow"] : request["endRow"]])
        total = len(sheet.rows) if sheet else 0
        return {"rowData": part, "rowCount": len(rows)}, _count(len(rows), total)

    _register_file(app, name, chosen)
    app.clientside_callback(
        ClientsideFunction("sheets", "renew"), Output(f"{name}-csv", "title"), Input("fresh", "data"),
        State(f"{name}-csv", "id"), prevent_initial_call=True,
    )  # fmt: skip
    app.clientside_callback(
        ClientsideFunction("sheets", "note"), Output(f"{name}-clear", "style"), Input(name, "getRowsRequest")
    )
    app.clientside_callback(
        ClientsideFunction("sheets", "clear"), Output(name, "filterModel"), Input(f"{name}-clear", "n_clicks"),
        prevent_initial_call=True,
    )  # fmt: skip


def _register_file(app: Dash, name: str, chosen: Callable[..., tuple[Sheet | None, list[Row]]]) -> None:
    """The button that saves the rows of a table."""

    @callback(
        app,
        Output(f"{name}-saved", "data"),
        Input(f"{name}-csv", "n_clicks"),
        State(name, "getRowsRequest"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def save(clicks: int | None, request: dict[str, Any] | None, search: str | None) -> Any:
        # before the table has asked, the address says what it will show
        asked = request or {"filterModel": filters_of(search), "sortModel": sort_of(search)}
        sheet, rows = chosen(search, asked) if clicks else (None, [])
        if sheet is None:
            return no_update
        if len(rows) > LARGE:
            title = f"{len(rows):,} rows as CSV"
            job = jobs_of(app).start(title, lambda progress: as_file(sheet, rows, progress))
            started(job)
            return no_update
        return {"content": to_csv(rows, sheet.columns), "filename": f"{sheet.file}.csv", "type": "text/csv"}


def _count(shown: int, total: int) -> str:
    rows = f"{shown:,} row{'s' if shown != 1 else ''}"
    if shown == total:
        return f"{rows} · times in UTC"
    hidden = total - shown
    return f"{rows} of {total:,} · {hidden:,} hidden by filters · times in UTC"
