"""Edges by hand: edges that nobody observed, and observed ones that are wrong (``lx.edges``).

An edge by hand is certain, has the provenance ``manual`` and ends only by hand. A refuted edge stays in the store and
is shown as refuted, but no walk follows it, nor the column edges between the two datasets.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.asking import When, naive_time
from lineage.errors import UsageError
from lineage.hand.marks import Identifier, Mark, as_marks, close, pair, said, say
from lineage.shown import Shown
from lineage.times import utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.view import View


@dataclass(frozen=True, slots=True)
class EdgeMarks(Shown):
    """What people said of edges."""

    marks: tuple[Mark, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("from", "to", "mark", "actor", "reason", "valid_from", "said_at")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per statement."""
        return [(m.left, m.right, m.sort, m.actor, m.reason, m.valid_from, m.since) for m in self.marks]

    def title(self) -> str:
        """How many there are."""
        return f"{len(self.marks)} statements about edges"


class Edges:
    """Questions and acts about edges by hand; acts need a database that is open for writing."""

    def __init__(self, lx: Lineage) -> None:
        self._lx = lx

    def list(self, *, known_at: When = None, actor: Actor = LOCAL) -> EdgeMarks:
        """Every statement that holds."""
        return EdgeMarks(as_marks(self._lx.view(known_at=known_at, actor=actor), "edge_mark"))

    def add(self, source: str, target: str, *, reason: str, since: When = None, actor: Actor = LOCAL) -> EdgeMarks:
        """Say that data flows from one dataset to another; an edge that was called wrong holds again instead.

        Parameters
        ----------
        since
            from when on; default: now.

        Raises
        ------
        UsageError
            when it was said before, or no reason is given.
        """
        view, one, other = self._pair(source, target, actor)
        texts, by = (one.text, other.text), actor.name
        refuted = _open(view, one, other, "refuted")
        if refuted:
            close(view.store, "edge_mark", refuted, actor=by, reason=reason, action="edge.lift", texts=texts)
        elif _open(view, one, other, "manual"):
            raise UsageError(f"The edge from {one.text} to {other.text} was added by hand already.")
        else:
            now = utcnow()
            say(
                view.store, "edge_mark", [(one.id, other.id)], "manual", actor=by, reason=reason, action="edge.add",
                texts=texts, valid_from=naive_time(since, "since") or now, now=now,
            )  # fmt: skip
        return self.list(actor=actor)

    def remove(self, source: str, target: str, *, reason: str, actor: Actor = LOCAL) -> EdgeMarks:
        """Take back an edge that was added by hand, or say that an observed one is wrong; :meth:`add` undoes that.

        Raises
        ------
        UsageError
            when there is no such edge, or no reason is given.
        """
        view, one, other = self._pair(source, target, actor)
        texts, by = (one.text, other.text), actor.name
        manual = _open(view, one, other, "manual")
        if manual:
            close(view.store, "edge_mark", manual, actor=by, reason=reason, action="edge.remove", texts=texts)
            return self.list(actor=actor)
        i, j = view.snapshot.index(one.id), view.snapshot.index(other.id)
        assert i is not None and j is not None
        if not any(edge.dst == j for edge in view.snapshot.neighbours(i, "downstream")):
            raise UsageError(f"There is no edge from {one.text} to {other.text}.")
        pairs = [*product(view.snapshot.members(i), view.snapshot.members(j))]  # under whichever name it was told
        say(view.store, "edge_mark", pairs, "refuted", actor=by, reason=reason, action="edge.refute", texts=texts)
        return self.list(actor=actor)

    def _pair(self, source: str, target: str, actor: Actor) -> tuple[View, Identifier, Identifier]:
        view = self._lx.view(actor=actor)
        return view, *pair(view, source, target)


def _open(view: View, one: Identifier, other: Identifier, sort: str) -> list[tuple[int, int, str]]:
    """Open statements about the edge, under any name of its ends."""
    ends = [{end.id, *(view.snapshot.members(i) if (i := view.snapshot.index(end.id)) is not None else ())}
            for end in (one, other)]  # fmt: skip
    rows = said(view.store, "edge_mark")
    return [(src, dst, mark) for src, dst, mark, *_ in rows if src in ends[0] and dst in ends[1] and mark == sort]
