"""Instants of a period in order of time: what no change touched between two of them is carried from one to the next."""

from __future__ import annotations

import contextlib
import json
from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Sequence as Listed
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.graph import load
from lineage.graph.timeline import Timeline, TooManyChangesError
from lineage.graph.timeline.past import FEW
from lineage.instant import Instant
from lineage.presence import FirstTold
from lineage.times import microseconds
from lineage.view import View

if TYPE_CHECKING:
    from lineage.actor import Actor
    from lineage.engine import Lineage
    from lineage.graph import Snapshot
    from lineage.store import Store

NAMES, EDGES, COLUMNS, FACETS, TAGS, DECLARED = "names", "edges", "column edges", "facets", "tags", "declared"
THERE = "there"  # which datasets and jobs were there
_TABLES = {
    NAMES: ("alias", "alias_mark"),
    EDGES: ("edge", "edge_mark"),
    COLUMNS: ("column_edge", "edge_mark"),
    FACETS: ("facet",),
    TAGS: (
        "(SELECT * FROM facet WHERE key = 'tags')",
        "(SELECT * REPLACE (least(valid_to, expires) AS valid_to) FROM tag_stop)",
    ),
    DECLARED: ("domain", "contract", "product", "owner_mark"),
}
_CHANGES = """
-- every time within a period at which a row of {table} begins or ends to hold, as known at K
SELECT DISTINCT t FROM (
  SELECT unnest([valid_from, valid_to]) AS t FROM {table}
  WHERE known_from <= $known AND known_to > $known AND valid_from <= $last AND valid_to > $first
) WHERE t > $first AND t <= $last ORDER BY t
"""
_ALTERED = """
-- when a facet of an entity begins or ends to hold, over a period as known at K
SELECT unnest([valid_from, valid_to]) AS t, entity FROM facet
WHERE valid_from <= $last AND valid_to > $first AND known_from <= $known AND known_to > $known ORDER BY t
"""
_FACETS = """
-- ownership and tags of every dataset and job over a period as known at K, the general place before the others
SELECT f.entity, f.key, f.body, f.valid_from, f.valid_to FROM facet f
WHERE f.key IN ('ownership', 'tags') AND f.valid_from <= $last AND f.valid_to > $first
  AND f.known_from <= $known AND f.known_to > $known
ORDER BY f.entity, f.key, f.place, f.valid_from, f.body
"""
_BODIES = """
SELECT body, json FROM facet_body WHERE body IN (SELECT body FROM facet WHERE key IN ('ownership', 'tags'))
"""
# what an instant remembers and which changes make it outdated
_CARRIED = {
    "folded names": {NAMES},
    "policy texts": {NAMES},
    "products": {DECLARED},
    "contract bindings": {DECLARED, NAMES, THERE},
    "product members": {DECLARED, NAMES, THERE},
    "terms of contracts": {DECLARED, NAMES, THERE},
    "column flow": {COLUMNS, NAMES},
    "tags False": {COLUMNS, NAMES, TAGS, DECLARED, THERE},
    "pii by column": {COLUMNS, NAMES, TAGS, DECLARED, THERE},
    "names of consumers": {EDGES, NAMES, FACETS, DECLARED, THERE},
    "schema promises": set(),
}
_PROPERTIES = {
    "names": {NAMES},
    "grouped": {NAMES},
    "domains": {DECLARED},
    "owners_by_hand": {DECLARED, NAMES},
    "facets": {FACETS},
    "facets_of": {FACETS, NAMES},
    "_domain": {FACETS, NAMES, DECLARED},
}


class Film:
    """Views at rising instants, all as known at one time; each equals what the engine gives for its instant.

    Parameters
    ----------
    lineage
        the engine.
    moments
        the instants, rising, naive UTC.
    known
        known time of all of them.
    actor
        who asks.
    """

    def __init__(self, lineage: Lineage, moments: Listed[datetime], known: datetime, actor: Actor) -> None:
        self._store, self._actor = lineage.store, actor
        self._present = lineage.view(actor=actor)
        self.known = known
        first, last = moments[0], moments[-1]
        self._timeline: Timeline | None = None  # then instants are loaded one by one
        if len(moments) > FEW:
            with contextlib.suppress(TooManyChangesError):
                self._timeline = Timeline.read(self._store, known)
        when = {"first": first, "last": last, "known": known}
        self._changes = {
            group: sorted(row[0] for one in tables for row in self._store.rows(_CHANGES.format(table=one), when))
            for group, tables in _TABLES.items()
        }
        self._told = _Told(self._store, when)
        self._first = FirstTold.read(self._store, known)
        self._before: Frame | None = None

    def at(self, moment: datetime) -> View:
        """The view of an instant; it may not lie before the one that was asked for last."""
        old = self._before
        changed = frozenset(
            group for group, times in self._changes.items()
            if old is None or bisect_right(times, old.snapshot.as_of) < bisect_right(times, moment)
        )  # fmt: skip
        snapshot = self._snapshot(moment, old.snapshot if old is not None else None, changed)
        present = self._present.instant
        frame = Frame(self._store, snapshot, present.version, present.fingerprint, self._told)
        came = frame.begin(self._first, old, names=NAMES in changed)
        frame.changed = changed | {THERE} if came else changed
        if old is not None:
            frame.take(old)
        self._before = frame
        return View(frame, present, self._actor, moment, self.known)

    def _snapshot(self, moment: datetime, before: Snapshot | None, changed: frozenset[str]) -> Snapshot:
        if before is not None and not changed & {NAMES, EDGES, COLUMNS}:
            return before.moved(moment, self.known)
        if self._timeline is None:
            return load(self._store, moment, self.known)
        return self._timeline.at(moment, self.known)


class Frame(Instant):
    """One instant of a film. ``changed`` tells what began or ended to hold since the one before."""

    changed: frozenset[str] = frozenset()

    def __init__(self, store: Store, snapshot: Snapshot, version: int, fingerprint: str, told: _Told) -> None:
        super().__init__(store, snapshot, version, fingerprint)
        self._told = told
        self.altered: frozenset[int] | None = None  # entities whose facets changed; None: anything may have

    def begin(self, first: FirstTold, old: Frame | None, *, names: bool) -> bool:
        """Find which nodes were there, from what was told first and from the frame before; whether others than in it.

        Parameters
        ----------
        names
            whether its nodes are others.
        """
        mine, before = self._remembered, {} if old is None or names else old._remembered
        mine["first told"] = before.get("first told") if before else first.by_node(self.snapshot)
        mine["there"] = mine["first told"] <= microseconds(self.snapshot.as_of)
        same = bool(before) and np.array_equal(mine["there"], before["there"])
        if same and "not there yet" in before:
            mine["not there yet"] = before["not there yet"]
        return not same

    def take(self, old: Frame) -> None:
        """Carry over from the instant before what no change touched."""
        labels = old.__dict__.get("labels")
        found = {**labels.declared, **labels.of_nodes, **old.__dict__} if labels else old.__dict__
        for name, group in _PROPERTIES.items():
            if not group & self.changed and name in found:
                self.__dict__[name] = found[name]
        for name, group in _CARRIED.items():
            if not group & self.changed and name in old._remembered:
                self._remembered[name] = old._remembered[name]
        if self.changed & {FACETS}:
            altered = self._told.between(old.snapshot.as_of, self.snapshot.as_of)
            self.__dict__["facets"] = self._told.after(old.facets, altered, self.snapshot.as_of)
            if not self.changed & {NAMES, DECLARED}:
                self.altered = altered
                other = {i for i in self.snapshot.indices(list(altered)).tolist() if i >= 0}
                self._domain = {i: name for i, name in old._domain.items() if i not in other}
                self.__dict__["facets_of"] = self._facets_after(old.facets_of, other)
        elif not self.changed & {NAMES, DECLARED}:
            self.altered = frozenset()

    def _facets_after(
        self, before: dict[int, list[dict[str, Any]]], nodes: Iterable[int]
    ) -> dict[int, list[dict[str, Any]]]:
        """Ownership and tags facets by node, from those of an earlier instant and the nodes that changed since."""
        found = dict(before)
        for i in nodes:
            own = [self.facets[member] for member in self.snapshot.members(i) if member in self.facets]
            if own:
                found[i] = own
            else:
                found.pop(i, None)
        return found

    @cached_property
    def facets(self) -> dict[int, dict[str, Any]]:
        """Ownership and tags facets by node id and key."""
        return self._told.after({}, frozenset(self._told.rows), self.snapshot.as_of)


class _Told:
    """Ownership and tags facets over a period."""

    def __init__(self, store: Store, when: dict[str, Any]) -> None:
        bodies = {body: json.loads(text) if text else None for body, text in store.rows(_BODIES)}
        self.rows: dict[int, list[tuple[str, Any, datetime, datetime]]] = {}
        altered = store.rows(_ALTERED, when)
        self._times, self._entities = [row[0] for row in altered], [row[1] for row in altered]
        for entity, key, body, begin, end in store.rows(_FACETS, when):
            self.rows.setdefault(entity, []).append((key, bodies.get(body), begin, end))

    def between(self, after: datetime, until: datetime) -> frozenset[int]:
        """Entities of which a facet (of any key) began or ended to hold."""
        times = self._times
        return frozenset(self._entities[bisect_right(times, after) : bisect_right(times, until)])

    def after(
        self, before: dict[int, dict[str, Any]], altered: frozenset[int], moment: datetime
    ) -> dict[int, dict[str, Any]]:
        """Facets of all entities at an instant, from those of an earlier one and the entities that changed since."""
        found = dict(before)
        for entity in altered:
            own: dict[str, Any] = {}
            for key, body, begin, end in self.rows.get(entity, ()):
                if begin <= moment < end:
                    own.setdefault(key, body)
            if own:
                found[entity] = own
            else:
                found.pop(entity, None)
        return found
