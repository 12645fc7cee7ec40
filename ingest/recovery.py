"""Open a database whose write-ahead log is damaged, with as little loss as possible.

DuckDB cuts a log that merely breaks off by itself. One whose middle is damaged (a bad sector, a block of zeros after a
power failure) it refuses to read, and names the byte at which the first bad entry begins; a damaged length it takes for
the end, which :mod:`lineage.store.wal` sees before the file is opened. Everything before that byte is whole
transactions. Behind it, archived blocks of events can still be found by the magic number and the checksum of their
compression, and their events are ingested again: what they led to is derived anew.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.envelope import Refusal, decode, event_hash
from ingest.outcome import Line, Outcome
from ingest.writer import BATCH_EVENTS, Writer
from lineage.errors import StoreError
from lineage.store import Store
from lineage.store.blocks import frames, hashes_as_came
from lineage.store.opening import check_file, open_error
from lineage.store.wal import hidden_break, log_of

_POSITION = re.compile(r"corrupt wal file: entry at byte position (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was done to a database.

    Parameters
    ----------
    damaged
        whether there was anything to do; otherwise nothing was touched.
    log_bytes, kept_bytes
        length of the log before and after the cut.
    copies
        copies of the files as they were.
    events
        events the database held after the cut.
    newest
        receipt time of the newest of them.
    found, restored
        events found in the cut part, and how many of them the database did not have.
    """

    damaged: bool
    log_bytes: int = 0
    kept_bytes: int = 0
    copies: tuple[Path, ...] = ()
    events: int = 0
    newest: datetime | None = None
    found: int = 0
    restored: int = 0


def recover(path: Path) -> Recovery:
    """Make a database usable again.

    Parameters
    ----------
    path
        the database file.

    Raises
    ------
    StoreError
        when the file itself is damaged, is locked, or is no database; nothing was changed.
    """
    check_file(path, create=False, read_only=False)
    log = log_of(path)
    first = hidden_break(path)  # before DuckDB opens the file and cuts the log without a word
    if first is None:
        error = _try_open(path)
        if error is None:
            return Recovery(damaged=False)
        place = _POSITION.search(str(error))
        if place is None or not log.exists():
            raise open_error(path, error, existed=True, read_only=False)
        first = int(place[1])
    before = log.stat().st_size
    copies = (_copy(path), _copy(log))
    cut = _cut(path, log, first)
    tail = copies[1].read_bytes()[cut:]
    with Store.open(path, create=False) as store:
        writer = Writer(store)
        writer.catch_up()
        events, newest = store.rows("SELECT count(*), max(received_at) FROM event")[0]
        outcome = _restore(writer, list(salvage(tail)), hashes_as_came(tail))
        store.checkpoint()
    return Recovery(True, before, cut, copies, events, newest, outcome.read, outcome.accepted)


def salvage(data: bytes) -> Iterator[bytes]:
    """Events of every intact archived block in a piece of a log."""
    for events in frames(data):
        if not any(isinstance(decode(event), Refusal) for event in events):
            yield from events


def _restore(writer: Writer, events: list[bytes], originals: Mapping[bytes, bytes]) -> Outcome:
    """Ingest events again; those that were masked keep the hash they came with."""
    lines = [Line(data, original=originals.get(event_hash(data)) if originals else None) for data in events]
    total = Outcome()
    for start in range(0, len(lines), BATCH_EVENTS):
        total.add(writer.ingest(lines[start : start + BATCH_EVENTS], source="recover"))
    return total


def _cut(path: Path, log: Path, at: int) -> int:
    """Cut the log until the database opens; where it was cut at last."""
    while True:
        with log.open("r+b") as stream:
            stream.truncate(at)
        error = _try_open(path)
        if error is None:
            return at
        place = _POSITION.search(str(error))
        if place is None or int(place[1]) >= at:
            raise StoreError(
                f"{path} does not open even without the damaged part of its log. "
                f"The files as they were lie beside it ({path.name}.before-recover…); restore a snapshot."
            )
        at = int(place[1])


def _try_open(path: Path) -> Exception | None:
    """Why DuckDB refuses to open the file, or ``None``."""
    import duckdb

    try:
        duckdb.connect(str(path), config={"enable_external_access": "false"}).close()
    except duckdb.Error as error:
        refusal: Exception = error
        return refusal
    return None


def _copy(path: Path) -> Path:
    """A copy beside the file under a name that no earlier copy has."""
    names = (path.with_name(f"{path.name}.before-recover{tail}") for tail in ("", *(f".{n}" for n in range(2, 10_000))))
    target = next(name for name in names if not name.exists())
    shutil.copy2(path, target)
    return target
