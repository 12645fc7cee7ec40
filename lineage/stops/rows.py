"""Rows of ``tag_stop``: which stops hold at T as known at K, and how an approval and its end are written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.actor import same_person
from lineage.audit import record
from lineage.propagation import Stop
from lineage.store import bump_version
from lineage.times import OPEN_END, iso

if TYPE_CHECKING:
    import duckdb

    from lineage.store import Store
    from lineage.view import Instant, View

_HELD = """
-- one stop that holds at T as known at K
SELECT name, node, subject, tag, requester, approver, reason, valid_from, path FROM tag_stop
WHERE valid_from <= $at AND valid_to > $at AND expires > $at AND known_from <= $known AND known_to > $known
ORDER BY name
"""
_VERSIONS = """
-- one version of one stop as known at K, of those that hold or held at T or were known then; the one to show is last
SELECT name, node, subject, tag, requester, approver, reason, valid_from, least(valid_to, expires) AS until, path
FROM tag_stop
WHERE known_from <= $known AND known_to > $known AND least(valid_from, known_from) <= $at
ORDER BY name, valid_from <= $at, valid_from
"""
_ACTS = """
-- one step of one request until T as known at K
SELECT stop, act, node, subject, tag, starts, expires, coalesce(reason, ''), actor, acted_at FROM tag_stop_act
WHERE acted_at <= $at AND acted_at <= $known ORDER BY acted_at
"""
_DECIDED = "SELECT 1 FROM tag_stop_act WHERE stop = $name AND act <> 'request'"
_INSERT = "INSERT INTO tag_stop VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?, '', ?, ?, ?, ?, ?)"
_OPEN = """
-- the version of a stop that is known now and has no end but its own
SELECT node, subject, tag, requester, approver, reason, expires, valid_from FROM tag_stop
WHERE name = $name AND known_to = $open AND valid_to = $open
"""
_CLOSE = "UPDATE tag_stop SET known_to = $now WHERE name = $name AND known_to = $open AND valid_to = $open"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for. ``node`` is a node id, ``tag`` empty for every tag, ``starts`` empty: when approved."""

    name: str
    node: int
    subject: str
    tag: str
    starts: datetime | None
    expires: datetime
    requester: str
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """One stop that holds; ``node`` is ``None`` where a file names it, ``tag`` empty for every tag."""

    name: str
    node: int | None
    subject: str
    tag: str
    requester: str
    approver: str
    reason: str
    since: datetime
    path: str


def stops(instant: Instant) -> list[Stop]:
    """The approved stops of an instant, for the propagation; those whose node it does not have are left out.

    A stop on a column with columns inside it (a struct) holds for these too, as a tag does.
    """
    found = []
    for one in held(instant):
        i = place(instant, one.node, one.subject)
        if i is not None:
            found += [Stop(k, one.tag or None, one.approver, one.reason, one.name) for k in (i, *_within(instant, i))]
    return found


def held(instant: Instant) -> list[Held]:
    """The stops that hold at an instant, whether or not their node is there, by id."""
    when = {"at": instant.clock, "known": instant.snapshot.known_at}
    rows = (Held(*row) for row in instant.store.rows(_HELD, when))
    return [one for one in rows if not same_person(one.requester, one.approver)]


def place(instant: Instant, node: int | None, subject: str) -> int | None:
    """Dense index of the dataset or column of a stop: by its id, else by its text; ``None`` when it is not there."""
    from lineage.resolve import exact

    i = None if node is None else instant.snapshot.index(node)
    if i is None:
        i = exact(instant, subject)
    return None if i is None or instant.kind(i) == "job" else i


def versions(view: View, at: datetime) -> list[tuple[Any, ...]]:
    """Name, node, subject, tag, requester, approver, reason, begin, end and path of each stop that is to be shown."""
    newest = {row[0]: row for row in view.store.rows(_VERSIONS, {"at": at, "known": view.known_at})}
    return [row for row in newest.values() if not same_person(row[4], row[5])]


def acts(view: View, at: datetime) -> list[tuple[Any, ...]]:
    """Steps of requests until a time, in their order."""
    return view.store.rows(_ACTS, {"at": at, "known": view.known_at})


def write_request(store: Store, wish: Wish, now: datetime) -> None:
    """Write down that somebody asks for a stop."""
    with store.transaction() as cursor:
        _act(cursor, wish, "request", wish.reason, wish.requester, now)


def write_decision(store: Store, wish: Wish, act: str, reason: str, actor: str, now: datetime) -> bool:
    """Approve or refuse a request, unless somebody decided meanwhile: then nothing is written."""
    with store.transaction() as cursor:
        if cursor.execute(_DECIDED, {"name": wish.name}).fetchall():
            return False
        _act(cursor, wish, act, reason, actor, now)
        if act == "approve":
            begin = wish.starts or now
            row = (wish.name, wish.node, wish.subject, wish.tag, wish.requester, actor, wish.reason, wish.expires)
            cursor.execute(_INSERT, [*row, _digest(*row, begin, None), actor, begin, OPEN_END, now, OPEN_END])
            bump_version(cursor)
    return True


def write_end(store: Store, wish: Wish, reason: str, actor: str, now: datetime) -> bool:
    """End a stop now, unless it has ended meanwhile. Its row is closed and known anew with the end."""
    with store.transaction() as cursor:
        found = cursor.execute(_OPEN, {"name": wish.name, "open": OPEN_END}).fetchall()
        if not found:
            return False
        cursor.execute(_CLOSE, {"name": wish.name, "open": OPEN_END, "now": now})
        for *told, begin in found:
            if begin < now:
                told = [wish.name, *told]
                cursor.execute(_INSERT, [*told, _digest(*told, begin, now), actor, begin, now, now, OPEN_END])
        _act(cursor, wish, "revoke", reason, actor, now)
        bump_version(cursor)
    return True


# -- inside


def _within(instant: Instant, i: int) -> Iterator[int]:
    """Columns inside a column."""
    snapshot = instant.snapshot
    if instant.kind(i) != "column":
        return
    columns = snapshot.columns_of(snapshot.dataset_of(i))
    begin = f"{snapshot.field(i)}."
    for k, name in zip(columns.tolist(), snapshot.fields(columns).to_pylist(), strict=True):
        if name.startswith(begin):
            yield k


def _act(cursor: duckdb.DuckDBPyConnection, wish: Wish, act: str, reason: str, actor: str, now: datetime) -> None:
    row = [wish.name, act, wish.node, wish.subject, wish.tag, wish.starts, wish.expires, reason, actor, now]
    cursor.execute("INSERT INTO tag_stop_act VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    payload = {"node": wish.subject, "tag": wish.tag or None, "reason": reason, "until": iso(wish.expires)}
    record(cursor, actor=actor, action=f"stop.{act}", resource=wish.name, payload=payload, at=now)


def _digest(*parts: object) -> str:
    """What the hash of a file is to a declared stop: other content, other state."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
