"""Keep what policies said: one interval per policy and asset, a new row only when the result changes.

Rows are never altered but for the end of their known time (semantics 6): a result that changes closes its row and
inserts it again with the end of its valid time, and the new result beside it. What is the same costs nothing. A policy
in error says nothing of any asset: what passed becomes ``error``, and a violation stays one, because nothing shows that
it was mended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.audit import record
from lineage.policies.model import PolicyResult
from lineage.times import OPEN_END

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from lineage.store import Store

WHOLE = ""  # subject of the row that says that a policy is in error
_CHANGED = """
-- policy and asset whose result is another one now; an asset that left the scope has no new one
CREATE TEMP TABLE changed_evaluation AS
SELECT coalesce(o.policy, n.policy) AS policy, coalesce(o.subject, n.subject) AS subject
FROM (
  SELECT * FROM evaluation
  WHERE known_to = $open AND valid_to = $open AND policy IN (SELECT unnest($policies::VARCHAR[]))
    AND ($touched IS NULL OR list_contains($touched::VARCHAR[], subject))
) o
FULL JOIN new_evaluation n ON n.policy = o.policy AND n.subject = o.subject
WHERE (o.version, o.result, o.message, o.path, o.evidence) IS DISTINCT FROM
  (n.version, n.result, n.message, n.path, n.evidence)
"""
_OLD = """
-- rows that end now
CREATE TEMP TABLE ended_evaluation AS
SELECT e.* FROM evaluation e JOIN changed_evaluation c ON c.policy = e.policy AND c.subject = e.subject
WHERE e.known_to = $open AND e.valid_to = $open
"""
_CLOSE = """
UPDATE evaluation SET known_to = $now FROM changed_evaluation c
WHERE c.policy = evaluation.policy AND c.subject = evaluation.subject
  AND evaluation.known_to = $open AND evaluation.valid_to = $open
"""
_ENDED = """
INSERT INTO evaluation BY NAME SELECT * REPLACE ($now AS valid_to, $now AS known_from, $open AS known_to)
FROM ended_evaluation WHERE valid_from < $now
"""
_STARTED = """
INSERT INTO evaluation BY NAME
SELECT n.*, $now AS valid_from, $open AS valid_to, $now AS known_from, $open AS known_to
FROM new_evaluation n JOIN changed_evaluation c ON c.policy = n.policy AND c.subject = n.subject
"""
_NEWEST = """
-- when the newest result of some policies was kept: one row
SELECT max(known_from) FROM evaluation
WHERE known_to = $open AND policy IN (SELECT unnest($policies::VARCHAR[]))
"""
_OTHERS = """
-- policies beside some others of which a result holds
SELECT DISTINCT policy FROM evaluation
WHERE known_to = $open AND valid_to = $open AND policy NOT IN (SELECT unnest($policies::VARCHAR[])) ORDER BY policy
"""
_OPEN = """
-- results that held until now, of one policy
SELECT subject, result, message, path, evidence, version FROM evaluation
WHERE known_to = ? AND valid_to = ? AND policy = ? AND subject <> ''
"""
_TABLES = ("new_evaluation", "changed_evaluation", "ended_evaluation")
_NAMES = ("policy", "version", "subject", "result", "message", "path", "evidence")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What :func:`keep` wrote."""

    policies: int
    changed: int  # results that are other than before


def keep(
    store: Store,
    results: Sequence[PolicyResult],
    *,
    actor: str,
    now: datetime,
    subjects: Collection[str] | None = None,
    gone: Sequence[str] = (),
) -> Recorded:
    """Store the results of policies, in one transaction with an entry in the audit log.

    Parameters
    ----------
    results
        of one instant, every policy once. Policies that are not among them are left as they are.
    actor
        who let them run.
    now
        when it was: start of valid and known time of what changed. Never before what was kept already: a clock that
        was set back does not rewrite the past.
    subjects
        keep only what is said of these assets, and count no run; default: of all.
    gone
        ids of policies that hold no longer: what they said ends.
    """
    touched = None if subjects is None else sorted({*subjects, WHOLE})
    with store.transaction() as cursor:
        cursor.register("_results", _table(cursor, results))
        cursor.execute("CREATE TEMP TABLE new_evaluation AS SELECT * FROM _results")
        cursor.unregister("_results")
        if touched is not None:
            cursor.execute("DELETE FROM new_evaluation WHERE NOT list_contains($1::VARCHAR[], subject)", [touched])
        names = [*(one.policy.id for one in results), *gone]
        now = _not_before(cursor, names, now)
        when = {"now": now, "open": OPEN_END}
        cursor.execute(_CHANGED, {"open": OPEN_END, "policies": names, "touched": touched})
        cursor.execute(_OLD, {"open": OPEN_END})
        cursor.execute(_CLOSE, when)
        cursor.execute(_ENDED, when)
        cursor.execute(_STARTED, when)
        counted = cursor.execute("SELECT count(*) FROM changed_evaluation").fetchone()
        for name in _TABLES:
            cursor.execute(f"DROP TABLE {name}")
        for one in results if subjects is None else ():
            counts = [one.scope, one.count("pass"), one.count("violation"), one.count("waived"), one.error, one.seconds]
            cursor.execute("INSERT INTO policy_run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                           [one.policy.id, one.policy.version, now, *counts])  # fmt: skip
        changed = int(counted[0]) if counted else 0
        payload = {
            "policies": len(results),
            "changed": changed,
            "violations": sum(one.count("violation") for one in results),
            "errors": sum(one.error is not None for one in results),
        }
        if changed or subjects is None:  # a look at a few assets that found nothing new is no act
            record(cursor, actor=actor, action="policy.evaluate", resource="policies", payload=payload, at=now)
    return Recorded(len(results), changed)


def said_by_others(store: Store, policies: Sequence[str]) -> tuple[str, ...]:
    """Ids of policies beside these that something still holds of; they were taken back."""
    return tuple(row[0] for row in store.rows(_OTHERS, {"policies": list(policies), "open": OPEN_END}))


# -- inside


def _not_before(cursor: duckdb.DuckDBPyConnection, policies: Sequence[str], now: datetime) -> datetime:
    found = cursor.execute(_NEWEST, {"policies": list(policies), "open": OPEN_END}).fetchone()
    return max(now, found[0]) if found and found[0] is not None else now


def _table(cursor: duckdb.DuckDBPyConnection, results: Sequence[PolicyResult]) -> pa.Table:
    import pyarrow as pa

    rows = [row for one in results for row in (_rows(one) if one.error is None else _in_error(cursor, one))]
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(_NAMES)
    return pa.table({name: pa.array(values, pa.string()) for name, values in zip(_NAMES, columns, strict=True)})


def _rows(result: PolicyResult) -> Iterator[tuple[str | None, ...]]:
    found = {one.subject: one for one in result.findings}
    policy = result.policy
    for subject in result.subjects:
        one = found.get(subject)
        if one is None:
            yield policy.id, policy.version, subject, "pass", None, None, None
        else:
            yield policy.id, policy.version, subject, one.outcome, one.message, one.path, one.evidence


def _in_error(cursor: duckdb.DuckDBPyConnection, result: PolicyResult) -> Iterator[tuple[str | None, ...]]:
    policy = result.policy
    yield policy.id, policy.version, WHOLE, "error", result.error, None, None
    before = {row[0]: row[1:] for row in cursor.execute(_OPEN, [OPEN_END, OPEN_END, policy.id]).fetchall()}
    for subject in sorted({*result.subjects, *before}):
        outcome, message, path, evidence, version = before.get(subject, ("error", None, None, None, policy.version))
        if outcome in ("violation", "waived"):
            yield policy.id, version, subject, outcome, message, path, evidence
        else:
            yield policy.id, policy.version, subject, "error", None, None, None
