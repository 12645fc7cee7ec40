"""Rows into tables: append facts, close and insert what changed (semantics 6).

Derived tables are never updated in place. A row that no longer holds gets ``known_to``, the row that holds now is
inserted with ``known_from``; both are the receipt time of the batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lineage.store import Store
from lineage.times import EPOCH, OPEN_END

if TYPE_CHECKING:
    import duckdb

Row = tuple[Any, ...]
Columns = Sequence[tuple[str, pa.DataType]]
OPEN_MICROS = int((OPEN_END - EPOCH).total_seconds()) * 1_000_000

_U, _S, _B, _I, _F = pa.uint64(), pa.string(), pa.bool_(), pa.int64(), pa.float64()
_T = pa.timestamp("us")
_HANDFUL, _FEW = 4, 64  # rows up to which a plain statement, and then an appender, costs less than Arrow
_UNNESTED = {
    _U: "unnest(?::UBIGINT[])", _S: "unnest(?::VARCHAR[])", _B: "unnest(?::BOOLEAN[])",
    _T: "make_timestamp(unnest(?::BIGINT[]))", pa.binary(): "unnest(?::BLOB[])",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table with its columns in the order in which rows are built here (without the two known times).

    ``key`` names the columns that find the row to close; a table without key is append-only.
    """

    name: str
    columns: tuple[tuple[str, pa.DataType], ...]
    key: tuple[str, ...] = ()
    both_clocks: bool = True

    def typed(self) -> Columns:
        """Its columns with the known times, as the database has them."""
        both = (("known_from", _T), ("known_to", _T))
        return (*self.columns, *both) if self.both_clocks else (*self.columns, both[0])

    def known(self, rows: Iterable[Row], known_from: int) -> list[Row]:
        """Rows with their known times: known from ``known_from`` (microseconds) on."""
        more = (known_from, OPEN_MICROS) if self.both_clocks else (known_from,)
        return [(*row, *more) for row in rows]


_RUN_COLUMNS = (
    ("run", _U), ("run_id", _S), ("job", _U), ("state", _S), ("conflict", _B), ("processing", _S),
    ("first_event", _T), ("last_event", _T), ("started_at", _T), ("ended_at", _T),
    ("nominal_start", _T), ("nominal_end", _T),
    ("parent_run", _U), ("parent_job", _U), ("root_run", _U), ("root_job", _U),
    ("engine", _S), ("error", _S), ("producer", _S), ("events", pa.uint32()),
    ("edge_set", _U), ("column_set", _U), ("job_facets", _U),
)  # fmt: skip
_LIFE = (
    ("state", _S), ("first_run", _U), ("producer", _S), ("end_reason", _S), ("valid_from", _T), ("valid_to", _T),
)  # fmt: skip

RUN = Table("run", _RUN_COLUMNS, ("run",))
RUN_IO = Table(
    "run_io",
    (
        ("run", _U), ("job", _U), ("dataset", _U), ("direction", _S), ("seen_at", _T), ("last_at", _T),
        ("facet_set", _U), ("version", _S), ("dropped_at", _T),
        ("row_count", _I), ("byte_count", _I), ("file_count", _I),
    ),
    ("run", "dataset", "direction"),
)  # fmt: skip
METRIC = Table(
    "metric",
    (("node", _U), ("run", _U), ("name", _S), ("measured_at", _T), ("value", _F)),
    ("node", "run", "name"),
)
ASSERTION = Table(
    "assertion",
    (
        ("dataset", _U), ("field", _S), ("run", _U), ("job", _U), ("name", _S), ("status", _S),
        ("severity", _S), ("expected", _S), ("actual", _S), ("description", _S), ("tested_at", _T),
    ),
    ("run", "dataset", "field", "name"),
)  # fmt: skip
EDGE = Table(
    "edge",
    (("src", _U), ("dst", _U), ("job", _U), ("kind", _S), ("provenance", _S), *_LIFE),
    ("src", "dst", "job", "kind", "provenance", "state", "valid_from"),
)
COLUMN_EDGE = Table(
    "column_edge",
    (
        ("src", _U), ("dst", _U), ("job", _U), ("type", _S), ("subtype", _S), ("masking", _B),
        ("description", _S), ("provenance", _S), *_LIFE,
    ),
    ("src", "dst", "job", "type", "subtype", "masking", "provenance", "state", "valid_from"),
)  # fmt: skip
FACET = Table(
    "facet",
    (
        ("entity", _U), ("place", _S), ("key", _S), ("body", _U), ("run", _U), ("producer", _S),
        ("valid_from", _T), ("valid_to", _T),
    ),
    ("entity", "place", "key", "valid_from"),
)  # fmt: skip
ALIAS = Table(
    "alias",
    (("a", _U), ("b", _U), ("type", _S), ("basis", _S), ("valid_from", _T), ("valid_to", _T)),
    ("a", "b", "type", "basis", "valid_from"),
)
RUN_STAGE = Table(
    "run_stage",
    (("run", _U), ("job", _U), ("since", _T), ("edge_set", _U), ("column_set", _U)),
    ("run", "since"),
)
RUN_TOLD = Table(
    "run_told",
    (("run", _U), ("entity", _U), ("direction", _S), ("first_at", _T), ("last_at", _T), ("facet_set", _U)),
    ("run", "entity", "direction", "first_at", "last_at"),
)
TURN = Table(
    "turn",
    (("dataset", _U), ("successor", _U), ("turned_at", _T), ("run", _U), ("hash", pa.binary())),
    ("dataset", "successor", "turned_at", "run", "hash"),
)
DECLARATION = Table(
    "declaration",
    (
        ("entity", _U), ("event_time", _T), ("hash", pa.binary()), ("producer", _S),
        ("facet_set", _U), ("edge_set", _U), ("column_set", _U), ("dropped", _B),
    ),
    both_clocks=False,
)  # fmt: skip
NODE = Table(
    "node",
    (("id", _U), ("kind", _S), ("namespace", _S), ("name", _S), ("field", _S), ("dataset", _U)),
    both_clocks=False,
)
SPELLING = Table("spelling", (("node", _U), ("canonical", _U), ("rules", _S)), both_clocks=False)

EVENT_COLUMNS: Columns = (
    ("hash", pa.binary()), ("event_time", _T), ("received_at", _T), ("kind", _S), ("event_type", _S),
    ("run", _U), ("job", _U), ("dataset", _U), ("producer", _S), ("block", _U), ("position", pa.uint32()),
    ("notes", _S),
)  # fmt: skip
FACET_SET_COLUMNS: Columns = (("set_id", _U), ("place", _S), ("key", _S), ("body", _U))
EDGE_SET_COLUMNS: Columns = (("set_id", _U), ("src", _U), ("dst", _U), ("kind", _S), ("provenance", _S))
COLUMN_SET_COLUMNS: Columns = (
    ("set_id", _U), ("src", _U), ("dst", _U), ("type", _S), ("subtype", _S), ("masking", _B),
    ("description", _S), ("provenance", _S),
)  # fmt: skip
FACET_BODY_COLUMNS: Columns = (("body", _U), ("json", _S))

DERIVED = (
    "event", "node", "run", "run_io", "declaration", "facet", "facet_set", "facet_body",
    "edge", "edge_set", "column_edge", "column_set", "alias", "metric", "assertion",
    "run_stage", "run_told", "turn", "spelling", "sql_node", "sql_problem",
)  # fmt: skip
"""Tables that are rebuilt from the archive; what people said (``alias_mark``, ``edge_mark``) is put back into them."""


@dataclass
class Changes:
    """Rows to close and rows to insert, per table; ``columns`` are more rows to insert, column by column."""

    close: dict[str, list[Row]] = field(default_factory=dict)
    insert: dict[str, list[Row]] = field(default_factory=dict)
    columns: dict[str, tuple[list[Any], ...]] = field(default_factory=dict)

    def extend(self, table: Table, *columns: Iterable[Any]) -> None:
        """Note rows to insert, column by column."""
        held = self.columns.get(table.name)
        if held is None:
            held = self.columns[table.name] = tuple([] for _ in columns)
        for column, values in zip(held, columns, strict=True):
            column.extend(values)

    def replace(self, table: Table, old: Collection[Row], new: Collection[Row]) -> None:
        """Note that the rows ``old`` are superseded by ``new``, none of which is there twice; what is in both stays."""
        if not old:
            self.insert.setdefault(table.name, []).extend(new)
            return
        before, after = set(old), set(new)
        gone, come = before - after, after - before
        if gone:
            names = [name for name, _ in table.columns]
            places = [names.index(name) for name in table.key]
            self.close.setdefault(table.name, []).extend(tuple(row[i] for i in places) for row in gone)
        if come:
            self.insert.setdefault(table.name, []).extend(come)

    def write(
        self, cursor: duckdb.DuckDBPyConnection, known_at: int, tables: Sequence[Table], again: bool = True
    ) -> None:
        """Carry out and forget the changes of these tables; ``again``: this time may have been written at before."""
        for table in tables:
            keys = self.close.pop(table.name, None)
            if keys:
                _close(cursor, table, keys, known_at, again)
            rows, held = self.insert.pop(table.name, None), self.columns.pop(table.name, None)
            if held is None and rows:
                append_known(cursor, table, rows, known_at)
            elif held is not None:
                for column, values in zip(held, zip(*rows or (), strict=True), strict=bool(rows)):
                    column.extend(values)
                append_columns(cursor, table, held, known_at)


def append_once(cursor: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[Row], changes: Changes) -> None:
    """Note rows of no run for insertion that are not there yet: two events may tell the same of one instant.

    ``table`` is ``metric`` or ``assertion``; its first column finds the rows to compare with.
    """
    fresh = dict.fromkeys(rows)
    if not fresh:
        return
    names = ", ".join(f"epoch_us({name})" if type_ == _T else name for name, type_ in table.columns)
    first = table.columns[0][0]
    found = cursor.execute(
        f"SELECT {names} FROM {table.name} WHERE run IS NULL AND {first} IN (SELECT unnest(?::UBIGINT[])) "  # noqa: S608
        f"AND known_to = make_timestamp({OPEN_MICROS})",
        [list({row[0] for row in fresh})],
    )
    known = set(found.fetchall())
    changes.insert.setdefault(table.name, []).extend(row for row in fresh if row not in known)


def append(cursor: duckdb.DuckDBPyConnection, table: str, columns: Columns, rows: Sequence[Row]) -> None:
    """Append rows to a table.

    A handful costs least as the values of a statement, some through an appender, many as an Arrow table: 1.1, 2.3 and
    3.9 ms for one row of ``run``, and an Arrow table takes the same for a hundred.
    """
    if not rows:
        return
    if len(rows) > _FEW:
        Store.insert(cursor, table, arrow_table(columns, rows))
        return
    times = [i for i, (_, type_) in enumerate(columns) if type_ == _T]
    made = [_with_times(row, times) for row in rows]
    if len(rows) <= _HANDFUL:
        names = ", ".join(f'"{name}"' for name, _ in columns)
        marks = ", ".join([f"({', '.join('?' * len(columns))})"] * len(rows))
        cursor.execute(f"INSERT INTO {table} ({names}) VALUES {marks}", [value for row in made for value in row])  # noqa: S608
        return
    appender = cursor.appender(table, columns=[name for name, _ in columns])
    appender.append_rows(made)
    appender.flush()


def append_known(cursor: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Row], known_at: int) -> None:
    """Append rows that are known from a time (microseconds) on."""
    if len(rows) > _FEW:
        append_columns(cursor, table, tuple(zip(*rows, strict=True)), known_at)
    else:
        append(cursor, table.name, table.typed(), table.known(rows, known_at))


def append_columns(
    cursor: duckdb.DuckDBPyConnection, table: Table, columns: Sequence[Sequence[Any]], known_at: int
) -> None:
    """As :func:`append_known`, with the rows column by column."""
    count = len(columns[0])
    if count <= _FEW:
        append_known(cursor, table, list(zip(*columns, strict=True)), known_at)
        return
    made = {name: pa.array(values, type_) for (name, type_), values in zip(table.columns, columns, strict=True)}
    for (name, type_), at in zip(table.typed()[len(made) :], (known_at, OPEN_MICROS), strict=False):
        made[name] = pa.repeat(pa.scalar(at, type_), count)
    Store.insert(cursor, table.name, pa.table(made))


def _with_times(row: Row, places: Sequence[int]) -> list[Any]:
    """A row whose microseconds at these places are times."""
    values = list(row)
    for i in places:
        if values[i] is not None:
            values[i] = EPOCH + timedelta(microseconds=values[i])
    return values


def append_new(cursor: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Row], known_at: int) -> None:
    """Append rows of a table whose first column tells whether it has them already."""
    append_missing(cursor, table.name, table.typed(), table.known(rows, known_at), table.columns[0][0])


def arrow_table(columns: Columns, rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table."""
    return pa.table(
        {name: pa.array(values, type_) for (name, type_), values in zip(columns, zip(*rows, strict=True), strict=True)}
    )


def append_missing(
    cursor: duckdb.DuckDBPyConnection, table: str, columns: Columns, rows: Sequence[Row], key: str
) -> None:
    """Append the rows whose ``key``, their first column, the table does not have yet."""
    if not rows:
        return
    if len(rows) > _FEW:
        _append_missing(cursor, table, arrow_table(columns, rows), key)
        return
    asked = list({row[0] for row in rows})
    found = cursor.execute(f"SELECT {key} FROM {table} WHERE {key} IN (SELECT unnest(?::UBIGINT[]))", [asked])  # noqa: S608
    known = {value for (value,) in found.fetchall()}
    append(cursor, table, columns, [row for row in rows if row[0] not in known])


def _append_missing(cursor: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, key: str) -> None:
    cursor.register("_rows", rows)
    try:
        names = ", ".join(f'"{name}"' for name in rows.column_names)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM _rows "  # noqa: S608 - our own names
            f"WHERE {key} NOT IN (SELECT {key} FROM {table} SEMI JOIN _rows USING ({key}))"
        )
    finally:
        cursor.unregister("_rows")


def known_of(cursor: duckdb.DuckDBPyConnection, sql: str, given: Sequence[Any], hashes: Sequence[bytes]) -> set[bytes]:
    """Values of the first column of a query over ``_asked``, an Arrow table of hashes: half the time of a list."""
    cursor.register("_asked", arrow_table((("hash", pa.binary()),), [(digest,) for digest in hashes]))
    try:
        return set(cursor.sql(sql, params=list(given)).to_arrow_table().column(0).to_pylist())
    finally:
        cursor.unregister("_asked")


def micros(at: datetime) -> int:
    """Microseconds since 1970 of a naive UTC time."""
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _close(cursor: duckdb.DuckDBPyConnection, table: Table, keys: Sequence[Row], known_at: int, again: bool) -> None:
    types = dict(table.columns)
    columns = [(name, types[name]) for name in table.key]
    with _shown(cursor, columns, list(set(keys))) as (source, given):
        match = " AND ".join(f't."{name}" IS NOT DISTINCT FROM c."{name}"' for name in table.key)
        is_open = f"t.known_to = make_timestamp({OPEN_MICROS})"
        if again:  # what was learned and unlearned at one instant was never visible
            cursor.execute(
                f"DELETE FROM {table.name} t USING {source} c "  # noqa: S608 - our own names
                f"WHERE {match} AND {is_open} AND t.known_from = make_timestamp({known_at})",
                given,
            )
        cursor.execute(
            f"UPDATE {table.name} t SET known_to = make_timestamp({known_at}) FROM {source} c "  # noqa: S608
            f"WHERE {match} AND {is_open}",
            given,
        )


@contextmanager
def _shown(
    cursor: duckdb.DuckDBPyConnection, columns: Columns, rows: Sequence[Row]
) -> Iterator[tuple[str, list[Sequence[Any]]]]:
    """Rows as a source for a statement, and the parameters that go with it: few as lists, many as an Arrow table."""
    if len(rows) > _FEW:
        cursor.register("_shown", arrow_table(columns, rows))
        try:
            yield "_shown", []
        finally:
            cursor.unregister("_shown")
        return
    lists = ", ".join(f'{_UNNESTED[type_]} AS "{name}"' for name, type_ in columns)
    yield f"(SELECT {lists})", [list(values) for values in zip(*rows, strict=True)]
