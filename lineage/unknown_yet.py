"""Names of nodes that were not known yet, or not there yet, at the asked instant: that is said, not "no such node"."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lineage.errors import MeshlineError, NotYetKnownError
from lineage.partial import is_gathering, note
from lineage.presence import told_later
from lineage.times import iso

if TYPE_CHECKING:
    from lineage.view import View

_KNOWN = "SELECT min(known_from) FROM node WHERE id IN (SELECT unnest($ids::UBIGINT[]))"


def refuse_unknown_yet(view: View, resolve: Callable[[View], int]) -> None:
    """Refuse a name that means a node of now which was not known at the known time of a view; else do nothing.

    Parameters
    ----------
    view
        the asked instant, in which the name means nothing.
    resolve
        gives the dense index of what the name means in another view, or raises as :func:`lineage.resolve.resolve`.

    Raises
    ------
    NotYetKnownError
        with the time when it was first known. A node that the actor may not see, by its domain of now or by what
        domains were then, is as unknown as one that nobody ever told of.
    """
    if not view.past:
        return
    now = view.present
    try:
        node = resolve(now)
    except MeshlineError:
        return
    snapshot = now.snapshot
    home = snapshot.dataset_of(node) if now.kind(node) == "column" else node
    then = view.instant.domains.of(now.kind(home), now.instant.keys(home), ())
    if now.hidden(node) or not view.actor.may_see(then):
        return
    since = view.store.rows(_KNOWN, {"ids": snapshot.members(node)})[0][0]
    if since is None or since <= view.known_at:
        return
    raise NotYetKnownError(now.label(node), str(iso(view.known_at)), str(iso(since)))


def note_absent(view: View, node: int) -> int:
    """The node itself; whoever gathers notes (:mod:`lineage.partial`) is told when it was not there yet at the instant.

    For answers without a place of their own to say it.
    """
    if is_gathering() and view.past and not view.hidden(node):
        note(told_later(view, node))
    return node
