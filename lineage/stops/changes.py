"""Stops of tags that began or ended between two instants, as differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from lineage.differences import UNKNOWN, Cause, Difference
from lineage.stops.rows import Held, held, place

if TYPE_CHECKING:
    from lineage.diff_causes import Causes
    from lineage.view import View


_ENDED = """
-- when one stop ended, by its own end or because somebody took it back, as known at K
SELECT least(valid_to, expires), valid_to < expires, known_from FROM tag_stop
WHERE name = $name AND valid_from = $since AND known_from <= $known AND known_to > $known
  AND least(valid_to, expires) <= $at
ORDER BY known_from DESC LIMIT 1
"""
_UNLEARNED = """
-- when one stop was taken back before it began, so that no version of it is known any more at K
SELECT max(known_to) FROM tag_stop WHERE name = $name AND valid_from = $since AND known_to <= $known
"""


def stop_changes(before: View, after: View, admits: Callable[..., bool], causes: Causes) -> Iterator[Difference]:
    """One difference of a dataset for each tag whose stop there, or at a column of it, came, went or is another one.

    Parameters
    ----------
    admits
        whether a change at a node (dense index of ``after``) is to be told.
    causes
        looks up who did what when.
    """
    old, new = _by_place(before, after), _by_place(after, after)
    for i, tag in sorted(old.keys() | new.keys()):
        was, now = old.get((i, tag)), new.get((i, tag))
        if not admits(i) or _said(was) == _said(now):
            continue
        cause = _begun(now) if now else _ended(after, was, causes) if was else UNKNOWN
        column = after.kind(i) == "column"
        home = after.snapshot.dataset_of(i) if column else i
        what = f"{tag or 'every tag'}{f' at {after.snapshot.field(i)}' if column else ''}"
        yield Difference(
            "stop", "changed" if was and now else "added" if now else "removed", after.label(home),
            kind=after.kind(i), detail=what, before=_said(was), after=_said(now), cause=cause,
        )  # fmt: skip


def _begun(one: Held) -> Cause:
    """The file that declares a stop, or who approved it."""
    if one.path:
        return Cause("declared", at=one.since, file=one.path)
    return Cause("manual", at=one.since, by=one.approver)


def _ended(after: View, one: Held, causes: Causes) -> Cause:
    """Who took a stop back, by hand or with its file, and when; or that its time was over."""
    when = {"name": one.name, "since": one.since, "known": after.snapshot.known_at}
    rows = after.store.rows(_ENDED, {**when, "at": after.instant.clock})
    if rows and not rows[0][1]:
        return Cause("expired", at=rows[0][0], by=None if one.path else one.approver, file=one.path or None)
    at = rows[0][2] if rows else next((at for (at,) in after.store.rows(_UNLEARNED, when) if at), None)
    if at is None:
        return UNKNOWN
    found = causes.taken_back(at, "tag_stop." if one.path else "stop.")
    return replace(found, at=rows[0][0] if rows else at, file=one.path or None)


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
