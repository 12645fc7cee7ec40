"""Incidents: streaks of failures, with what people did about them, under the most upstream cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lineage.audit import record
from lineage.errors import MeshlineError, UsageError
from lineage.quality.answers import Blast, Incident, IncidentAct, IncidentDetail, Incidents
from lineage.quality.odd import odd_streaks
from lineage.quality.services import service_streaks
from lineage.quality.streak import Streak, split
from lineage.quality.streaks import streaks
from lineage.store.version import bump_version

if TYPE_CHECKING:
    from lineage.view import View

ACTS = ("acknowledge", "assign", "mute", "resolve")
_ACTS = """
-- one act on one incident as known at K, in order
SELECT dataset, sort, field, name, began_at, act, actor, assignee, note, until, acted_at FROM incident_act
WHERE acted_at <= $known ORDER BY acted_at, act, actor
"""
_INSERT = "INSERT INTO incident_act VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SHOWN = 200  # names of a blast radius


class UnknownIncidentError(MeshlineError):
    """No incident, or more than one, has this id."""

    exit_code = 2
    status = 404


@dataclass(frozen=True, slots=True)
class _Act:
    key: tuple[int, str, str, str]
    began: datetime
    act: str
    actor: str
    assignee: str | None
    note: str
    until: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _Found:
    """One incident before it has words: a part of a streak, the dataset's dense index, its acts."""

    part: Streak
    node: int
    closed: datetime | None
    acts: tuple[_Act, ...]

    @property
    def ended(self) -> datetime | None:
        return self.closed or self.part.ended


def incidents(view: View, *, everything: bool = False, now: datetime | None = None) -> Incidents:
    """Incidents that are not resolved, or all; those of hidden datasets are left out.

    Parameters
    ----------
    everything
        also what is resolved.
    now
        decides what is late and which mutes have ended; default: the instant of the view.
    """
    moment = now or view.as_of
    found = [one for one in _all(view, moment) if everything or one.ended is None]
    causes = _causes(view, found)
    listed = [_words(view, one, causes[one.part.id], moment) for one in found]
    order = {"open": 0, "acknowledged": 1, "muted": 2, "resolved": 3}
    listed.sort(key=lambda i: (order[i.state], i.severity != "error", i.cause, i.began_at, i.id))
    return Incidents(tuple(listed), view.as_of, view.known_at)


@dataclass(frozen=True, slots=True)
class Times:
    """What figures need of one incident: no words."""

    id: str
    node: int  # dense index
    sort: str
    what: str
    began_at: datetime
    detected_at: datetime
    acknowledged_at: datetime | None
    ended_at: datetime | None
    repeated: bool  # the same check failed before


def times(view: View, since: datetime, told: Sequence[Streak] | None = None) -> list[Times]:
    """Incidents that began at or after a time, resolved or not, in the order in which they began.

    Parameters
    ----------
    told
        all streaks at the instant of the view, when they are known already.
    """
    found, seen = [], set()
    for one in sorted(_all(view, view.as_of, told), key=lambda one: one.part.began):
        part, what = one.part, _what(one.part)
        repeated = (one.node, part.sort, what) in seen
        seen.add((one.node, part.sort, what))
        if part.began >= since:
            first = part.failures[0]
            acked = next((a.at for a in one.acts if a.act == "acknowledge"), None)
            detected = max(first.at, min(first.known, view.as_of))
            found.append(Times(part.id, one.node, part.sort, what, part.began, detected, acked, one.ended, repeated))
    return found


def incident(
    view: View, id: str, *, now: datetime | None = None, then: Callable[[datetime], View] | None = None
) -> IncidentDetail:
    """One incident with its group, its blast radius and its acts.

    Parameters
    ----------
    then
        the view of another instant. With it the blast radius of a resolved incident is that of the moment it ended, so
        that it stays what it was whatever is built on the dataset later.

    Raises
    ------
    UnknownIncidentError
        when none has this id, or beginning of an id.
    """
    moment = now or view.as_of
    found = _all(view, moment)
    one = _find(found, id)
    beside = [other for other in found if _overlap(other, one)]
    causes = _causes(view, beside)
    words = _words(view, one, causes[one.part.id], moment)
    group = [o.part.id for o in beside if causes[o.part.id] == words.cause and o.part.id != words.id]
    acts = tuple(IncidentAct(a.at, a.actor, a.act, _note(a), a.until) for a in one.acts)
    return IncidentDetail(words, tuple(sorted(group)), _blast_of(view, one, then), acts)


def act(
    view: View,
    id: str,
    what: str,
    *,
    note: str = "",
    assignee: str | None = None,
    until: datetime | None = None,
    now: datetime,
) -> Incident:
    """Acknowledge, assign, mute or resolve an incident; the act goes to the audit log.

    Raises
    ------
    UnknownIncidentError
        when there is no such incident.
    UsageError
        when it is resolved already, a mute ends in the past, or nobody is named to assign it to.
    """
    one = _find(_all(view, now), id)
    if one.ended is not None:
        raise UsageError(f"{one.part.id} is resolved since {one.ended:%Y-%m-%d %H:%M}; nothing to do.")
    if what == "mute" and (until is None or until <= now):
        raise UsageError("A mute needs an end in the future: give --until or --days.")
    if what == "assign" and not (assignee or "").strip():
        raise UsageError("Name somebody to assign it to.")
    part, who = one.part, view.actor.name
    payload = {
        "node": view.label(one.node),
        "what": f"{part.sort} {part.name}",
        "note": note,
        "assignee": assignee or "",
    }
    with view.store.transaction() as cursor:
        cursor.execute(_INSERT, [part.id, *part.key, part.began, what, who, assignee, note, until, now])
        record(cursor, actor=who, action=f"incident.{what}", resource=part.id, payload=payload, at=now)
        bump_version(cursor)
    done = _Act(part.key, part.began, what, who, assignee, note, until, now)
    after = replace(one, acts=(*one.acts, done), closed=now if what == "resolve" else None)
    return _words(view, after, _causes(view, [after])[part.id], now)


def blast(view: View, node: int) -> Blast:
    """Who is hit when a node is wrong: what reads it, their products, owners and promises, and what all that costs."""
    from lineage.contracts.binding import bindings
    from lineage.contracts.conformance import ENFORCED, freshness_slas
    from lineage.contracts.periods import spoken
    from lineage.products import membership

    begin = view.snapshot.outputs(node).tolist() if view.kind(node) == "job" else [node]
    walked = view.snapshot.walk(begin, "downstream").nodes.tolist() if begin else []
    within = dict.fromkeys([*(begin if begin != [node] else ()), *walked])
    reached = [i for i in within if view.kind(i) == "dataset" and i != node and not view.hidden(i)]
    jobs = {j for i in [node, *reached] for j in view.snapshot.readers(i).tolist() if not view.hidden(j)}
    members, bound = membership(view.instant), bindings(view.instant).by_node
    promises = {
        f"{view.label(i)}: {one.contract.title} promises {sla.name} of {spoken(sla.seconds)}"
        for i in [node, *reached]
        for one in bound.get(i, ())
        if one.contract.status in ENFORCED
        for sla in freshness_slas(one)
        if sla.seconds is not None
    }
    cost, currency = _cost(view, node)
    owners = {view.owner(i) or f"domain {view.domain(i)}" for i in reached}
    return Blast(
        datasets=tuple(sorted(view.label(i) for i in reached)[:_SHOWN]),
        jobs=len(jobs),
        products=tuple(sorted({members[i] for i in [node, *reached] if i in members})),
        domains=tuple(sorted({view.domain(i) for i in reached})),
        owners=tuple(sorted(owners)),
        promises=tuple(sorted(promises)),
        cost=cost,
        currency=currency,
    )


# -- inside


def _blast_of(view: View, one: _Found, then: Callable[[datetime], View] | None) -> Blast:
    """Blast radius now, or of a resolved incident when it ended."""
    if then is None or one.ended is None or one.ended >= view.as_of:
        return blast(view, one.node)
    old = then(one.ended)
    node = old.snapshot.index(int(view.snapshot.ids[one.node]))
    return blast(view, one.node) if node is None else blast(old, node)


def _all(view: View, now: datetime, told: Sequence[Streak] | None = None) -> list[_Found]:
    acts: dict[tuple[int, str, str, str], list[_Act]] = {}
    for dataset, sort, field, name, began, what, actor, assignee, note, until, at in view.store.rows(
        _ACTS, {"known": view.known_at}
    ):
        key = (dataset, sort, field, name)
        acts.setdefault(key, []).append(_Act(key, began, what, actor, assignee, note or "", until, at))
    found = []
    if told is None:
        told = [*streaks(view, now), *service_streaks(view, now), *odd_streaks(view)]
    every = sorted(told, key=lambda one: (one.began, one.key))
    places = view.snapshot.indices([one.dataset for one in every]).tolist()
    for streak, node in zip(every, places, strict=True):
        if node < 0 or view.hidden(node):
            continue
        mine = [a for a in acts.get(streak.key, ()) if streak.began <= a.began <= (streak.ended or a.began)]
        for part, closed in split(streak, [a.at for a in mine if a.act == "resolve"]):
            last = part.failures[-1].at
            own = tuple(a for a in mine if part.began <= a.began <= max(last, part.began))
            found.append(_Found(part, node, closed, own))
    return found


def _find(found: Sequence[_Found], id: str) -> _Found:
    fits = [one for one in found if one.part.id == id] or [one for one in found if one.part.id.startswith(id)]
    if len(fits) != 1 or not id:
        what = "fits several incidents" if len(fits) > 1 and id else "is no incident"
        raise UnknownIncidentError(f"“{id}” {what}. List them with: meshline incidents list --all")
    return fits[0]


def _overlap(one: _Found, other: _Found) -> bool:
    """Whether two were open at one time, or began on one day."""
    far = timedelta(days=1)
    ends = [(o.part.began, o.ended or datetime.max) for o in (one, other)]  # noqa: DTZ901 - naive UTC
    return (ends[0][0] <= ends[1][1] and ends[1][0] <= ends[0][1]) or abs(ends[0][0] - ends[1][0]) < far


def _causes(view: View, found: Sequence[_Found]) -> dict[str, str]:
    """Cause of each incident by id: the most upstream node that failed while it was open.

    What is open is explained by everything that fails now, jobs included; what is over by what failed on the day it
    began.
    """
    from lineage.cause import causes
    from lineage.cause_answer import failing_now

    groups: dict[object, set[int]] = {}
    for one in found:
        groups.setdefault(None if one.ended is None else one.part.began.date(), set()).add(one.node)
    if None in groups:
        groups[None] |= {i for i in failing_now(view) if view.kind(i) == "job"}
    cause_of: dict[tuple[object, int], str] = {}
    for day, nodes in groups.items():
        for group in causes(view.snapshot, sorted(nodes)):
            for node in (group.cause, *group.cycle, *(member.node for member in group.members)):
                cause_of[day, node] = view.label(group.cause)
    return {one.part.id: cause_of[None if one.ended is None else one.part.began.date(), one.node] for one in found}


def _words(view: View, one: _Found, cause: str, now: datetime) -> Incident:
    part = one.part
    first = part.failures[0]
    said = {kind: [a for a in one.acts if a.act == kind] for kind in ACTS}
    detected = max(first.at, min(first.known, now))
    acked = said["acknowledge"][0].at if said["acknowledge"] else None
    muted = said["mute"][-1].until if said["mute"] else None
    if muted is not None and muted <= now:
        muted = None
    hand = one.closed is not None
    state = "resolved" if one.ended else "muted" if muted else "acknowledged" if acked or said["assign"] else "open"
    return Incident(
        id=part.id,
        node=view.label(one.node),
        domain=view.domain(one.node),
        owner=view.owner(one.node),
        sort=part.sort,
        what=_what(part),
        severity=part.severity,
        state=state,
        cause=cause,
        began_at=part.began,
        detected_at=detected,
        acknowledged_at=acked,
        resolved_at=one.ended,
        resolved_by=""
        if one.ended is None
        else said["resolve"][-1].actor
        if hand and said["resolve"]
        else "a later pass",
        assignee=said["assign"][-1].assignee if said["assign"] else None,
        muted_until=muted,
        failures=len(part.failures),
        runs=tuple(f.run for f in part.failures if f.run),
        detail=part.failures[-1].detail,
        time_to_detect=(detected - part.began).total_seconds(),
        time_to_acknowledge=(acked - detected).total_seconds() if acked else None,
        time_to_repair=(one.ended - part.began).total_seconds() if one.ended else None,
    )


def _what(part: Streak) -> str:
    """What failed, in words."""
    return f"{part.name} of {part.field}" if part.field else part.name


def _note(one: _Act) -> str:
    return f"to {one.assignee}" + (f": {one.note}" if one.note else "") if one.assignee else one.note


def _cost(view: View, node: int) -> tuple[str | None, str | None]:
    """Full cost of what is wrong, in the month of the newest bill."""
    from lineage.cost.columns import annotate

    said = annotate(view, [node])
    return said["cost_full"][0], said["cost_currency"][0]
