"""Open, migrate, query and copy the database file."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.errors import StoreError, StoreOutdatedError, StoreVersionError
from lineage.store.opening import check_file, damaged_log, open_error, server_note, write_error
from lineage.store.wal import hidden_break

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}
_PATIENCE = 5.0  # seconds that a question may go on while the store is being closed
_INTERRUPTS = 100
_CHECKPOINT = "64MB"  # p99 of a commit 4 ms; 1 MB gives 66 ms (docs/design.md, "Store")
_MEMORY = "25%"  # of the memory of the machine; DuckDB would fill 80 % with pages of the file before it lets any go
_PAGES = 32 * 1024 * 1024  # bytes
_IN_MEMORY = """
-- one row: bytes that the database holds in memory, and how many of them are pages of the file
SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT,
  coalesce(sum(memory_usage_bytes) FILTER (tag = 'BASE_TABLE'), 0)::BIGINT FROM duckdb_memory()
"""
_NO_MERGING = "SET max_vacuum_tasks = 0"
_MERGING = "SET max_vacuum_tasks = 100"
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")
_ROWS = "-- for stores that have rows:"
"""What follows in a migration changes only rows, and no table; it is left out where there are none yet."""
_COMMITS: dict[Path, list[int]] = {}  # the last commit to each file; while a process has it open, no other writes it
_NUMBERS = itertools.count(1)

__all__ = ["Store", "default_path", "migrations", "server_note"]


def default_path() -> Path:
    """Where the database is when nobody says: ``MESHLINE_DB``, else ``meshline.duckdb`` in the current folder."""
    return Path(os.environ.get("MESHLINE_DB") or "meshline.duckdb")


class Store:
    """The tables of Meshline.

    Use :meth:`open`. Any thread may query: each call runs on a cursor of its own. Only one thread writes at a time,
    inside :meth:`transaction`.

    Examples
    --------
    >>> store = Store.open(":memory:")
    >>> store.rows("SELECT count(*) FROM event")
    [(0,)]
    >>> store.close()
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path | None, *, read_only: bool) -> None:
        self._connection = connection
        self.path = path
        self.read_only = read_only
        self._write_lock = threading.RLock()
        self._door = threading.Condition()
        self._closed = False
        self._live: dict[duckdb.DuckDBPyConnection, int] = {}  # cursors in use → thread
        self.version_at: tuple[int, int] | None = None  # last commit, and the number of the state that it left
        self.batches = 0  # of events that became visible through this object; each changes the state by one
        self._commits = [0] if path is None else _COMMITS.setdefault(path.resolve(), [0])

    @classmethod
    def open(cls, path: str | Path | None = None, *, create: bool = True, read_only: bool = False) -> Store:
        """Open a database file, creating or upgrading it when needed.

        Parameters
        ----------
        path
            the file, ``":memory:"`` for one that lives with the process, ``None`` for :func:`default_path`.
        create
            make the file when it is not there; otherwise a missing file is an error.
        read_only
            refuse every write; several processes may then read the file at once.

        Raises
        ------
        StoreLockedError
            when another process holds the file.
        StoreVersionError
            when a newer Meshline wrote it.
        StoreError
            when it is missing, unreadable, damaged, or no database at all; or when ``MESHLINE_MEMORY`` is no size.
        """
        import duckdb

        memory = str(path) == ":memory:"
        file = None if memory else Path(path) if path is not None else default_path()
        existed = check_file(file, create=create, read_only=read_only)
        if existed and file is not None and hidden_break(file) is not None:
            raise damaged_log(file)
        config = {**_CONFIG, "access_mode": "read_only"} if read_only and not memory else dict(_CONFIG)
        try:
            connection = duckdb.connect(str(file) if file else ":memory:", config=config)
        except duckdb.Error as error:
            raise open_error(file, error, existed=existed, read_only=read_only) from None
        store = cls(connection, file, read_only=read_only)
        try:
            connection.execute("SET GLOBAL TimeZone = 'UTC'")  # a plain SET would not reach the cursors
            if not memory:
                _limit_memory(connection)
            if not memory and not read_only:
                connection.execute(f"SET checkpoint_threshold = '{_CHECKPOINT}'")
                # Merging writes what was written long ago again and again, and leaves as much free space behind
                connection.execute(_NO_MERGING)
            store._migrate(existed)
        except BaseException:
            connection.close()
            raise
        return store

    def close(self, patience: float = _PATIENCE) -> None:
        """Close the file when what other threads ask has its answer; a question that takes seconds is interrupted.

        ``patience`` is how many seconds.

        DuckDB refuses to close a connection of which a cursor is at work.
        """
        with self._door:
            self._closed = True
            self._door.wait_for(self._idle, patience)
            for _ in range(_INTERRUPTS):
                if self._idle():
                    break
                for cursor in self._live:  # again and again: what has not begun yet is not interrupted
                    cursor.interrupt()
                self._door.wait(0.05)
            self._connection.close()

    def _idle(self) -> bool:
        return all(thread == threading.get_ident() for thread in self._live.values())

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    # -- reading

    @contextlib.contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own; use ``BEGIN TRANSACTION READ ONLY`` on it when several queries must agree."""
        import duckdb

        with self._door:
            if self._closed:
                raise duckdb.ConnectionException("The store is closed.")
            cursor = self._connection.cursor()
            self._live[cursor] = threading.get_ident()
        try:
            yield cursor
        finally:
            cursor.close()
            with self._door:
                del self._live[cursor]
                self._door.notify_all()

    @contextlib.contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on which several queries see one and the same state."""
        with self.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            try:
                yield cursor
            finally:
                cursor.execute("ROLLBACK")

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query as tuples."""
        with self.cursor() as cursor:
            found: list[tuple[Any, ...]] = cursor.execute(sql, parameters).fetchall()
            return found

    def arrow(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> pa.Table:
        """All rows of a query as an Arrow table."""
        with self.cursor() as cursor:
            return cursor.sql(sql, params=parameters).to_arrow_table()

    @property
    def last_commit(self) -> int:
        """Number of the last transaction on the file; while it stays, so does what the file holds of settings."""
        return self._commits[0]

    # -- writing

    @contextlib.contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor inside one write transaction: committed at the end, rolled back by an exception.

        Raises
        ------
        StoreError
            when the disk takes no more; nothing of the transaction was kept.
        """
        import duckdb

        with self._write_lock, self.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            try:
                yield cursor
                cursor.execute("COMMIT")
                self._commits[0] = next(_NUMBERS)
            except BaseException as error:
                with contextlib.suppress(Exception):
                    cursor.execute("ROLLBACK")
                refusal = write_error(self.path, error) if isinstance(error, duckdb.Error) else None
                if refusal is not None:
                    raise refusal from error
                raise

    @staticmethod
    def insert(cursor: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
        """Append an Arrow table whose columns carry the names of the table's columns."""
        if not rows.num_rows:
            return
        cursor.register("_rows", rows)
        try:
            names = ", ".join(f'"{name}"' for name in rows.column_names)
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM _rows")  # noqa: S608 - our own names
        finally:
            cursor.unregister("_rows")

    def get_meta(self, key: str) -> str | None:
        """One setting or watermark."""
        found = self.rows("SELECT value FROM meta WHERE key = ?", [key])
        return found[0][0] if found else None

    @staticmethod
    def set_meta(cursor: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
        """Set one setting or watermark inside a transaction."""
        cursor.execute("DELETE FROM meta WHERE key = ?", [key])
        cursor.execute("INSERT INTO meta VALUES (?, ?)", [key, value])

    def checkpoint(self, *, merge: bool = False) -> None:
        """Fold the write-ahead log into the file.

        Parameters
        ----------
        merge
            put together what deletions left of row groups, so that their space becomes free. Costs as much as is left.
        """
        if self.read_only:
            return
        with self._write_lock, self.cursor() as cursor:
            if merge:
                cursor.execute(_MERGING)
            try:
                cursor.execute("CHECKPOINT")
            finally:
                if merge:
                    cursor.execute(_NO_MERGING)

    def trim(self) -> None:
        """Let go of pages of the file that are in memory only because they were written or read some time ago.

        A long load would otherwise fill the memory up to the limit with pages that nobody asks for again.
        """
        import duckdb

        if self.path is None:
            return
        with self.cursor() as cursor:
            (total, pages) = cursor.execute(_IN_MEMORY).fetchall()[0]
            if pages <= _PAGES:
                return
            try:
                with contextlib.suppress(duckdb.Error):  # what is in use stays
                    cursor.execute(f"SET memory_limit = '{total - pages + _PAGES}B'")
            finally:
                cursor.execute(f"SET memory_limit = '{_memory()}'")

    def snapshot(self, target: Path) -> None:
        """Copy the file as it is now; the copy opens anywhere, also while this process goes on writing."""
        if self.path is None:
            raise StoreError("A database in memory has no file to copy.")
        if target.exists():
            raise StoreError(f"{target} is already there; name another file or remove it first.")
        with self._write_lock:
            self.checkpoint()
            partial = target.with_name(target.name + ".partial")
            try:
                shutil.copyfile(self.path, partial)
                wal = self.path.with_name(self.path.name + ".wal")
                if wal.exists() and wal.stat().st_size:
                    shutil.copyfile(wal, target.with_name(target.name + ".wal"))
                partial.replace(target)
            except OSError as error:
                partial.unlink(missing_ok=True)
                raise StoreError(f"Cannot write {target}: {error.strerror}.") from None

    # -- migrations

    def _migrate(self, existed: bool) -> None:
        steps = migrations()
        newest = max(steps)
        version = self._version() if existed or self._has_tables() else None
        if version is None and existed and self.rows("SELECT 1 FROM information_schema.tables LIMIT 1"):
            raise StoreError(f"{self.path} is a DuckDB file, but not one of Meshline. Name another file with --db.")
        if version is not None and version > newest:
            raise StoreVersionError(
                f"{self.path} has format {version}; this Meshline knows formats up to {newest}. "
                "Upgrade with: pip install --upgrade meshline"
            )
        if version == newest:
            return
        if self.read_only:
            what = "is empty" if version is None else f"has the older format {version}"
            raise StoreOutdatedError(f"{self.path} {what}; open it once for writing (for instance: meshline doctor).")
        if version is not None and self.path is not None:
            self.snapshot(_free_name(self.path, f"format{version}"))
        with self.transaction() as cursor:
            for number in sorted(steps):
                if version is None:
                    cursor.execute(steps[number].partition(_ROWS)[0])
                elif number > version:
                    cursor.execute(steps[number])
            self.set_meta(cursor, "format", str(newest))
        if self.path is not None:
            self.checkpoint()  # an empty WAL beside a never-checkpointed file would open empty

    def _has_tables(self) -> bool:
        """Whether somebody else was quicker to make the file. To find no format takes five times as long."""
        return self.path is not None and bool(self.rows("SELECT 1 FROM duckdb_tables() LIMIT 1"))

    def _version(self) -> int | None:
        """Format of the file; ``None`` when it has none, so is new or of somebody else."""
        import duckdb

        try:  # the list of all columns takes ten times as long to ask
            value = self.get_meta("format")
        except (duckdb.CatalogException, duckdb.BinderException):  # no such table, or another one
            return None
        return int(value) if isinstance(value, str) and value.isdecimal() else None


def _memory() -> str:
    """How much the database may keep in memory: ``MESHLINE_MEMORY``, else a quarter of what the machine has."""
    return (os.environ.get("MESHLINE_MEMORY") or _MEMORY).replace("'", "")


def _limit_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Bound what the database keeps in memory; beyond it drops pages, and sorts and joins on disk."""
    import duckdb

    try:
        connection.execute(f"SET memory_limit = '{_memory()}'")
    except duckdb.Error:
        raise StoreError(f"MESHLINE_MEMORY: “{_memory()}” is no size; say it like 2GB or 25%.") from None


def _free_name(path: Path, suffix: str) -> Path:
    """A name for a copy beside ``path`` that no earlier copy has: an upgrade that failed may be tried again."""
    names = (path.with_name(f"{path.name}.{suffix}{tail}") for tail in ("", *(f".{n}" for n in range(2, 10_000))))
    return next(name for name in names if not name.exists())


def migrations() -> dict[int, str]:
    """SQL of every migration by its number."""
    return dict(_migrations())


@functools.cache
def _migrations() -> dict[int, str]:
    files = (Path(__file__).parent / "migrations").iterdir()
    return {int(match[1]): file.read_text("utf-8") for file in files if (match := _MIGRATION.fullmatch(file.name))}
