"""What was observed of the datasets that contracts bind, carried along rising instants: only what is new is read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.contracts.binding import bindings
from lineage.contracts.conformance import ENFORCED
from lineage.contracts.facts import TESTS, WRITES, Facts, TestResult, history_of, observed_columns
from lineage.scorecards.film import DECLARED, FACETS, NAMES, THERE
from lineage.times import EPOCH

if TYPE_CHECKING:
    from lineage.scorecards.film import Frame
    from lineage.view import View

_NEW_TESTS = TESTS.replace("a.tested_at <= $at", "a.tested_at <= $at AND a.tested_at > $since")
_TESTED = """
-- when tests of some datasets were run until T, as known at K
SELECT DISTINCT tested_at FROM assertion
WHERE dataset IN (SELECT unnest($members::UBIGINT[])) AND tested_at <= $at
  AND known_from <= $known AND known_to > $known
ORDER BY tested_at
"""


class Observed:
    """Facts of all datasets with a contract in force; asked for rising instants of one film.

    Parameters
    ----------
    last
        the last of them, naive UTC.
    """

    def __init__(self, last: datetime) -> None:
        self._last = last
        self._facts = Facts()
        self._datasets: Sequence[int] = ()
        self._owner: dict[int, int] = {}  # node id → dataset
        self._tests: dict[int, dict[tuple[int, str, str], TestResult]] = {}
        self._tested: list[datetime] = []
        self._writes: list[tuple[Any, ...]] = []
        self._read = 0  # writes that were taken over
        self._until: datetime | None = None

    def at(self, view: View, frame: Frame) -> Facts:
        """The same as :func:`lineage.contracts.facts.load_facts` says of them."""
        if (
            self._until is None
            or frame.changed & {NAMES, DECLARED, THERE}
            or (view.restricted and FACETS in frame.changed)
        ):
            self._begin(view)
        facts = self._facts
        if self._owner:
            self._columns(view, frame)
            self._add(view)
            for part in (facts.ended, facts.emptied, facts.smallest):
                part.clear()
            history_of(view, self._datasets, facts)
        self._until = view.snapshot.as_of
        return facts

    def _begin(self, view: View) -> None:
        """Read what runs and tests told of the datasets that are bound now."""
        snapshot = view.snapshot
        self._facts, self._tests, self._until, self._read = Facts(), {}, None, 0
        bound = (one for one in bindings(view.instant).bound if one.contract.status in ENFORCED)
        self._datasets = sorted({one.node for one in bound if not view.hidden(one.node)})
        self._owner = snapshot.owners_of_ids(self._datasets) if self._datasets else {}
        when = {"members": list(self._owner), "at": self._last, "known": snapshot.known_at}
        self._writes = view.store.rows(WRITES, when) if self._owner else []
        self._tested = [row[0] for row in view.store.rows(_TESTED, when)] if self._owner else []

    def _columns(self, view: View, frame: Frame) -> None:
        owner = self._owner
        if self._until is None or frame.altered is None:
            self._facts.columns.update(observed_columns(view, self._datasets))
        elif FACETS in frame.changed and (altered := sorted({owner[i] for i in frame.altered if i in owner})):
            for node in altered:
                self._facts.columns.pop(node, None)
            self._facts.columns.update(observed_columns(view, altered))

    def _add(self, view: View) -> None:
        """Tests and writes since the instant before."""
        facts, now, owner = self._facts, view.snapshot.as_of, self._owner
        if bisect_right(self._tested, self._until or datetime.min) < bisect_right(self._tested, now):  # noqa: DTZ901
            self._add_tests(view)
        end = bisect_right(self._writes, now, lo=self._read, key=_done)
        for dataset, done, run, rows in self._writes[self._read : end]:
            facts.written.setdefault(owner[dataset], []).append((done, run))
            if rows is not None:
                facts.rows[owner[dataset]] = (rows, run)
        self._read = end

    def _add_tests(self, view: View) -> None:
        touched = set()
        when = {"members": list(self._owner), "at": view.snapshot.as_of, "known": view.snapshot.known_at,
                "since": self._until or EPOCH.replace(year=1)}  # fmt: skip
        for dataset, column, name, status, actual, at, run in view.store.rows(_NEW_TESTS, when):
            node = self._owner[dataset]
            touched.add(node)
            held = self._tests.setdefault(node, {})
            held[dataset, column or "", name] = TestResult(column or "", name, status, actual, at, run)
        for node in touched:
            self._facts.tests[node] = list(self._tests[node].values())


def _done(write: tuple[Any, ...]) -> datetime:
    found: datetime = write[1]
    return found
