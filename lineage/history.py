"""When the mesh changed: how many edges between datasets began and ended in each part of a span of time.

An edge counts once for a pair of datasets, whoever told it: its intervals that touch or overlap are one, so a run that
shows an edge again, or an edge that only goes stale, is no change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.filters import whole
from lineage.shown import Shown
from lineage.times import OPEN_END, iso

if TYPE_CHECKING:
    from lineage.view import View

MOST = 400  # buckets

_ISLANDS = """
-- one row per pair of nodes and span without a gap, as known at K
WITH e AS (
  SELECT src, dst, valid_from, valid_to,
    max(valid_to) OVER (PARTITION BY src, dst ORDER BY valid_from, valid_to
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
  FROM edge WHERE kind = 'lineage' AND valid_from < valid_to AND known_from <= $known AND $known < known_to
    AND valid_from <= $at {scope}
), n AS (
  SELECT *, sum(CASE WHEN reached IS NULL OR reached < valid_from THEN 1 ELSE 0 END)
    OVER (PARTITION BY src, dst ORDER BY valid_from, valid_to ROWS UNBOUNDED PRECEDING) AS island
  FROM e
)
SELECT src, dst, min(valid_from), max(valid_to) FROM n GROUP BY src, dst, island
"""
_SCOPE = "AND (src IN (SELECT unnest($ids::UBIGINT[])) OR dst IN (SELECT unnest($ids::UBIGINT[])))"


@dataclass(frozen=True, slots=True)
class Bucket:
    """One part of the span: ``start`` belongs to it, ``end`` to the next one (of the last one, to it)."""

    start: datetime
    end: datetime
    opened: int
    closed: int


@dataclass(frozen=True, slots=True)
class History(Shown):
    """How many edges began and ended, part by part; ``node`` limits it to what is around a node at the instant."""

    node: str | None
    as_of: datetime
    known_at: datetime
    buckets: tuple[Bucket, ...]

    @property
    def opened(self) -> int:
        """Edges that began in the whole span."""
        return sum(bucket.opened for bucket in self.buckets)

    @property
    def closed(self) -> int:
        """Edges that ended in the whole span."""
        return sum(bucket.closed for bucket in self.buckets)

    own_types = (("opened", "whole"),)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("start", "end", "opened", "closed")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per bucket."""
        return [(b.start, b.end, b.opened, b.closed) for b in self.buckets]

    def title(self) -> str:
        """What was asked."""
        where = f" around {self.node}" if self.node else ""
        return f"Edges that began and ended until {iso(self.as_of)}{where}"


def history(view: View, node: int | None = None, *, buckets: int = 60) -> History:
    """Changes of edges from the first that is known to the instant of the view.

    Parameters
    ----------
    view
        the instant and the actor; edges of nodes that may not be seen do not count.
    node
        dense index: only edges that touch it or anything up- or downstream of it.
    buckets
        into how many equal parts the span is cut.

    Raises
    ------
    UsageError
        for a number of buckets that makes no sense.
    HiddenNodeError
        when the actor may not see the node.
    """
    buckets = whole("buckets", buckets, 1, MOST)
    if node is not None:
        view.require(node)
    spans = _spans(view, node)
    label = None if node is None else view.label(node)
    if not spans:
        return History(label, view.as_of, view.known_at, ())
    end = view.snapshot.as_of if view.snapshot.as_of < OPEN_END else view.as_of
    begin = min(start for start, _ in spans)
    end = max(end, begin + timedelta(microseconds=buckets))
    width = (end - begin) / buckets
    opened, closed = [0] * buckets, [0] * buckets
    for start, stop in spans:
        opened[min(int((start - begin) / width), buckets - 1)] += 1
        if stop <= end:
            closed[min(int((stop - begin) / width), buckets - 1)] += 1
    cut = [begin + width * n for n in range(buckets)] + [end]
    found = (Bucket(cut[n], cut[n + 1], opened[n], closed[n]) for n in range(buckets))
    return History(label, view.as_of, view.known_at, tuple(found))


def _spans(view: View, node: int | None) -> list[tuple[datetime, datetime]]:
    """Begin and end of every edge that may be told of, one per pair of groups."""
    when: dict[str, Any] = {"known": view.snapshot.known_at, "at": view.snapshot.as_of}
    scope = ""
    if node is not None:
        scope, when["ids"] = _SCOPE, _around(view, node)
    index = view.snapshot.index
    groups: dict[tuple[int, int], list[tuple[datetime, datetime]]] = {}
    for src, dst, start, stop in view.store.rows(_ISLANDS.format(scope=scope), when):
        a, b = index(src), index(dst)
        if a is None or b is None or a == b or view.hidden(a) or view.hidden(b):
            continue
        groups.setdefault((a, b), []).append((start, stop))
    return [span for spans in groups.values() for span in _joined(sorted(spans))]


def _joined(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans that touch or overlap made one: several names of a dataset may tell the same edge.

    >>> day = datetime(2026, 1, 1), datetime(2026, 1, 2), datetime(2026, 1, 4), datetime(2026, 1, 6)
    >>> len(_joined([(day[0], day[1]), (day[1], day[2]), (day[3], day[3])]))
    2
    """
    found: list[tuple[datetime, datetime]] = []
    for start, stop in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


def _around(view: View, node: int) -> list[int]:
    """Ids of a node and of everything up- and downstream of it at the instant."""
    from lineage.reach import reach

    home = view.snapshot.dataset_of(node) if view.kind(node) == "column" else node
    reached = {home, *reach(view, home, "upstream", None).found, *reach(view, home, "downstream", None).found}
    return sorted(member for i in reached if view.kind(i) != "column" for member in view.snapshot.members(i))
