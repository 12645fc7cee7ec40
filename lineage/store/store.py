"""Open, migrate, query and copy the database file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.errors import StoreError, StoreLockedError, StoreVersionError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}
_CHECKPOINT = "64MB"  # p99 of a commit 4 ms; 1 MB gives 66 ms (docs/design.md, "Store")
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


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
            when it is missing, unreadable, damaged, or no database at all.
        """
        import duckdb

        memory = str(path) == ":memory:"
        file = None if memory else Path(path) if path is not None else default_path()
        existed = _check_file(file, create=create, read_only=read_only)
        config = {**_CONFIG, "access_mode": "read_only"} if read_only and not memory else dict(_CONFIG)
        try:
            connection = duckdb.connect(str(file) if file else ":memory:", config=config)
        except duckdb.Error as error:
            raise _open_error(file, error) from None
        store = cls(connection, file, read_only=read_only)
        try:
            connection.execute("SET TimeZone = 'UTC'")
            if not memory and not read_only:
                connection.execute(f"SET checkpoint_threshold = '{_CHECKPOINT}'")
            store._migrate(existed)
        except BaseException:
            connection.close()
            raise
        return store

    def close(self) -> None:
        """Close the file; open cursors become useless."""
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading

    @contextlib.contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own; use ``BEGIN TRANSACTION READ ONLY`` on it when several queries must agree."""
        cursor = self._connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

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
            return cursor.execute(sql, parameters).fetchall()

    def arrow(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> pa.Table:
        """All rows of a query as an Arrow table."""
        with self.cursor() as cursor:
            return cursor.sql(sql, params=parameters).to_arrow_table()

    # -- writing

    @contextlib.contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor inside one write transaction: committed at the end, rolled back by an exception."""
        with self._write_lock, self.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(Exception):
                    cursor.execute("ROLLBACK")
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

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file."""
        if not self.read_only:
            with self._write_lock, self.cursor() as cursor:
                cursor.execute("CHECKPOINT")

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
        version = self._version()
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
            raise StoreError(f"{self.path} {what}; open it once for writing (for instance: meshline doctor).")
        if version is not None and self.path is not None:
            self.snapshot(self.path.with_name(f"{self.path.name}.format{version}"))
        with self.transaction() as cursor:
            for number in sorted(steps):
                if version is None or number > version:
                    cursor.execute(steps[number])
            self.set_meta(cursor, "format", str(newest))
        self.checkpoint()  # an empty WAL beside a never-checkpointed file would open empty

    def _version(self) -> int | None:
        if not self.rows("SELECT 1 FROM information_schema.tables WHERE table_name = 'meta'"):
            return None
        value = self.get_meta("format")
        return int(value) if value else None


def migrations() -> dict[int, str]:
    """SQL of every migration by its number."""
    folder = resources.files("lineage.store") / "migrations"
    found = {}
    for file in folder.iterdir():
        match = _MIGRATION.fullmatch(file.name)
        if match:
            found[int(match[1])] = file.read_text("utf-8")
    return found


def server_note(path: Path) -> Path:
    """File beside the database in which a running server writes its process id and address (JSON)."""
    return path.with_name(path.name + ".server.json")


def _check_file(file: Path | None, *, create: bool, read_only: bool) -> bool:
    """Whether the file is already there; raises when it cannot be what is asked for."""
    if file is None:
        return False
    if file.is_dir():
        raise StoreError(f"{file} is a folder; --db wants a file, for instance {file / 'meshline.duckdb'}.")
    if file.exists():
        if not read_only and not os.access(file, os.W_OK):
            raise StoreError(f"{file} cannot be written; give it write permission or copy it elsewhere.")
        return True
    if not create or read_only:
        raise StoreError(
            f"There is no database {file}. Make one with: meshline ingest PATH --db {file} (or see meshline demo)."
        )
    parent = file.parent
    if not parent.is_dir():
        raise StoreError(f"The folder {parent} does not exist; create it or name another file with --db.")
    if not os.access(parent, os.W_OK):
        raise StoreError(f"The folder {parent} cannot be written; name a file elsewhere with --db.")
    return False


def _open_error(file: Path | None, error: Exception) -> StoreError:
    """Our own words for DuckDB's refusal."""
    text = str(error)
    if "lock" in text.lower() and file is not None:
        holder = re.search(r"PID (\d+)", text)
        who = f"process {holder[1]}" if holder else "another process"
        way_out = "Stop it, or work on a copy."
        with contextlib.suppress(OSError, ValueError, KeyError):
            note = json.loads(server_note(file).read_text("utf-8"))
            who = f"a running server (process {note['pid']}, {note['url']})"
            way_out = (
                f"Ask the server instead (API: {note['url']}/api/docs), take a copy with "
                f"meshline snapshot COPY.duckdb --server {note['url']}, or stop it."
            )
        return StoreLockedError(f"{file} is in use by {who}. {way_out}")
    if "Corrupt WAL" in text or "checksum" in text.lower():
        return StoreError(f"{file} is damaged ({_first_line(text)}). Keep a copy of it before you try anything.")
    if "newer" in text or "storage version" in text.lower():
        return StoreVersionError(f"{file} was written by a newer DuckDB than this one reads; upgrade Meshline.")
    return StoreError(f"{file} cannot be opened as a database: {_first_line(text)}")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
