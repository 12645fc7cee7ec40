"""What was observed of the datasets that contracts bind, carried along rising instants: only what is new is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.contracts.binding import bindings
from lineage.contracts.conformance import ENFORCED
from lineage.contracts.facts import TESTS, WRITES, Facts, TestResult, history_of, observed_columns
from lineage.scorecards.film import DECLARED, FACETS, NAMES
from lineage.times import EPOCH

if TYPE_CHECKING:
    from lineage.scorecards.film import Frame
    from lineage.view import View

_NEW_TESTS = TESTS.replace("a.tested_at <= $at", "a.tested_at <= $at AND a.tested_at > $since")
_NEW_WRITES = WRITES.replace("<= $at", "<= $at AND coalesce(r.ended_at, r.first_event) > $since")


class Observed:
    """Facts of all datasets with a contract in force; asked for rising instants of one film."""

    def __init__(self) -> None:
        self._facts = Facts()
        self._datasets: Sequence[int] = ()
        self._tests: dict[int, dict[tuple[int, str, str], TestResult]] = {}
        self._until: datetime | None = None

    def at(self, view: View, frame: Frame) -> Facts:
        """The same as :func:`lineage.contracts.facts.load_facts` says of them."""
        if self._until is None or frame.changed & {NAMES, DECLARED}:
            self._facts, self._tests, self._until = Facts(), {}, None
            bound = (one for one in bindings(frame).bound if one.contract.status in ENFORCED)
            self._datasets = sorted({one.node for one in bound if not view.hidden(one.node)})
        facts, snapshot = self._facts, view.snapshot
        owner = {member: node for node in self._datasets for member in snapshot.members(node)}
        if not owner:
            self._until = snapshot.as_of
            return facts
        self._columns(view, frame, owner)
        when = {"members": list(owner), "at": snapshot.as_of, "known": snapshot.known_at,
                "since": self._until or EPOCH.replace(year=1)}  # fmt: skip
        self._add(view, owner, when)
        for part in (facts.ended, facts.emptied, facts.smallest):
            part.clear()
        history_of(view, self._datasets, facts)
        self._until = snapshot.as_of
        return facts

    def _columns(self, view: View, frame: Frame, owner: dict[int, int]) -> None:
        if self._until is None or frame.altered is None:
            self._facts.columns.update(observed_columns(view, self._datasets))
        elif FACETS in frame.changed and (altered := sorted({owner[i] for i in frame.altered if i in owner})):
            for node in altered:
                self._facts.columns.pop(node, None)
            self._facts.columns.update(observed_columns(view, altered))

    def _add(self, view: View, owner: dict[int, int], when: dict[str, Any]) -> None:
        """Tests and writes since the instant before."""
        facts, touched = self._facts, set()
        for dataset, column, name, status, actual, at, run in view.store.rows(_NEW_TESTS, when):
            node = owner[dataset]
            touched.add(node)
            held = self._tests.setdefault(node, {})
            held[dataset, column or "", name] = TestResult(column or "", name, status, actual, at, run)
        for node in touched:
            facts.tests[node] = list(self._tests[node].values())
        for dataset, done, run, rows in view.store.rows(_NEW_WRITES, when):
            facts.written.setdefault(owner[dataset], []).append((done, run))
            if rows is not None:
                facts.rows[owner[dataset]] = (rows, run)
