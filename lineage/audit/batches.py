"""Acts about events: one for every batch that was accepted into the archive.

The act of a batch carries the Merkle root over the hashes of its events, so that the log vouches for every event
without holding one: event → batch → act → checkpoint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lineage.audit.log import Entry, record_all
from lineage.audit.merkle import leaf_hash, root
from lineage.store.blocks import unpack

if TYPE_CHECKING:
    import duckdb

    from lineage.store import Store

ACCEPT = "events.accept"
ACTOR = "ingest"
_AT_ONCE = 100  # blocks a transaction
_WATERMARK = "audited_block"
_BLOCKS = "SELECT block, source, body FROM raw WHERE block > ? ORDER BY block LIMIT ?  -- one block of events"


def resource_of(block: int) -> str:
    """How the log names a batch.

    >>> resource_of(7)
    'block 7'
    """
    return f"block {block}"


def event_leaf(data: bytes) -> bytes:
    """Leaf of one event in the tree of its batch: its hash is what the tree is over (semantics 1)."""
    return leaf_hash(hashlib.sha256(data.strip()).digest())


def batch_root(events: Sequence[bytes]) -> bytes:
    """Root over the events of a batch in the order of the archive."""
    return root([event_leaf(event) for event in events])


def log_batches(store: Store) -> int:
    """Log every archived batch that is not in the log yet; returns how many there were.

    It runs behind the hot path: after a bulk load, when a server has nothing else to do, and before anything that
    relies on the log.
    """
    done = 0
    while True:
        with store.transaction() as cursor:
            count = _log_some(cursor)
        done += count
        if count < _AT_ONCE:
            return done


def _log_some(cursor: duckdb.DuckDBPyConnection) -> int:
    from lineage.store import Store

    found = cursor.execute("SELECT value FROM meta WHERE key = ?", [_WATERMARK]).fetchall()
    blocks = cursor.execute(_BLOCKS, [int(found[0][0]) if found else 0, _AT_ONCE]).fetchall()
    entries = []
    for block, source, body in blocks:
        events = unpack(body)
        payload = {"block": block, "events": len(events), "root": batch_root(events).hex(), "source": source or ""}
        entries.append(Entry(ACTOR, ACCEPT, resource_of(block), payload))
    if entries:
        record_all(cursor, entries)
        Store.set_meta(cursor, _WATERMARK, str(blocks[-1][0]))
    return len(entries)
