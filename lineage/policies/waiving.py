"""``lx.waivers``: exceptions from policies, asked for, approved by somebody else, ended.

They come from files (``waivers/*.yaml``) and from requests that somebody else approved. A waiver always has an end, at
most 180 days away, and never the approval of whom it came from.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from lineage.actor import LOCAL, Actor, same_person
from lineage.audit import check_reason, record
from lineage.errors import MeshlineError, UsageError
from lineage.policies.files import LONGEST_WAIVER
from lineage.policies.moment import moment
from lineage.shown import Shown
from lineage.store import bump_version
from lineage.times import OPEN_END, parse_instant, utcnow

if TYPE_CHECKING:
    import duckdb

    from lineage.asking import When
    from lineage.engine import Lineage
    from lineage.policies.model import Policy
    from lineage.view import View

_ACTS = """
-- one step of one request until T
SELECT request, act, policy, subject, expires, coalesce(reason, ''), actor, acted_at FROM waiver_act
WHERE acted_at <= $at AND acted_at <= $known ORDER BY acted_at
"""
_WAIVERS = """
-- the newest version of each waiver as known at K, and whether it holds at T
SELECT name, arg_max(policy, valid_from), arg_max(subject, valid_from), arg_max(requester, valid_from),
  arg_max(approver, valid_from), arg_max(reason, valid_from), arg_max(expires, valid_from), max(valid_from),
  bool_or(valid_from <= $at AND valid_to > $at AND expires > $at), arg_max(path, valid_from)
FROM waiver
WHERE known_from <= $known AND known_to > $known AND valid_from <= $at
  AND lower(trim(approver)) <> lower(trim(requester))
GROUP BY name ORDER BY name
"""
_INSERT = """
INSERT INTO waiver BY NAME SELECT $name AS name, $policy AS policy, $subject AS subject, $requester AS requester,
  $approver AS approver, $reason AS reason, $expires::TIMESTAMP AS expires, '' AS path, '' AS hash, '' AS body,
  $approver AS actor, $now::TIMESTAMP AS valid_from, $open::TIMESTAMP AS valid_to, $now::TIMESTAMP AS known_from,
  $open::TIMESTAMP AS known_to
"""
_CLOSE = "UPDATE waiver SET known_to = $now WHERE name = $name AND known_to = $open AND valid_to = $open"
_ENDED = """
INSERT INTO waiver BY NAME SELECT * REPLACE ($now AS valid_to, $now AS known_from, $open AS known_to)
FROM waiver WHERE name = $name AND known_to = $now AND valid_to = $open AND valid_from < $now
"""
State = Literal["requested", "refused", "holds", "ended"]


class UnknownWaiverError(MeshlineError):
    """No waiver or request has this id."""

    exit_code = 2
    status = 404


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """One waiver or request for one; ``path`` is the file that declares it, empty when it was asked for."""

    id: str
    state: State
    policy: str
    subject: str
    requester: str
    approver: str | None
    reason: str
    since: datetime  # asked for, or valid from
    expires: datetime
    path: str = ""


@dataclass(frozen=True, slots=True)
class WaiverList(Shown):
    """Answer of ``waivers list``."""

    waivers: tuple[WaiverRow, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "state", "policy", "subject", "requester", "approver", "expires", "reason")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per waiver and request."""
        return [tuple(getattr(one, head) for head in self.heads()) for one in self.waivers]

    def title(self) -> str:
        """How many hold."""
        return f"{len(self.waivers)} waivers and requests, {sum(one.state == 'holds' for one in self.waivers)} hold"


class Waivers:
    """Waivers and requests for them."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def list(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> WaiverList:
        """Waivers that hold or held, and open and refused requests; nothing of what the actor may not see."""
        view = self._lineage.view(as_of, known_at, actor)
        return WaiverList(tuple(_rows(view)), moment(view), view.known_at)

    def request(self, violation: str, reason: str, expires: str, *, actor: Actor = LOCAL) -> WaiverRow:
        """Ask that a violation may stay until a day, at most 180 days ahead.

        Raises
        ------
        UnknownViolationError
            when there is no such violation.
        UsageError
            when it was fixed, no reason is given, or the end is missing, past or too far.
        """
        check_reason(reason, needed=False)
        one = self._lineage.policies.violation(violation, actor=actor)
        now, end = utcnow(), parse_instant(expires, name="expires")
        if one.state in ("fixed", "waived"):
            raise UsageError(f"Violation {violation} is {one.state} already.")
        if not reason.strip():
            raise UsageError("A waiver wants a reason.")
        if not now < end <= now + LONGEST_WAIVER:
            raise UsageError(f"expires: a waiver ends within {LONGEST_WAIVER.days} days from now.")
        name = f"w{secrets.token_hex(5)}"
        with self._lineage.store.transaction() as cursor:
            _write(cursor, (name, "request", one.policy, one.subject, end, reason, actor.name, now))
        return self._one(name, actor)

    def approve(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> WaiverRow:
        """Let a violation stay until the end that was asked for; never by whom the request came from.

        Raises
        ------
        UsageError
            when the actor asked for it, it is no open request, or its end is past.
        """
        row, now = self._one(name, actor), utcnow()
        if row.state != "requested":
            raise UsageError(f"{name} is no open request: it is {row.state}.")
        if same_person(row.requester, actor.name):
            raise UsageError(f"{actor.name} asked for {name} and cannot approve it; somebody else has to.")
        if row.expires <= now:
            raise UsageError(f"{name} was asked for until a time that is past.")
        with self._lineage.store.transaction() as cursor:
            _write(cursor, _step(row, "approve", reason, actor.name, now))
            cursor.execute(_INSERT, {
                "name": name, "policy": row.policy, "subject": row.subject, "requester": row.requester,
                "approver": actor.name, "reason": row.reason, "expires": row.expires, "now": now, "open": OPEN_END,
            })  # fmt: skip
            bump_version(cursor)
        self._again(row.policy, actor)
        return self._one(name, actor)

    def refuse(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> WaiverRow:
        """Refuse a request.

        Raises
        ------
        UsageError
            when it is no open request.
        """
        row = self._one(name, actor)
        if row.state != "requested":
            raise UsageError(f"{name} is no open request: it is {row.state}.")
        with self._lineage.store.transaction() as cursor:
            _write(cursor, _step(row, "refuse", reason, actor.name, utcnow()))
        return self._one(name, actor)

    def revoke(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> WaiverRow:
        """End a waiver now.

        Raises
        ------
        UsageError
            when it does not hold, or a file declares it.
        """
        row, now = self._one(name, actor), utcnow()
        if row.state != "holds":
            raise UsageError(f"{name} is {row.state}; only a waiver that holds can be revoked.")
        if row.path:
            raise UsageError(f"{name} is declared in {row.path}; take the file away and apply, or it comes back.")
        with self._lineage.store.transaction() as cursor:
            _write(cursor, _step(row, "revoke", reason, actor.name, now))
            cursor.execute(_CLOSE, {"name": name, "now": now, "open": OPEN_END})
            cursor.execute(_ENDED, {"name": name, "now": now, "open": OPEN_END})
            bump_version(cursor)
        self._again(row.policy, actor)
        return self._one(name, actor)

    def _again(self, policy: str, actor: Actor) -> None:
        """What the policy says now: its violation is waived, or is one again."""
        from lineage.policies.load import UnknownPolicyError

        try:
            self._lineage.policies.record(policy, actor=actor)
        except UnknownPolicyError:  # it was taken back meanwhile; the next run of all ends what it said
            return

    def _one(self, name: str, actor: Actor) -> WaiverRow:
        for row in self.list(actor=actor).waivers:
            if row.id == name:
                return row
        raise UnknownWaiverError(f"There is no waiver or request “{name}”. meshline waivers list names them.")


# -- inside


def _rows(view: View) -> list[WaiverRow]:
    when = {"at": moment(view), "known": view.known_at}
    acts = view.store.rows(_ACTS, when)
    refused = {row[0] for row in acts if row[1] == "refuse"}
    rows: list[WaiverRow] = []
    for name, policy, subject, requester, approver, reason, expires, since, holds, path in view.store.rows(
        _WAIVERS, when
    ):
        state: State = "holds" if holds else "ended"
        rows.append(WaiverRow(name, state, policy, subject, requester, approver, reason, since, expires, path))
    granted = {row.id for row in rows}
    for name, act, policy, subject, expires, reason, requester, at in acts:
        if act == "request" and name not in granted:
            state = "refused" if name in refused else "requested"
            rows.append(WaiverRow(name, state, policy, subject, requester, None, reason, at, expires))
    return sorted(_seen(view, rows), key=lambda row: (row.policy, row.subject, row.since, row.id))


def _seen(view: View, rows: list[WaiverRow]) -> list[WaiverRow]:
    if not view.restricted:
        return rows
    from lineage.policies.ledger import policies_until
    from lineage.policies.showing import Sieve
    from lineage.policies.views import fill

    sieve, policies = Sieve(view, fill(view)), policies_until(view)

    def shown(row: WaiverRow) -> bool:
        policy: Policy | None = policies.get(row.policy)
        return (
            sieve.knows(row.subject) and not sieve.hides(row.subject) and policy is not None and sieve.may_read(policy)
        )

    return [row for row in rows if shown(row)]


def _step(row: WaiverRow, act: str, reason: str, actor: str, now: datetime) -> tuple[Any, ...]:
    check_reason(reason, needed=False)
    return (row.id, act, row.policy, row.subject, row.expires, reason, actor, now)


def _write(cursor: duckdb.DuckDBPyConnection, values: tuple[Any, ...]) -> None:
    cursor.execute("INSERT INTO waiver_act VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(values))
    name, act, policy, subject, _, reason, actor, now = values
    payload = {"policy": policy, "subject": subject, "reason": reason}
    record(cursor, actor=actor, action=f"waiver.{act}", resource=name, payload=payload, at=now)
