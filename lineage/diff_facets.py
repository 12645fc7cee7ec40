"""Differences inside facets: columns that a schema gained, lost or retyped, and owners, each with who told it.

Between the two points a facet may have been told several times. A column that came with the first and stayed was
brought by the first, so the versions in between are read too, and the last that changed the column is its cause.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.columns import ColumnFacts, entries, read_fields
from lineage.diff_points import at_both, points
from lineage.differences import UNKNOWN, Cause, Difference, How, What

if TYPE_CHECKING:
    from lineage.diff_causes import Causes
    from lineage.view import View

_FACETS = """
-- schema and ownership facets of every entity of which one changed: at the two points, and in between as known later
WITH f AS (
  SELECT key, entity, run, producer, valid_from, valid_to, known_to, body, place, {one} AS one, {two} AS two,
    valid_from <= $t2 AND valid_to > $t1 AND known_from <= $k2 AND $k2 < known_to AS later
  FROM facet e WHERE key IN ('schema', 'ownership')
), touched AS (SELECT DISTINCT key, entity FROM f WHERE one <> two)
SELECT f.key, f.entity, f.run, f.producer, f.valid_from, f.valid_to, f.known_to, f.one, f.two, f.later, b.json
FROM f SEMI JOIN touched USING (key, entity) JOIN facet_body b ON b.body = f.body
WHERE f.one OR f.two OR f.later ORDER BY f.valid_from, f.place, f.body
"""


class _Told(NamedTuple):
    """One facet as it was told over one interval; ``later``: it held between the points, as known at the later one."""

    entity: int
    run: int | None
    producer: str | None
    since: datetime
    until: datetime
    known_to: datetime
    one: bool
    two: bool
    later: bool
    body: Any


def facet_changes(before: View, after: View, admits: Callable[..., bool], causes: Causes) -> Iterable[Difference]:
    """Columns and owners added, removed and changed.

    Parameters
    ----------
    admits
        whether a change at a node (dense index of ``after``) is to be told.
    """
    groups: dict[tuple[int, str], list[_Told]] = {}
    for row in after.store.rows(at_both(_FACETS), points(before, after)):
        i = after.snapshot.index(row[1])
        if i is not None:
            groups.setdefault((i, row[0]), []).append(_Told._make((*row[1:-1], json.loads(row[-1]))))
    for (i, key), rows in groups.items():
        if admits(i):
            yield from _Facets(after, i, key, rows, causes).changes()


class _Facets:
    """The facets of one key of one node."""

    def __init__(self, view: View, i: int, key: str, rows: list[_Told], causes: Causes) -> None:
        self.view, self.i, self.key, self.rows, self.causes = view, i, key, rows, causes
        self.read = _columns if key == "schema" else _owners
        self.job = view.snapshot.members(i)[0] if view.kind(i) == "job" else None

    def changes(self) -> Iterable[Difference]:
        old = self.read([row.body for row in self.rows if row.one])
        new = self.read([row.body for row in self.rows if row.two])
        differing = [
            name
            for name in sorted(old.keys() | new.keys())
            if (name in old, old.get(name)) != (name in new, new.get(name))
        ]
        moments = self._moments(old) if differing else {}
        what: What = "column" if self.key == "schema" else "owner"
        for name in differing:
            change: How = "added" if name not in old else "removed" if name not in new else "changed"
            cause = self._cause(moments.get(name))
            yield Difference(
                what, change, self.view.label(self.i), kind=self.view.kind(self.i), detail=name, before=old.get(name),
                after=new.get(name), cause=cause,
            )  # fmt: skip

    def _moments(self, old: dict[str, str | None]) -> dict[str, datetime]:
        """When each column or owner last became what it is, or went, between the points."""
        held = [row for row in self.rows if row.later]
        found: dict[str, datetime] = {}
        for at in sorted(
            {at for row in held for at in (row.since, row.until) if self.causes.start < at <= self.causes.stop}
        ):
            now = self.read([row.body for row in held if row.since <= at < row.until])
            found |= {
                name: at
                for name in old.keys() | now.keys()
                if (name in old, old.get(name)) != (name in now, now.get(name))
            }
            old = now
        return found

    def _cause(self, at: datetime | None) -> Cause:
        """Who told what changed at a time; without one it was not told between the points but learned."""
        ends = partial(self.view.snapshot.members, self.i)
        if at is not None:
            began = [row for row in self.rows if row.later and row.since == at]
            if began:
                return self.causes.begin(began[-1].run, began[-1].producer, at, self.job, ends)
            ended = next(row for row in self.rows if row.later and row.until == at)
            return self.causes.told_end(ended.entity, self.key, at, ends)
        fresh = [row for row in self.rows if row.two and not row.one]
        if fresh:
            return self.causes.begin(fresh[-1].run, fresh[-1].producer, fresh[-1].since, self.job, ends)
        gone = [row for row in self.rows if row.one and not row.two]
        return self.causes.unlearned(self.job, max(row.known_to for row in gone), ends) if gone else UNKNOWN


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
