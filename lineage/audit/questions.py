"""What one can ask of the audit log: ``lx.audit``."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.actor import LOCAL, Actor
from lineage.asking import When, naive_time
from lineage.audit.batches import log_batches
from lineage.audit.checkpoint import ORIGIN, Checkpoint, add_checkpoint, checkpoints
from lineage.audit.log import Act, read, record
from lineage.audit.signing import SigningKey
from lineage.audit.tree import Tree
from lineage.audit.verify import Verification, verify
from lineage.errors import MeshlineError, UsageError
from lineage.shown import Shown

if TYPE_CHECKING:
    from lineage.audit.pack.build import Pack
    from lineage.audit.pack.differences import Evidence
    from lineage.engine import Lineage


class AuditRefusedError(MeshlineError):
    """The log names every node, so it is only for those who may see all of them."""

    status = 403


@dataclass(frozen=True, slots=True)
class LogRow:
    """One act as it is shown."""

    seq: int
    at: datetime
    actor: str
    action: str
    resource: str
    outcome: str
    payload: dict[str, Any]
    leaf: str  # hash of the leaf, hexadecimal


@dataclass(frozen=True, slots=True)
class LogPage(Shown):
    """Acts that fit a question, newest first."""

    total: int  # acts that fit
    acts: tuple[LogRow, ...]

    @property
    def partial(self) -> bool:
        """Whether more fit than are listed."""
        return len(self.acts) < self.total

    def heads(self) -> tuple[str, ...]:
        """Names of the columns."""
        return ("seq", "at", "actor", "action", "resource", "outcome", "payload")

    def rows(self) -> list[tuple[Any, ...]]:
        """One tuple per act."""
        return [
            (act.seq, act.at, act.actor, act.action, act.resource, act.outcome, json.dumps(act.payload))
            for act in self.acts
        ]

    def title(self) -> str:
        """One line above the table."""
        return f"Audit log: {len(self.acts):,} of {self.total:,} acts"


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Proof that one act is in the log: the hashes that lead from its leaf to the root."""

    seq: int
    size: int
    leaf: str  # hexadecimal, as the hashes below
    path: tuple[str, ...]  # bottom first
    root: str


class Audit:
    """Questions to the audit log of one store.

    Parameters
    ----------
    lx
        the engine over the store. Checkpoints and packs write to the log, everything else reads.

    Examples
    --------
    >>> import lineage
    >>> from lineage.store import Store
    >>> with lineage.open(Store.open(":memory:")) as lx:
    ...     lx.audit.verify().intact
    True
    """

    def __init__(self, lx: Lineage) -> None:
        self._lx = lx
        self._store = lx.store

    def log(
        self,
        *,
        who: str | None = None,
        action: str | None = None,
        resource: str | None = None,
        since: When = None,
        until: When = None,
        limit: int = 100,
        actor: Actor = LOCAL,
    ) -> LogPage:
        """Acts, newest first.

        Parameters
        ----------
        who
            only those of this actor.
        action
            only this action; ``contract`` means every ``contract.…``.
        resource
            only those on a resource that has this text in its name.
        since, until
            half-open span of time.
        limit
            most acts listed; ``total`` counts all that fit.

        Raises
        ------
        AuditRefusedError
            when the actor may not see every domain.
        """
        _all_seeing(actor)
        if limit < 1:
            raise UsageError(f"limit: {limit} is less than 1.")
        where, values = _conditions(who, action, resource, naive_time(since, "since"), naive_time(until, "until"))
        with self._store.reading() as cursor:
            total = cursor.execute(f"SELECT count(*) FROM audit WHERE {where}", values).fetchall()[0][0]  # noqa: S608
            acts = read(cursor, where, values, newest=limit)
        return LogPage(total, tuple(_shown(act) for act in acts))

    def verify(
        self, *, notes: Sequence[str] = (), trusted: str | None = None, events: bool = True, actor: Actor = LOCAL
    ) -> Verification:
        """Check the whole log; see :func:`lineage.audit.verify.verify`."""
        _all_seeing(actor)
        with self._store.reading() as cursor:
            return verify(cursor, notes=notes, trusted=trusted, events=events)

    def prove(self, seq: int, *, size: int | None = None, actor: Actor = LOCAL) -> InclusionProof:
        """Proof that act ``seq`` is among the first ``size`` acts (default: all).

        Raises
        ------
        UsageError
            when the log has no such act.
        """
        _all_seeing(actor)
        with self._store.reading() as cursor:
            whole = Tree(cursor)
            tree = whole if size is None else Tree(cursor, size)
            if not 0 <= seq < tree.size <= whole.size:
                raise UsageError(f"act {seq}: the log holds the acts 0 to {min(tree.size, whole.size) - 1}.")
            path = tree.inclusion(seq)
            leaf = read(cursor, "seq = ?", [seq])[0].leaf_hash
            return InclusionProof(seq, tree.size, leaf.hex(), tuple(step.hex() for step in path), tree.root.hex())

    def checkpoint(self, key: SigningKey, *, reason: str | None = None, actor: Actor = LOCAL) -> Checkpoint:
        """Sign the log as it is, after every accepted batch was logged, and keep the checkpoint.

        With a ``reason`` the act itself is logged first, so the checkpoint covers who signed it and why.
        """
        _all_seeing(actor)
        log_batches(self._store)
        with self._store.transaction() as cursor:
            if reason:
                record(cursor, actor=actor.name, action="audit.checkpoint", resource="log", payload={"reason": reason})
            return add_checkpoint(cursor, key)

    def checkpoints(self, *, actor: Actor = LOCAL) -> list[Checkpoint]:
        """All checkpoints that were signed, oldest first."""
        _all_seeing(actor)
        with self._store.reading() as cursor:
            return checkpoints(cursor)

    def evidence(
        self,
        node: str,
        key: SigningKey,
        *,
        column: str | None = None,
        as_of: When = None,
        known_at: When = None,
        raw_events: bool = True,
        limit: int = 10_000,
        progress: Callable[[float, str], None] | None = None,
        actor: Actor = LOCAL,
    ) -> Pack:
        """Where a dataset, column or job came from at one instant, as a file that proves itself offline.

        Parameters
        ----------
        node, column, as_of, known_at
            as for :meth:`lineage.engine.Lineage.run_provenance`.
        key
            who signs.
        raw_events
            put the archived events into it; they are never altered, so they may hold secrets.
        limit
            most versions that are followed.
        progress
            told how far it is (0 … 1) and what it does next; what it raises ends the work.

        Raises
        ------
        AuditRefusedError
            when the actor may not see every domain: events name all they name.
        """
        from lineage.audit.pack.build import build_pack

        _all_seeing(actor)
        lx = self._lx
        tell = progress or (lambda share, text: None)
        tell(0.05, "following the runs")
        trail = lx.run_provenance(node, column=column, limit=limit, as_of=as_of, known_at=known_at, actor=actor)
        tell(0.2, f"walking everything upstream of {len(trail.steps):,} versions")
        answer = lx.provenance(node, column=column, as_of=as_of, known_at=known_at, links=True, actor=actor)
        view = lx.view(as_of, known_at, actor)
        return build_pack(view, trail, answer, key, actor=actor.name, raw_events=raw_events, progress=tell)

    def evidence_of(
        self,
        node: str,
        *,
        as_of: When = None,
        known_at: When = None,
        limit: int = 1_000,
        actor: Actor = LOCAL,
    ) -> Evidence:
        """What :meth:`evidence` would put into a pack, to be looked at: runs, everything upstream, tests then.

        Nothing is logged or signed, and a node that the actor may not see is masked as everywhere.
        """
        from lineage.audit.pack.contents import datasets_of, quality_then
        from lineage.audit.pack.differences import Evidence

        lx = self._lx
        trail = lx.run_provenance(node, limit=limit, as_of=as_of, known_at=known_at, actor=actor)
        answer = lx.provenance(node, as_of=as_of, known_at=known_at, links=True, actor=actor)
        view = lx.view(as_of, known_at, actor)
        with view.store.reading() as cursor:
            quality = quality_then(view, cursor, datasets_of(view, trail))
        return Evidence(trail, answer, quality)


def vkey(public: bytes) -> str:
    """A public key as the C2SP (signed-note) writes it: name, key id and key.

    >>> vkey(bytes(32))
    'meshline.audit+2b5615ba+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    """
    from lineage.audit.checkpoint import key_id

    return f"{ORIGIN}+{key_id(ORIGIN, public).hex()}+{base64.b64encode(bytes([1]) + public).decode()}"


def _all_seeing(actor: Actor) -> None:
    if actor.hidden_domains:
        raise AuditRefusedError("The audit log names nodes of every domain; you may not see all of them.")


def _conditions(
    who: str | None, action: str | None, resource: str | None, since: datetime | None, until: datetime | None
) -> tuple[str, list[Any]]:
    given = [
        ("actor = ?", who),
        ("(action = ? OR starts_with(action, ?))", action),
        ("contains(resource, ?)", resource),
        ("acted_at >= ?", since),
        ("acted_at < ?", until),
    ]
    parts, values = ["true"], []
    for part, value in given:
        if value is not None:
            parts.append(part)
            values += [value, f"{value}."] if "starts_with" in part else [value]
    return " AND ".join(parts), values


def _shown(act: Act) -> LogRow:
    try:
        payload = json.loads(act.payload)
    except ValueError:  # edited by hand; verify says so
        payload = {"unreadable": act.payload}
    if not isinstance(payload, dict):
        payload = {"unreadable": act.payload}
    return LogRow(act.seq, act.at, act.actor, act.action, act.resource, act.outcome, payload, act.leaf_hash.hex())
