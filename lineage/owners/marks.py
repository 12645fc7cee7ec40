"""Rows of ``owner_mark``: who was named as owner at T as known at K; written with the act in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.audit import record
from lineage.store.version import bump_version
from lineage.times import OPEN_END

if TYPE_CHECKING:
    import duckdb

    from lineage.store import Store

_HELD = """
-- one owner named by hand at T as known at K, the newest statement last
SELECT node, owner, actor, reason, valid_from, known_from FROM owner_mark
WHERE valid_from <= $at AND valid_to > $at AND known_from <= $known AND known_to > $known
ORDER BY valid_from, known_from, node
"""
_OPEN = """
-- statements about some nodes that still hold
SELECT node, owner, actor, reason, valid_from FROM owner_mark
WHERE node IN (SELECT unnest($nodes::UBIGINT[])) AND known_to = $open AND valid_to = $open
"""


def statements(store: Store, at: datetime, known: datetime) -> list[tuple[Any, ...]]:
    """Node, owner, who said it, why, from when on, and when it was said; the newest is the last."""
    return store.rows(_HELD, {"at": at, "known": known})


def open_statements(store: Store, nodes: Sequence[int]) -> list[tuple[Any, ...]]:
    """Node, owner, who said it, why, from when on."""
    return store.rows(_OPEN, {"nodes": list(nodes), "open": OPEN_END})


def say(
    store: Store, members: Sequence[int], owner: str | None, *, text: str, actor: str, reason: str, since: datetime,
    now: datetime,
) -> None:  # fmt: skip
    """End what was said of a node under all its names, and say who owns it from ``since`` on; ``None``: nobody by hand.

    Rows are never changed in place: what held until ``since`` is known anew with that end, so an answer as known
    before is what it was.
    """
    with store.transaction() as cursor:
        before = cursor.execute(_OPEN, {"nodes": list(members), "open": OPEN_END}).fetchall()
        for node, *said in before:
            _end(cursor, node, said, since, now)
        if owner is not None:
            row = [members[0], owner, actor, reason, since, OPEN_END, now, OPEN_END]
            cursor.execute("INSERT INTO owner_mark VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        payload = {"owner": owner, "before": before[-1][1] if before else None, "reason": reason}
        action = "owner.clear" if owner is None else "owner.set"
        record(cursor, actor=actor, action=action, resource=text, payload=payload, at=now)
        bump_version(cursor)


def _end(cursor: duckdb.DuckDBPyConnection, node: int, said: Sequence[Any], since: datetime, now: datetime) -> None:
    cursor.execute(
        "UPDATE owner_mark SET known_to = ? WHERE node = ? AND known_to = ? AND valid_to = ?",
        [now, node, OPEN_END, OPEN_END],
    )
    owner, actor, reason, valid_from = said
    if valid_from < since:
        row = [node, owner, actor, reason, valid_from, since, now, OPEN_END]
        cursor.execute("INSERT INTO owner_mark VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
