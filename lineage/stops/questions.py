"""``lx.stops``: where a tag does not go on, asked for, approved by somebody else, ended.

They come from files (``stops/*.yaml``) and from requests that somebody else approved; who asked never approves. A stop
is about the tag on its way: a source keeps the tag it was given, and what follows from a source behind the stop stays.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from lineage.actor import LOCAL, Actor, same_person
from lineage.asking import When, naive_time
from lineage.audit import check_reason
from lineage.errors import MeshlineError, UsageError, repeated
from lineage.policies.moment import moment
from lineage.shown import Shown
from lineage.stops.rows import Wish, acts, place, versions, write_decision, write_end, write_request
from lineage.times import OPEN_END, utcnow

if TYPE_CHECKING:
    from lineage.engine import Lineage
    from lineage.view import View

EVERY = "every tag"
State = Literal["requested", "refused", "ahead", "holds", "nowhere", "ended"]


class UnknownStopError(MeshlineError):
    """No stop or request has this id."""

    exit_code = 2
    status = 404


@dataclass(frozen=True, slots=True)
class StopRow:
    """One stop or request for one.

    ``state``: requested, refused, ahead (approved, it begins later), holds, nowhere (it would hold, and stops nothing:
    no node, or more than one, is called like this), ended. ``tag`` is a whole tag
    (``pii:email``), a key (``pii``) or ``None`` for every tag. ``since`` is ``None`` for a request that is to hold from
    its approval on, ``until`` where there is no end. ``path`` is the file that declares it, empty when somebody asked.
    """

    id: str
    state: State
    node: str
    tag: str | None
    requester: str
    approver: str | None
    reason: str
    since: datetime | None
    until: datetime | None
    path: str = ""


@dataclass(frozen=True, slots=True)
class StopList(Shown):
    """Answer of ``stops list``."""

    stops: tuple[StopRow, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "state", "node", "tag", "requester", "approver", "since", "until", "reason")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per stop and request."""
        return [
            (s.id, s.state, s.node, s.tag or EVERY, s.requester, s.approver, s.since, s.until, s.reason)
            for s in self.stops
        ]

    def title(self) -> str:
        """How many hold."""
        lost = sum(one.state == "nowhere" for one in self.stops)
        hold = f"{len(self.stops)} stops and requests, {sum(one.state == 'holds' for one in self.stops)} hold"
        return f"{hold}, {lost} at nodes that are not there" if lost else hold


class Stops:
    """Stops and requests for them; acts need a database that is open for writing.

    ``actor`` is who acts; each act is kept in the audit log.
    """

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def list(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> StopList:
        """Stops that hold, held or are ahead, and open and refused requests; nothing of what the actor may not see."""
        view = self._lineage.view(as_of, known_at, actor)
        return StopList(stops_at(view), moment(view), view.known_at)

    def request(
        self,
        node: str,
        reason: str,
        *,
        tag: str | None = None,
        start: When = None,
        until: When = None,
        actor: Actor = LOCAL,
    ) -> StopRow:
        """Ask that a tag does not go into a dataset or column, and so not beyond it. Nothing stops before somebody
        else has approved it.

        Parameters
        ----------
        node
            a dataset, which stands for all its columns, or a column.
        reason
            why: masked in a way that lineage does not tell, aggregated, …
        tag
            a whole tag (``pii:email``), a key (``pii``: every value of it); default: every tag.
        start, until
            from when on, before when; default: from the approval on, without an end.

        Raises
        ------
        UnknownNodeError, UnknownTagError
            when there is no such node, or nothing that the actor may see carries such a tag; both name what comes near.
        HiddenNodeError
            when the actor may not see the node.
        UsageError
            for a job, without a reason, or when the end is past or before the beginning.
        """
        from lineage.resolve import resolve
        from lineage.tags import require_tag

        check_reason(reason)
        if tag is not None and (not isinstance(tag, str) or not tag.strip()):
            raise UsageError(f"tag: {tag!r} is no tag; leave it out for every tag.")
        view, now = self._lineage.view(actor=actor), utcnow()
        i = resolve(view, node)
        view.require(i)
        if view.kind(i) == "job":
            raise UsageError(f"{view.label(i)} is a job; tags are on datasets and columns.")
        if tag is not None:
            require_tag(view, tag)
        begin, end = naive_time(start, "from"), naive_time(until, "until") or OPEN_END
        if end <= max(begin or now, now):
            raise UsageError("until: a stop ends after it begins, and not in the past.")
        name = f"s{secrets.token_hex(5)}"
        text = view.snapshot.text(i)
        wish = Wish(name, int(view.snapshot.ids[i]), text, tag or "", begin, end, actor.name, reason)
        write_request(self._lineage.store, wish, now)
        return self._one(name, actor)[0]

    def approve(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> StopRow:
        """Let the tag stop there; never by whom the request came from.

        Raises
        ------
        UnknownStopError
            when there is no such request.
        UsageError
            when the actor asked for it, it is no open request, or its end is past.
        """
        row, wish = self._request(name, actor)
        if same_person(row.requester, actor.name):
            raise UsageError(f"{actor.name} asked for {name} and cannot approve it; somebody else has to.")
        now = utcnow()
        if wish.expires <= now:
            raise UsageError(f"{name} was asked for until a time that is past.")
        return self._decided(wish, "approve", reason, actor, now)

    def refuse(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> StopRow:
        """Refuse a request.

        Raises
        ------
        UnknownStopError
            when there is no such request.
        UsageError
            when it is no open request.
        """
        return self._decided(self._request(name, actor)[1], "refuse", reason, actor, utcnow())

    def revoke(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> StopRow:
        """End a stop now: from here on the tag goes on. Answers as of before, or as known before, are what they were.

        Raises
        ------
        UnknownStopError
            when there is no such stop.
        UsageError
            when it neither holds nor is ahead, or a file declares it.
        """
        row, wish = self._one(name, actor)
        check_reason(reason, needed=False)
        if row.state not in ("holds", "nowhere", "ahead"):
            raise UsageError(f"{name} is {row.state}; only a stop that holds or is ahead can be revoked.")
        if row.path:
            raise UsageError(f"{name} is declared in {row.path}; take the file away and apply, or it comes back.")
        if not write_end(self._lineage.store, wish, reason, actor.name, utcnow()):
            raise UsageError(f"{name} was ended meanwhile.")
        self._again(actor)
        return self._one(name, actor)[0]

    def _request(self, name: str, actor: Actor) -> tuple[StopRow, Wish]:
        row, wish = self._one(name, actor)
        if row.state != "requested":
            raise UsageError(f"{name} is no open request: it {'holds' if row.state == 'holds' else f'is {row.state}'}.")
        return row, wish

    def _decided(self, wish: Wish, act: str, reason: str, actor: Actor, now: datetime) -> StopRow:
        check_reason(reason, needed=False)
        if not write_decision(self._lineage.store, wish, act, reason, actor.name, now):
            raise UsageError(f"{wish.name} was decided meanwhile.")
        if act == "approve":
            self._again(actor)
        return self._one(wish.name, actor)[0]

    def _again(self, actor: Actor) -> None:
        """What the policies about tags say now, where their results are kept."""
        from lineage.stops.policies import record_again

        record_again(self._lineage, actor)

    def _one(self, name: str, actor: Actor) -> tuple[StopRow, Wish]:
        for row, wish in _found(self._lineage.view(actor=actor)):
            if row.id == name:
                return row, wish
        raise UnknownStopError(f"There is no stop or request “{repeated(str(name))}”. meshline stops list names them.")


def stops_at(view: View) -> tuple[StopRow, ...]:
    """Stops and requests as of a view, those that the actor may see."""
    return tuple(row for row, _ in _found(view))


# -- inside


def _found(view: View) -> list[tuple[StopRow, Wish]]:
    """Stops and requests that may be shown, each with what it asks for."""
    at = moment(view)
    found: list[tuple[StopRow, Wish]] = []
    for name, node, subject, tag, requester, approver, reason, begin, end, path in versions(view, at):
        i = place(view.instant, node, subject)
        text = _text(view, i, subject)
        now: State = "holds" if i is not None else "nowhere"
        state: State = "ahead" if begin > at else now if end > at else "ended"
        if text is not None:
            row = StopRow(name, state, text, tag or None, requester, approver, reason, begin, _end(end), path)
            found.append((row, Wish(name, node, subject, tag, begin, end, requester, reason)))
    found += _asked(view, at, {row.id for row, _ in found})
    return sorted(found, key=lambda one: (one[0].node, one[0].tag or "", one[0].since or at, one[0].id))


def _asked(view: View, at: datetime, approved: set[str]) -> list[tuple[StopRow, Wish]]:
    """Requests that are open or were refused, and stops that were ended before they began."""
    last: dict[str, tuple[str, str]] = {}
    wishes: dict[str, Wish] = {}
    for name, act, node, subject, tag, starts, expires, reason, actor, _ in acts(view, at):
        if act == "request":
            wishes[name] = Wish(name, node, subject, tag, starts, expires, actor, reason)
        last[name] = (act, actor if act == "approve" else last.get(name, ("", ""))[1])
    found = []
    for name, wish in wishes.items():
        text = _text(view, place(view.instant, wish.node, wish.subject), wish.subject)
        if name not in approved and text is not None:
            act, approver = last[name]
            state: State = "requested" if act == "request" else "refused" if act == "refuse" else "ended"
            row = StopRow(
                name, state, text, wish.tag or None, wish.requester, approver or None, wish.reason, wish.starts,
                _end(wish.expires),
            )  # fmt: skip
            found.append((row, wish))
    return found


def _text(view: View, i: int | None, subject: str) -> str | None:
    """How the node of a stop is named; ``None`` when the actor may not see it, or cannot be shown to be allowed to."""
    if i is None:
        return None if view.restricted else subject
    return None if view.hidden(i) else view.label(i)


def _end(at: datetime) -> datetime | None:
    return None if at >= OPEN_END else at
