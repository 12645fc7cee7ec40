"""``lx.owners``: who owns datasets and jobs by what people said; acts need a database that is open for writing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.asking import When, naive_time
from lineage.audit import check_reason
from lineage.errors import UsageError
from lineage.owners.marks import open_statements, say, statements
from lineage.shown import Shown
from lineage.times import iso, utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.view import View

LONGEST = 200  # characters of an owner's name


@dataclass(frozen=True, slots=True)
class OwnerMark:
    """One statement. ``told`` is the owner that events tell, which it goes before; ``None``: they tell none."""

    node: str
    owner: str
    told: str | None
    actor: str
    reason: str
    valid_from: datetime
    since: datetime  # when it was said


@dataclass(frozen=True, slots=True)
class OwnerMarks(Shown):
    """Owners that people named and that hold."""

    marks: tuple[OwnerMark, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("node", "owner", "told", "actor", "reason", "valid_from", "said_at")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per statement."""
        return [(m.node, m.owner, m.told, m.actor, m.reason, m.valid_from, m.since) for m in self.marks]

    def title(self) -> str:
        """How many there are."""
        return f"{len(self.marks)} owners named by hand"


class Owners:
    """Questions and acts about owners by hand."""

    def __init__(self, lx: Lineage) -> None:
        self._lx = lx

    def list(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> OwnerMarks:
        """Every statement that holds, the newest first; those about hidden nodes are left out."""
        view = self._lx.view(as_of, known_at, actor)
        found: dict[int, OwnerMark] = {}
        for node, owner, by, reason, valid_from, since in statements(
            view.store, view.snapshot.as_of, view.snapshot.known_at
        ):
            i = view.snapshot.index(node)
            if i is not None and not view.hidden(i):
                told = view.instant.told_owner(i)
                found[i] = OwnerMark(view.label(i), owner, told, by, reason, valid_from, since)
        marks = sorted(found.values(), key=lambda one: (one.since, one.node), reverse=True)
        return OwnerMarks(tuple(marks), view.as_of, view.known_at)

    def set(
        self, node: str, owner: str, *, reason: str, since: When = None, actor: Actor = LOCAL,
        now: datetime | None = None,
    ) -> OwnerMarks:  # fmt: skip
        """Say who owns a dataset or job, whatever events tell.

        Parameters
        ----------
        owner
            a person or a team, for instance ``team:sales-data``.
        since
            from when on, not later than now; default: now.

        Raises
        ------
        UsageError
            for a column, an empty owner or reason, a time to come, or when this owner was named already.
        HiddenNodeError
            when the actor may not see the node.
        """
        name, moment = owner.strip(), now or utcnow()
        if not name or len(name) > LONGEST or not name.isprintable():
            raise UsageError(f"owner: a name of 1 to {LONGEST} printable characters is wanted.")
        begin = naive_time(since, "since") or moment
        if begin > moment:
            raise UsageError(f"since: {iso(begin)} is yet to come; owners are named from now or before.")
        view, members, text = self._node(node, actor)
        check_reason(reason)
        held = open_statements(view.store, members)
        if any(row[1] == name and row[4] <= begin for row in held):
            raise UsageError(f"{text}: {name} was named as its owner already.")
        if any(row[4] > begin for row in held):
            raise UsageError(f"{text}: since: another owner was named from {iso(held[-1][4])} on; say a later time.")
        say(view.store, members, name, text=text, actor=actor.name, reason=reason, since=begin, now=moment)
        return self.list(actor=actor)

    def clear(self, node: str, *, reason: str, actor: Actor = LOCAL, now: datetime | None = None) -> OwnerMarks:
        """Take back what was said by hand: from now on the owner is whom events tell.

        Raises
        ------
        UsageError
            when nobody was named by hand, or no reason is given.
        """
        view, members, text = self._node(node, actor)
        check_reason(reason)
        if not open_statements(view.store, members):
            raise UsageError(f"{text}: nobody was named as its owner by hand.")
        moment = now or utcnow()
        say(view.store, members, None, text=text, actor=actor.name, reason=reason, since=moment, now=moment)
        return self.list(actor=actor)

    def _node(self, node: str, actor: Actor) -> tuple[View, tuple[int, ...], str]:
        """The ids of all names of a node, the preferred one first."""
        from lineage.resolve import resolve

        view = self._lx.view(actor=actor)
        i = resolve(view, node)
        view.require(i)
        if view.kind(i) == "column":
            raise UsageError(f"{view.label(i)} is a column; its owner is that of its dataset.")
        first = int(view.snapshot.ids[i])
        return view, tuple(dict.fromkeys((first, *map(int, view.snapshot.members(i))))), view.label(i)
