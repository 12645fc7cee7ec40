"""Where the SQL of a policy runs: a process of its own that knows the views and nothing else.

The SQL comes from whoever may edit a policy file, so it must not be able to read files, reach the network, change the
store, change settings, eat the memory of the server or run for ever. The store is not attached at all: the views are
Arrow tables in an in-memory database whose settings are locked. It is a process of its own because a text function of
DuckDB cannot be interrupted and allocates beside the memory limit; a process can be ended.
"""

from __future__ import annotations

import io
import select
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from lineage.errors import MeshlineError
from lineage.policies.worker import LENGTH, MEMORY, answer_of, open_memory

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SECONDS = 10.0  # for one query
_HERE = "1GB"  # what all queries of this process may use together
_GRACE = 1.0  # seconds after which a query that does not obey is ended
_START = 60.0  # seconds to start and read the tables


class PolicyError(MeshlineError):
    """The SQL of a policy is refused or fails; such a policy is in error, never passed."""


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of one query."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Sandbox:
    """Runs single SELECT statements over tables that were handed in.

    Parameters
    ----------
    tables
        Arrow tables by the name under which SQL sees them.
    seconds
        time for one query.

    Examples
    --------
    >>> import pyarrow as pa
    >>> with Sandbox({"asset": pa.table({"id": ["a"]})}) as sandbox:
    ...     sandbox.select("SELECT id FROM asset").rows
    [('a',)]
    """

    def __init__(self, tables: Mapping[str, pa.Table], *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._tables = {name: _ipc(table) for name, table in tables.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False  # the process has its tables

    def warm(self) -> None:
        """Start the process already, which takes half a second, while the caller fills the tables."""
        if self._process is None:
            self._spawn()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        self._ready = False

    def load(self, tables: Mapping[str, pa.Table]) -> None:
        """Replace these tables; a process that runs is kept, because to start one takes half a second."""
        given = {name: _ipc(table) for name, table in tables.items()}
        self._tables.update(given)
        if self._ready:
            self._ask({"tables": given}, _START, "The sandbox did not take the tables.")

    def select(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result:
        """Rows of one SELECT.

        Parameters
        ----------
        sql
            exactly one statement; named parameters as ``$name``.
        parameters
            texts, numbers, booleans, times.

        Raises
        ------
        PolicyError
            when it is anything but one SELECT, fails, takes too long, too much memory, or gives too many rows.
        """
        if not self._ready:
            self._start()
        question = {"sql": sql, "parameters": dict(parameters) if parameters else None, "seconds": self._seconds}
        answer = self._ask(question, self._seconds + _GRACE, f"The query took longer than {self._seconds:g} seconds.")
        if "error" in answer:
            raise PolicyError(answer["error"])
        return Result(tuple(answer["columns"]), [tuple(row) for row in answer["rows"]])

    def _start(self) -> None:
        self.warm()
        self._ask(self._tables, _START, "The sandbox did not start.")
        self._ready = True

    def _spawn(self) -> None:
        command = [sys.executable, "-P", "-m", "lineage.policies.worker"]  # -P: nothing from the current folder
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def _ask(self, question: Any, seconds: float, late: str) -> dict[str, Any]:
        """One request and its answer; the process ends when it is late or gone."""
        import msgspec

        assert self._process is not None
        asked, told = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        data = msgspec.msgpack.encode(question)
        try:
            asked.write(LENGTH.pack(len(data)) + data)
            asked.flush()
            ready, _, _ = select.select([told], [], [], seconds)
            head = told.read(LENGTH.size) if ready else None
            if head is not None and len(head) == LENGTH.size:
                answer: dict[str, Any] = msgspec.msgpack.decode(told.read(LENGTH.unpack(head)[0]))
                return answer
        except BrokenPipeError:
            head = b""
        self.close()
        raise PolicyError(late if head is None else f"The query wants more memory than {MEMORY}.")


class Here(Sandbox):
    """The same in this process, for SQL that Meshline ships: it needs no wall, and no half second to start one."""

    def __init__(self, tables: Mapping[str, pa.Table], *, seconds: float = SECONDS) -> None:
        super().__init__({}, seconds=seconds)
        self._connection = memory().cursor()  # what is registered with it is seen by no other
        self.load(tables)

    def load(self, tables: Mapping[str, pa.Table]) -> None:
        """Replace these tables; they are read where they lie, column by column as a query names them."""
        for name, table in tables.items():
            self._connection.register(name, table)

    def select(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result:
        """Rows of one SELECT; see :meth:`Sandbox.select`."""
        answer = answer_of(self._connection, sql, dict(parameters) if parameters else None, self._seconds)
        if "error" in answer:
            raise PolicyError(answer["error"])
        return Result(tuple(answer["columns"]), [tuple(row) for row in answer["rows"]])

    def close(self) -> None:
        """Let the tables go."""
        super().close()
        self._connection.close()


@cache
def memory() -> duckdb.DuckDBPyConnection:
    """The one empty database of this process; to open another takes longer than most queries."""
    connection = open_memory()
    connection.execute("SET threads = 1")  # a view is too small for two
    # our own SQL may go wrong on a mesh that nobody thought of: it ends in an error of the policy, not of the server
    connection.execute(f"SET memory_limit = '{_HERE}'")
    connection.execute("SET max_temp_directory_size = '0GB'")
    return connection


def _ipc(table: pa.Table) -> bytes:
    import pyarrow as pa

    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()
