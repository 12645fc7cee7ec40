"""Owners that people named or took back between two instants, as differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lineage.differences import Cause, Difference
from lineage.owners.marks import statements

if TYPE_CHECKING:
    from lineage.view import View


def owner_changes(before: View, after: View, admits: Callable[..., bool]) -> Iterator[Difference]:
    """One difference per node whose owner by hand is another one, or none any more.

    Parameters
    ----------
    admits
        whether a change at a node (dense index of ``after``) is to be told.
    """
    old, new = (_held(view) for view in (before, after))
    for node in sorted(old.keys() | new.keys()):
        i = after.snapshot.index(node)
        was, now = old.get(node), new.get(node)
        if i is None or not admits(i) or (was and now and was[1] == now[1]):
            continue
        name = str((now or was or ("", ""))[1])
        cause = Cause("manual", at=now[5]) if now else Cause("taken back")
        yield Difference(
            "owner", "changed" if was and now else "added" if now else "removed", after.label(i), kind=after.kind(i),
            detail=name, before=was[1] if was else None, after=now[1] if now else None, cause=cause,
        )  # fmt: skip


def _held(view: View) -> dict[int, tuple[Any, ...]]:
    return {row[0]: row for row in statements(view.store, view.snapshot.as_of, view.snapshot.known_at)}
