"""Append acts to the audit log and read them.

Every act of a person or a job that changes what Meshline says (applied files, imported bills, aliases, waivers,
acknowledged incidents, retention, accepted batches of events) is one row. Rows are hashed as leaves of an RFC 6962
Merkle tree and chained to the row before, so an edited, removed or inserted row shows.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Literal

from lineage.audit.merkle import root
from lineage.audit.tree import TILE, WIDE
from lineage.errors import UsageError, repeated
from lineage.times import utcnow

if TYPE_CHECKING:
    import duckdb

Outcome = Literal["done", "refused"]
LONGEST_REASON = 2_000
FIRST = bytes(32)  # chain hash before the first act
_quoted = encode_basestring  # json.dumps would take most of the time of a bulk load
_SAFE = 2**53  # whole numbers beyond it are no JSON numbers everywhere (RFC 8785)
_PLAIN = frozenset({str, bool, type(None)})
_COLUMNS = "seq, acted_at, actor, action, resource, outcome, payload, leaf_hash, chain_hash"


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the log."""

    seq: int
    at: datetime
    actor: str
    action: str
    resource: str
    outcome: str
    payload: str  # canonical JSON
    leaf_hash: bytes
    chain_hash: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One act before it has a place in the log."""

    actor: str
    action: str  # ``object.verb``
    resource: str
    payload: Mapping[str, Any] | None = None  # see :func:`canonical` for what it may hold
    outcome: Outcome = "done"


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
    for key, inner in value.items():  # almost every payload is flat: seen without a call for each value
        kind = type(inner)
        if type(key) is not str or (kind not in _PLAIN and not (kind is int and -_SAFE < inner < _SAFE)):
            _check(value, "payload")
            break
    try:
        return _encoder()(value).decode()
    except UnicodeEncodeError:  # half a surrogate pair; who appends makes a question mark of it
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@cache
def _encoder() -> Callable[[Mapping[str, Any]], bytes]:
    """Encoder of what was checked: writes what json does, five times as fast, which a bulk load feels."""
    import msgspec

    return msgspec.json.Encoder(order="deterministic").encode


def leaf_bytes(seq: int, at: datetime, actor: str, action: str, resource: str, outcome: str, payload: str) -> bytes:
    """What is hashed of one act: canonical JSON of its fields, the payload as text.

    >>> leaf_bytes(0, datetime(2026, 1, 1), "ann", "alias.add", "a", "done", "{}").decode()
    '{"action":"alias.add","actor":"ann","at":"2026-01-01T00:00:00.000000Z","outcome":"done","payload":"{}","resource":"a","seq":0}'
    """
    return _leaf(seq, _time(at), actor, action, resource, outcome, payload)


def _leaf(seq: int, at: str, actor: str, action: str, resource: str, outcome: str, payload: str) -> bytes:
    return (
        f'{{"action":{_quoted(action)},"actor":{_quoted(actor)},"at":"{at}","outcome":{_quoted(outcome)},'
        f'"payload":{_quoted(payload)},"resource":{_quoted(resource)},"seq":{seq}}}'
    ).encode()


def _time(at: datetime) -> str:
    return f"{at.isoformat(timespec='microseconds')}Z"


def check_reason(reason: str, *, needed: bool = True) -> None:
    """Refuse an act whose reason cannot be kept, or that says none where somebody will wonder.

    Parameters
    ----------
    reason
        what the log will say.
    needed
        whether an empty one is refused too.

    Raises
    ------
    UsageError
        when it is no text, empty, too long, or holds what cannot be printed.

    Examples
    --------
    >>> check_reason("hashed by the mail hub")
    >>> check_reason("red\x1b[31m")
    Traceback (most recent call last):
    lineage.errors.UsageError: A reason holds no control characters: U+001B is one.
    """
    if wrong := wrong_reason(reason):
        raise UsageError(f"A reason {wrong}.")
    if needed and not reason.strip():
        raise UsageError("A reason is needed: others will ask why. Give it with --reason.")


def wrong_reason(reason: object) -> str:
    """Why a reason cannot be kept, after the words "A reason"; empty when it can. Line breaks and tabs are allowed."""
    if not isinstance(reason, str):
        return f"is a text, not {repeated(repr(reason))}"
    if len(reason) > LONGEST_REASON:
        return f"has at most {LONGEST_REASON:,} characters, not {len(reason):,}"
    bad = next((c for c in reason if c not in "\n\r\t" and unicodedata.category(c) in ("Cc", "Cs")), None)
    return f"holds no control characters: U+{ord(bad):04X} is one" if bad else ""


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
    return Act(*_append(cursor, [Entry(actor, action, resource, payload, outcome)], at)[0])


def record_all(cursor: duckdb.DuckDBPyConnection, entries: Iterable[Entry], *, at: datetime | None = None) -> int:
    """Append several acts of one moment, in their order; see :func:`record`. Returns how many there were."""
    return len(_append(cursor, entries, at))


def read(
    cursor: duckdb.DuckDBPyConnection, where: str = "true", parameters: Sequence[Any] = (), *, newest: int | None = None
) -> list[Act]:
    """Acts in their order, or the ``newest`` of them, latest first."""
    order = "seq" if newest is None else f"seq DESC LIMIT {int(newest)}"
    sql = f"SELECT {_COLUMNS} FROM audit WHERE {where} ORDER BY {order}"  # noqa: S608 - conditions are ours
    return [Act(*row) for row in cursor.execute(sql, list(parameters)).fetchall()]


_Row = tuple[int, datetime, str, str, str, str, str, bytes, bytes]


def _append(cursor: duckdb.DuckDBPyConnection, entries: Iterable[Entry], at: datetime | None) -> list[_Row]:
    found = cursor.execute("SELECT seq, chain_hash FROM audit ORDER BY seq DESC LIMIT 1").fetchall()
    first, before = (found[0][0] + 1, found[0][1]) if found else (0, FIRST)
    rows = _place(entries, first, before, at or utcnow())
    if len(rows) == 1:
        cursor.execute(f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows[0])  # noqa: S608
    elif rows:
        _insert(cursor, rows)
    _add_tiles(cursor, first, [row[7] for row in rows])
    return rows


def _place(entries: Iterable[Entry], seq: int, before: bytes, at: datetime) -> list[_Row]:
    """Rows of acts; plain tuples and one loop, for a bulk load logs thousands at a time."""
    rows: list[_Row] = []
    sha256, add, quoted, clean = hashlib.sha256, rows.append, _quoted, _clean
    time = f',"at":"{_time(at)}","outcome":'
    heads: dict[tuple[str, str, str], tuple[str, str, bytes]] = {}  # few actors do few kinds of things
    for entry in entries:
        resource = clean(entry.resource)
        payload = clean(canonical(entry.payload)) if entry.payload else "{}"
        outcome = entry.outcome
        head = heads.get(kind := (entry.actor, entry.action, outcome))
        if head is None:
            actor, action = clean(entry.actor), clean(entry.action)
            begin = f'{{"action":{quoted(action)},"actor":{quoted(actor)}{time}{quoted(outcome)},"payload":'
            heads[kind] = head = actor, action, b"\x00" + begin.encode()
        rest = f'{quoted(payload)},"resource":{quoted(resource)},"seq":{seq}}}'
        leaf = sha256(head[2] + rest.encode()).digest()
        before = sha256(before + leaf).digest()
        add((seq, at, head[0], head[1], resource, outcome, payload, leaf, before))
        seq += 1
    return rows


def _insert(cursor: duckdb.DuckDBPyConnection, rows: Sequence[_Row]) -> None:
    import pyarrow as pa

    from lineage.store import Store

    seq, at = rows[0][:2]  # all acts of one call are of one moment
    kinds = [*[pa.string()] * 5, pa.binary(), pa.binary()]
    columns = [pa.array([row[k] for row in rows], kind) for k, kind in enumerate(kinds, 2)]
    numbers = pa.array(range(seq, seq + len(rows)), pa.uint64())
    moment = pa.repeat(pa.scalar(at, pa.timestamp("us")), len(rows))
    Store.insert(cursor, "audit", pa.table([numbers, moment, *columns], names=_COLUMNS.split(", ")))


def _add_tiles(cursor: duckdb.DuckDBPyConnection, first: int, fresh: Sequence[bytes]) -> None:
    """Keep the root of every subtree that these leaves completed."""
    whole = range(first // TILE, (first + len(fresh)) // TILE)
    if not whole:
        return
    start = whole[0] * TILE
    earlier = cursor.execute("SELECT leaf_hash FROM audit WHERE seq >= ? AND seq < ? ORDER BY seq", [start, first])
    leaves = [row[0] for row in earlier.fetchall()] + list(fresh)
    roots = [root(leaves[tile * TILE - start : (tile + 1) * TILE - start]) for tile in whole]
    cursor.execute("INSERT INTO audit_tile SELECT unnest(?::UBIGINT[]), unnest(?::BLOB[])", [list(whole), roots])
    if first // WIDE < (first + len(fresh)) // WIDE:
        _add_wide_tiles(cursor, (first + len(fresh)) // WIDE)


def _add_wide_tiles(cursor: duckdb.DuckDBPyConnection, complete: int) -> None:
    """Keep the roots of the first wide subtrees, those too that an earlier version of Meshline left out."""
    known = {row[0] for row in cursor.execute("SELECT tile FROM audit_wide_tile").fetchall()}
    per = WIDE // TILE
    for wide in sorted(set(range(complete)) - known):
        bounds = [wide * per, (wide + 1) * per]
        tiles = cursor.execute("SELECT hash FROM audit_tile WHERE tile >= ? AND tile < ? ORDER BY tile", bounds)
        cursor.execute("INSERT INTO audit_wide_tile VALUES (?, ?)", [wide, root([row[0] for row in tiles.fetchall()])])


def _clean(text: str) -> str:
    """Text that has UTF-8 bytes: half a surrogate pair (a broken name of a file) becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _check(value: Any, place: str) -> None:
    """Refuse what is no text, whole number, boolean, null, list or object; plain values are seen without a call."""
    if type(value) in _PLAIN or isinstance(value, str) or (isinstance(value, int) and -_SAFE < value < _SAFE):
        return
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        for key, inner in value.items():
            if type(inner) not in _PLAIN:
                _check(inner, f"{place}.{key}")
        return
    if isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            if type(inner) not in _PLAIN:
                _check(inner, f"{place}[{number}]")
        return
    raise UsageError(f"{place}: {type(value).__name__} cannot stand in the audit log; send it as text.")
