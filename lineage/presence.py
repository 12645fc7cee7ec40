"""Whether a node was there at an instant: what was told of it until then, and since when anything was.

A snapshot has every node that was known, whatever instant of valid time it is of: its edges tell what held then. So a
node that is first told of later looks like one that nobody connects, and "nothing is seen to use it" would be said of
something that did not exist. Here the two are told apart. A dataset or job is there from the first thing that was told
of it on (a run, a declaration, an edge, a facet, a test, another name), a column from its dataset's. Of a node that is
only named nothing is dated, so nobody can say that it was not there.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from lineage.times import iso

if TYPE_CHECKING:
    from lineage.graph.arrays import U32, Bool
    from lineage.view import Instant, View

_TOLD = """
-- first time anything was told of each dataset or job, as known at K
SELECT entity, min(told_at) FROM (
  SELECT src AS entity, valid_from AS told_at FROM edge WHERE known_from <= $known AND known_to > $known
  UNION ALL SELECT dst, valid_from FROM edge WHERE known_from <= $known AND known_to > $known
  UNION ALL SELECT unnest([src, dst]), valid_from FROM edge_mark
    WHERE mark = 'manual' AND known_from <= $known AND known_to > $known
  UNION ALL SELECT unnest([a, b]), valid_from FROM alias WHERE known_from <= $known AND known_to > $known
  UNION ALL SELECT job, first_event FROM run WHERE known_from <= $known AND known_to > $known
  UNION ALL SELECT dataset, seen_at FROM run_io WHERE known_from <= $known AND known_to > $known
  UNION ALL SELECT entity, event_time FROM declaration WHERE known_from <= $known
  UNION ALL SELECT entity, valid_from FROM facet WHERE known_from <= $known AND known_to > $known
  UNION ALL SELECT dataset, tested_at FROM assertion
    WHERE dataset IS NOT NULL AND known_from <= $known AND known_to > $known
)
"""
_OF_SOME = f"{_TOLD} WHERE entity IN (SELECT unnest($members::UBIGINT[])) GROUP BY entity"
_LATER = f"{_TOLD} GROUP BY entity HAVING min(told_at) > $at"


def not_yet(view: View, node: int) -> datetime | None:
    """When a node that was not there yet is first told of.

    Parameters
    ----------
    view
        the instant; one of now has everything.
    node
        dense index; of a column its dataset counts.

    Returns
    -------
    datetime or None
        naive UTC; ``None`` when the node was there, or nothing about it is dated.
    """
    if not view.past:
        return None
    snapshot = view.snapshot
    home = snapshot.dataset_of(node) if snapshot.kind[node] == 2 else node
    when = {"members": snapshot.members(home), "known": snapshot.known_at}
    first = min((at for _, at in view.store.rows(_OF_SOME, when)), default=None)
    return first if first is not None and first > snapshot.as_of else None


def told_later(view: View, node: int) -> list[str]:
    """That a node was not there yet, as a blind spot; empty when it was."""
    first = not_yet(view, node)
    if first is None:
        return []
    return [f"{view.label(node)}: was not there yet at {iso(view.as_of)}; it is first told of at {iso(first)}"]


def absent(view: View) -> frozenset[int]:
    """Dense indices of the datasets and jobs that were not there yet at the instant."""
    if not view.past:
        return frozenset()
    return view.instant.remember("not there yet", lambda: _absent(view.instant))


def there(view: View, nodes: U32) -> Bool:
    """Of each of some nodes (dense indices) whether it was there; of a column its dataset counts."""
    gone = absent(view)
    if not gone:
        return np.ones(len(nodes), dtype=bool)
    found: Bool = ~np.isin(view.snapshot._nodes.datasets_of(nodes), np.fromiter(gone, dtype=np.int64))
    return found


def _absent(instant: Instant) -> frozenset[int]:
    """Nodes of which all that is told is told later; a node with several names is there when one of them is."""
    snapshot = instant.snapshot
    later = {row[0] for row in instant.store.rows(_LATER, {"at": snapshot.as_of, "known": snapshot.known_at})}
    nodes = {i for i in map(snapshot.index, later) if i is not None}
    grouped = instant.grouped
    return frozenset(i for i in nodes if i not in grouped or _none_before(instant, i, later))


def _none_before(instant: Instant, node: int, later: set[int]) -> bool:
    """Whether of no name of a node anything is told before."""
    others = [member for member in instant.snapshot.members(node) if member not in later]
    when = {"members": others, "known": instant.snapshot.known_at}
    return not others or not instant.store.rows(_OF_SOME, when)
