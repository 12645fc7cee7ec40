"""The question ``diff``: from what a person typed to two instants and a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.asking import naive_time
from lineage.beginning import nothing_yet
from lineage.diff import diff, scope_of
from lineage.differences import DiffAnswer
from lineage.errors import UnknownNodeError, UsageError
from lineage.presence import not_yet
from lineage.resolve import resolve
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.actor import Actor
    from lineage.asking import When
    from lineage.graph_questions import GraphQuestions
    from lineage.view import View

SIDES = ("upstream", "downstream", "both", "self")


def compare(
    lx: GraphQuestions, start: tuple[When, When], end: tuple[When, When], node: str | None, side: str, actor: Actor
) -> DiffAnswer:
    """Differences between two points (valid time, known time).

    Parameters
    ----------
    start, end
        valid and known time of each; ``None`` for now.
    node, side
        limit it to a node and what lies on one side of it at either point.

    Raises
    ------
    UsageError
        when a time is no time, the first point lies after the second, or the side does not exist.
    UnknownNodeError
        when the node is known at neither point.
    """
    if side not in SIDES:
        raise UsageError(f"side: “{side}” is none of {', '.join(SIDES)}.")
    names = (("from", "known-from"), ("to", "known-to"))
    points = [tuple(map(naive_time, point, name)) for point, name in zip((start, end), names, strict=True)]
    before, after = (lx.view(at, known, actor) for at, known in points)
    if points[0][1] is None and before.known_at > after.known_at:  # events become visible, and now is still before them
        before = lx.view(points[0][0], after.known_at, actor)
    for name, one, two in (("", before.as_of, after.as_of), ("known-", before.known_at, after.known_at)):
        if one > two:
            raise UsageError(f"{name}from ({iso(one)}) lies after {name}to ({iso(two)}); exchange them.")
    scope = label = found = None
    if node is not None:
        found = _find(before, after, node)
        scope, label = scope_of(before, after, found, side), after.label(found)
    changes, notes = diff(before, after, scope), _unknown(before, after, found)
    return DiffAnswer(
        from_time=before.as_of,
        to_time=after.as_of,
        known_from=before.known_at,
        known_to=after.known_at,
        node=label,
        side=side if node is not None else "",
        changes=changes,
        notes=(*notes, *(before.instant.horizon_notes or after.instant.horizon_notes)),
        verdict="differs" if changes else "unknown" if notes else "same",
    )


def _unknown(before: View, after: View, node: int | None) -> list[str]:
    """That at one time or both nothing was known yet: at all, or of the node (dense index of ``after``)."""
    early, late = nothing_yet(before), nothing_yet(after)
    if late and early:
        return [f"At both times {late}."]
    if early:
        return [
            f"At {iso(before.as_of)}, as known at {iso(before.known_at)}, {early}. What was told since counts as added."
        ]
    if node is None:
        return []
    label, there = after.label(node), before.snapshot.index(after.snapshot.members(node)[0])
    first = not_yet(before, there) if there is not None else None
    if there is None:
        return [f"{label}: was not known yet at {iso(before.known_at)}."]
    if not_yet(after, node) is not None:
        return [f"{label}: was not there yet at either time; it is first told of at {iso(first)}."]
    return [f"{label}: was not there yet at {iso(before.as_of)}; it is first told of at {iso(first)}."] if first else []


def _find(before: View, after: View, node: str) -> int:
    """The node in the later snapshot, also when only the earlier one gives its name a meaning."""
    try:
        return resolve(after, node)
    except UnknownNodeError:
        there = after.snapshot.index(before.snapshot.members(resolve(before, node))[0])
        if there is None:
            raise
        return there
