"""Which state a store is in: a number that grows with every change, and a fingerprint that two stores can share.

Readers see by the number, cheaply, that what they hold is old. The fingerprint ties an answer to a state: everything
derived follows from the events and the declared files, so a digest of these that does not depend on order names the
state, and the same events in another store give the same. It costs a few additions a batch;
:mod:`lineage.fingerprint` is the proof that what was derived is equal too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lineage.store.store import Store

if TYPE_CHECKING:
    import duckdb

_KEY = "version"
EVENTS_DIGEST = "events_digest"
EXACT_RUN_IDS = "runs.exact"
"""Setting of a store from before a UUID was one run id in either case, that knows some in capitals; a rebuild ends it.

One state follows one rule: what is in the store has keys by the spelling, and what comes has to find it.
"""
DECLARED = (
    *("domain", "contract", "product", "cost_rule", "budget"),
    *("policy", "waiver", "access_grant", "access_rule", "alert_route", "tag_stop"),
)
"""One table per kind of declared file; each row is one version, with path, body and both clocks."""
_ONE = """
SELECT {} AS kind, name, hash || CASE WHEN valid_to < '9999-12-31' THEN ' ended' ELSE '' END AS hash
FROM {} WHERE known_to = '9999-12-31'
"""
_DECLARED = " UNION ALL ".join(_ONE.format(*pair) for pair in enumerate(DECLARED)) + " ORDER BY kind, name, hash"
_MODULUS = 2**256
_COUNTERS = f"""
-- one row per counter that a batch moves
SELECT key, value FROM meta WHERE key IN ('{_KEY}', '{EVENTS_DIGEST}', ?)
"""  # noqa: S608 - constants
_SET_COUNTERS = """
UPDATE meta SET value = new.value FROM (SELECT unnest(?) AS key, unnest(?) AS value) AS new WHERE meta.key = new.key
"""


def bump_version(cursor: duckdb.DuckDBPyConnection) -> int:
    """Count one more change; call it once inside every transaction that changes what answers are made of.

    Examples
    --------
    >>> store = Store.open(":memory:")
    >>> with store.transaction() as cursor:
    ...     bump_version(cursor)
    1
    >>> state_version(store)
    1
    >>> store.close()
    """
    found = cursor.execute("SELECT value FROM meta WHERE key = ?", [_KEY]).fetchall()
    number = int(found[0][0]) + 1 if found else 1
    Store.set_meta(cursor, _KEY, str(number))
    return number


def count_batch(cursor: duckdb.DuckDBPyConnection, hashes: Iterable[bytes], watermark: tuple[str, str] | None) -> None:
    """What :func:`bump_version` and :func:`add_events` do, and one more setting, in two statements instead of eight.

    Parameters
    ----------
    hashes
        SHA-256 of the events that the transaction adds.
    watermark
        (key, value) of the setting.
    """
    found = dict(cursor.execute(_COUNTERS, [watermark[0] if watermark else None]).fetchall())
    total = int(found.get(EVENTS_DIGEST, "0"), 16) + sum(int.from_bytes(value, "big") for value in hashes)
    settings = {_KEY: str(int(found.get(_KEY, "0")) + 1), EVENTS_DIGEST: f"{total % _MODULUS:064x}"}
    if watermark is not None:
        settings[watermark[0]] = watermark[1]
    if found.keys() == settings.keys():
        cursor.execute(_SET_COUNTERS, [list(settings), list(settings.values())])
        return
    for key, value in settings.items():
        Store.set_meta(cursor, key, value)


def state_version(store: Store) -> int:
    """How many changes the store has seen; 0 for an empty one.

    Asked many times for one answer, so the database is asked only when something was committed since.
    """
    commit = store.last_commit  # before the number is read: what is committed meanwhile makes it be read again
    kept = store.version_at
    if kept is None or kept[0] != commit:
        value = store.get_meta(_KEY)
        kept = store.version_at = (commit, int(value) if value else 0)
    return kept[1]


def add_events(cursor: duckdb.DuckDBPyConnection, hashes: Iterable[bytes]) -> None:
    """Count new events into the fingerprint; call it once inside the transaction that adds them.

    Parameters
    ----------
    hashes
        SHA-256 of each event; their sum does not care about order.
    """
    found = cursor.execute("SELECT value FROM meta WHERE key = ?", [EVENTS_DIGEST]).fetchall()
    total = int(found[0][0], 16) if found else 0
    total += sum(int.from_bytes(value, "big") for value in hashes)
    Store.set_meta(cursor, EVENTS_DIGEST, f"{total % _MODULUS:064x}")


def state_fingerprint(store: Store) -> str:
    """Fingerprint of the state of a store: SHA-256 over all events and the declared files that hold, hexadecimal.

    Examples
    --------
    >>> with Store.open(":memory:") as one, Store.open(":memory:") as other:
    ...     state_fingerprint(one) == state_fingerprint(other)
    True
    """
    files = store.rows(_DECLARED)
    said = [
        str(part)
        for table in ("alias_mark", "edge_mark", "owner_mark", "alias_rule")
        for row in store.rows(f"SELECT * EXCLUDE (known_from) FROM {table} WHERE known_to = '9999-12-31' ORDER BY ALL")  # noqa: S608
        for part in row
    ]
    parts = [
        "meshline-state-1",
        *said,
        store.get_meta(EVENTS_DIGEST) or f"{0:064x}",
        *(part for row in files for part in row),
    ]
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()
