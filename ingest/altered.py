"""Masking before storage: with ``redact.archive`` the archive never holds the secrets of an event (semantics 24).

Such an event is stored otherwise than it came. It keeps the hash of what came, so it is known when it is sent again,
and a note says that it was altered. Masking finds secrets by rules (:mod:`lineage.redact`), so it is no promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ingest.envelope import Envelope, decode, event_hash
from ingest.quarantine import Rejected
from lineage.audit import record
from lineage.redact import redact_event
from lineage.store import Store
from lineage.store.version import bump_version

if TYPE_CHECKING:
    import duckdb

SETTING = "redact.archive"
NOTE = "altered: secrets were masked before storage; the hash is that of the event as it came"


def is_on(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Whether secrets are masked before storage."""
    found = cursor.execute("SELECT value FROM meta WHERE key = ?", [SETTING]).fetchall()
    return bool(found) and found[0][0] == "true"


def switch(store: Store, on: bool, actor: str, *, reason: str | None = None) -> None:
    """Mask what comes from now on, or stop that; what is stored already stays as it is.

    A server that runs on the store is told by :meth:`ingest.live.LiveIngest.mask`.
    """
    with store.transaction() as cursor:
        if is_on(cursor) == on:
            return
        told = {"on": on, "reason": reason} if reason else {"on": on}
        Store.set_meta(cursor, SETTING, "true" if on else "false")
        record(cursor, actor=actor, action=SETTING, resource="archive", payload=told)
        bump_version(cursor)


def mask(
    cursor: duckdb.DuckDBPyConnection, events: Iterable[Envelope]
) -> tuple[list[Envelope], dict[bytes, tuple[bytes, bytes]]]:
    """Events as they are to be stored, and the hashes of those that were altered (:data:`ingest.archive.Originals`).

    What was altered is noted in the caller's transaction.
    """
    found: list[Envelope] = []
    originals: dict[bytes, tuple[bytes, bytes]] = {}
    for event in events:
        data = redact_event(event.data)
        shown = event if data is event.data else decode(data, event.hash)
        if shown is not event and isinstance(shown, Envelope):
            originals |= note(cursor, [shown])
            found.append(shown)
        else:
            found.append(event)
    return found, originals


def note(cursor: duckdb.DuckDBPyConnection, events: Iterable[Envelope]) -> dict[bytes, tuple[bytes, bytes]]:
    """Note, in the caller's transaction, that these events are altered and have the hash they came with."""
    originals: dict[bytes, tuple[bytes, bytes]] = {}
    for event in events:
        event.notes = (*event.notes, NOTE)
        originals[event.data] = event_hash(event.data), event.hash
        cursor.execute("INSERT INTO altered VALUES (?, ?)", list(originals[event.data]))
    return originals


def mask_rejected(items: Iterable[Rejected]) -> list[Rejected]:
    """Refused inputs as they are to be stored."""
    return [item._replace(data=redact_event(item.data)) for item in items]


def restore(cursor: duckdb.DuckDBPyConnection, events: Sequence[Envelope]) -> None:
    """Give events that were read from the archive the hash and the note they were accepted with."""
    if not events or not cursor.execute("SELECT 1 FROM altered LIMIT 1").fetchall():
        return
    rows = cursor.execute(
        "SELECT stored, original FROM altered WHERE stored IN (SELECT unnest(?::BLOB[]))",
        [[event.hash for event in events]],
    ).fetchall()
    originals = {bytes(stored): bytes(original) for stored, original in rows}
    for event in events:
        original = originals.get(event.hash)
        if original is not None:
            event.hash = original
            event.notes = (*event.notes, NOTE)
