"""The quarantine: inputs that could not be read, kept byte for byte with the reason and the place."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pyarrow as pa
import zstandard

from ingest import tables
from ingest.envelope import Refusal, decode
from lineage.errors import MeshlineError
from lineage.times import utcnow

if TYPE_CHECKING:
    import duckdb

    from ingest.writer import Writer
    from lineage.store import Store

_COLUMNS: tables.Columns = (
    ("hash", pa.binary()), ("received_at", pa.timestamp("us")), ("source", pa.string()), ("line", pa.uint64()),
    ("reason", pa.string()), ("detail", pa.string()), ("body", pa.binary()), ("producer", pa.string()),
)  # fmt: skip
_PRODUCER = re.compile(rb'"producer"\s*:\s*("(?:[^"\\]|\\.){1,1000}")')
_REPLAY_INPUTS = 100  # at once; one may be as large as an event may be
_PLACES = """
-- places of refused inputs, newest first
SELECT lower(hex(hash)), received_at, source, line, reason, detail, producer, replayed_at FROM quarantine
WHERE ($reason IS NULL OR reason = $reason) AND ($replayed OR replayed_at IS NULL)
ORDER BY received_at DESC, source, line, hash LIMIT $limit
"""
_COUNTS = """
SELECT reason, count(*) FROM quarantine
WHERE ($reason IS NULL OR reason = $reason) AND ($replayed OR replayed_at IS NULL) GROUP BY reason ORDER BY reason
"""


class UnknownRejectError(MeshlineError):
    """No input in the quarantine has this id, or several begin with it."""

    exit_code = 2
    status = 404


class Rejected(NamedTuple):
    """One refused input.

    ``line`` is its 1-based line in a file, or its 0-based index in a request; may be unknown. ``source`` is set when
    it is not that of the whole batch.
    """

    data: bytes
    refusal: Refusal
    line: int | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One place where an input was refused; ``id`` is the SHA-256 of its bytes, so equal inputs share it."""

    id: str
    received_at: datetime
    source: str
    line: int | None
    reason: str
    detail: str
    producer: str | None
    replayed_at: datetime | None

    @property
    def where(self) -> str:
        """``source:line``."""
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass
class Replayed:
    """What became of inputs that were tried again; ``still`` counts those that are refused as before, by reason."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    still: Counter[str] = field(default_factory=Counter)


def put(cursor: duckdb.DuckDBPyConnection, rejected: Sequence[Rejected], at: datetime, source: str) -> None:
    """Keep refused inputs, inside the caller's transaction; the same input from the same place is kept once."""
    rows = [
        (
            hashlib.sha256(item.data).digest(), tables.micros(at), item.source or source, item.line,
            item.refusal.reason, item.refusal.detail, zstandard.ZstdCompressor(level=3).compress(item.data),
            producer_of(item.data),
        )
        for item in rejected
    ]  # fmt: skip
    if not rows:
        return
    cursor.register("_rejected", tables.arrow_table(_COLUMNS, rows))
    try:
        cursor.execute(
            """
            INSERT INTO quarantine (hash, received_at, source, line, reason, detail, body, producer)
            SELECT DISTINCT ON (r.hash, r.source, r.line) r.* FROM _rejected r
            ANTI JOIN quarantine q
              ON q.hash = r.hash AND q.source = r.source AND q.line IS NOT DISTINCT FROM r.line
            """
        )
    finally:
        cursor.unregister("_rejected")


def producer_of(data: bytes) -> str | None:
    """Producer of an input that cannot be read as a whole, as far as its bytes tell.

    >>> producer_of(b'{"producer": "https://example.com/etl", "run":')
    'https://example.com/etl'
    """
    match = _PRODUCER.search(data)
    if match is None:
        return None
    try:
        return str(msgspec.json.decode(match[1], type=str))
    except msgspec.DecodeError:
        return None


def places(
    store: Store, *, reason: str | None = None, replayed: bool = False, limit: int | None = None
) -> tuple[list[Place], dict[str, int]]:
    """What lies in the quarantine, newest first, and how much by reason.

    Parameters
    ----------
    store
        where to look.
    reason
        only inputs refused for it.
    replayed
        also those that were accepted later.
    limit
        most places returned; the counts are of all.
    """
    wanted = {"reason": reason, "replayed": replayed}
    rows = store.rows(_PLACES, {**wanted, "limit": limit if limit is not None else 1 << 62})
    return [Place(*row) for row in rows], dict(store.rows(_COUNTS, wanted))


def find(store: Store, id_: str) -> list[Place]:
    """All places of one input.

    Parameters
    ----------
    store
        where to look.
    id_
        the id or any unique beginning of it.

    Raises
    ------
    UnknownRejectError
        when there is none, or more than one.
    """
    prefix = id_.strip().lower()
    known = store.rows(
        "SELECT DISTINCT lower(hex(hash)) FROM quarantine WHERE starts_with(lower(hex(hash)), ?) ORDER BY 1", [prefix]
    )
    if not prefix or not known:
        raise UnknownRejectError(f"No refused input has the id “{id_}”. List them with: meshline rejects list")
    if len(known) > 1:
        several = "\n  ".join(row[0] for row in known[:10])
        raise UnknownRejectError(f"“{id_}” begins {len(known)} ids; name one of them further:\n  {several}")
    rows = store.rows(
        "SELECT lower(hex(hash)), received_at, source, line, reason, detail, producer, replayed_at FROM quarantine "
        "WHERE hash = unhex(?) ORDER BY received_at, source, line",
        [known[0][0]],
    )
    return [Place(*row) for row in rows]


def original(store: Store, id_: str) -> bytes:
    """The refused bytes, exactly as they came; ``id_`` is a full id."""
    body = store.rows("SELECT body FROM quarantine WHERE hash = unhex(?) LIMIT 1", [id_])[0][0]
    return _unpacked(body)


def waiting(store: Store, reason: str | None = None) -> list[str]:
    """Ids of inputs that were not accepted yet, oldest first."""
    rows = store.rows(
        "SELECT lower(hex(hash)) FROM quarantine WHERE replayed_at IS NULL AND ($reason IS NULL OR reason = $reason) "
        "GROUP BY hash ORDER BY min(received_at), hash",
        {"reason": reason},
    )
    return [row[0] for row in rows]


def replay(store: Store, writer: Writer, ids: Collection[str]) -> Replayed:
    """Try refused inputs again, as after an upgrade that reads more.

    What can be read now is archived and derived like any new event (it is known from now on), and marked in the same
    transaction. What cannot stays as it was.

    Parameters
    ----------
    store, writer
        the store and the one writer of it.
    ids
        full ids; one that was replayed before is left alone.
    """
    done = Replayed()
    todo = list(dict.fromkeys(ids))
    for start in range(0, len(todo), _REPLAY_INPUTS):
        part = todo[start : start + _REPLAY_INPUTS]
        rows = store.rows(
            "SELECT lower(hex(hash)), any_value(body) FROM quarantine WHERE replayed_at IS NULL "
            "AND hash IN (SELECT unhex(unnest(?))) GROUP BY hash ORDER BY min(received_at), hash",
            [part],
        )
        _replay(writer, {id_: _unpacked(body) for id_, body in rows}, done)
    return done


def _replay(writer: Writer, inputs: dict[str, bytes], done: Replayed) -> None:
    readable: list[str] = []
    for id_, data in inputs.items():
        found = decode(data)
        if isinstance(found, Refusal):
            done.still[found.reason] += 1
        else:
            readable.append(id_)
    done.read += len(inputs)
    if not readable:
        return

    def mark(cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute(
            "UPDATE quarantine SET replayed_at = ? WHERE replayed_at IS NULL AND hash IN (SELECT unhex(unnest(?)))",
            [utcnow(), readable],
        )

    outcome = writer.ingest([inputs[id_] for id_ in readable], source="replay", together=mark)
    done.accepted += outcome.accepted
    done.duplicates += outcome.duplicates


def _unpacked(body: bytes) -> bytes:
    data: bytes = zstandard.ZstdDecompressor().decompress(body)
    return data
