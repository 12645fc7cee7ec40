"""Policies that a change of nodes would newly violate: drop, rename, retype, retire, late.

The views of the policies are filled twice: from the mesh as it is, and from the mesh as it would be
(:mod:`lineage.contracts.thought`). When something is dropped that others read, a third time: with its readers taking
what it was made of instead, which is what they will do when a step is gone that masked something.

What policies cannot judge is told with them: nobody knows which other ways the readers of what is dropped will find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lineage.contracts.newly import ROWS, Clash, State, newly, policies_for
from lineage.contracts.thought import World, removed, respelled, thought_away
from lineage.graph.arrays import COLUMN, DATASET
from lineage.graph.without import without

if TYPE_CHECKING:
    from lineage.change_effects import Change
    from lineage.view import View

_AROUND = "its readers take what it was made of instead"
_EVERY = ("asset", "asset_column", "column_tag", "edge", "column_edge", "contract", "access", "test", "product")
_SEEN: Mapping[str, Mapping[str, set[str]]] = {
    "retype": {"contract": {"schema_kept"}},
    "late": {"asset": {"last_written"}},
    "column": {"asset_column": {ROWS}, "column_tag": {ROWS}, "column_edge": {ROWS}, "test": {ROWS},
               "contract": {"schema_kept"}, "asset": {"tests"}},
}  # fmt: skip


def node_clashes(
    view: View, changes: Sequence[Change], products: Sequence[str] = ()
) -> tuple[tuple[Clash, ...], tuple[str, ...]]:
    """What policies would newly say, and what they could not judge.

    Parameters
    ----------
    view
        the instant, and the actor: what he may not see is not told.
    changes
        all of them together.
    products
        ids of products that retire with these nodes.
    """
    from lineage.policies.evaluate import sandbox_for
    from lineage.policies.views import fill

    drops = any(change.action in ("drop", "retire") for change in changes)
    passable = without(view.snapshot, removed(changes), around=True) if drops else None
    altered = _altered(view, changes, around=passable is not None)
    chosen, needed = policies_for(view, altered)
    if not chosen:
        return (), tuple(_unjudged(view, changes, around=False))
    with sandbox_for(chosen) as sandbox:
        before = fill(view, needed)
        worlds = [(thought_away(view, changes, products, without(view.snapshot, removed(changes))), "")]
        if passable is not None:
            worlds.append((thought_away(view, changes, products, passable), _AROUND))
        states = [_state(world, before, needed & altered.keys(), given) for world, given in worlds]
        found, errors = newly(view, chosen, before, states, sandbox)
    return found, (*errors, *_unjudged(view, changes, around=len(states) > 1))


# -- inside


def _altered(view: View, changes: Sequence[Change], *, around: bool) -> dict[str, set[str]]:
    """Columns that may differ by view."""
    found: dict[str, set[str]] = {}
    for change in changes:
        column = view.snapshot.kind[change.node] == COLUMN
        places = _SEEN.get("column" if column and change.action not in _SEEN else change.action)
        if places is None or around:
            return {name: {ROWS} for name in _EVERY}
        for place, columns in places.items():
            found.setdefault(place, set()).update(columns)
    return found


def _state(world: World, before: dict[str, object], places: set[str], given: str) -> State:
    from lineage.policies.views import fill

    again = fill(world.view, places, world.thought)
    tables = {**before, **{name: again[name] for name in places}}
    return State(world.view, respelled(tables, world.renamed), given, {m.old: m.new for m in world.renamed})


def _unjudged(view: View, changes: Sequence[Change], *, around: bool) -> list[str]:
    """What policies have nothing to say of, one sentence a change."""
    notes = []
    for change in changes:
        label = view.label(change.node)
        if change.action == "rename":
            told = "judged as if who writes and reads it goes on under the new name, contracts and waivers do not"
        elif change.action == "retype":
            told = "of a type they see only whether contracts are kept"
        elif change.action == "late":
            told = "they see a delay only as an older last write"
        elif not _read(view, change.node):
            continue
        elif around:
            told = (
                "judged without it, and with its readers on what it was made of; other ways they may take are unknown"
            )
        else:
            told = "judged without it; what its readers will take instead is unknown"
        notes.append(f"policies on {label}: {told}")
    return notes


def _read(view: View, node: int) -> bool:
    """Whether anything comes out of a node."""
    snapshot = view.snapshot
    if snapshot.kind[node] == COLUMN:
        return any(edge.dst != node for edge in snapshot.neighbours(node, "downstream"))
    if snapshot.kind[node] != DATASET:
        return bool(len(snapshot.outputs(node)))
    return bool(len(snapshot.readers(node))) or any(e.dst != node for e in snapshot.neighbours(node, "downstream"))
