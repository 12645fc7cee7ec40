"""Read bills of any size: FOCUS 1.0–1.3 by column name, CSV or Parquet, or a simple CSV, as batches of texts.

Every batch has the columns of :data:`FIELDS` (texts, NULL where the bill has nothing) and ``row``. Rows that do not
even have the right number of values are reported, and reading goes on.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lineage.errors import MeshlineError

if TYPE_CHECKING:
    import pyarrow as pa

# Our name of a column and those of FOCUS that mean it, in lower case, the newest first.
FOCUS: dict[str, tuple[str, ...]] = {
    "billed": ("billedcost",),
    "effective": ("effectivecost",),
    "contracted": ("contractedcost",),
    "listed": ("listcost",),
    "currency": ("billingcurrency",),
    "period_start": ("billingperiodstart",),
    "period_end": ("billingperiodend",),
    "started": ("chargeperiodstart",),
    "ended": ("chargeperiodend",),
    "category": ("chargecategory",),
    "class": ("chargeclass",),
    "description": ("chargedescription",),
    "service": ("servicename",),
    "service_category": ("servicecategory",),
    "sku": ("skuid",),
    "meter": ("skumeter",),
    "quantity": ("consumedquantity",),
    "unit": ("consumedunit",),
    "resource": ("resourceid",),
    "resource_name": ("resourcename",),
    "resource_type": ("resourcetype",),
    "account": ("billingaccountid",),
    "sub_account": ("subaccountid",),
    "sub_account_name": ("subaccountname",),
    "provider": ("serviceprovidername", "providername", "invoiceissuername"),
    "region": ("regionid",),
    "tags": ("tags",),
    "query": ("x_queryid", "x_query_id", "x_jobid", "x_job_id"),
}
SIMPLE: dict[str, tuple[str, ...]] = {
    "billed": ("amount", "cost"),
    "currency": ("currency",),
    "started": ("date", "day", "start"),
    "ended": ("end",),
    "service": ("service",),
    "description": ("description",),
    "resource": ("resource",),
    "account": ("account",),
    "sub_account": ("sub_account",),
    "provider": ("provider",),
    "query": ("query",),
    "basis": ("basis",),
    "dataset": ("dataset", "node"),
    "job": ("job",),
    "product": ("product",),
    "domain": ("domain",),
}
FIELDS = (*FOCUS, "basis")
_TAGGED = ("dataset", "job", "product", "domain")
_NOTHING = ("", "NULL", "null", "Null")
_BLOCK = 16 << 20  # bytes of a CSV file per batch
_ROWS = 32_768  # rows of a Parquet file per batch


class BillError(MeshlineError):
    """A file is no bill that can be read."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that cannot be used."""

    row: int
    field: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class BillFile:
    """One file that was looked at: its hash and what kind of bill it is."""

    path: Path
    shown: str
    hash: str
    format: str
    columns: dict[str, str]  # our name -> the column's name in the file
    delimiter: str = ","

    @property
    def id(self) -> int:
        """First 8 bytes of the hash."""
        return int(self.hash[:16], 16)


def look_at(path: Path, shown: str) -> BillFile:
    """Hash a file and find out what it is.

    Raises
    ------
    BillError
        when it is missing, empty, or has not the columns of a bill.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            head = handle.read(4)
            handle.seek(0)
            while block := handle.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise BillError(f"{shown}: cannot be read: {error.strerror}.") from None
    if head == b"PAR1":
        names, delimiter = _parquet_names(path, shown), ","
        kind = "parquet"
    else:
        names, delimiter = _csv_names(path, shown)
        kind = "csv"
    found = _columns(names, FOCUS)
    if "billed" in found and "currency" in found:
        _require(found, ("billed", "currency", "started"), FOCUS, shown)
        return BillFile(path, shown, digest.hexdigest(), f"focus {kind}", found, delimiter)
    found = _columns(names, SIMPLE)
    if "billed" in found:
        _require(found, ("billed", "currency", "started"), SIMPLE, shown)
        return BillFile(path, shown, digest.hexdigest(), f"simple {kind}", found, delimiter)
    raise BillError(
        f"{shown}: is no bill: neither FOCUS (BilledCost, BillingCurrency, ChargePeriodStart, …) nor simple "
        f"(date, amount, currency, …). Its columns are: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}."
    )


def batches(
    bill: BillFile, refuse: Callable[[Refused], None], empty: Callable[[list[int]], None] = lambda _: None
) -> Iterator[pa.Table]:
    """The rows of a bill, a block at a time.

    ``refuse`` is told of rows with too many or too few values, ``empty`` of the numbers of rows without any.
    """
    raw = _parquet(bill) if bill.format.endswith("parquet") else _csv(bill, refuse)
    for table in (_filled(one, empty) for one in raw):
        yield _simple(table) if bill.format.startswith("simple") else table


def _filled(table: pa.Table, empty: Callable[[list[int]], None]) -> pa.Table:
    """The rows that say anything: empty lines count in the numbers of the others, and are no charges."""
    import pyarrow.compute as pc

    nothing = pc.and_(pc.is_null(table["billed"]), pc.is_null(table["started"]))
    for name in table.column_names if pc.any(nothing).as_py() else ():
        if name != "row":
            nothing = pc.and_(nothing, pc.is_null(table[name]))
    if not pc.any(nothing).as_py():
        return table
    empty(table["row"].filter(nothing).to_pylist())
    return table.filter(pc.invert(nothing))


def _columns(names: list[str], known: dict[str, tuple[str, ...]]) -> dict[str, str]:
    by_low = {name.strip().lower(): name for name in reversed(names)}
    found = {}
    for ours, theirs in known.items():
        for name in theirs:
            if name in by_low:
                found[ours] = by_low[name]
                break
    return found


def _require(found: dict[str, str], wanted: tuple[str, ...], known: dict[str, tuple[str, ...]], shown: str) -> None:
    missing = [known[name][0] for name in wanted if name not in found]
    if missing:
        raise BillError(f"{shown}: has no column {', '.join(missing)}; a bill needs it.")


def _open(path: Path) -> BinaryIO:
    handle = path.open("rb")
    if handle.read(2) == b"\x1f\x8b":
        handle.close()
        return gzip.open(path, "rb")  # type: ignore[return-value]
    handle.seek(0)
    return handle


def _csv_names(path: Path, shown: str) -> tuple[list[str], str]:
    """Names in the first line, and the delimiter."""
    try:
        with _open(path) as handle:
            text = handle.read(1 << 16).decode("utf-8-sig", "strict" if handle.read(1) == b"" else "ignore")
    except (OSError, EOFError, UnicodeDecodeError):
        raise BillError(f"{shown}: is neither UTF-8 text nor Parquet.") from None
    first = text.split("\n", 1)[0]
    if not first.strip():
        raise BillError(f"{shown}: is empty or begins with an empty line; the first line must name the columns.")
    delimiter = max(",;\t|", key=first.count)
    names = next(csv.reader(io.StringIO(text), delimiter=delimiter))
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise BillError(f"{shown}: names the column {twice[0]} twice.")
    return names, delimiter


def _parquet_names(path: Path, shown: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise BillError(f"{shown}: is no Parquet file that can be read: {str(error).splitlines()[0]}") from None


def _csv(bill: BillFile, refuse: Callable[[Refused], None]) -> Iterator[pa.Table]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as pc

    bad: list[int] = []

    def skip(row: Any) -> str:
        bad.append(row.number)
        why = f"has {row.actual_columns} values where the header has {row.expected_columns}"
        refuse(Refused(row.number, "", str(row.text)[:200], why))
        return "skip"

    names = [*dict.fromkeys(bill.columns.values())]
    with _open(bill.path) as handle:
        try:
            reader = pc.open_csv(
                handle,
                read_options=pc.ReadOptions(use_threads=False, block_size=_BLOCK),
                parse_options=pc.ParseOptions(
                    delimiter=bill.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=skip,
                ),
                convert_options=pc.ConvertOptions(
                    include_columns=names,
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=list(_NOTHING),
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
            done = 0
            for batch in reader:
                # The k-th good row (from 0) is row k + 2 of the file, plus one for every bad row before it.
                good = np.arange(done, done + batch.num_rows)
                holes = np.sort(np.asarray(bad, dtype=np.int64)) - np.arange(len(bad)) - 2
                rows = good + 2 + np.searchsorted(holes, good, side="right")
                done += batch.num_rows
                yield _named(pa.Table.from_batches([batch]), bill.columns, rows)
        except (pa.ArrowInvalid, OSError, EOFError) as error:
            raise BillError(f"{bill.shown}: cannot be read on: {str(error).splitlines()[0]}") from None


def _parquet(bill: BillFile) -> Iterator[pa.Table]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [*dict.fromkeys(bill.columns.values())]
    done = 0
    try:
        with pq.ParquetFile(bill.path) as file:
            for batch in file.iter_batches(_ROWS, columns=names):
                table = pa.table({name: _texts(batch.column(name)) for name in names})
                yield _named(table, bill.columns, np.arange(done + 1, done + 1 + batch.num_rows))
                done += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise BillError(f"{bill.shown}: cannot be read on: {str(error).splitlines()[0]}") from None


def _texts(column: pa.Array) -> pa.Array:
    """A column of a Parquet file as texts that say exactly what it says."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_string(kind):
        return pc.if_else(pc.is_in(column, pa.array(_NOTHING)), None, column)
    if pa.types.is_timestamp(kind) and kind.tz:
        column = column.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit))
    if pa.types.is_map(kind):
        texts = [None if v is None else json.dumps({str(k): x for k, x in v}) for v in column.to_pylist()]
        return pa.array(texts, pa.string())
    if pa.types.is_struct(kind) or pa.types.is_list(kind) or pa.types.is_floating(kind):
        plain = pa.types.is_floating(kind)  # repr: the shortest text that is this number
        texts = [None if v is None else repr(v) if plain else json.dumps(v) for v in column.to_pylist()]
        return pa.array(texts, pa.string())
    return column.cast(pa.string())


def _named(table: pa.Table, columns: dict[str, str], rows: Any) -> pa.Table:
    """The columns under our names, absent ones filled with NULL."""
    import pyarrow as pa

    nothing = pa.nulls(table.num_rows, pa.string())
    wanted = [*FIELDS, *(name for name in columns if name not in FIELDS)]
    found = {name: table.column(columns[name]) if name in columns else nothing for name in wanted}
    return pa.table({**found, "row": pa.array(rows, pa.int64())})


def _simple(table: pa.Table) -> pa.Table:
    """A simple bill in the columns of FOCUS: what it names stands in its tags."""
    import pyarrow as pa

    named = [name for name in _TAGGED if name in table.column_names]
    columns = [table.column(name).to_pylist() for name in named]
    tags = []
    for values in zip(*columns, strict=True) if columns else ():
        told = {name: value for name, value in zip(named, values, strict=True) if value}
        tags.append(json.dumps(told) if told else None)
    found = {name: table.column(name) for name in (*FIELDS, "row")}
    if columns:
        found["tags"] = pa.array(tags, pa.string())
    return pa.table(found)
