"""Append one act to the audit log.

Every act of a person or a job that changes what Meshline says (applied files, imported bills, aliases, waivers,
acknowledged incidents, retention, accepted batches of events) is one row. Rows are hashed as leaves of an RFC 6962
Merkle tree and chained to the row before, so an edited, removed or inserted row shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from lineage.errors import UsageError
from lineage.times import utcnow

if TYPE_CHECKING:
    import duckdb

Outcome = Literal["done", "refused"]
FIRST = bytes(32)  # chain hash before the first act
_SAFE = 2**53  # whole numbers beyond it are no JSON numbers everywhere (RFC 8785)


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the log."""

    seq: int
    at: datetime
    actor: str
    action: str
    resource: str
    outcome: Outcome
    payload: str  # canonical JSON
    leaf_hash: bytes
    chain_hash: bytes


def canonical(value: Mapping[str, Any]) -> str:
    """JSON text of an object that is the same on every machine.

    It is RFC 8785 restricted to texts, whole numbers below 2⁵³, booleans, null, lists and objects; decimals and times
    are sent as texts.

    Raises
    ------
    UsageError
        when the value holds anything else.

    Examples
    --------
    >>> canonical({"b": 1, "a": ["x", True]})
    '{"a":["x",true],"b":1}'
    """
    _check(value, "payload")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def leaf_bytes(seq: int, at: datetime, actor: str, action: str, resource: str, outcome: str, payload: str) -> bytes:
    """What is hashed of one act: its canonical JSON, with the payload as text."""
    fields = {
        "seq": seq,
        "at": at.isoformat(timespec="microseconds") + "Z",
        "actor": actor,
        "action": action,
        "resource": resource,
        "outcome": outcome,
        "payload": payload,
    }
    return canonical(fields).encode("utf-8", "surrogatepass")


def record(
    cursor: duckdb.DuckDBPyConnection,
    *,
    actor: str,
    action: str,
    resource: str,
    payload: Mapping[str, Any] | None = None,
    outcome: Outcome = "done",
    at: datetime | None = None,
) -> Act:
    """Append one act, inside the transaction that does it: both are kept or none.

    Parameters
    ----------
    cursor
        cursor of a write transaction (:meth:`lineage.store.Store.transaction`).
    actor
        who acts.
    action
        what is done, ``object.verb``.
    resource
        on what.
    payload
        particulars; see :func:`canonical` for what it may hold. No personal data: the log cannot forget.
    outcome
        ``refused`` when the act was tried and not allowed.
    at
        when (default: now, UTC).

    Examples
    --------
    >>> from lineage.store import Store
    >>> with Store.open(":memory:") as store, store.transaction() as cursor:
    ...     record(cursor, actor="ann", action="alias.add", resource="dataset:a:b").seq
    0
    """
    found = cursor.execute("SELECT seq, chain_hash FROM audit ORDER BY seq DESC LIMIT 1").fetchall()
    seq, before = (found[0][0] + 1, found[0][1]) if found else (0, FIRST)
    moment = at or utcnow()
    text = canonical(payload or {})
    leaf = hashlib.sha256(b"\0" + leaf_bytes(seq, moment, actor, action, resource, outcome, text)).digest()
    chain = hashlib.sha256(before + leaf).digest()
    cursor.execute(
        "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [seq, moment, actor, action, resource, outcome, text, leaf, chain],
    )
    return Act(seq, moment, actor, action, resource, outcome, text, leaf, chain)


def _check(value: Any, place: str) -> None:
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int) and abs(value) < _SAFE:
        return
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        for key, inner in value.items():
            _check(inner, f"{place}.{key}")
        return
    if isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            _check(inner, f"{place}[{number}]")
        return
    raise UsageError(f"{place}: {type(value).__name__} cannot stand in the audit log; send it as text.")
