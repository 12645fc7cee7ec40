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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.diff_causes import Causes
from lineage.diff_facets import facet_changes
from lineage.differences import WHATS, Difference, What
from lineage.owners.changes import owner_changes
from lineage.reach import reach
from lineage.stops.changes import stop_changes

if TYPE_CHECKING:
    from lineage.view import View

_SEEN = """({0}.valid_from <= $t{1} AND $t{1} < {0}.valid_to AND {0}.known_from <= $k{1} AND $k{1} < {0}.known_to)"""

_EDGES = """
-- edge rows at one or both points
WITH e AS (
  SELECT src, dst, job, kind, provenance, state, first_run, producer, end_reason, valid_from, valid_to,
    {one} AS one, {two} AS two, '' AS use
  FROM edge e WHERE kind <> 'control' AND ({one} OR {two})
)
"""
_COLUMN_EDGES = """
-- column edge rows at one or both points
WITH e AS (
  SELECT src, dst, job, 'column' AS kind, provenance, state, first_run, producer, end_reason, valid_from, valid_to,
    {one} AS one, {two} AS two,
    upper(coalesce(type, '')) || CASE WHEN coalesce(subtype, '') = '' THEN '' ELSE ' ' || upper(subtype) END
      || CASE WHEN coalesce(masking, false) THEN ' masking' ELSE '' END AS use
  FROM column_edge e WHERE {one} OR {two}
)
"""
_TOUCHED = """
-- those of every pair of which some row is visible at one of the two points only
SELECT * FROM e SEMI JOIN (SELECT DISTINCT src, dst, kind FROM e WHERE one <> two) USING (src, dst, kind)
"""
_BETWEEN = """
-- those between two groups
SELECT * FROM e
WHERE src IN (SELECT unnest($src::UBIGINT[])) AND dst IN (SELECT unnest($dst::UBIGINT[])) AND kind = $kind
"""
_NODES = """
-- datasets and jobs about which anything holds at one of the two points, with the first row that says so
SELECT id, bool_or(one) AS one, bool_or(two) AS two, arg_min(run, valid_from) FILTER (two) AS run,
  arg_min(producer, valid_from) FILTER (two) AS producer, min(valid_from) FILTER (two) AS since,
  max(valid_to) FILTER (one) AS until, arg_max(end_reason, valid_to) FILTER (one) AS end_reason,
  arg_max(job, valid_to) FILTER (one) AS job
FROM (
  SELECT unnest([src, dst]) AS id, first_run AS run, producer, valid_from, valid_to, end_reason, job, {one} AS one,
    {two} AS two FROM edge e WHERE {one} OR {two}
  UNION ALL
  SELECT entity, run, producer, valid_from, valid_to, NULL, NULL, {one}, {two} FROM facet e WHERE {one} OR {two}
) GROUP BY id
"""


@dataclass(frozen=True, slots=True)
class Row:
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
    one: bool
    two: bool
    use: str = ""


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
        *comparison.nodes(),
        *comparison.edges("edge"),
        *comparison.edges("column_edge"),
        *facet_changes(before, after, comparison.admits, comparison.causes),
        *owner_changes(before, after, comparison.admits),
        *stop_changes(before, after, comparison.admits),
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
        self.when = {
            "t1": before.snapshot.as_of, "k1": before.snapshot.known_at,
            "t2": after.snapshot.as_of, "k2": after.snapshot.known_at,
        }  # fmt: skip
        self.causes = Causes(before, after)

    def admits(self, *nodes: int) -> bool:
        """Whether a change at some nodes is to be told: one of them is in scope, and none is hidden."""
        if any(self.after.hidden(i) for i in nodes):
            return False
        if self.scope is None:
            return True
        return any(i in self.scope or self._owner(i) in self.scope for i in nodes)

    def _owner(self, i: int) -> int:
        return self.after.snapshot.dataset_of(i) if self.after.kind(i) == "column" else i

    def sql(self, text: str) -> str:
        """A query with the visibility of a row of ``e`` at both points filled in."""
        return text.format(one=_SEEN.format("e", 1), two=_SEEN.format("e", 2))

    # -- nodes

    def nodes(self) -> Iterable[Difference]:
        """Datasets and jobs that came and went, and those whose domain or whose other names changed."""
        index = self.after.snapshot.index
        groups: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for row in self.after.store.rows(self.sql(_NODES), self.when):
            i = index(row[0])
            if i is not None:
                groups[i].append(row)
        for i, rows in groups.items():
            if not self.admits(i):
                continue
            one, two = any(row[1] for row in rows), any(row[2] for row in rows)
            if one and two:
                yield from self._changed_node(i, [row[0] for row in rows if row[1]])
            elif two:
                first = min((row for row in rows if row[2]), key=lambda row: row[5])
                cause = self.causes.begin(first[3], first[4], first[5])
                yield Difference("node", "added", self.after.label(i), kind=self.after.kind(i), cause=cause)
            else:
                last = max(rows, key=lambda row: row[6])
                ended = self.causes.end(last[8], last[6], last[7])
                yield Difference("node", "removed", self.after.label(i), kind=self.after.kind(i), cause=ended)

    def _changed_node(self, i: int, members: list[int]) -> Iterable[Difference]:
        """Changes of a node; ``members`` are those of its identifiers about which something held before."""
        there = sorted({j for member in members if (j := self.before.snapshot.index(member)) is not None})
        if not there:
            return
        label, kind = self.after.label(i), self.after.kind(i)
        was, now = self.before.domain(there[0]), self.after.domain(i)
        if was != now:
            yield Difference("node", "changed", label, kind=kind, detail="domain", before=was, after=now)
        old = {name for j in there for name in (self.before.label(j), *self.before.aliases(j))}
        new = {label, *self.after.aliases(i)}
        if old != new:
            before, after = (", ".join(sorted(names)) for names in (old, new))
            yield Difference("node", "changed", label, kind=kind, detail="names", before=before, after=after)

    # -- edges

    def edges(self, what: What) -> Iterable[Difference]:
        """Edges added, removed and changed, one per pair of groups and kind."""
        index = self.after.snapshot.index
        base = self.sql(_EDGES if what == "edge" else _COLUMN_EDGES)
        pairs: dict[tuple[int, int, str], list[Row]] = defaultdict(list)
        for values in self.after.store.rows(base + _TOUCHED, self.when):
            row = Row(*values)
            src, dst = index(row.src), index(row.dst)
            if src is not None and dst is not None and src != dst:
                pairs[src, dst, row.kind].append(row)
        for (src, dst, kind), rows in pairs.items():
            if not self.admits(src, dst):
                continue
            members = [self.after.snapshot.members(end) for end in (src, dst)]
            if len(members[0]) * len(members[1]) > 1:  # another member may tell the same
                ends = {**self.when, "src": members[0], "dst": members[1], "kind": kind}
                rows = [Row(*values) for values in self.after.store.rows(base + _BETWEEN, ends)]
            yield from self._edge(what, src, dst, rows)

    def _edge(self, what: What, src: int, dst: int, rows: list[Row]) -> Iterable[Difference]:
        old, new = [row for row in rows if row.one], [row for row in rows if row.two]
        was, now = (_told(side, self._jobs) if side else None for side in (old, new))
        if was == now:
            return
        ends = (self.after.label(src), self.after.label(dst), rows[0].kind)
        if now is None:
            last = max(old, key=lambda row: (row.valid_to, row.provenance))
            ended = self.causes.end(last.job, last.valid_to, last.end_reason)
            yield Difference(what, "removed", *ends, before=was, cause=ended)
            return
        fresh = [row for row in new if not row.one] or new
        first = (min if was is None else max)(fresh, key=lambda row: (row.valid_from, row.provenance))
        if was is not None and first.state == "stale":  # since the first run that did not show it, not its first one
            cause = self.causes.end(first.job, first.valid_from, "not seen")
        else:
            cause = self.causes.begin(first.first_run, first.producer, first.valid_from, first.job)
        yield Difference(what, "added" if was is None else "changed", *ends, before=was, after=now, cause=cause)

    def _jobs(self, rows: list[Row]) -> list[str]:
        found = (self.after.snapshot.index(row.job) for row in rows if row.job)
        return sorted({self.after.label(i) for i in found if i is not None})


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
