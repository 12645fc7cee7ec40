"""Stops of tags that began or ended between two instants, as differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lineage.differences import Cause, Difference
from lineage.stops.rows import Held, held, place

if TYPE_CHECKING:
    from lineage.view import View


def stop_changes(before: View, after: View, admits: Callable[..., bool]) -> Iterator[Difference]:
    """One difference of a dataset for each tag whose stop there, or at a column of it, came, went or is another one.

    Parameters
    ----------
    admits
        whether a change at a node (dense index of ``after``) is to be told.
    """
    old, new = _by_place(before, after), _by_place(after, after)
    for i, tag in sorted(old.keys() | new.keys()):
        was, now = old.get((i, tag)), new.get((i, tag))
        if not admits(i) or _said(was) == _said(now):
            continue
        cause = Cause("declared" if now.path else "manual", at=now.since) if now else Cause("taken back")
        column = after.kind(i) == "column"
        home = after.snapshot.dataset_of(i) if column else i
        what = f"{tag or 'every tag'}{f' at {after.snapshot.field(i)}' if column else ''}"
        yield Difference(
            "stop", "changed" if was and now else "added" if now else "removed", after.label(home),
            kind=after.kind(i), detail=what, before=_said(was), after=_said(now), cause=cause,
        )  # fmt: skip


def _by_place(view: View, names: View) -> dict[tuple[int, str], Held]:
    """Stops of a view by node (dense index of ``names``) and tag; of several the last by id."""
    found = {}
    for one in held(view.instant):
        i = place(names.instant, one.node, one.subject)
        if i is not None:
            found[i, one.tag] = one
    return found


def _said(one: Held | None) -> str | None:
    return None if one is None else f"{one.approver}: {one.reason}"
