"""Differences inside facets: columns that a schema gained, lost or retyped, and owners."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lineage.columns import ColumnFacts, entries, read_fields
from lineage.differences import Cause, Difference, How, What

if TYPE_CHECKING:
    from lineage.diff_causes import Causes
    from lineage.view import View

_FACETS = """
-- schema and ownership facets, at the two points, of every entity of which one changed
WITH f AS (
  SELECT *, valid_from <= $t1 AND $t1 < valid_to AND known_from <= $k1 AND $k1 < known_to AS one,
    valid_from <= $t2 AND $t2 < valid_to AND known_from <= $k2 AND $k2 < known_to AS two
  FROM facet WHERE key IN ('schema', 'ownership')
), touched AS (SELECT DISTINCT key, entity FROM f WHERE one <> two)
SELECT f.key, f.entity, f.run, f.producer, f.valid_from, f.valid_to, f.one, f.two, b.json
FROM f SEMI JOIN touched USING (key, entity) JOIN facet_body b ON b.body = f.body
WHERE f.one OR f.two ORDER BY f.valid_from, f.place, f.body
"""


def facet_changes(before: View, after: View, admits: Callable[..., bool], causes: Causes) -> Iterable[Difference]:
    """Columns and owners added, removed and changed.

    Parameters
    ----------
    admits
        whether a change at a node (dense index of ``after``) is to be told.
    """
    when = {
        "t1": before.snapshot.as_of, "k1": before.snapshot.known_at,
        "t2": after.snapshot.as_of, "k2": after.snapshot.known_at,
    }  # fmt: skip
    groups: dict[tuple[int, str], list[tuple[Any, ...]]] = {}
    for key, entity, *rest in after.store.rows(_FACETS, when):
        i = after.snapshot.index(entity)
        if i is not None:
            groups.setdefault((i, key), []).append(tuple(rest))
    for (i, key), rows in groups.items():
        if admits(i):
            yield from _compare(after, i, key, rows, causes)


def _compare(view: View, i: int, key: str, rows: list[tuple[Any, ...]], causes: Causes) -> Iterable[Difference]:
    read = _columns if key == "schema" else _owners
    old = read([json.loads(row[6]) for row in rows if row[4]])
    new = read([json.loads(row[6]) for row in rows if row[5]])
    fresh = [row for row in rows if row[5] and not row[4]]
    gone = [row for row in rows if row[4] and not row[5]]
    cause: Cause | None = None
    if fresh:
        cause = causes.begin(fresh[-1][0], fresh[-1][1], fresh[-1][2])
    elif gone:
        cause = causes.end(None, max(row[3] for row in gone), None)
    what: What = "column" if key == "schema" else "owner"
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was == now and name in old and name in new:
            continue
        change: How = "added" if name not in old else "removed" if name not in new else "changed"
        yield Difference(
            what, change, view.label(i), kind=view.kind(i), detail=name, before=was, after=now, cause=cause
        )


def _columns(bodies: list[Any]) -> dict[str, str | None]:
    """Type by column path."""
    facts: dict[str, ColumnFacts] = {}
    for body in bodies:
        read_fields(entries(body, "fields"), "", facts, [0], 0)
    return {path: fact.type for path, fact in facts.items()}


def _owners(bodies: list[Any]) -> dict[str, str | None]:
    """Kind of ownership by owner."""
    return {
        str(owner["name"]): str(owner["type"]) if owner.get("type") else None
        for body in bodies
        for owner in entries(body, "owners")
        if owner.get("name")
    }
