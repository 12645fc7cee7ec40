"""Whether a node was there at an instant: what was told of it until then, and since when anything was.

A snapshot has every node that was known, whatever instant of valid time it is of: its edges tell what held then. So a
node that is first told of later looks like one that nobody connects, and "nothing is seen to use it" would be said of
something that did not exist. Here the two are told apart, and everything that counts or lists nodes asks here (through
:meth:`lineage.view.View.nodes`), so that no two answers about an instant contradict each other. A dataset or job is
there from the first thing that was told of it on (a run, a declaration, an edge, a facet, a test, another name), a
column from its dataset's. Of a node that is only named nothing is dated, so nobody can say that it was not there; but
before the first thing that was told at all (:mod:`lineage.beginning`) nothing was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from lineage.arrow import numbers
from lineage.beginning import beginning
from lineage.graph.arrays import COLUMN, I64, U64
from lineage.times import iso, microseconds

if TYPE_CHECKING:
    from lineage.graph import Snapshot
    from lineage.graph.arrays import U32, Bool
    from lineage.store import Store
    from lineage.view import Instant, View

_TOLD = """
-- first time anything was told of each dataset or job, as known at K
SELECT entity, min(told_at) AS told_at FROM (
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
_OF_ALL = f"SELECT entity, epoch_us(told_at) AS told_us FROM ({_TOLD} WHERE entity IS NOT NULL GROUP BY entity)"  # noqa: S608
_NEVER = np.iinfo(np.int64).max
_ALWAYS = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class FirstTold:
    """First time that anything was told of each dataset and job, as known at one time: read once for many instants.

    ``ids`` are node ids, ``told`` microseconds since 1970, ``begin`` the same of all that was told: before it nothing
    was there.
    """

    ids: U64
    told: I64
    begin: int

    @classmethod
    def read(cls, store: Store, known: datetime) -> FirstTold:
        """What a store tells, as known at a time (naive UTC)."""
        table = store.arrow(_OF_ALL, {"known": known})
        first = beginning(store, known).told
        return cls(
            numbers(table.column("entity")).astype(np.uint64),
            numbers(table.column("told_us")).astype(np.int64),
            _ALWAYS if first is None else microseconds(first),
        )

    def by_node(self, snapshot: Snapshot) -> I64:
        """The same by dense index of datasets and jobs: of a node with several names that which was told first."""
        found: I64 = np.full(snapshot._nodes.first_column, _NEVER, dtype=np.int64)
        at = snapshot.indices(self.ids)
        inside = (at >= 0) & (at < len(found))
        np.minimum.at(found, at[inside], self.told[inside])
        found[found == _NEVER] = _ALWAYS  # only named
        return np.maximum(found, self.begin)


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
        naive UTC; ``None`` when the node was there. Of one of which nothing is dated, when anything was told at all.
    """
    if not view.past:
        return None
    snapshot = view.snapshot
    home = snapshot.dataset_of(node) if snapshot.kind[node] == COLUMN else node
    when = {"members": snapshot.members(home), "known": snapshot.known_at}
    first = min(
        (at for _, at in view.store.rows(_OF_SOME, when)), default=beginning(view.store, snapshot.known_at).told
    )
    return first if first is not None and first > snapshot.as_of else None


def told_later(view: View, node: int) -> list[str]:
    """That a node was not there yet, as a blind spot; empty when it was."""
    first = not_yet(view, node)
    if first is None:
        return []
    return [f"{view.label(node)}: was not there yet at {iso(view.as_of)}; it is first told of at {iso(first)}"]


def first_told(instant: Instant) -> I64:
    """First time that anything was told of each dataset and job, by dense index; microseconds since 1970."""
    return instant.remember(
        "first told", lambda: FirstTold.read(instant.store, instant.snapshot.known_at).by_node(instant.snapshot)
    )


def here(instant: Instant) -> Bool:
    """Of each dataset and job (dense index) whether it was there; at an instant of now everything is."""
    if not instant.dated:
        return np.ones(instant.snapshot._nodes.first_column, dtype=bool)
    return instant.remember("there", lambda: first_told(instant) <= microseconds(instant.snapshot.as_of))


def absent(instant: Instant) -> frozenset[int]:
    """Dense indices of the datasets and jobs that were not there yet at the instant."""
    if not instant.dated:
        return frozenset()
    return instant.remember("not there yet", lambda: frozenset(np.flatnonzero(~here(instant)).tolist()))


def there(instant: Instant, nodes: U32) -> Bool:
    """Of each of some nodes (dense indices) whether it was there; of a column its dataset counts."""
    if not absent(instant):
        return np.ones(len(nodes), dtype=bool)
    found: Bool = here(instant)[instant.snapshot._nodes.datasets_of(np.asarray(nodes, dtype=np.uint32))]
    return found


def of_kind(instant: Instant, *kinds: int) -> I64:
    """Dense indices, rising, of the nodes of some kinds that were there.

    Parameters
    ----------
    kinds
        ``DATASET``, ``JOB``, ``COLUMN`` of :mod:`lineage.graph.arrays`.
    """
    found: I64 = np.flatnonzero(np.isin(instant.snapshot.kind, kinds))
    return found[there(instant, found.astype(np.uint32))] if absent(instant) else found
