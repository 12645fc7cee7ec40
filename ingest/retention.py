"""Retention: what is kept for how long. Nothing goes unless it is asked for, and every removal is in the audit log.

So far it knows what is no evidence for anything that was derived: refused inputs. The archive and what follows from it
are kept whole, so a rebuild always comes out the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lineage.audit import record
from lineage.errors import UsageError
from lineage.store.version import bump_version

if TYPE_CHECKING:
    import duckdb

    from lineage.store import Store

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


def retain_quarantine(store: Store, rule: Rule, *, now: datetime, actor: str, apply: bool) -> Removal:
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
    if rule.days is None and rule.keep is None:
        raise UsageError("Say what may go: --older-than DAYS, --keep N, or both.")
    if (rule.days or 0) < 0 or (rule.keep or 0) < 0:
        raise UsageError("A limit is negative; days and numbers of rows begin at 0.")
    before = now - timedelta(days=rule.days) if rule.days is not None else None
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
                "before": before.isoformat() if before else None,
            }  # fmt: skip
            record(cursor, actor=actor, action="retention.apply", resource="quarantine", payload=payload)
            bump_version(cursor)
    return found


def _removal(
    cursor: duckdb.DuckDBPyConnection, rows: list[tuple[int, int]], before: datetime | None, *, applied: bool
) -> Removal:
    total = cursor.execute("SELECT count(*) FROM quarantine").fetchall()[0][0]
    size = sum(row[1] for row in rows)
    return Removal("quarantine", len(rows), total - len(rows), size, before, applied)
