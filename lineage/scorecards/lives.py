"""Violations at rising instants: one that was closed stays as it was until something is said of its asset again."""

from __future__ import annotations

import json
from bisect import bisect_right
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

from lineage.policies import ledger
from lineage.policies.model import Policy, read_policy
from lineage.policies.recording import WHOLE
from lineage.policies.violations import Interval, Violation, lives

if TYPE_CHECKING:
    from lineage.view import View

Pair = tuple[str, str]  # policy, subject


class Lives:
    """Every violation until an instant, asked for rising instants up to ``last``, all as known at one time."""

    def __init__(self, last: datetime) -> None:
        self._last = last
        self._pairs: dict[Pair, list[Interval]] | None = None
        self._closed: dict[Pair, tuple[int, Policy, Violation | None]] = {}

    def at(self, view: View) -> tuple[Violation, ...]:
        """The same as :func:`lineage.policies.ledger.lives_of` says."""
        if view.restricted:
            return ledger.lives_of(view)
        when = {"at": view.as_of, "known": view.known_at}
        policies = ledger.policies_until(view, _policy)
        acts, waivers = ledger.acts_until(view.store, when), ledger.waivers_until(view)
        told = []
        for pair, held in self._all(view).items():
            policy, past = policies.get(pair[0]), bisect_right(held, view.as_of, key=attrgetter("start"))
            if policy is None or not past:
                continue
            touched = pair in acts or pair in waivers
            kept = None if touched else self._closed.get(pair)
            if kept is not None and kept[0] == past and kept[1] is policy:
                told += [kept[2]] if kept[2] is not None else []
                continue
            waived = waivers.get(pair, ())
            ended = ledger.ended(held[:past], waived, view.as_of)
            one = lives(policy, pair[1], ended, acts.get(pair, ()), view.as_of)
            if one is None:
                if not touched:
                    self._closed[pair] = past, policy, None
                continue
            told.append(ledger.waived_by(one, waived, view.as_of))
            if one.fixed is not None and not touched:
                self._closed[pair] = past, policy, one
        return tuple(told)

    def _all(self, view: View) -> dict[Pair, list[Interval]]:
        """Results over the whole period, read once."""
        if self._pairs is None:
            self._pairs = {}
            when = {"at": self._last, "known": view.known_at, "whole": WHOLE}
            for policy, subject, *rest in view.store.rows(ledger.INTERVALS, when):
                self._pairs.setdefault((policy, subject), []).append(Interval(*rest))
        return self._pairs


@lru_cache(maxsize=1_024)
def _policy(document: str) -> Policy:
    return read_policy(json.loads(document))
