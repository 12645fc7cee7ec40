"""Statements about pairs of datasets: written, closed, read. One open statement of a sort per pair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from lineage.audit import check_reason, record
from lineage.errors import UnknownNodeError, UsageError
from lineage.store.version import bump_version
from lineage.times import EPOCH, OPEN_END, utcnow

if TYPE_CHECKING:
    from lineage.store import Store
    from lineage.view import View

Table = Literal["alias_mark", "edge_mark"]
_ENDS = {"alias_mark": ("a", "b", "basis"), "edge_mark": ("src", "dst", "mark")}
_EXACT = """
SELECT id, 'dataset:' || namespace || ':' || name FROM node
WHERE kind = 'dataset' AND (name = $text OR 'dataset:' || namespace || ':' || name = $text)
"""
_BY_END = """
SELECT id, 'dataset:' || namespace || ':' || name FROM node
WHERE kind = 'dataset' AND (ends_with(name, '.' || $text) OR ends_with(name, '/' || $text))
"""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One dataset under one of its names."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One statement. ``left`` and ``right`` are node texts; of an edge, where it comes from and leads to."""

    left: str
    right: str
    sort: str  # manual, veto or refuted
    actor: str
    reason: str
    valid_from: datetime
    since: datetime  # when it was said


def identifier(view: View, text: str) -> Identifier:
    """The dataset that a text names, by its whole name or a unique end of it; aliases are told apart.

    Raises
    ------
    UnknownNodeError
        when no dataset or more than one fits.
    """
    for query in (_EXACT, _BY_END):
        rows = view.store.rows(query, {"text": text})
        seen = [row for row in rows if (i := view.snapshot.index(row[0])) is not None and not view.hidden(i)]
        if len(seen) == 1:
            return Identifier(*seen[0])
        if seen:
            raise UnknownNodeError(text, sorted(row[1] for row in seen)[:5])
    raise UnknownNodeError(text, [])


def pair(view: View, left: str, right: str) -> tuple[Identifier, Identifier]:
    """Two different datasets.

    Raises
    ------
    UsageError
        when both texts name one identifier.
    """
    found = identifier(view, left), identifier(view, right)
    if found[0].id == found[1].id:
        raise UsageError(f"{found[0].text} twice: name two datasets.")
    return found


def say(
    store: Store,
    table: Table,
    pairs: list[tuple[int, int]],
    sort: str,
    *,
    actor: str,
    reason: str,
    action: str,
    texts: tuple[str, str],
    valid_from: datetime = EPOCH,
    now: datetime | None = None,
) -> None:
    """Write a statement about pairs of identifiers, with its act in the audit log."""
    check_reason(reason)
    moment = now or utcnow()
    with store.transaction() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - one of two names
            [[*ends, sort, actor, reason, valid_from, OPEN_END, moment, OPEN_END] for ends in pairs],
        )
        record(
            cursor, actor=actor, action=action, resource=texts[0], payload={"other": texts[1], "reason": reason},
            at=moment,
        )  # fmt: skip
        bump_version(cursor)


def close(
    store: Store, table: Table, rows: list[tuple[int, int, str]], *, actor: str, reason: str, action: str,
    texts: tuple[str, str], now: datetime | None = None,
) -> None:  # fmt: skip
    """Take open statements back, with the act in the audit log."""
    one, other, sort = _ENDS[table]
    moment = now or utcnow()
    with store.transaction() as cursor:
        for ends in rows:
            cursor.execute(
                f"UPDATE {table} SET known_to = ? WHERE {one} = ? AND {other} = ? AND {sort} = ? "  # noqa: S608
                "AND known_to = ?",
                [moment, *ends, OPEN_END],
            )
        record(
            cursor, actor=actor, action=action, resource=texts[0], payload={"other": texts[1], "reason": reason},
            at=moment,
        )  # fmt: skip
        bump_version(cursor)


def said(
    store: Store, table: Table, at: datetime | None = None
) -> list[tuple[int, int, str, str, str, datetime, datetime]]:
    """Open statements: both ends, sort, actor, reason, valid from, said at; as known at a time (default: now)."""
    one, other, sort = _ENDS[table]
    when = "known_to = $open" if at is None else "known_from <= $at AND $at < known_to"
    return store.rows(
        f"SELECT {one}, {other}, {sort}, actor, reason, valid_from, known_from FROM {table} "  # noqa: S608
        f"WHERE {when} ORDER BY known_from, {one}, {other}",
        {"open": OPEN_END} if at is None else {"at": at},
    )


def as_marks(view: View, table: Table) -> tuple[Mark, ...]:
    """Open statements as people read them; those about hidden datasets are left out."""
    statements = said(view.store, table, view.snapshot.known_at)
    if not statements:
        return ()
    names = dict(
        view.store.rows(
            f"SELECT id, 'dataset:' || namespace || ':' || name FROM node WHERE id IN "  # noqa: S608
            f"(SELECT {_ENDS[table][0]} FROM {table} UNION SELECT {_ENDS[table][1]} FROM {table})"
        )
    )
    found = []
    for left, right, sort, actor, reason, valid_from, since in statements:
        ends = [view.snapshot.index(node) for node in (left, right)]
        if all(i is not None and not view.hidden(i) for i in ends):
            found.append(Mark(names[left], names[right], sort, actor, reason, valid_from, since))
    return tuple(found)
