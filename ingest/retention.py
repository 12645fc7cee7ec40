"""Retention: what is kept for how long. Nothing goes unless it is asked for, and every removal is in the audit log.

Refused inputs are evidence for nothing and simply go. Of the others the bytes of events go first
(:mod:`ingest.retention_archive`); what was derived from them stays until it is let go by itself
(:mod:`ingest.retention_thin`), as far as nothing present rests on it. A signed baseline (:mod:`ingest.baseline`) then
says what had been derived, and a rebuild starts there.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ingest.baseline import sign_baseline
from ingest.retention_archive import plan_archive, remove_blocks
from ingest.retention_thin import thin
from lineage.audit import record
from lineage.errors import UsageError
from lineage.store.horizon import Baseline, baselines
from lineage.store.version import bump_version
from lineage.times import EPOCH

if TYPE_CHECKING:
    import duckdb

    from lineage.audit.signing import SigningKey
    from lineage.store import Store

KINDS = ("events", "metrics", "assertions", "edges", "runs")  # in the order in which one makes way for the next
_INSTANT = timedelta(microseconds=1)
_REFUSED = """
-- places of refused inputs that a rule lets go: too old, or behind the newest that are kept
SELECT rowid, octet_length(body) FROM (
  SELECT rowid, body, received_at, replayed_at, row_number() OVER (ORDER BY received_at DESC, hash, source, line) AS n
  FROM quarantine
) WHERE ($before IS NULL OR received_at < $before) AND ($keep IS NULL OR n > $keep)
  AND (NOT $replayed OR replayed_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """What may go: older than so many days, and beyond the newest so many; only what was accepted later, if wanted."""

    days: float | None = None
    keep: int | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Removal:
    """What a rule lets go of one kind; ``applied`` says whether it is gone."""

    kind: str
    rows: int
    kept: int
    bytes: int
    before: datetime | None
    applied: bool


def retain_quarantine(
    store: Store, rule: Rule, *, now: datetime, actor: str, apply: bool, reason: str | None = None
) -> Removal:
    """Refused inputs that a rule lets go; they are removed only with ``apply``.

    Parameters
    ----------
    store
        open for writing when ``apply`` is said.
    now
        naive UTC, from which ages are counted.
    actor
        who does it, for the audit log.

    Raises
    ------
    UsageError
        when the rule limits nothing, or a limit is negative.

    Examples
    --------
    >>> from lineage.store import Store
    >>> with Store.open(":memory:") as store:
    ...     retain_quarantine(store, Rule(keep=10), now=datetime(2026, 1, 1), actor="ann", apply=False).rows
    0
    """
    before = _before(rule, now)
    asked = {"before": before, "keep": rule.keep, "replayed": rule.replayed}
    if not apply:
        with store.cursor() as cursor:
            return _removal(cursor, cursor.execute(_REFUSED, asked).fetchall(), before, applied=False)
    with store.transaction() as cursor:
        rows = cursor.execute(_REFUSED, asked).fetchall()
        found = _removal(cursor, rows, before, applied=True)
        if rows:
            cursor.execute("DELETE FROM quarantine WHERE rowid IN (SELECT unnest(?))", [[row[0] for row in rows]])
            payload = {
                "rows": found.rows, "kept": found.kept, "keep": rule.keep, "replayed": rule.replayed,
                "before": before.isoformat() if before else None, **_told(reason),
            }  # fmt: skip
            record(cursor, actor=actor, action="retention.apply", resource="quarantine", payload=payload)
            bump_version(cursor)
    return found


def retain(
    store: Store, kinds: tuple[str, ...], rule: Rule, *, now: datetime, actor: str, key: SigningKey | None,
    reason: str | None = None,
) -> list[Removal]:  # fmt: skip
    """Let go of events and of what was derived from them, by one rule.

    Parameters
    ----------
    store
        open for writing, also for a plan: it is worked out by doing it and taking it back.
    kinds
        some of :data:`KINDS`. Metrics, assertions, edges and runs go only as far as the events they follow from have
        no bytes any more.
    now
        naive UTC, from which ages are counted.
    actor
        who does it, for the audit log.
    key
        signs the baseline; ``None``: only say what would go.
    reason
        why, for the audit log.

    Raises
    ------
    UsageError
        when the rule limits nothing, or a limit is negative.
    """
    before = _before(rule, now)
    if rule.replayed:
        raise UsageError("--replayed is about refused inputs only.")
    if key is not None:
        _take_in_everything(store)
    done: list[Removal] = []
    with suppress(_PlanOnlyError), store.transaction() as cursor:
        done = _Retention(cursor, before, rule.keep, now, actor, applied=key is not None, reason=reason).run(kinds, key)
        if key is None:
            raise _PlanOnlyError
    if any(item.rows for item in done):
        store.checkpoint(merge=True)
    return done


class _PlanOnlyError(Exception):
    """Takes back what was only done to count it."""


class _Retention:
    """One application of a rule, inside a transaction."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, before: datetime | None, keep: int | None, now: datetime, actor: str,
        *, applied: bool, reason: str | None = None,
    ) -> None:  # fmt: skip
        self.cursor, self.before, self.keep, self.now, self.actor = cursor, before, keep, now, actor
        self.applied, self.reason = applied, reason
        self.base: Baseline | None = next(reversed(baselines(cursor)), None)
        self.horizon = before or EPOCH
        self.thinned = False
        self.blocks: list[list[int]] = []

    def run(self, kinds: tuple[str, ...], key: SigningKey | None) -> list[Removal]:
        """Remove, then sign what is left and log it."""
        done = [self._remove(kind) for kind in KINDS if kind in kinds]
        if key is None or not any(item.rows for item in done):
            return done
        assert self.base is not None
        tail = self.cursor.execute("SELECT max(block) FROM raw").fetchall()[0][0]
        base = sign_baseline(
            self.cursor, key, now=self.now, block=self.base.block, known=self.base.known, tail=tail,
            before=self.horizon, thinned=self.thinned,
        )  # fmt: skip
        for item in done:
            if item.rows:
                self._record(item, base)
        bump_version(self.cursor)
        return done

    def _remove(self, kind: str) -> Removal:
        if kind == "events":
            return self._events()
        if self.base is None:  # nothing has lost its bytes, so everything still follows from the archive
            return Removal(kind, 0, _count(self.cursor, kind), 0, self.before, self.applied)
        gone = thin(self.cursor, kind, self.before, self.keep, self.base.known)
        if gone.newest is not None:
            self.horizon = max(self.horizon, gone.newest + _INSTANT) if self.before is None else self.horizon
            self.thinned = self.thinned or kind in ("edges", "runs")
        return Removal(kind, gone.rows, gone.kept, 0, self.before, self.applied)

    def _events(self) -> Removal:
        plan = plan_archive(self.cursor, self.before, self.keep, self.now)
        if plan is None:
            return Removal("events", 0, _count(self.cursor, "events"), 0, self.before, self.applied)
        remove_blocks(self.cursor, plan)
        self.blocks = [list(pair) for pair in plan.blocks]
        self.base = Baseline(0, self.now, plan.block, plan.known, 0, self.now, False)
        self.horizon = max(self.horizon, plan.known) if self.before is None else self.horizon
        return Removal("events", plan.events, plan.kept, plan.bytes, self.before, self.applied)

    def _record(self, item: Removal, base: Baseline) -> None:
        payload: dict[str, Any] = {
            "rows": item.rows, "kept": item.kept, "keep": self.keep, "baseline": base.number, "digest": base.digest,
            "before": self.before.isoformat() if self.before else None, **_told(self.reason),
        }  # fmt: skip
        if item.kind == "events":
            payload["blocks"] = self.blocks
        record(self.cursor, actor=self.actor, action="retention.apply", resource=item.kind, payload=payload)


def _take_in_everything(store: Store) -> None:
    """Derive, read and log what is in the archive, so that nothing that goes was not looked at."""
    from ingest.sql_step import read_pending
    from ingest.writer import Writer
    from lineage.audit.batches import log_batches

    Writer(store).catch_up()
    read_pending(store)
    log_batches(store)


def _told(reason: str | None) -> dict[str, str]:
    return {"reason": reason} if reason else {}


def _before(rule: Rule, now: datetime) -> datetime | None:
    if rule.days is None and rule.keep is None:
        raise UsageError("Say what may go: --older-than DAYS, --keep N, or both.")
    if (rule.days or 0) < 0 or (rule.keep or 0) < 0:
        raise UsageError("A limit is negative; days and numbers of rows begin at 0.")
    try:
        return now - timedelta(days=rule.days) if rule.days is not None else None
    except (OverflowError, ValueError):  # nan, or before all time
        raise UsageError(f"{rule.days:g} days are no time before now; say how many days, for instance 90.") from None


_KEPT = {
    "events": "SELECT count(*) FROM event WHERE block IS NOT NULL",
    "metrics": "SELECT count(*) FROM metric WHERE known_to = '9999-12-31'",
    "assertions": "SELECT count(*) FROM assertion WHERE known_to = '9999-12-31'",
    "edges": "SELECT (SELECT count(*) FROM edge WHERE known_to = '9999-12-31') + "
    "(SELECT count(*) FROM column_edge WHERE known_to = '9999-12-31')",
    "runs": "SELECT count(*) FROM run WHERE known_to = '9999-12-31'",
}


def _count(cursor: duckdb.DuckDBPyConnection, kind: str) -> int:
    return int(cursor.execute(_KEPT[kind]).fetchall()[0][0])


def _removal(
    cursor: duckdb.DuckDBPyConnection, rows: list[tuple[int, int]], before: datetime | None, *, applied: bool
) -> Removal:
    total = cursor.execute("SELECT count(*) FROM quarantine").fetchall()[0][0]
    size = sum(row[1] for row in rows)
    return Removal("quarantine", len(rows), total - len(rows), size, before, applied)
