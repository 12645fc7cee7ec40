"""The name that a renamed node would have, and whether something has it already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lineage.columns import absent_columns
from lineage.graph.arrays import COLUMN, JOB
from lineage.identity import node_id
from lineage.origin import ended_at

if TYPE_CHECKING:
    from lineage.change_effects import Change
    from lineage.graph import Snapshot
    from lineage.view import View

_LEAVING = ("drop", "retire", "rename")


def new_name(snapshot: Snapshot, node: int, to: str) -> str:
    """Name of a dataset or job after a rename, in its namespace; a word without a dot or slash is the last part.

    Parameters
    ----------
    snapshot
        where the node is.
    node
        dense index of a dataset or job.
    to
        what somebody typed: a whole name, a node text, or the last part of a name.
    """
    namespace, name = snapshot.namespace(node), snapshot.name(node)
    to = to.removeprefix("job:" if snapshot.kind[node] == JOB else "dataset:").removeprefix(f"{namespace}:")
    for mark in "./":
        if not set(to) & set("./:") and mark in name:
            to = name[: name.rindex(mark) + 1] + to
    return to


def taken(view: View, changes: Sequence[Change]) -> dict[int, str]:
    """Renames onto a name that something has already, as one sentence for each renamed node (dense index).

    What leaves its name in the same rehearsal is in nobody's way, and neither is a dataset that was dropped, or a
    column whose schema was. Columns are compared as databases do, without case.

    Parameters
    ----------
    view
        the instant, and the actor: a name that a hidden node has is taken, and no more is said of that node.
    changes
        all of them together.
    """
    leaving = {change.node for change in changes if change.action in _LEAVING}
    claimed: dict[tuple[int, str, str], int] = {}
    found = {}
    for change in changes:
        if change.action != "rename":
            continue
        key = _key(view.snapshot, change.node, (change.to or "").strip())
        first = claimed.setdefault(key, change.node)
        other = _holder(view, change.node, key)
        if first != change.node:
            found[change.node] = f"{view.label(change.node)}: {view.label(first)} is to have the name {key[2]} too"
        elif other is not None and other not in leaving:
            found[change.node] = f"{view.label(change.node)}: {_told(view, other, key[2])}"
    return found


def _key(snapshot: Snapshot, node: int, to: str) -> tuple[int, str, str]:
    """What two nodes may not share: kind or dataset, namespace, name."""
    if snapshot.kind[node] == COLUMN:
        return snapshot.dataset_of(node), "column", to.lower()
    kind = "job" if snapshot.kind[node] == JOB else "dataset"
    return -1, f"{kind}:{snapshot.namespace(node)}", new_name(snapshot, node, to)


def _holder(view: View, node: int, key: tuple[int, str, str]) -> int | None:
    """Another node that has the name, and is not over."""
    snapshot, (home, _, name) = view.snapshot, key
    if home >= 0:
        columns = [c for c in snapshot.columns_of(home).tolist() if c != node and snapshot.field(c).lower() == name]
        absent = absent_columns(view, [home]) if columns else ()
        return next((c for c in columns if c not in absent), None)
    kind = "job" if snapshot.kind[node] == JOB else "dataset"
    other = snapshot.index(node_id(kind, snapshot.namespace(node), name))
    return None if other is None or other == node or _over(view, other) else other


def _over(view: View, node: int) -> bool:
    """Whether a node had edges, and has none any more."""
    snapshot = view.snapshot
    beside = (snapshot.inputs(node), snapshot.outputs(node)) if snapshot.kind[node] == JOB else ()
    beside = beside or (snapshot.readers(node), snapshot.writers(node))
    edges = any(len(some) for some in beside) or snapshot.neighbours(node, "upstream")
    return not edges and not snapshot.neighbours(node, "downstream") and bool(ended_at(view, [node]))


def _told(view: View, other: int, name: str) -> str:
    if view.kind(other) == "column":
        return f"its dataset has a column {view.snapshot.field(other)} already, so the two would clash"
    if view.kind(other) == "job":
        return (
            f"there is a job of the name {name} already ({view.label(other)}), so their runs would become one history"
        )
    return f"there is a dataset of the name {name} already ({view.label(other)}), so the two would clash"
