"""Rebuild every derived table from the archive (design rule 1: the raw event is the truth)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.archive import pad
from ingest.baseline import check_baseline, copy_baseline
from ingest.lives import MISSES, MISSES_KEY
from ingest.sql_step import SETTINGS, read_pending
from ingest.tables import DERIVED
from ingest.writer import Writer
from lineage.errors import StoreError
from lineage.store import Store
from lineage.store.version import EVENTS_DIGEST, EXACT_RUN_IDS

if TYPE_CHECKING:
    import pyarrow as pa

_MADE_ANEW = ["format", "projected_block", EVENTS_DIGEST, *SETTINGS]  # settings that the rebuilt store finds for itself
_COPY_ROWS = 200  # rows of a table per step; a row of raw holds a whole block


def rebuild(
    store: Store, target: Store, progress: Callable[[int], None] = lambda _: None, misses: int | None = None
) -> int:
    """Fill an empty store with the archive of another one and derive everything anew.

    Parameters
    ----------
    store
        the store whose archive is the source; it is only read.
    target
        an empty store.
    progress
        called with the number of events done so far.
    misses
        how many complete runs without an edge end it from now on; default: as before.

    Returns
    -------
    int
        how many archived events were read. Receipt times are those of the archive, so both clocks come out equal.
        Columns are read from SQL afterwards (:func:`ingest.sql_step.read_pending`), as behind any projection.
        Where retention let events go, it starts from what its signed baseline vouches for, and takes run ids by the
        rule that held then; else a UUID is one run id in either case from now on.

    Raises
    ------
    StoreError
        when that baseline or its rows were altered.
    """
    with store.reading() as cursor:
        base = check_baseline(cursor)
    if base is not None and misses is not None and misses != int(store.get_meta(MISSES_KEY) or MISSES):
        raise StoreError(
            "How many runs end an edge cannot be changed any more: retention let events go that it follows from."
        )
    anew = _MADE_ANEW if base is not None else [*_MADE_ANEW, EXACT_RUN_IDS]
    for table in _told_tables(store):
        _copy(store, target, table)
    with target.transaction() as cursor:
        for key, value in store.rows("SELECT key, value FROM meta WHERE NOT list_contains(?, key)", [anew]):
            Store.set_meta(cursor, key, value)
        if misses is not None:
            Store.set_meta(cursor, MISSES_KEY, str(misses))
    if base is not None:
        copy_baseline(store, target, base)
    writer = Writer(target)
    done = 0
    while count := writer.project_pending():
        done += count
        progress(done)
    return done


def rebuild_file(
    path: Path, progress: Callable[[int], None] = lambda _: None, misses: int | None = None
) -> tuple[int, Path]:
    """Rebuild a database file; the old file stays beside it.

    Returns
    -------
    tuple[int, Path]
        events read, and where the old file is now.

    Raises
    ------
    StoreError
        when the leftover of an earlier rebuild is in the way.
    """
    fresh = path.with_name(path.name + ".rebuilding")
    old = path.with_name(path.name + ".before-rebuild")
    for file in (fresh, fresh.with_name(fresh.name + ".wal")):
        file.unlink(missing_ok=True)
    if old.exists():
        raise StoreError(f"{old} is still there from an earlier rebuild; remove it or move it away first.")
    with Store.open(path, create=False) as store:
        store.checkpoint()
        with Store.open(fresh) as target:
            done = rebuild(store, target, progress, misses)
            read_pending(target)
            target.checkpoint()
    path.rename(old)
    fresh.rename(path)
    return done, old


def _told_tables(store: Store) -> list[str]:
    """Tables that are not derived: the archive, the quarantine and everything that was declared."""
    found = store.rows("SELECT table_name FROM information_schema.tables ORDER BY table_name")
    return [name for (name,) in found if name not in DERIVED and name != "meta"]


def _copy(store: Store, target: Store, table: str) -> None:
    archived = table == "raw"
    which = "WHERE block IS NOT NULL" if archived else ""  # padding is made anew
    with store.reading() as source:
        reader: pa.RecordBatchReader = source.sql(f"SELECT * FROM {table} {which}").to_arrow_reader(_COPY_ROWS)  # noqa: S608
        for batch in reader:
            with target.transaction() as cursor:
                Store.insert(cursor, table, _as_table(batch))
                if archived:
                    pad(cursor, batch.column("body").nbytes)


def _as_table(batch: pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_batches([batch])
