"""Baselines: signed statements of what was derived when retention let bytes go, from which a rebuild starts.

A baseline holds no copy. Derived rows carry the time at which they were learned, so what was known when the last
removed block had been taken in can be read off the tables at any time: rows known by then, with everything that closed
later open again. The digest is over these rows. What they point to (nodes, bodies of facets, sets) is named by hashes
of its content and needs none.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from ingest.tables import DERIVED
from lineage.audit.signing import SigningKey, fingerprint, verify_signature
from lineage.errors import StoreError
from lineage.store import Store
from lineage.store.horizon import Baseline, baselines
from lineage.store.version import EVENTS_DIGEST
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    import pyarrow as pa

METHOD = "Meshline, baseline, method 1"
_MODULUS = 2**256
_COPY_ROWS = 20_000
_CLOCK = {"event": "received_at", **dict.fromkeys(("node", "declaration", "spelling"), "known_from")}  # one clock only
_TWO_CLOCKS = (
    *("run", "run_io", "run_stage", "run_told", "turn", "metric", "assertion"),
    *("edge", "column_edge", "facet", "alias", "sql_problem"),
)
_PLAIN = ("facet_set", "facet_body", "edge_set", "column_set")  # named by hashes of their content
_COLUMNS = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ? ORDER BY column_name"
_SIGNED = ("event", "declaration", *(table for table in _TWO_CLOCKS if table != "sql_problem"))
_PLACE = {"block", "position"}  # where bytes lie is no content
# what SQL readers inferred is read again by the next version of the reader, so nobody can vouch for it
_ALSO = {"column_edge": " AND provenance <> 'sql'"}


def sign_baseline(
    cursor: duckdb.DuckDBPyConnection, key: SigningKey, *, now: datetime, block: int, known: datetime, tail: int,
    before: datetime, thinned: bool,
) -> Baseline:  # fmt: skip
    """Write the baseline of everything derived from the blocks up to ``block``, inside the caller's transaction.

    Parameters
    ----------
    block, tail
        last block of the baseline, and newest block of the archive.
    known
        receipt time of ``block``; all later blocks were received later.
    before
        the horizon, naive UTC; it never goes back.
    thinned
        whether derived rows went, now or earlier.
    """
    earlier = baselines(cursor)
    last = earlier[-1] if earlier else None
    made = Baseline(
        (last.number if last else 0) + 1, now, block, known, tail,
        max(before, last.before) if last else before, thinned or bool(last and last.thinned),
        key=key.fingerprint, public_key=key.public,
    )  # fmt: skip
    made = made._replace(digest=digest(cursor, made.known))
    made = made._replace(signature=key.sign(_statement(made)))
    cursor.execute("INSERT INTO baseline VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", list(made))
    return made


def digest(cursor: duckdb.DuckDBPyConnection, known: datetime) -> str:
    """SHA-256 over the derived rows as known at one instant, with the times they were learned at; hexadecimal.

    The method is that of :mod:`lineage.fingerprint`.
    """
    total = hashlib.sha256(METHOD.encode())
    for table in _SIGNED:
        columns = cursor.execute(_COLUMNS, [table]).fetchall()
        text = " || ".join(_canonical(name, kind) for name, kind in columns if name not in _PLACE)
        rows, low, high = cursor.execute(
            f"""SELECT count(*), coalesce(sum(('0x' || left(h, 16))::UBIGINT), 0),
                  coalesce(sum(('0x' || right(h, 16))::UBIGINT), 0)
                FROM (SELECT md5({text}) AS h FROM ({_rows(table)}){_where(table)})""",  # noqa: S608 - our own names
            {"known": known},
        ).fetchall()[0]
        total.update(f"\n{table} {rows} {int(low):x} {int(high):x}".encode())
    return total.hexdigest()


def check_baseline(cursor: duckdb.DuckDBPyConnection) -> Baseline | None:
    """The newest baseline, after its signature and its rows were checked.

    Raises
    ------
    StoreError
        when it was not signed as it stands, or the rows are not those that were signed.
    """
    found = baselines(cursor)
    if not found:
        return None
    last = found[-1]
    if fingerprint(last.public_key) != last.key or not verify_signature(
        last.public_key, last.signature, _statement(last)
    ):
        raise StoreError(f"The signature of baseline {last.number} does not fit; it was altered. Restore a backup.")
    if digest(cursor, last.known) != last.digest:
        raise StoreError(
            f"Rows that baseline {last.number} vouches for were altered since {last.made_at}. Restore a backup."
        )
    return last


def copy_baseline(store: Store, target: Store, base: Baseline) -> None:
    """Put what was known at a baseline into an empty store, whose projection then goes on behind it."""
    for table in DERIVED:
        if table == "sql_node":  # has no clock, see below
            continue
        for part in _batches(store, table, base.known):
            with target.transaction() as cursor:
                Store.insert(cursor, table, part)
    with target.transaction() as cursor:
        hashes = cursor.execute("SELECT hash FROM event").fetchall()
        total = sum(int.from_bytes(row[0], "big") for row in hashes) % _MODULUS
        Store.set_meta(cursor, EVENTS_DIGEST, f"{total:064x}")
        Store.set_meta(cursor, "projected_block", str(base.block))
        for key, value in (("sql_block", str(base.block)), ("sql_reader", store.get_meta("sql_reader"))):
            if value is not None:
                Store.set_meta(cursor, key, value)
    for part in _only_sql(store, base.known):
        with target.transaction() as cursor:
            Store.insert(cursor, "sql_node", part)


def _batches(store: Store, table: str, known: datetime) -> Iterator[pa.Table]:
    import pyarrow as pa

    with store.reading() as cursor:
        rows = _rows(table).replace("$known", f"TIMESTAMP '{known}'")
        reader: pa.RecordBatchReader = cursor.sql(rows).to_arrow_reader(_COPY_ROWS)
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _only_sql(store: Store, known: datetime) -> Iterator[pa.Table]:
    import pyarrow as pa

    with store.reading() as cursor:
        nodes = _rows("node").replace("$known", f"TIMESTAMP '{known}'")
        sql = f"SELECT id FROM sql_node SEMI JOIN ({nodes}) USING (id)"  # noqa: S608 - our own names
        for batch in cursor.sql(sql).to_arrow_reader(_COPY_ROWS):
            yield pa.Table.from_batches([batch])


def _rows(table: str) -> str:
    """SQL for the rows of a derived table as they were known at ``$known``."""
    if table in _PLAIN:
        return f"SELECT * FROM {table}"  # noqa: S608 - our own names
    if table in _CLOCK:
        return f"SELECT * FROM {table} WHERE {_CLOCK[table]} <= $known"  # noqa: S608
    return (
        f"SELECT * REPLACE (CASE WHEN known_to > $known THEN TIMESTAMP '{OPEN_END}' ELSE known_to END AS known_to) "  # noqa: S608
        f"FROM {table} WHERE known_from <= $known"
    )


def _where(table: str) -> str:
    also = _ALSO.get(table)
    return f" WHERE true{also}" if also else ""


def _canonical(name: str, kind: str) -> str:
    text = f'"{name}"::VARCHAR'
    if kind.startswith("TIMESTAMP"):
        text = f'epoch_us("{name}")::VARCHAR'
    elif kind == "BLOB":
        text = f'hex("{name}")'
    return f"coalesce(strlen({text}) || ':' || {text}, '-')"


def _statement(base: Baseline) -> bytes:
    """What is signed."""
    parts = (
        METHOD, base.number, base.made_at.isoformat(), base.block, base.known.isoformat(), base.tail,
        base.before.isoformat(), base.thinned, base.digest, base.key,
    )  # fmt: skip
    return "\n".join(map(str, parts)).encode()
