"""Facet histories of jobs and datasets, and the aliases that symlink facets tell.

The history of an entity is a step function of what all runs and declarations showed (:mod:`ingest.history`). Three
ways to bring it up to date, from cheap to exact: a contribution that shows what the history says already changes
nothing; one that lies behind all others is appended; anything else (late events, producers that contradict each
other) recomputes the entity from the store.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ingest import tables
from ingest.facets.dataset import symlinks
from ingest.history import Point, Span, spans
from ingest.lines import line_of_history
from ingest.model import Symlink
from ingest.sets import FacetRef, Sets
from ingest.tables import OPEN_MICROS, Changes
from ingest.turns import Turns
from lineage.identity import node_id

if TYPE_CHECKING:
    import duckdb

_KEPT = 100_000
_SPANS_KEPT = 500_000  # of all entities in memory, 230 bytes each; a facet that two jobs tell differently has one a run
_COUNT_EVERY = 16  # batches
_Key = tuple[str, str]  # place, facet key

POINTS = f"""
-- one facet of one entity as one run or declaration showed it from first to last
WITH wanted AS ({{entities}})
SELECT io.dataset AS entity, s.place, s.key, s.body, epoch_us(io.seen_at) AS t_first, epoch_us(io.last_at) AS t_last,
       CASE io.direction WHEN 'in' THEN 1 ELSE 2 END AS ord, io.run, run.producer
FROM run_io io SEMI JOIN wanted ON wanted.entity = io.dataset
JOIN facet_set s ON s.set_id = io.facet_set
JOIN run ON run.run = io.run AND run.known_to = make_timestamp({OPEN_MICROS})
WHERE io.known_to = make_timestamp({OPEN_MICROS}) AND run.processing = 'BATCH'
UNION ALL
SELECT t.entity, s.place, s.key, s.body, epoch_us(t.first_at), epoch_us(t.last_at),
       CASE t.direction WHEN 'out' THEN 2 ELSE 1 END, t.run, run.producer
FROM run_told t SEMI JOIN wanted ON wanted.entity = t.entity
JOIN facet_set s ON s.set_id = t.facet_set
JOIN run ON run.run = t.run AND run.known_to = make_timestamp({OPEN_MICROS})
WHERE t.known_to = make_timestamp({OPEN_MICROS})
UNION ALL
SELECT run.job, s.place, s.key, s.body, epoch_us(run.first_event), epoch_us(run.last_event), 1, run.run, run.producer
FROM run SEMI JOIN wanted ON wanted.entity = run.job
JOIN facet_set s ON s.set_id = run.job_facets
WHERE run.known_to = make_timestamp({OPEN_MICROS}) AND run.processing = 'BATCH'
UNION ALL
SELECT d.entity, s.place, s.key, s.body, epoch_us(d.event_time), epoch_us(d.event_time), 0, 0, d.producer
FROM declaration d SEMI JOIN wanted ON wanted.entity = d.entity
JOIN facet_set s ON s.set_id = d.facet_set
"""  # noqa: S608 - a constant
_POINTS = POINTS.format(entities="SELECT unnest(?::UBIGINT[]) AS entity")

_NEWEST = f"""
WITH wanted AS (SELECT unnest(?::UBIGINT[]) AS entity)
SELECT entity, max(newest) FROM (
  SELECT dataset AS entity, max(epoch_us(last_at)) AS newest FROM run_io SEMI JOIN wanted ON wanted.entity = dataset
  WHERE known_to = make_timestamp({OPEN_MICROS}) GROUP BY dataset
  UNION ALL
  SELECT job, max(epoch_us(last_event)) FROM run SEMI JOIN wanted ON wanted.entity = job
  WHERE known_to = make_timestamp({OPEN_MICROS}) AND state <> 'UNSEEN' GROUP BY job
  UNION ALL
  SELECT d.entity, max(epoch_us(event_time)) FROM declaration d SEMI JOIN wanted ON wanted.entity = d.entity
  GROUP BY d.entity
) GROUP BY entity
"""  # noqa: S608 - a constant

_SPANS = f"""
SELECT entity, place, key, body, coalesce(run, 0), producer, epoch_us(valid_from), epoch_us(valid_to)
FROM facet SEMI JOIN (SELECT unnest(?::UBIGINT[]) AS entity) USING (entity)
WHERE known_to = make_timestamp({OPEN_MICROS})
ORDER BY valid_from
"""  # noqa: S608 - a constant


Repeated = dict[int, list[int]]
"""Sets of facets that new runs show of one entity → when they first and last do, microseconds."""


class Contribution(NamedTuple):
    """Facets of an entity as one run (or declaration: run 0) showed them from ``first`` to ``last``, microseconds."""

    entity: int
    order: int  # see ingest.history
    first: int
    last: int
    run: int
    producer: str
    refs: tuple[FacetRef, ...]


@dataclass(slots=True)
class _Entity:
    spans: dict[_Key, list[Span]] = field(default_factory=dict)
    newest: int | None = None  # latest time at which anything was shown; None: never
    repeated: list[tuple[tuple[FacetRef, ...], int]] = field(default_factory=list)  # see repeats

    def at(self, key: _Key, at: int) -> Span | None:
        found = self.spans.get(key)
        if not found:
            return None
        i = bisect_right(found, at, key=_start) - 1
        return found[i] if i >= 0 and at < found[i].end else None

    def repeats(self, refs: tuple[FacetRef, ...], first: int) -> bool:
        """Whether these facets hold already, and have since before ``first``: most runs show nothing new.

        Remembered by the very tuple, since runs that show the same share it.
        """
        for known, since in self.repeated:
            if known is refs:
                return since < first
        since = self._since(refs)
        self.repeated = [(refs, since), *self.repeated[:3]]
        return since < first

    def _since(self, refs: tuple[FacetRef, ...]) -> int:
        """From when on all of these facets are the newest ones; the end of time when they are not."""
        since = 0
        for place, key, body in refs:
            found = self.spans.get((place, key))
            if not found or found[-1].body != body or found[-1].end != OPEN_MICROS:
                return OPEN_MICROS
            since = max(since, found[-1].start)
        return since


class EntityHistories:
    """The entities touched lately, with their histories."""

    def __init__(self, sets: Sets) -> None:
        self._sets = sets
        self._entities: dict[int, _Entity] = {}
        self._since_count = 0  # batches
        self._links: dict[int, tuple[Symlink, ...]] = {}  # body of a symlinks facet → what it names

    def prepare(self, cursor: duckdb.DuckDBPyConnection, entities: Collection[int]) -> None:
        """Load the histories of these entities as they are before the batch is written."""
        missing = [entity for entity in entities if entity not in self._entities]
        for entity in entities:
            self._entities[entity] = self._entities.pop(entity, _Entity())  # youngest last
        if not missing:
            return
        for entity, newest in cursor.execute(_NEWEST, [missing]).fetchall():
            self._entities[entity].newest = newest
        for entity, place, key, *span in cursor.execute(_SPANS, [missing]).fetchall():
            self._entities[entity].spans.setdefault((place, key), []).append(Span(*span))

    def confirm(self, shown: Mapping[int, Repeated]) -> set[int]:
        """Which of these prepared entities new runs show as they are known to be: nothing changes for them."""
        still: set[int] = set()
        for entity, sets in shown.items():
            history = self._entities[entity]
            newest = history.newest
            if newest is None:
                continue
            for facets, (first, last) in sets.items():
                if not history.repeats(self._sets.facets(facets), first):
                    break
                newest = max(newest, last)
            else:
                history.newest = newest
                still.add(entity)
        return still

    def changes(
        self,
        cursor: duckdb.DuckDBPyConnection,
        contributions: Iterable[Contribution],
        replaced: Iterable[Contribution],
        changes: Changes,
        turns: Turns,
        linked: Collection[int] = (),
    ) -> None:
        """Take in what a batch showed; the batch's runs and declarations are already in the store.

        Parameters
        ----------
        contributions
            what the runs of the batch show now, and its declarations.
        replaced
            what the same runs showed before the batch.
        changes
            receives rows of ``facet`` and ``alias``.
        turns
            the renames of these entities.
        linked
            prepared entities that a rename connects with what the batch showed: their histories are made anew.
        """
        earlier: dict[tuple[int, int, int], list[Contribution]] = {}
        for item in replaced:
            earlier.setdefault((item.entity, item.order, item.run), []).append(item)
        again = {entity for entity, _, _ in earlier}
        groups: dict[int, list[Contribution]] = {entity: [] for entity in linked}
        for item in contributions:
            groups.setdefault(item.entity, []).append(item)
        before: dict[int, dict[_Key, list[Span]]] = {}
        slow = []
        for entity, items in groups.items():
            history = self._entities[entity]
            old = history.spans
            history.repeated = []
            olds, lost = _matched(items, earlier) if entity in again else ([None] * len(items), False)
            if entity in linked:
                before[entity] = old
                slow.append(entity)
                history.newest = max((item.last for item in items), default=history.newest or 0)
                continue
            if history.newest is not None and not lost and all(map(_absorbed, [history] * len(items), items, olds)):
                history.newest = max(history.newest, *(item.last for item in items))
                continue
            before[entity] = old
            if history.newest is None or (
                not any(olds) and not lost and min(item.first for item in items) > history.newest
            ):
                history.spans = _append(old, items)
            else:
                slow.append(entity)
            history.newest = max(history.newest or items[0].last, *(item.last for item in items))
        self._recompute(cursor, slow, turns)
        for entity, old in before.items():
            new = self._entities[entity].spans
            changes.replace(tables.FACET, *_changed(entity, old, new))
            self._alias_changes(cursor, entity, old, new, changes)

    def shrink(self) -> None:
        """Forget what was not touched for longest."""
        for entity in list(self._entities)[: max(0, len(self._entities) - _KEPT)]:
            del self._entities[entity]
        self._since_count += 1
        if self._since_count < _COUNT_EVERY:
            return
        self._since_count = 0
        sizes = {entity: sum(map(len, told.spans.values())) for entity, told in self._entities.items()}
        many = sum(sizes.values())
        for entity, size in sizes.items():
            if many <= _SPANS_KEPT:
                return
            del self._entities[entity]
            many -= size

    def _recompute(self, cursor: duckdb.DuckDBPyConnection, entities: Sequence[int], turns: Turns) -> None:
        if not entities:
            return
        line = turns.formers(entities)
        points: dict[int, dict[_Key, list[Point]]] = {entity: {} for entity in line}
        rows = cursor.execute(_POINTS, [list(line)]).fetchall()
        for entity, place, key, body, first, last, order, run, producer in rows:
            shown = points[entity].setdefault((place, key), [])
            shown.append(Point(first, order, run, body, producer))
            # a run that began before a rename and ended after it confirms nothing of a table that is made later
            if not any(first <= at < last for at, _ in turns.outgoing(entity)):
                shown.append(Point(last, order, run, body, producer))
        for entity in entities:
            self._entities[entity].spans = line_of_history(entity, points, turns)

    def _alias_changes(
        self,
        cursor: duckdb.DuckDBPyConnection,
        entity: int,
        old: dict[_Key, list[Span]],
        new: dict[_Key, list[Span]],
        changes: Changes,
    ) -> None:
        """Rows of ``alias`` that follow from the symlink facets of an entity."""
        told = [{facet: found for facet, found in h.items() if facet[1] == "symlinks"} for h in (old, new)]
        if told[0] == told[1]:
            return
        self._load_links(cursor, {span.body for h in told for found in h.values() for span in found})
        before, after = ({row for found in h.values() for row in self._alias_rows(entity, found)} for h in told)
        changes.replace(tables.ALIAS, before, after)

    def _alias_rows(self, entity: int, found: Sequence[Span]) -> Iterable[tables.Row]:
        """Identifiers add up: that one producer names another one takes nothing back. Deleting the facet does."""
        live: dict[Symlink, int] = {}
        for i, span in enumerate(found):
            for link in self._links[span.body]:
                live.setdefault(link, span.start)
            deleted = span.end != OPEN_MICROS and (i + 1 == len(found) or found[i + 1].start != span.end)
            if deleted or i + 1 == len(found):
                for link, start in live.items():
                    yield entity, node_id("dataset", link.namespace, link.name), link.type, "symlink", start, span.end
                live.clear()

    def _load_links(self, cursor: duckdb.DuckDBPyConnection, bodies: Collection[int]) -> None:
        if len(self._links) > _KEPT:
            self._links.clear()
        missing = [body for body in bodies if body not in self._links]
        if not missing:
            return
        self._links.update(dict.fromkeys(missing, ()))
        rows: list[tuple[int, str]] = cursor.execute(
            "SELECT body, json FROM facet_body WHERE body IN (SELECT unnest(?::UBIGINT[]))", [missing]
        ).fetchall()
        for body, text in rows:
            value: Any = msgspec.json.decode(text)
            if isinstance(value, dict):
                self._links[body] = symlinks(value)


def _matched(
    items: Sequence[Contribution], earlier: dict[tuple[int, int, int], list[Contribution]]
) -> tuple[list[Contribution | None], bool]:
    """What each contribution of an entity replaces, and whether one of the earlier ones has no successor.

    A batch run has one contribution to an entity. A stream has one for each time over which it told the same facets;
    those with the same facets and beginning follow each other.
    """
    groups: dict[tuple[int, int, int], list[Contribution]] = {}
    for item in items:
        groups.setdefault((item.entity, item.order, item.run), []).append(item)
    found: dict[Contribution, Contribution] = {}
    lost = False
    for key, group in groups.items():
        olds = earlier.get(key, [])
        if len(group) == 1 and len(olds) == 1:
            found[group[0]] = olds[0]
            continue
        by_facets = {(old.first, old.refs): old for old in olds}
        found.update({item: by_facets[item.first, item.refs] for item in group if (item.first, item.refs) in by_facets})
        lost = lost or any((old.first, old.refs) not in {(item.first, item.refs) for item in group} for old in olds)
    return [found.get(item) for item in items], lost


def _absorbed(history: _Entity, item: Contribution, old: Contribution | None) -> bool:
    """Whether the history stays as it is when ``item`` comes in and ``old`` goes."""
    if old is not None and (old.first != item.first or not set(old.refs) <= set(item.refs)):
        return False
    for place, key, body in item.refs:
        for at in (item.first, item.last):
            span = history.at((place, key), at)
            if span is None or span.body != body:
                return False
            if span.start == at and (span.run, span.producer) != (item.run, item.producer):
                return False  # another run would open the span, or this one under another producer
        if old is not None and old.last not in (item.first, item.last):
            span = history.at((place, key), old.last)
            if span is not None and span.start == old.last:
                return False  # that point opened a span and is gone now
    return True


def _moving(old: dict[_Key, list[Span]], items: Iterable[Contribution]) -> dict[int, tuple[FacetRef, ...]]:
    """Of each set of facets, by its place in memory, those that do not go on as they are: most do."""
    sets = {id(item.refs): item.refs for item in items}
    bodies: dict[_Key, set[int]] = {}
    for refs in sets.values():
        for place, key, body in refs:
            bodies.setdefault((place, key), set()).add(body)
    for facet, shown in list(bodies.items()):
        known = old.get(facet)
        if known and known[-1].end == OPEN_MICROS and shown == {known[-1].body}:
            del bodies[facet]
    return {place: tuple([ref for ref in refs if ref[:2] in bodies]) for place, refs in sets.items()}


def _append(old: dict[_Key, list[Span]], items: Sequence[Contribution]) -> dict[_Key, list[Span]]:
    """Histories with contributions that all lie behind what is there."""
    points: dict[_Key, list[Point]] = {}
    moving = _moving(old, items)
    for item in items:
        for place, key, body in moving[id(item.refs)]:
            shown = points.setdefault((place, key), [])
            shown.append(Point(item.first, item.order, item.run, body, item.producer))
            shown.append(Point(item.last, item.order, item.run, body, item.producer))
    result = dict(old)
    for facet, shown in points.items():
        done = list(old.get(facet, ()))
        if done and done[-1].end == OPEN_MICROS:
            last = done.pop()
            shown.append(Point(last.start, 0, last.run, last.body, last.producer))
        result[facet] = done + spans(shown, OPEN_MICROS)
    return result


def _changed(
    entity: int, old: dict[_Key, list[Span]], new: dict[_Key, list[Span]]
) -> tuple[set[tables.Row], set[tables.Row]]:
    """Rows of the histories as they were and as they are, without what both begin with.

    Most histories only go on: what a batch costs must not grow with how long they are.
    """
    rows: tuple[set[tables.Row], set[tables.Row]] = set(), set()
    for facet in old.keys() | new.keys():
        before, after = old.get(facet, []), new.get(facet, [])
        if before is after:
            continue
        same = max(0, len(before) - 1)
        same = same if before[:same] == after[:same] else 0
        for found, told in ((before, rows[0]), (after, rows[1])):
            told.update(
                (entity, *facet, span.body, span.run or None, span.producer, span.start, span.end)
                for span in found[same:]
            )
    return rows


def _start(span: Span) -> int:
    return span.start
