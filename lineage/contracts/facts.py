"""What was observed of many datasets, read in bulk: columns, test results, row counts, writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.columns import column_facts
from lineage.contracts.binding import Bound, bindings

if TYPE_CHECKING:
    from lineage.view import View

TESTS = """
-- newest result of each test of some datasets at T as known at K
SELECT a.dataset, a.field, a.name, arg_max(a.status, a.tested_at), arg_max(a.actual, a.tested_at), max(a.tested_at),
  arg_max(r.run_id, a.tested_at)
FROM assertion a LEFT JOIN run r ON r.run = a.run AND r.known_from <= $known AND r.known_to > $known
WHERE a.dataset IN (SELECT unnest($members::UBIGINT[])) AND a.tested_at <= $at
  AND a.known_from <= $known AND a.known_to > $known
GROUP BY a.dataset, a.field, a.name
"""
WRITES = """
-- one completed run that wrote one of some datasets at T as known at K
SELECT o.dataset, coalesce(r.ended_at, r.first_event) AS done, r.run_id, o.row_count
FROM run_io o JOIN run r ON r.run = o.run
WHERE o.direction = 'out' AND o.dataset IN (SELECT unnest($members::UBIGINT[])) AND r.state = 'COMPLETE'
  AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
  AND coalesce(r.ended_at, r.first_event) <= $at
ORDER BY done, r.run_id
"""
_ENDED = """
-- one ended run of one of some jobs at T as known at K
SELECT job, coalesce(ended_at, last_event) AS done, state, run_id FROM run
WHERE job IN (SELECT unnest($jobs::UBIGINT[])) AND state IN ('COMPLETE', 'FAIL', 'ABORT')
  AND known_from <= $known AND known_to > $known AND coalesce(ended_at, last_event) <= $at
ORDER BY done, run_id
"""
_EMPTIED = """
-- one moment from which one of some datasets was told to be empty or gone, until T as known at K
SELECT f.entity, f.valid_from, upper(json_extract_string(b.json, '$.lifecycleStateChange'))
FROM facet f JOIN facet_body b ON b.body = f.body
WHERE f.key = 'lifecycleStateChange' AND f.entity IN (SELECT unnest($members::UBIGINT[])) AND f.valid_from <= $at
  AND f.known_from <= $known AND f.known_to > $known
  AND upper(json_extract_string(b.json, '$.lifecycleStateChange')) IN ('TRUNCATE', 'DROP')
ORDER BY f.valid_from DESC
"""
_SMALLEST = """
-- smallest value of each column of some datasets in its newest profile at T as known at K
SELECT n.dataset, lower(n.field), arg_max(m.value, m.measured_at) FROM metric m JOIN node n ON n.id = m.node
WHERE n.kind = 'column' AND n.dataset IN (SELECT unnest($members::UBIGINT[])) AND m.name = 'min'
  AND m.measured_at <= $at AND m.known_from <= $known AND m.known_to > $known
GROUP BY ALL
"""
_HISTORY = ("errorrate", "retention")


@dataclass(frozen=True, slots=True)
class TestResult:
    """Newest result of one test."""

    __test__ = False  # no test of pytest
    column: str
    name: str
    status: str
    actual: str | None
    at: datetime
    run: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What was observed, by dense index of the dataset."""

    columns: dict[int, dict[str, str | None]] = field(default_factory=dict)  # column path → type
    tests: dict[int, list[TestResult]] = field(default_factory=dict)
    written: dict[int, list[tuple[datetime, str]]] = field(default_factory=dict)  # end and id of completed runs
    rows: dict[int, tuple[int, str]] = field(default_factory=dict)  # rows of the newest run that told them
    ended: dict[int, list[tuple[datetime, str, str]]] = field(default_factory=dict)  # end, state, id of writers' runs
    emptied: dict[int, list[tuple[datetime, str]]] = field(default_factory=dict)  # TRUNCATE and DROP, the last first
    smallest: dict[int, dict[str, float]] = field(default_factory=dict)  # column → smallest value in a profile


def observed_columns(view: View, datasets: Sequence[int]) -> dict[int, dict[str, str | None]]:
    """Observed columns and their types of some datasets (dense indices)."""
    return {
        node: {path: one.type for path, one in columns.items() if one.order < 1_000_000}
        for node, columns in column_facts(view, datasets).items()
    }


def load_facts(view: View, datasets: Sequence[int], also: Sequence[Bound] = ()) -> Facts:
    """Facts of some datasets (dense indices) in few queries; ``also`` are promises beside those in force now."""
    facts = Facts()
    owner = {member: node for node in datasets for member in view.snapshot.members(node)}
    if not owner:
        return facts
    facts.columns.update(observed_columns(view, datasets))
    when = {"members": list(owner), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    for dataset, column, name, status, actual, tested_at, run in view.store.rows(TESTS, when):
        found = TestResult(column or "", name, status, actual, tested_at, run)
        facts.tests.setdefault(owner[dataset], []).append(found)
    for dataset, done, run, rows in view.store.rows(WRITES, when):
        facts.written.setdefault(owner[dataset], []).append((done, run))
        if rows is not None:
            facts.rows[owner[dataset]] = (rows, run)
    history_of(view, datasets, facts, also)
    return facts


def history_of(view: View, datasets: Sequence[int], facts: Facts, also: Sequence[Bound] = ()) -> None:
    """What only promises about errors and retention need, of the datasets that have such."""
    promising = {
        one.node
        for one in (*bindings(view.instant).bound, *also)
        if any(sla.name.lower() in _HISTORY for sla in one.contract.slas)
    }
    wanted = [node for node in datasets if node in promising]
    if not wanted:
        return
    snapshot = view.snapshot
    owner = {member: node for node in wanted for member in snapshot.members(node)}
    when = {"at": snapshot.as_of, "known": snapshot.known_at}
    writes: dict[int, list[int]] = {}
    for node in wanted:
        for job in snapshot.writers(node).tolist():
            for member in snapshot.members(job):
                writes.setdefault(member, []).append(node)
    for job, done, state, run in view.store.rows(_ENDED, {**when, "jobs": list(writes)}):
        for node in writes[job]:
            facts.ended.setdefault(node, []).append((done, state, run))
    for dataset, at, state in view.store.rows(_EMPTIED, {**when, "members": list(owner)}):
        facts.emptied.setdefault(owner[dataset], []).append((at, state))
    for dataset, column, value in view.store.rows(_SMALLEST, {**when, "members": list(owner)}):
        facts.smallest.setdefault(owner[dataset], {})[column] = value
