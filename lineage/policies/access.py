"""``lx.access``: who may read which product, who asked for it, and who reads without being allowed to.

Grants come from files (``grants/*.yaml``) and from requests: a declared rule approves some at once, the others are
decided by the owner of the product or its domain, never by whom they came from. A grant always has an end.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from lineage.actor import LOCAL, Actor, same_person
from lineage.audit import check_reason, record
from lineage.errors import MeshlineError, UsageError
from lineage.policies.access_rules import approving, deciders, may_decide
from lineage.policies.moment import moment
from lineage.policies.teams import CONSUMERS, teams
from lineage.products import membership, products_of
from lineage.shown import Shown
from lineage.store import bump_version
from lineage.times import OPEN_END, parse_instant, utcnow

if TYPE_CHECKING:
    import duckdb

    from lineage.asking import When
    from lineage.engine import Lineage
    from lineage.view import View

_ACTS = """
-- one step of one request until T
SELECT request, act, product, consumer_kind, consumer, purpose, expires, reason, actor, acted_at FROM access_act
WHERE acted_at <= $at AND acted_at <= $known ORDER BY acted_at
"""
_GRANTS = """
-- the newest version of each grant as known at K, whether it holds at T
SELECT name, arg_max(product, valid_from), arg_max(consumer_kind, valid_from), arg_max(consumer, valid_from),
  arg_max(purpose, valid_from), arg_max(approver, valid_from), arg_max(expires, valid_from),
  bool_or(valid_from <= $at AND valid_to > $at AND expires > $at), max(valid_from), arg_max(path, valid_from)
FROM access_grant WHERE known_from <= $known AND known_to > $known AND valid_from <= $at GROUP BY name ORDER BY name
"""
_GRANT = """
INSERT INTO access_grant BY NAME SELECT $name AS name, $product AS product, $kind AS consumer_kind,
  $consumer AS consumer, $purpose AS purpose, $approver AS approver, $expires::TIMESTAMP AS expires, '' AS path,
  '' AS hash, '' AS body, $approver AS actor, $now::TIMESTAMP AS valid_from, $open::TIMESTAMP AS valid_to,
  $now::TIMESTAMP AS known_from, $open::TIMESTAMP AS known_to
"""
_CLOSE = "UPDATE access_grant SET known_to = $now WHERE name = $name AND known_to = $open AND valid_to = $open"
_ENDED = """
INSERT INTO access_grant BY NAME SELECT * REPLACE ($now AS valid_to, $now AS known_from, $open AS known_to)
FROM access_grant WHERE name = $name AND known_to = $now AND valid_to = $open
"""
State = Literal["requested", "refused", "holds", "ended"]
LONGEST = timedelta(days=366)


class UnknownGrantError(MeshlineError):
    """No grant or request has this id."""

    exit_code = 2
    status = 404


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One grant or request.

    ``used``: the consumer reads the product; a grant that holds unused is a zombie. It is ``None`` where that cannot be
    told: of a grant to a team, for somebody who sees no use of it and may not see every domain. ``approver`` is
    ``rule:ID`` when a rule approved. ``since`` is when it was asked for or begins, ``note`` what the last step said:
    for an open request why no rule approves it. ``path`` is the file that declares it, empty when it was asked for.
    """

    id: str
    state: State
    product: str
    consumer_kind: str
    consumer: str
    purpose: str
    expires: datetime
    requester: str | None
    approver: str | None
    used: bool | None
    since: datetime | None = None
    note: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class ShadowEdge:
    """Data of a product that is read across domains, and no grant allows it."""

    src: str
    dst: str
    product: str
    domain: str  # that reads


@dataclass(frozen=True, slots=True)
class AccessList(Shown):
    """Answer of ``access list``."""

    grants: tuple[AccessRow, ...]
    shadow_edges: tuple[ShadowEdge, ...]

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("id", "state", "product", "consumer_kind", "consumer", "purpose", "expires", "requester", "approver",
                "used")  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per grant and request."""
        return [tuple(getattr(one, head) for head in self.heads()) for one in self.grants]

    def title(self) -> str:
        """How many."""
        return f"{len(self.grants)} grants and requests, {len(self.shadow_edges)} shadow edges"

    def remarks(self) -> tuple[str, ...]:
        """Shadow edges and zombie grants."""
        shadows = (f"shadow edge: {s.dst} (domain {s.domain}) reads {s.src} of product {s.product}"
                   for s in self.shadow_edges)  # fmt: skip
        zombies = (
            f"zombie grant: {g.id} holds and is not used" for g in self.grants if g.state == "holds" and g.used is False
        )
        return (*shadows, *zombies)


class Access:
    """Grants and requests."""

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage

    def list(self, *, as_of: When = None, known_at: When = None, actor: Actor = LOCAL) -> AccessList:
        """Grants, requests, and what is read without a grant; nothing of what the actor may not see."""
        return _listed(self._lineage.view(as_of, known_at, actor))

    def request(
        self,
        product: str,
        consumer: str,
        purpose: str,
        expires: str,
        *,
        kind: str = "domain",
        reason: str = "",
        actor: Actor = LOCAL,
    ) -> AccessRow:
        """Ask that a domain (or a product, or a team) may read a product until a day, at most 366 days ahead.

        ``reason`` is for whoever decides; it stands in the note and the audit log, before what the rules said.

        Raises
        ------
        UsageError
            when the product or the consumer is unknown, there is no purpose, or the end is missing, past or too far.
        """
        check_reason(reason, needed=False)
        view, now, end = self._lineage.view(actor=actor), utcnow(), parse_instant(expires, name="expires")
        consumer, purpose = consumer.strip(), purpose.strip()
        if kind not in CONSUMERS or not consumer or not purpose:
            raise UsageError("A request wants a consumer (a domain, a product or a team) and a purpose.")
        seen = {name for name, one in products_of(view.instant).items() if view.actor.may_see(one.domain)}
        if product not in seen:
            raise UsageError(f"There is no product “{product}”. meshline products list names them.")
        if kind == "team":
            readers = teams(view)
        else:
            readers = seen if kind == "product" else {*filter(view.actor.may_see, view.instant.domains.domains)}
        if consumer not in readers:
            known = ", ".join(sorted(readers)) or "none"
            raise UsageError(f"consumer: there is no {kind} “{consumer}”. There is: {known}.")
        if not now < end <= now + LONGEST:
            raise UsageError(f"expires: a grant ends within {LONGEST.days} days from now.")
        name = f"r{secrets.token_hex(5)}"
        rule, why = approving(view, product, purpose, end, now)
        note = f"{reason.strip()} ({why})" if reason.strip() else why
        values = (name, "request", product, kind, consumer, purpose, end, note, actor.name, now)
        with self._lineage.store.transaction() as cursor:
            _write(cursor, values)
            if rule is not None:
                _grant(cursor, (name, "approve", product, kind, consumer, purpose, end, why, f"rule:{rule}", now))
        return self._one(name, actor)

    def deciders(self, product: str, *, actor: Actor = LOCAL) -> tuple[str, ...]:
        """Who may decide on requests for a product: its owner, the owner and the members of its domain."""
        return deciders(self._lineage.view(actor=actor), product)

    def approve(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> AccessRow:
        """Turn a request into a grant: by the owner of the product or its domain, never by whom it came from.

        Raises
        ------
        UsageError
            when the actor asked for it or may not decide, or it is no open request.
        """
        row = self._one(name, actor)
        if row.state != "requested":
            raise UsageError(f"{name} is no open request: it is {row.state}.")
        if same_person(row.requester, actor.name):
            raise UsageError(f"{actor.name} asked for {name} and cannot approve it; somebody else has to.")
        self._check_decider(row, actor)
        now = utcnow()
        if row.expires <= now:
            raise UsageError(f"{name} asked for access until a time that is past.")
        with self._lineage.store.transaction() as cursor:
            _grant(cursor, _step(row, "approve", reason, actor.name, now))
        return self._one(name, actor)

    def deny(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> AccessRow:
        """Refuse a request; whoever asked may take it back so.

        Raises
        ------
        UsageError
            when it is no open request, or the actor may not decide.
        """
        row = self._one(name, actor)
        if row.state != "requested":
            raise UsageError(f"{name} is no open request: it is {row.state}.")
        if not same_person(row.requester, actor.name):
            self._check_decider(row, actor)
        with self._lineage.store.transaction() as cursor:
            _write(cursor, _step(row, "refuse", reason, actor.name, utcnow()))
        return self._one(name, actor)

    def _check_decider(self, row: AccessRow, actor: Actor) -> None:
        view = self._lineage.view(actor=actor)
        if not may_decide(view, row.product, actor.name):
            raise UsageError(
                f"{actor.name} may not decide on product {row.product}; that is up to "
                f"{', '.join(deciders(view, row.product))}."
            )

    def revoke(self, name: str, reason: str = "", *, actor: Actor = LOCAL) -> AccessRow:
        """End a grant now, by who may decide on it or asked for it; an open request is refused.

        Raises
        ------
        UsageError
            when there is nothing to end, the actor may not end it, or a file declares the grant.
        """
        row, now = self._one(name, actor), utcnow()
        if row.state == "requested":
            return self.deny(name, reason, actor=actor)
        if row.state != "holds":
            raise UsageError(f"{name} is {row.state} already.")
        if row.path:
            raise UsageError(f"{name} is declared in {row.path}; take the file away and apply, or it comes back.")
        if not same_person(row.requester, actor.name):
            self._check_decider(row, actor)
        with self._lineage.store.transaction() as cursor:
            _write(cursor, _step(row, "revoke", reason, actor.name, now))
            cursor.execute(_CLOSE, {"name": name, "now": now, "open": OPEN_END})
            cursor.execute(_ENDED, {"name": name, "now": now, "open": OPEN_END})
            bump_version(cursor)
        return self._one(name, actor)

    def _one(self, name: str, actor: Actor) -> AccessRow:
        for row in self.list(actor=actor).grants:
            if row.id == name:
                return row
        raise UnknownGrantError(f"There is no grant or request “{name}”. meshline access list names them.")


# -- inside


def _listed(view: View) -> AccessList:
    from lineage.policies.showing import Sieve
    from lineage.policies.views import fill

    when = {"at": moment(view), "known": view.known_at}
    sieve = Sieve(view, fill(view) if view.restricted else {})
    used, across = _flows(view)
    acts = view.store.rows(_ACTS, when)
    asked = {row[0]: row for row in acts if row[1] == "request"}
    last = {row[0]: row for row in acts}
    rows: list[AccessRow] = []
    for name, product, kind, consumer, purpose, approver, expires, holds, since, path in view.store.rows(_GRANTS, when):
        state: State = "holds" if holds else "ended"
        requester = asked[name][8] if name in asked else None
        is_used = _is_used(view, kind, (product, kind, consumer) in used)
        note = last[name][7] or "" if name in last else ""
        rows.append(AccessRow(name, state, product, kind, consumer, purpose, expires, requester, approver, is_used,
                              since, note, path))  # fmt: skip
    granted = {row.id for row in rows}
    for name, _, product, kind, consumer, purpose, expires, _, requester, at in asked.values():
        if name not in granted:
            state = "refused" if last[name][1] == "refuse" else "requested"
            is_used = _is_used(view, kind, (product, kind, consumer) in used)
            rows.append(AccessRow(name, state, product, kind, consumer, purpose, expires, requester, None, is_used,
                                  at, last[name][7] or ""))  # fmt: skip
    allowed = {(row.product, row.consumer_kind, row.consumer) for row in rows if row.state == "holds"}
    shadows = [
        edge
        for edge, reader, team in across
        if not allowed
        & {(edge.product, "domain", edge.domain), (edge.product, "product", reader), (edge.product, "team", team)}
    ]
    seen = [
        row for row in rows
        if not (sieve.hides(row.product) or sieve.hides(row.consumer) or not view.actor.may_see(row.consumer))
    ]  # fmt: skip
    return AccessList(tuple(sorted(seen, key=lambda row: (row.product, row.consumer, row.id))), tuple(shadows))


def _is_used(view: View, kind: str, seen: bool) -> bool | None:
    """A team is in no domain: it may read where the actor may not look."""
    return None if not seen and kind == "team" and view.restricted else seen


def _flows(view: View) -> tuple[set[tuple[str, str, str]], list[tuple[ShadowEdge, str, str]]]:
    """What is used by whom, and every edge out of a product into another domain with product and team that read."""
    from lineage.policies.views import Mesh

    mesh, members = Mesh(view), membership(view.instant)
    used: set[tuple[str, str, str]] = set()
    across, teams_by_node = [], mesh.teams.to_pylist()
    for src, dst in zip(mesh.flow.src.tolist(), mesh.flow.dst.tolist(), strict=True):
        product = members.get(src)
        if product is None:
            continue
        reader, domain, team = members.get(dst, ""), mesh.domains[dst], teams_by_node[dst] or ""
        used |= {(product, "domain", domain), (product, "product", reader)}
        if view.hidden(src) or view.hidden(dst):
            continue
        used.add((product, "team", team))  # a team is in no domain: what it does where nobody may look is not told
        if domain != mesh.domains[src]:
            across.append((ShadowEdge(view.label(src), view.label(dst), product, domain), reader, team))
    return used, across


def _grant(cursor: duckdb.DuckDBPyConnection, values: tuple[Any, ...]) -> None:
    """The step that approves, and the grant that comes of it."""
    name, _, product, kind, consumer, purpose, end, _, approver, now = values
    _write(cursor, values)
    cursor.execute(_GRANT, {
        "name": name, "product": product, "kind": kind, "consumer": consumer, "purpose": purpose,
        "approver": approver, "expires": end, "now": now, "open": OPEN_END,
    })  # fmt: skip
    bump_version(cursor)


def _step(row: AccessRow, act: str, reason: str, actor: str, now: datetime) -> tuple[Any, ...]:
    check_reason(reason, needed=False)
    return (row.id, act, row.product, row.consumer_kind, row.consumer, row.purpose, row.expires, reason, actor, now)


def _write(cursor: duckdb.DuckDBPyConnection, values: tuple[Any, ...]) -> None:
    cursor.execute("INSERT INTO access_act VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", list(values))
    name, act, product, kind, consumer, purpose, _, reason, actor, now = values
    payload: Mapping[str, Any] = {
        "product": product, "consumer_kind": kind, "consumer": consumer, "purpose": purpose, "reason": reason,
    }  # fmt: skip
    record(cursor, actor=actor, action=f"access.{act}", resource=name, payload=payload, at=now)
