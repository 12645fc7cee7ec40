"""What policies said over a period: read once, with the interval over which each result holds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.arrow import numbers
from lineage.policies.load import policies_of
from lineage.policies.recording import WHOLE
from lineage.scorecards.carried import CarriedBase
from lineage.scorecards.film import NAMES
from lineage.scorecards.state import ended_waivers
from lineage.scorecards.tally import Counts, Tally
from lineage.times import microseconds

if TYPE_CHECKING:
    from lineage.graph.arrays import I64, Bool
    from lineage.store import Store

_RESULTS = """
-- one result over one interval, of every policy and asset over a period as known at K
SELECT policy, subject, result, epoch_us(valid_from) AS begin_us, epoch_us(valid_to) AS end_us FROM evaluation
WHERE valid_from <= $last AND valid_to > $first AND known_from <= $known AND known_to > $known AND subject <> $whole
ORDER BY policy, subject
"""
_RUNS = """
-- every run of every policy as known at K
SELECT policy, evaluated_at FROM policy_run WHERE evaluated_at <= $known ORDER BY policy, evaluated_at
"""
_NAMES = ("policy-coverage", "compliance-strict", "compliance", "waiver-load", "overdue-waivers", "full-coverage")


class Results:
    """Results of all policies over a period."""

    def __init__(self, store: Store, first: datetime, last: datetime, known: datetime) -> None:
        when = {"first": first, "last": last, "known": known, "whole": WHOLE}
        table = store.arrow(_RESULTS, when)
        coded = [table.column(name).combine_chunks().dictionary_encode() for name in ("policy", "subject", "result")]
        self._policy, self._subject, self._result = (numbers(c.indices).astype(np.int64) for c in coded)
        self.policies, self.subjects, self.results = (c.dictionary.to_pylist() for c in coded)
        self._begin, self._end = (numbers(table.column(name)) for name in ("begin_us", "end_us"))
        self._runs: dict[str, list[datetime]] = {}
        for policy, at in store.rows(_RUNS, {"known": known}):
            self._runs.setdefault(policy, []).append(at)
        self._at = np.zeros(0, dtype=np.int64)  # dense index of the asset of each subject, -1 when it is none
        self._codes = {text: k for k, text in enumerate(self.subjects)}

    def tally(self, base: CarriedBase) -> dict[str, Counts]:
        """The same as :func:`lineage.scorecards.state.policies` counts."""
        view, state = base.view, base.state
        held = {one.id: one for one in policies_of(view.store, view.as_of, view.known_at).policies}
        held = {name: one for name, one in held.items() if one.domain == "*" or view.actor.may_see(one.domain)}
        last = {name: runs[k - 1] for name, runs in self._runs.items() if (k := bisect_right(runs, view.as_of))}
        now = microseconds(view.as_of)
        units = self._units(base)
        mine = np.array([name in held for name in self.policies] or [False])
        rows = np.flatnonzero((self._begin <= now) & (self._end > now))
        rows = rows[mine[self._policy[rows]] & (units.domain[self._subject[rows]] >= 0)]
        policy, subject = self._policy[rows], self._subject[rows]
        ended = ended_waivers(base)
        told, over = self._told(rows, ended)
        fresh = np.array([
            name in held and name in last and last[name] + timedelta(hours=held[name].ttl_hours) >= view.as_of
            for name in self.policies
        ] or [False])  # fmt: skip
        good = fresh[policy] & (told != "error")
        like = units.take(subject)
        never = sorted(held.keys() - last.keys()) if last else []
        homes = [state.words.code("" if held[name].domain == "*" else held[name].domain) for name in never]
        found: dict[str, Counts] = dict(zip(_NAMES, (
            like.counted(good).and_no(homes),
            like.counted(told == "pass"),
            like.counted((told == "pass") | (told == "waived")),
            like.counted(told == "waived").only((told == "violation") | (told == "waived")),
            like.counted(over).only(over & (told == "violation")),
            Tally.none(),
        ), strict=True))  # fmt: skip
        if len(rows):
            bad = np.zeros(len(self.subjects), dtype=bool)
            bad[subject[~good]] = True
            seen = np.zeros(len(self.subjects), dtype=bool)
            seen[subject] = True
            covered = np.zeros(state.many, dtype=bool)
            at = self._at[seen & ~bad]
            covered[at[at >= 0]] = not never
            found["full-coverage"] = Tally.of(state, np.arange(state.datasets), covered[: state.datasets])
        return found

    def _told(self, rows: I64, ended: Collection[tuple[str, str]]) -> tuple[Any, Bool]:
        """Result of each row, and whether every waiver of its pair has ended."""
        words = np.array(self.results or [""])
        told = words[self._result[rows]] if len(rows) else np.zeros(0, dtype="<U9")
        over = np.zeros(len(rows), dtype=bool)
        for name, subject in ended:
            k = self._codes.get(subject)
            if k is not None and name in self.policies:
                over |= (self._subject[rows] == k) & (self._policy[rows] == self.policies.index(name))
        return np.where(over & (told == "waived"), "violation", told), over

    def _units(self, base: CarriedBase) -> Tally:
        """Domain (-1: not to be seen), product and tier of every subject."""
        state, code = base.state, base.state.words.code
        if NAMES in base.frame.changed:
            self._at = np.array([_place(state.places, text) for text in self.subjects], dtype=np.int64)
        inside = self._at >= 0
        at = np.where(inside, self._at, 0)
        if not state.many:
            at = np.zeros(0, dtype=np.int64)
        columns = [np.where(inside, part[at], 0) if len(part) else np.zeros(len(inside), np.int64)
                   for part in (state.domain, state.product, state.tier)]  # fmt: skip
        domain, product, tier = columns
        if len(state.visible):
            domain[inside & ~state.visible[at]] = -1
        for k in np.flatnonzero(~inside).tolist():
            row = base.about(self.subjects[k])
            domain[k] = -1 if row is None else code(row.domain)
            if row is not None:
                product[k], tier[k] = code(row.product), code(row.tier)
        return Tally(domain, product, tier, np.zeros(len(domain), np.int8))


def _place(places: dict[str, int], subject: str) -> int:
    """Dense index of the asset that a subject is, or is a column of."""
    found = places.get(subject)
    if found is None and subject.startswith("column:"):
        found = places.get("dataset:" + subject.removeprefix("column:").rpartition(":")[0])
    return -1 if found is None else found
