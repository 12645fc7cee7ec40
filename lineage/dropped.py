"""Which datasets were dropped, and of which nothing was told since: they are history, though their facets still stand.

A drop is a turn in the life of a dataset, told by a run (often of another job than those that write it) or by a
declaration. What is told of the dataset at a later time makes it again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.times import iso

if TYPE_CHECKING:
    from lineage.graph import Snapshot
    from lineage.store import Store
    from lineage.view import View

_DROPS = """
-- last drop of each dataset that was dropped by T, as known at K
SELECT dataset, max(turned_at) FROM turn
WHERE successor IS NULL AND turned_at <= $at AND known_from <= $known AND known_to > $known
  AND ($members IS NULL OR list_contains($members::UBIGINT[], dataset))
GROUP BY dataset
"""
_TOLD = """
-- last time until T that a run or a declaration began to tell of some datasets, as known at K
SELECT entity, max(told_at) FROM (
  SELECT dataset AS entity, seen_at AS told_at FROM run_io
  WHERE dataset IN (SELECT unnest($members::UBIGINT[])) AND seen_at <= $at
    AND known_from <= $known AND known_to > $known
  UNION ALL
  SELECT entity, event_time FROM declaration
  WHERE entity IN (SELECT unnest($members::UBIGINT[])) AND event_time <= $at AND known_from <= $known AND NOT dropped
) GROUP BY entity
"""


def dropped(store: Store, snapshot: Snapshot, nodes: Collection[int] | None = None) -> dict[int, datetime]:
    """When each dataset that is dropped at the instant of a snapshot was dropped.

    Parameters
    ----------
    nodes
        dense indices of the datasets to look at; ``None`` for all.

    Returns
    -------
    dict
        by dense index of the dataset (a drop under any of its names counts), naive UTC; without those of which anything
        was told after the drop.
    """
    when = {"at": snapshot.as_of, "known": snapshot.known_at}
    asked = None if nodes is None else [member for i in nodes for member in snapshot.members(i)]
    drops: dict[int, datetime] = {}
    for dataset, at in store.rows(_DROPS, {**when, "members": asked}):
        i = snapshot.index(dataset)
        if i is not None:
            drops[i] = max(at, drops.get(i, at))
    if not drops:
        return {}
    members = {member: i for i in drops for member in snapshot.members(i)}
    told = store.rows(_TOLD, {**when, "members": list(members)})
    again = {members[entity] for entity, at in told if at > drops[members[entity]]}
    return {i: at for i, at in drops.items() if i not in again}


def dropped_at(view: View, node: int) -> datetime | None:
    """When a dataset that is dropped at the instant was dropped; of a column its dataset counts; ``None``: it is not.

    Parameters
    ----------
    view
        the instant.
    node
        dense index.
    """
    snapshot = view.snapshot
    home = snapshot.dataset_of(node) if snapshot.kind[node] == 2 else node
    return dropped(view.store, snapshot, [home]).get(home)


def dropped_notes(view: View, nodes: Collection[int]) -> list[str]:
    """That datasets, or those of columns, are dropped at the instant, and since when: nothing can use them any more.

    ``nodes`` are dense indices; jobs have no such note, nor has what is hidden.
    """
    seen = [i for i in nodes if view.kind(i) != "job" and not view.hidden(i)]
    homes = {view.snapshot.dataset_of(i) if view.kind(i) == "column" else i for i in seen}
    gone = dropped(view.store, view.snapshot, sorted(homes)) if homes else {}
    return [f"{view.label(i)}: was dropped at {iso(at)}" for i, at in sorted(gone.items())]
