"""What changed in the mesh between two instants, and the run, producer and code version behind each change.

The two instants are points on both clocks: (T1, K1) and (T2, K2). With T1 < T2 and equal known times it is what
happened between two dates; with equal valid times and K1 < K2 it is what was learned later about one date.

Method: in each derived table only the rows that are visible at exactly one of the two points are read (their intervals
decide, in the database). They are then compared per alias group, so a fact that another row of the group tells too is
no change, and a fact that is told anew in the same words is none either. Both points are grouped by the aliases of
the later one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lineage.diff_causes import Causes
from lineage.diff_facets import facet_changes
from lineage.diff_nodes import node_changes
from lineage.diff_points import at_both, points
from lineage.differences import WHATS, Cause, Difference, What
from lineage.owners.changes import owner_changes
from lineage.reach import reach
from lineage.stops.changes import stop_changes

if TYPE_CHECKING:
    from lineage.view import View

_EDGES = """
-- edge rows at one or both points, those that a person added among them; what is called wrong at a point is not there
WITH r AS (
  SELECT src, dst, bool_or({one}) AS one, bool_or({two}) AS two, arg_max(actor, known_from) AS actor,
    max(known_from) AS said, max(known_to) AS lifted
  FROM edge_mark e WHERE mark = 'refuted' AND ({one} OR {two}) GROUP BY src, dst
), e AS (
  SELECT e.src, e.dst, e.job, e.kind, e.provenance, e.state, e.first_run, e.producer, e.end_reason, e.valid_from,
    e.valid_to, e.known_to, {one} AND NOT (e.kind = 'lineage' AND coalesce(r.one, false)) AS one,
    {two} AND NOT (e.kind = 'lineage' AND coalesce(r.two, false)) AS two, '' AS use, r.actor AS person,
    CASE WHEN r.two THEN r.said ELSE r.lifted END AS said, r.two AS wrong
  FROM edge e LEFT JOIN r ON r.src = e.src AND r.dst = e.dst AND e.kind = 'lineage'
  WHERE e.kind <> 'control' AND ({one} OR {two})
  UNION ALL
  SELECT src, dst, 0, 'lineage', 'manual', 'current', NULL, NULL, NULL, valid_from, valid_to, known_to, {one}, {two},
    '', actor, known_from, NULL
  FROM edge_mark e WHERE mark = 'manual' AND ({one} OR {two})
)
"""
_COLUMN_EDGES = """
-- column edge rows at one or both points; those between datasets whose edge is called wrong at a point are not there
WITH m AS (
  SELECT src, dst, bool_or({one}) AS one, bool_or({two}) AS two, arg_max(actor, known_from) AS actor,
    max(known_from) AS said, max(known_to) AS lifted
  FROM edge_mark e WHERE mark = 'refuted' AND ({one} OR {two}) GROUP BY src, dst
), r AS (
  SELECT s.id AS src, d.id AS dst, m.* EXCLUDE (src, dst) FROM m JOIN node s ON s.dataset = m.src
    JOIN node d ON coalesce(d.dataset, d.id) = m.dst
), e AS (
  SELECT e.src, e.dst, e.job, 'column' AS kind, e.provenance, e.state, e.first_run, e.producer, e.end_reason,
    e.valid_from, e.valid_to, e.known_to, {one} AND NOT coalesce(r.one, false) AS one,
    {two} AND NOT coalesce(r.two, false) AS two,
    upper(coalesce(type, '')) || CASE WHEN coalesce(subtype, '') = '' THEN '' ELSE ' ' || upper(subtype) END
      || CASE WHEN coalesce(masking, false) THEN ' masking' ELSE '' END AS use,
    r.actor AS person, CASE WHEN r.two THEN r.said ELSE r.lifted END AS said, r.two AS wrong
  FROM column_edge e LEFT JOIN r ON r.src = e.src AND r.dst = e.dst
  WHERE {one} OR {two}
)
"""
_TOUCHED = """
-- those of every pair of which some row is visible at one of the two points only
SELECT * FROM e SEMI JOIN (SELECT DISTINCT src, dst, kind FROM e WHERE one <> two) USING (src, dst, kind)
WHERE one OR two
"""
_BETWEEN = """
-- those between two groups
SELECT * FROM e
WHERE src IN (SELECT unnest($src::UBIGINT[])) AND dst IN (SELECT unnest($dst::UBIGINT[])) AND kind = $kind
  AND (one OR two)
"""
_LATER = """
-- how a row of an edge table ended, as it is known at the later point
SELECT job, valid_to, end_reason FROM {table}
WHERE src = $src AND dst = $dst AND job = $job AND valid_to <= $t2 AND known_from <= $k2 AND $k2 < known_to
ORDER BY valid_to DESC LIMIT 1
"""


class Row(NamedTuple):
    """One row of an edge table at one or both points. ``use`` is empty for edges that are not of columns."""

    src: int
    dst: int
    job: int | None
    kind: str
    provenance: str
    state: str
    first_run: int | None
    producer: str | None
    end_reason: str | None
    valid_from: Any
    valid_to: Any
    known_to: Any
    one: bool
    two: bool
    use: str = ""
    person: str | None = None  # who added the edge, or called it wrong
    said: Any = None  # when; of one that is called wrong no longer, when that was taken back
    wrong: bool | None = None  # called wrong at the later point


def diff(before: View, after: View, scope: set[int] | None = None) -> tuple[Difference, ...]:
    """Everything that differs between two instants.

    Parameters
    ----------
    before, after
        the instants; both as the same actor may see them.
    scope
        dense indices (of ``after``) of datasets and jobs that a change must touch; ``None`` for all.
    """
    comparison = Comparison(before, after, scope)
    found = [
        *node_changes(before, after, comparison.admits, comparison.causes),
        *comparison.edges("edge"),
        *comparison.edges("column_edge"),
        *facet_changes(before, after, comparison.admits, comparison.causes),
        *owner_changes(before, after, comparison.admits),
        *stop_changes(before, after, comparison.admits, comparison.causes),
    ]
    return tuple(sorted(found, key=lambda d: (WHATS.index(d.what), d.change, d.id, d.other or "", d.kind, d.detail)))


def scope_of(before: View, after: View, node: int, side: str) -> set[int]:
    """Datasets and jobs at a node and on one side of it, at either instant.

    Parameters
    ----------
    node
        dense index in ``after``.
    side
        ``self``, ``upstream``, ``downstream`` or ``both``.
    """
    after.require(node)
    members = after.snapshot.members(node)
    scope = {after.snapshot.dataset_of(node) if after.kind(node) == "column" else node}
    for direction in ("upstream", "downstream"):
        if side not in (direction, "both"):
            continue
        for view in (before, after):
            start = view.snapshot.index(members[0])
            if start is None:
                continue
            for i in reach(view, start, direction, None).found:
                owner = view.snapshot.dataset_of(i) if view.kind(i) == "column" else i
                there = after.snapshot.index(view.snapshot.members(owner)[0])
                scope |= {there} if there is not None else set()
    return scope


class Comparison:
    """Two points, seen through the groups of the later one."""

    def __init__(self, before: View, after: View, scope: set[int] | None) -> None:
        self.before, self.after, self.scope = before, after, scope
        self.when = points(before, after)
        self.causes = Causes(before, after)
        self._labels: dict[int, str | None] = {}

    def admits(self, *nodes: int) -> bool:
        """Whether a change at some nodes is to be told: one of them is in scope, and none is hidden."""
        if any(self.after.hidden(i) for i in nodes):
            return False
        if self.scope is None:
            return True
        return any(i in self.scope or self._owner(i) in self.scope for i in nodes)

    def _owner(self, i: int) -> int:
        return self.after.snapshot.dataset_of(i) if self.after.kind(i) == "column" else i

    # -- edges

    def edges(self, what: What) -> Iterable[Difference]:
        """Edges added, removed and changed, one per pair of groups and kind."""
        base = at_both(_EDGES if what == "edge" else _COLUMN_EDGES)
        pairs: dict[tuple[int, int, str], list[Row]] = defaultdict(list)
        found = [Row._make(values) for values in self.after.store.rows(base + _TOUCHED, self.when)]
        sides = (np.fromiter((row[end] for row in found), np.uint64, len(found)) for end in (0, 1))
        src_of, dst_of = (self.after.snapshot.indices(side).tolist() for side in sides)
        for row, src, dst in zip(found, src_of, dst_of, strict=True):
            if src >= 0 and dst >= 0 and src != dst:
                pairs[src, dst, row.kind].append(row)
        nodes = sorted({end for pair in pairs for end in pair[:2]})
        sizes = self.after.snapshot.group_sizes(nodes).tolist()
        several = {i for i, size in zip(nodes, sizes, strict=True) if size > 1}
        for (src, dst, kind), rows in pairs.items():
            if not self.admits(src, dst):
                continue
            if src in several or dst in several:  # another member may tell the same
                members = [self.after.snapshot.members(end) for end in (src, dst)]
                ends = {**self.when, "src": members[0], "dst": members[1], "kind": kind}
                rows = [Row(*values) for values in self.after.store.rows(base + _BETWEEN, ends)]
            yield from self._edge(what, src, dst, rows)

    def _edge(self, what: What, src: int, dst: int, rows: list[Row]) -> Iterable[Difference]:
        old, new = [row for row in rows if row.one], [row for row in rows if row.two]
        was, now = (_told(side, self._jobs) if side else None for side in (old, new))
        if was == now:
            return
        told = (self.after.label(src), self.after.label(dst), rows[0].kind)
        if now is None:
            ended = self._ended(what, src, dst, old)
            yield Difference(what, "removed", *told, before=was, cause=ended)
            return
        fresh = [row for row in new if not row.one]
        if not fresh:  # what else told the same pair before tells it no longer
            cause = self._ended(what, src, dst, [row for row in old if not row.two])
        else:
            first = (min if was is None else max)(fresh, key=lambda row: (row.valid_from, row.provenance))
            cause = self._began(src, dst, first, changed=was is not None)
        yield Difference(what, "added" if was is None else "changed", *told, before=was, after=now, cause=cause)

    def _began(self, src: int, dst: int, row: Row, *, changed: bool) -> Cause:
        """What made a row tell an edge at the later point that it did not tell at the earlier one."""
        if row.provenance == "manual":
            return Cause("manual", at=row.said, by=row.person)
        if row.person is not None:  # it was called wrong at the earlier point
            return self.causes.taken_back(row.said, "edge.")
        if changed and row.state == "stale":  # since the first run that did not show it, not its first one
            return self.causes.end(row.job, row.valid_from, "not seen")
        return self.causes.begin(row.first_run, row.producer, row.valid_from, row.job, lambda: self._ends(src, dst))

    def _ended(self, what: What, src: int, dst: int, rows: list[Row]) -> Cause:
        """What made rows tell an edge at the earlier point only: the one that told it longest decides."""
        last = max(rows, key=lambda row: (row.valid_to, row.provenance))
        if last.provenance == "manual":
            return self.causes.taken_back(last.known_to, "edge.")
        if last.wrong:
            return Cause("refuted", at=last.said, by=last.person)
        if last.valid_to <= self.when["t2"]:
            return self.causes.end(last.job, last.valid_to, last.end_reason, lambda: self._ends(src, dst))
        key = {"src": last.src, "dst": last.dst, "job": last.job, "t2": self.when["t2"], "k2": self.when["k2"]}
        for job, at, reason in self.after.store.rows(_LATER.format(table=what), key):
            return self.causes.end(job, at, reason, lambda: self._ends(src, dst))
        return self.causes.unlearned(last.job, last.known_to, lambda: self._ends(src, dst))

    def _ends(self, src: int, dst: int) -> list[int]:
        """Node ids of the datasets (under all their names) and jobs that an edge joins; a column stands for its own."""
        snapshot = self.after.snapshot
        return [member for i in (src, dst) for member in snapshot.members(self._owner(i))]

    def _jobs(self, rows: list[Row]) -> list[str]:
        found = {self._job(row.job) for row in rows if row.job}
        return sorted(label for label in found if label is not None)

    def _job(self, job: int) -> str | None:
        """Label of a job by its id; ``None`` when it is no node."""
        if job not in self._labels:
            i = self.after.snapshot.index(job)
            self._labels[job] = None if i is None else self.after.label(i)
        return self._labels[job]


def _told(rows: list[Row], jobs: Callable[[list[Row]], list[str]]) -> str:
    """What the rows of one pair say in one line: how it is known, if it is stale, how it is used, by which jobs."""
    parts = [", ".join(sorted({row.provenance for row in rows}))]
    if all(row.state == "stale" for row in rows):
        parts.append("stale")
    uses = sorted({row.use for row in rows if row.use})
    if uses:
        parts.append(", ".join(uses))
    names = jobs(rows) if rows[0].kind in ("lineage", "column") else []
    if names:
        parts.append("by " + ", ".join(names))
    return "; ".join(parts)
