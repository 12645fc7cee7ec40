"""Bring bills into the store: ``meshline cost import FILE…``.

The files of one command are one delivery. A file whose bytes are in the store already is not read again. A delivery
replaces what earlier ones said about the same provider, account and billing period (a restatement); files of the same
delivery add to each other, as the parts of an export do. What was replaced is kept: it is what was known before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.audit import record
from lineage.cost import import_sql as sql
from lineage.cost.money import money_text
from lineage.cost.odd_amounts import Reading, read_odd_amounts
from lineage.cost.reading import BillError, BillFile, Refused, batches, look_at
from lineage.store import bump_version
from lineage.tables import counted
from lineage.times import OPEN_END, iso, utcnow

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from lineage.store import Store

_MEMORY = "512MB"  # of the second connection; what does not fit goes to a temporary folder
_LISTED = 20  # refused rows of a file that the summary names; all are in the table charge_refused


@dataclass(frozen=True, slots=True)
class PartSummary:
    """One billing period of one account in one file, with its totals as decimal texts."""

    provider: str
    account: str
    currency: str
    period: str
    rows: int
    billed: str
    effective: str
    replaced: bool = False  # an earlier bill of this account and period was replaced


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One row that could not be used."""

    file: str
    row: int
    field: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What became of one file: ``rows`` = ``kept`` + ``refused``."""

    file: str
    format: str
    hash: str
    status: str  # 'imported', 'already imported', 'replaced earlier'
    rows: int = 0
    kept: int = 0
    refused: int = 0
    parts: tuple[PartSummary, ...] = ()
    bad_rows: tuple[RefusedRow, ...] = ()  # the first ones
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did."""

    files: tuple[FileSummary, ...]

    @property
    def refused(self) -> int:
        """Rows that could not be used, over all files."""
        return sum(file.refused for file in self.files)


def import_files(
    store: Store,
    files: Sequence[Path],
    *,
    actor: Actor = LOCAL,
    force: bool = False,
    strict: bool = False,
    now: datetime | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> ImportSummary:
    """Import bills; all of them or, after an error, none.

    Parameters
    ----------
    files
        FOCUS (CSV or Parquet, also gzip) or simple CSV. A folder stands for the bills in it.
    force
        read a file again that was imported and replaced since.
    strict
        one row that cannot be used is an error; otherwise such rows are named and left out.
    now
        known time of the charges (default: now).
    progress
        called with the number of rows read so far.

    Raises
    ------
    BillError
        when a file is no bill, when two files of the delivery bill the same rows, or (``strict``) for a bad row.
    """
    moment = now or utcnow()
    bills = _distinct(look_at(path, str(path)) for path in _expanded(files))
    known = _known(store)
    fresh = [bill for bill in bills if bill.hash not in known or (force and not known[bill.hash])]
    done: dict[str, FileSummary] = {}
    if fresh:
        with _reader() as memory, store.transaction() as cursor:
            total = 0
            for bill in fresh:
                summary = _import(memory, cursor, bill, actor, moment, lambda n, t=total: progress(t + n))  # type: ignore[misc]
                total += summary.rows
                done[bill.hash] = summary
                if strict and summary.refused:
                    raise BillError(_first_bad(summary))
            _add_keys(memory, cursor)
            replaced = _replace(cursor, [bill.id for bill in bills], moment)
            if len(fresh) > 1:
                _no_overlap(cursor, fresh)
            done = {bill.hash: _finished(cursor, bill, done[bill.hash], replaced, actor, moment) for bill in fresh}
            bump_version(cursor)
    return ImportSummary(tuple(done.get(bill.hash) or _old(bill, known[bill.hash]) for bill in bills))


def _expanded(files: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in files:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and _is_bill(p.name))
            if not inside:
                raise BillError(f"{path}: holds no .csv, .csv.gz or .parquet file.")
            found += inside
        else:
            found.append(path)
    return found


def _is_bill(name: str) -> bool:
    return name.lower().endswith((".csv", ".csv.gz", ".parquet"))


def _distinct(bills: Iterable[BillFile]) -> list[BillFile]:
    return list({bill.hash: bill for bill in reversed(list(bills))}.values())[::-1]


def _known(store: Store) -> dict[str, bool]:
    """Hashes of imported files and whether anything of them still counts."""
    return dict(store.rows(sql.KNOWN, {"open": OPEN_END}))


class _reader:  # noqa: N801 - a context manager, used like a function
    """A second connection, in memory: the store itself may not touch files (design.md, Store)."""

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        self._folder = tempfile.TemporaryDirectory(prefix="meshline-")
        self._connection = duckdb.connect(":memory:")
        self._connection.execute(f"SET memory_limit = '{_MEMORY}'")
        self._connection.execute("SET temp_directory = " + "'" + self._folder.name.replace("'", "''") + "'")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(sql.MEMORY_TABLES)
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._folder.cleanup()


def _import(
    memory: duckdb.DuckDBPyConnection,
    cursor: duckdb.DuckDBPyConnection,
    bill: BillFile,
    actor: Actor,
    now: datetime,
    progress: Callable[[int], None],
) -> FileSummary:
    """Read one file into the tables charge and charge_refused."""
    reading = Reading()
    cursor.execute("DELETE FROM charge_refused WHERE bill = ?", [bill.id])
    cursor.execute("DELETE FROM charge WHERE part IN (SELECT part FROM bill_part WHERE bill = ?)", [bill.id])
    cursor.execute("DELETE FROM bill_part WHERE bill = ?", [bill.id])
    cursor.execute("DELETE FROM bill WHERE bill = ?", [bill.id])
    for batch in _ahead(batches(bill, reading.refused.append, reading.empty.extend)):
        _read_batch(memory, cursor, bill, batch, reading)
        reading.rows += batch.num_rows
        progress(reading.rows)
    _write_refused(cursor, bill, reading.refused)
    cursor.execute(sql.PART_TABLE)
    cursor.execute(sql.ADD_PARTS, {"bill": bill.id, "now": now, "open": OPEN_END})
    cursor.execute("DELETE FROM _part")
    kept = cursor.execute(sql.KEPT, [bill.id]).fetchall()[0][0]
    in_all = reading.rows + sum(1 for refused in reading.refused if not refused.field)
    count = len(reading.refused)
    cursor.execute(
        "INSERT INTO bill VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [bill.id, bill.shown, bill.hash, bill.format, in_all, count, actor.name, now],
    )
    bad = tuple(
        RefusedRow(bill.shown, one.row, one.field, one.text, one.reason)
        for one in sorted(reading.refused, key=lambda one: one.row)[:_LISTED]
    )
    if in_all != kept + count:
        told = f"{in_all} rows were read, {kept} kept and {count} refused"
        raise BillError(f"{bill.shown}: {told}; nothing was imported.")
    notes = tuple(
        f"{number} amounts with {what} (first in row {first})"
        for what, (number, first) in sorted(reading.notes.items())
    )
    if reading.empty:
        notes += (f"{counted(len(reading.empty), 'empty row')} (first in row {min(reading.empty)})",)
    if reading.rounded:
        notes += (f"the file bills {format(reading.rounded, 'f')} more than was kept, all beyond the twelfth decimal",)
    return FileSummary(bill.shown, bill.format, bill.hash, "imported", in_all, kept, count, (), bad, notes)


def _ahead(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same batches; the next one is read on another core while one is worked on."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, batches, None)
        while (batch := waiting.result()) is not None:
            waiting = pool.submit(next, batches, None)
            yield batch


def _read_batch(
    memory: duckdb.DuckDBPyConnection,
    cursor: duckdb.DuckDBPyConnection,
    bill: BillFile,
    batch: Any,
    reading: Reading,
) -> None:
    memory.register("_batch", batch)
    simple = bill.format.startswith("simple")
    memory.execute("DELETE FROM amount")
    memory.execute(sql.READ, {"simple": simple})
    if read_odd_amounts(memory, reading):
        for statement in sql.READ_ODD:
            memory.execute(statement, {"simple": simple} if "$simple" in statement else None)
    for row, column, text, reason in memory.execute(sql.REFUSED).fetchall():
        reading.refused.append(Refused(row, column, (text or "")[:200], reason))
    memory.execute(sql.NEW_KEYS)
    memory.execute(sql.PARTS, {"bill": str(bill.id)})
    charges = memory.sql(sql.CHARGES).to_arrow_table()
    cursor.register("_charges", charges)
    cursor.execute(sql.INSERT_CHARGES)
    cursor.unregister("_charges")
    parts = memory.table("part").to_arrow_table()
    cursor.execute(sql.PART_TABLE)
    cursor.register("_parts", parts)
    cursor.execute("INSERT INTO _part SELECT * FROM _parts")
    cursor.unregister("_parts")
    memory.unregister("_batch")


def _write_refused(cursor: duckdb.DuckDBPyConnection, bill: BillFile, refused: Sequence[Refused]) -> None:
    if not refused:
        return
    import pyarrow as pa

    table = pa.table(
        {
            "bill": pa.array([bill.id] * len(refused), pa.uint64()),
            "row": pa.array([one.row for one in refused], pa.uint64()),
            "field": [one.field for one in refused],
            "text": [one.text for one in refused],
            "reason": [one.reason for one in refused],
        }
    )
    cursor.register("_refused", table)
    cursor.execute("INSERT INTO charge_refused BY NAME SELECT * FROM _refused")
    cursor.unregister("_refused")


def _add_keys(memory: duckdb.DuckDBPyConnection, cursor: duckdb.DuckDBPyConnection) -> None:
    """Write down what is charged for, where the store does not know it yet."""
    reader = memory.sql("SELECT * FROM seen_key").to_arrow_reader(_KEYS)
    import pyarrow as pa

    for batch in reader:
        cursor.register("_keys", pa.Table.from_batches([batch]))
        cursor.execute(sql.ADD_KEYS)
        cursor.unregister("_keys")


_KEYS = 50_000  # keys written in one step


def _replace(cursor: duckdb.DuckDBPyConnection, delivery: list[int], now: datetime) -> set[tuple[str, str, datetime]]:
    """End what earlier deliveries said about the accounts and periods of this one."""
    found = cursor.execute(sql.REPLACED, {"delivery": delivery, "open": OPEN_END}).fetchall()
    cursor.execute(sql.REPLACE, {"delivery": delivery, "open": OPEN_END, "now": now})
    return {(provider, account, start) for provider, account, start in found}


def _no_overlap(cursor: duckdb.DuckDBPyConnection, fresh: Sequence[BillFile]) -> None:
    """Refuse a delivery in which two files bill the same things of the same period: it would count them twice."""
    for one, other, period in cursor.execute(sql.OVERLAP, {"delivery": [bill.id for bill in fresh]}).fetchall():
        names = {bill.id: bill.shown for bill in fresh}
        raise BillError(
            f"{names[one]} and {names[other]} bill the same rows of {period:%Y-%m}. Files of one command add up; "
            "import a restatement in a command of its own, after the first."
        )


def _finished(
    cursor: duckdb.DuckDBPyConnection,
    bill: BillFile,
    summary: FileSummary,
    replaced: set[tuple[str, str, datetime]],
    actor: Actor,
    now: datetime,
) -> FileSummary:
    parts = tuple(
        PartSummary(
            provider, account, currency, f"{start:%Y-%m-%d}", rows, money_text(billed), money_text(effective),
            (provider, account, start) in replaced,
        )
        for provider, account, currency, start, rows, billed, effective in cursor.execute(
            sql.PARTS_OF, [bill.id]
        ).fetchall()
    )  # fmt: skip
    payload = {
        "file": Path(bill.shown).name,
        "format": bill.format,
        "rows": summary.rows,
        "refused": summary.refused,
        "at": iso(now),
        "parts": [
            {"account": one.account, "period": one.period, "currency": one.currency, "billed": one.billed}
            for one in parts[:100]
        ],
    }
    record(cursor, actor=actor.name, action="cost.import", resource=f"sha256:{bill.hash}", payload=payload, at=now)
    return FileSummary(
        summary.file, summary.format, summary.hash, summary.status, summary.rows, summary.kept, summary.refused,
        parts, summary.bad_rows, summary.notes,
    )  # fmt: skip


def _old(bill: BillFile, counts: bool) -> FileSummary:
    status = "already imported" if counts else "replaced earlier"
    notes = () if counts else ("a later bill replaced it; --force brings it back",)
    return FileSummary(bill.shown, bill.format, bill.hash, status, notes=notes)


def _first_bad(summary: FileSummary) -> str:
    first = summary.bad_rows[0]
    where = f"{first.field}: " if first.field else ""
    return (
        f"{first.file}: row {first.row}: {where}{first.reason}. {summary.refused} of {summary.rows} rows cannot be "
        "used; nothing was imported (--strict)."
    )
