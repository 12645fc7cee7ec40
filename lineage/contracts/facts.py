"""What was observed of many datasets, read in bulk: columns, test results, row counts, writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.columns import column_facts

if TYPE_CHECKING:
    from lineage.view import View

_TESTS = """
-- newest result of each test of some datasets at T as known at K
SELECT a.dataset, a.field, a.name, arg_max(a.status, a.tested_at), arg_max(a.actual, a.tested_at), max(a.tested_at),
  arg_max(r.run_id, a.tested_at)
FROM assertion a LEFT JOIN run r ON r.run = a.run AND r.known_from <= $known AND r.known_to > $known
WHERE a.dataset IN (SELECT unnest($members::UBIGINT[])) AND a.tested_at <= $at
  AND a.known_from <= $known AND a.known_to > $known
GROUP BY a.dataset, a.field, a.name
"""
_WRITES = """
-- one completed run that wrote one of some datasets at T as known at K
SELECT o.dataset, coalesce(r.ended_at, r.first_event) AS done, r.run_id, o.row_count
FROM run_io o JOIN run r ON r.run = o.run
WHERE o.direction = 'out' AND o.dataset IN (SELECT unnest($members::UBIGINT[])) AND r.state = 'COMPLETE'
  AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
  AND coalesce(r.ended_at, r.first_event) <= $at
ORDER BY done, r.run_id
"""


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


def load_facts(view: View, datasets: Sequence[int]) -> Facts:
    """Facts of some datasets (dense indices) in four queries."""
    facts = Facts()
    owner = {member: node for node in datasets for member in view.snapshot.members(node)}
    if not owner:
        return facts
    for node, columns in column_facts(view, datasets).items():
        facts.columns[node] = {path: one.type for path, one in columns.items() if one.order < 1_000_000}
    when = {"members": list(owner), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    for dataset, column, name, status, actual, tested_at, run in view.store.rows(_TESTS, when):
        found = TestResult(column or "", name, status, actual, tested_at, run)
        facts.tests.setdefault(owner[dataset], []).append(found)
    for dataset, done, run, rows in view.store.rows(_WRITES, when):
        facts.written.setdefault(owner[dataset], []).append((done, run))
        if rows is not None:
            facts.rows[owner[dataset]] = (rows, run)
    return facts
