"""Differences of datasets and jobs: which came and went, and whose domain or other names changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lineage.diff_points import at_both, points
from lineage.differences import UNKNOWN, Cause, Difference
from lineage.dropped import dropped
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.diff_causes import Causes
    from lineage.view import View

_NODES = """
-- datasets and jobs about which anything holds at one of the two points, and whether an edge is among it at each
SELECT id, bool_or(one) AS one, bool_or(two) AS two, bool_or(one AND edge), bool_or(two AND edge) FROM (
  SELECT unnest([src, dst]) AS id, {one} AS one, {two} AS two, true AS edge FROM edge e WHERE {one} OR {two}
  UNION ALL
  SELECT entity, {one}, {two}, false FROM facet e WHERE {one} OR {two}
) GROUP BY id
"""
_TELLINGS = """
-- what holds about some datasets and jobs at one of the two points
SELECT id, src, dst, run, producer, valid_from, valid_to, known_to, end_reason, job, two FROM (
  SELECT unnest([src, dst]) AS id, src, dst, first_run AS run, producer, valid_from, valid_to, known_to, end_reason,
    job, {two} AS two
  FROM edge e WHERE {one} OR {two}
  UNION ALL
  SELECT entity, entity, entity, run, producer, valid_from, valid_to, known_to, NULL, NULL, {two}
  FROM facet e WHERE {one} OR {two}
) WHERE id IN (SELECT unnest($ids::UBIGINT[]))
"""
_ALIASES = """
-- evidence that names of a node are one, at one of the two points only
SELECT a, b, basis, actor, valid_from, valid_to, known_from, known_to, two FROM (
  SELECT a, b, basis, NULL AS actor, valid_from, valid_to, known_from, known_to, {one} AS one, {two} AS two FROM alias e
  UNION ALL
  SELECT a, b, basis, actor, valid_from, valid_to, known_from, known_to, {one}, {two} FROM alias_mark e
) WHERE one <> two AND (a IN (SELECT unnest($ids::UBIGINT[])) OR b IN (SELECT unnest($ids::UBIGINT[])))
ORDER BY two DESC, basis NOT IN ('manual', 'veto'), greatest(valid_from, known_from) DESC, a, b LIMIT 1
"""
_SYMLINKS = """
-- who told the other names of a dataset from one time on
SELECT run, producer FROM facet
WHERE entity = $node AND key = 'symlinks' AND valid_from = $at AND known_from <= $k2 AND known_to > $k2
ORDER BY place, body LIMIT 1
"""
_MADE = """
-- the run that wrote a dataset first from one time on
SELECT run FROM run_io
WHERE dataset = $node AND direction = 'out' AND seen_at = $at AND known_from <= $k2 AND known_to > $k2
ORDER BY run LIMIT 1
"""
_SPELLED = "SELECT 1 FROM spelling WHERE node IN (SELECT unnest($ids::UBIGINT[])) LIMIT 1"
_FILES = """
-- the file of one of two domains that holds at one of the two points only, that of the later domain first
SELECT path, actor, valid_from, valid_to, known_to, {two} AS two FROM domain e
WHERE ({one}) <> ({two}) AND name IN ($was, $now) ORDER BY two DESC, name = $now DESC, valid_from DESC LIMIT 1
"""
_TAGGED = """
-- the facet that names the domain or the owner of a node and holds at one of the two points only
SELECT entity, key, run, producer, valid_from, valid_to, {two} AS two FROM facet e
WHERE key IN ('ownership', 'tags') AND ({one}) <> ({two}) AND entity IN (SELECT unnest($ids::UBIGINT[]))
ORDER BY two DESC, valid_from DESC, body LIMIT 1
"""


class _Telling(NamedTuple):
    """One row about a node; ``job`` is ``None`` for a facet."""

    id: int
    src: int
    dst: int
    run: int | None
    producer: str | None
    since: datetime
    until: datetime
    known_to: datetime
    end_reason: str | None
    job: int | None
    two: bool


def node_changes(before: View, after: View, admits: Callable[..., bool], causes: Causes) -> Iterable[Difference]:
    """Datasets and jobs that came and went, and those whose domain or whose other names changed.

    A dataset that was dropped, and of which nothing was told since, has gone, though its facets stand.

    Parameters
    ----------
    admits
        whether a change at a node (dense index of ``after``) is to be told.
    """
    return _Nodes(before, after, causes).changes(admits)


class _Nodes:
    def __init__(self, before: View, after: View, causes: Causes) -> None:
        self.before, self.after, self.causes = before, after, causes
        self.when = points(before, after)
        self.was_dropped = self._by_later(dropped(after.store, before.snapshot))
        self.is_dropped = dropped(after.store, after.snapshot)

    def _by_later(self, found: dict[int, datetime]) -> dict[int, datetime]:
        """The same by dense index of the later point."""
        index, members = self.after.snapshot.index, self.before.snapshot.members
        return {i: at for old, at in found.items() if (i := index(members(old)[0])) is not None}

    def changes(self, admits: Callable[..., bool]) -> Iterable[Difference]:
        groups: dict[int, list[tuple[int, bool, bool, bool, bool]]] = defaultdict(list)
        found = self.after.store.rows(at_both(_NODES), self.when)
        ids = np.fromiter((row[0] for row in found), np.uint64, len(found))
        for row, i in zip(found, self.after.snapshot.indices(ids).tolist(), strict=True):
            if i >= 0:
                groups[i].append(row)
        came: dict[int, list[int]] = {}
        went: dict[int, list[int]] = {}
        for i, rows in groups.items():
            if not admits(i):
                continue
            one, two = (
                any(row[k] for row in rows) and (i not in gone or any(row[k + 2] for row in rows))
                for k, gone in ((1, self.was_dropped), (2, self.is_dropped))
            )
            if one and two:
                yield from self._changed(i, [row[0] for row in rows if row[1]])
            elif one or two:
                (came if two else went)[i] = [row[0] for row in rows]
        told: dict[int, list[_Telling]] = defaultdict(list)
        asked = [node for nodes in (*came.values(), *went.values()) for node in nodes]
        for values in self.after.store.rows(at_both(_TELLINGS), {**self.when, "ids": asked}) if asked else ():
            told[values[0]].append(_Telling(*values))
        for change, those, cause_of in (("added", came, self._came), ("removed", went, self._went)):
            for i, nodes in those.items():
                cause = cause_of(i, [telling for node in nodes for telling in told[node]])
                yield Difference("node", change, self.after.label(i), kind=self.after.kind(i), cause=cause)  # type: ignore[arg-type]

    def _came(self, i: int, told: list[_Telling]) -> Cause:
        """What was told first of a node that is there at the later point only."""
        since = self.was_dropped.get(i)
        now = [telling for telling in told if telling.two and (since is None or telling.since > since)]
        if not now:
            return UNKNOWN
        first = min(now, key=lambda telling: (telling.since, telling.run is None, telling.run or 0))
        job = first.job or (first.id if self.after.kind(i) == "job" else None)
        return self.causes.begin(first.run, first.producer, first.since, job, lambda: self.after.snapshot.members(i))

    def _went(self, i: int, told: list[_Telling]) -> Cause:
        """What ended the last that was told of a node which is there at the earlier point only."""
        members = self.after.snapshot.members(i)
        at = self.is_dropped.get(i)
        if at is not None and (found := self.causes.turned(members, at)):
            return found
        last = max(told, key=lambda telling: (telling.until, telling.job is None, telling.src, telling.dst))
        if last.until > self.when["t2"]:
            return self.causes.unlearned(last.job, last.known_to, lambda: members)
        return self.causes.end(last.job, last.until, last.end_reason, lambda: [*members, last.src, last.dst])

    # -- what a node is called, and where it belongs

    def _changed(self, i: int, members: list[int]) -> Iterable[Difference]:
        """Changes of a node; ``members`` are those of its identifiers about which something held before."""
        there = sorted({j for member in members if (j := self.before.snapshot.index(member)) is not None})
        if not there:
            return
        label, kind = self.after.label(i), self.after.kind(i)
        ids = sorted({*members, *self.after.snapshot.members(i)})
        was, now = self.before.domain(there[0]), self.after.domain(i)
        if was != now:
            cause = self._moved(ids, was, now)
            yield Difference("node", "changed", label, kind=kind, detail="domain", before=was, after=now, cause=cause)
        old = {name for j in there for name in (self.before.label(j), *self.before.aliases(j))}
        new = {label, *self.after.aliases(i)}
        if old != new:
            before, after = (", ".join(sorted(names)) for names in (old, new))
            cause = self._named(ids)
            yield Difference(
                "node", "changed", label, kind=kind, detail="names", before=before, after=after, cause=cause
            )

    def _moved(self, ids: list[int], was: str, now: str) -> Cause:
        """What brought a node into another domain: the file of one of the two, or what was told of the node."""
        rows = self.after.store.rows(at_both(_FILES), {**self.when, "was": was, "now": now})
        if rows:
            path, actor, since, until, known_to, two = rows[0]
            end = until if until < OPEN_END else known_to
            return Cause("declared" if two else "taken back", at=since if two else end, by=actor, file=path)
        found = self.after.store.rows(at_both(_TAGGED), {**self.when, "ids": ids})
        if not found:
            return UNKNOWN
        entity, key, run, producer, since, until, two = found[0]
        return self.causes.begin(run, producer, since) if two else self.causes.told_end(entity, key, until)

    def _named(self, ids: list[int]) -> Cause:
        """What joined names to a node, or parted them: a rename, what a run or declaration told, a person, a rule."""
        rows = self.after.store.rows(at_both(_ALIASES), {**self.when, "ids": ids})
        if not rows:
            return Cause("rule") if self.after.store.rows(_SPELLED, {"ids": ids}) else UNKNOWN
        a, b, basis, actor, since, until, known_from, known_to, two = rows[0]
        if basis in ("manual", "veto"):
            return Cause(basis, at=known_from, by=actor) if two else self.causes.taken_back(known_to, "alias.")
        if not two:
            return self._parted(a, b, basis, until, known_to)
        if basis == "rename":
            return self.causes.turned([b], since) or Cause("renamed", at=since)
        told = self.after.store.rows(_SYMLINKS, {"node": a, "at": since, "k2": self.when["k2"]})
        return self.causes.begin(told[0][0], told[0][1], since) if told else Cause("told", at=since)

    def _parted(self, a: int, b: int, basis: str, until: datetime, known_to: datetime) -> Cause:
        """What ended evidence: a table made again under the old name of a renamed one, or a deleted facet."""
        if until > self.when["t2"]:
            return self.causes.unlearned(None, known_to, lambda: [a, b])
        if basis != "rename":
            return self.causes.told_end(a, "symlinks", until)
        made = self.after.store.rows(_MADE, {"node": b, "at": until, "k2": self.when["k2"]})
        if made and (found := self.causes.of_run(made[0][0])):
            return found
        return self.causes.end(None, until, "made again", lambda: [b])
