"""The process in which the SQL of policies runs (``python -m lineage.policies.worker``).

It reads requests from standard input and answers on standard output, each a length and a MessagePack document. Whatever
its SQL does to it, the process that asks only sees it end (:mod:`lineage.policies.sandbox`).
"""

from __future__ import annotations

import contextlib
import io
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    import pyarrow as pa

MEMORY = "512MB"  # what DuckDB may use
ADDRESSES = 3 << 30  # bytes of address space: text functions allocate beside DuckDB's own limit
ROWS = 1_000_000  # of one result
LENGTH = struct.Struct("<Q")
_LOCK = (
    "SET enable_external_access = false",
    "SET python_enable_replacements = false",  # no local variable of this process becomes a table
    "SET allow_community_extensions = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    f"SET memory_limit = '{MEMORY}'",
    "SET max_temp_directory_size = '0GB'",
    "SET threads = 1",
    "SET TimeZone = 'UTC'",
    "SET lock_configuration = true",
)


def run(asked: BinaryIO, told: BinaryIO) -> None:
    """Answer requests until there are no more: first the tables, then SELECTs and other tables."""
    import msgspec
    import pyarrow  # noqa: F401 - read here, while the other process still fills the tables

    connection = open_memory()
    tables = _read(asked)
    if tables is None:
        return
    load_tables(connection, msgspec.msgpack.decode(tables))
    for setting in _LOCK:
        connection.execute(setting)
    _limit()
    _write(told, msgspec.msgpack.encode({"ready": True}))
    while (request := _read(asked)) is not None:
        question = msgspec.msgpack.decode(request)
        if "tables" in question:
            load_tables(connection, question["tables"])
            _write(told, msgspec.msgpack.encode({"ready": True}))
            continue
        answer = answer_of(connection, question["sql"], question["parameters"], question["seconds"])
        _write(told, msgspec.msgpack.encode(answer, enc_hook=str))


def open_memory() -> duckdb.DuckDBPyConnection:
    """A database that holds nothing and no file."""
    import duckdb

    return duckdb.connect(":memory:")


def load_tables(connection: duckdb.DuckDBPyConnection, tables: dict[str, bytes]) -> None:
    """Tables under our own names, in place of those of the same name."""
    import pyarrow as pa

    put_tables(connection, {name: pa.ipc.open_stream(io.BytesIO(data)).read_all() for name, data in tables.items()})


def put_tables(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table]) -> None:
    """The same from Arrow tables of this process."""
    for name, table in tables.items():
        connection.register("_rows", table)
        connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM _rows')  # noqa: S608 - our own names
        connection.unregister("_rows")


def _limit() -> None:
    """Bound the address space, where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer_of(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None, seconds: float
) -> dict[str, Any]:
    """Columns and rows of one SELECT, or ``error``: whatever the SQL does is told, never raised."""
    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        wrong = _wrong_statement(connection, sql)
        if wrong:
            return {"error": wrong}
        # read-only and rolled back: a CTE that deletes calls itself a SELECT
        connection.execute("BEGIN TRANSACTION READ ONLY")
        found = connection.execute(sql, parameters)
        columns = [column[0] for column in found.description or ()]
        rows = [[_plain(value) for value in row] for row in found.fetchmany(ROWS + 1)]
    except Exception as error:  # whatever SQL does is told, never raised
        return {"error": _explain(error, seconds)}
    finally:
        timer.cancel()
        with contextlib.suppress(Exception):  # an interrupt may have ended the transaction already
            connection.execute("ROLLBACK")
    if len(rows) > ROWS:
        return {"error": f"The query gives more than {ROWS:,} rows."}
    return {"columns": columns, "rows": rows}


def _wrong_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> str | None:
    import duckdb

    statements = connection.extract_statements(sql)  # duckdb.extract_statements would open one more database
    if len(statements) != 1:
        return f"One SELECT is wanted, here are {len(statements)} statements."
    if statements[0].type != duckdb.StatementType.SELECT:
        return f"Only SELECT is allowed, this is {statements[0].type.name}."
    return None


def _plain(value: Any) -> Any:
    """A value that every reader understands; numbers beyond 64 bit become text."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return value


def _explain(error: Exception, seconds: float) -> str:
    text = "\n".join(str(error).strip().splitlines()[:4])  # DuckDB's message names the place in its first lines
    kind = type(error).__name__
    if "Interrupt" in kind or "interrupt" in text.lower():
        return f"The query took longer than {seconds:g} seconds."
    if isinstance(error, MemoryError) or "Out of Memory" in text or "OutOfMemory" in kind or "bad_alloc" in text:
        return f"The query wants more memory than {MEMORY}."
    return text or kind


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None


def _write(target: BinaryIO, data: bytes) -> None:
    target.write(LENGTH.pack(len(data)) + data)
    target.flush()


if __name__ == "__main__":
    run(sys.stdin.buffer, sys.stdout.buffer)
