"""Verdicts on promises at rising instants: what no fact touched and time does not decide stays as it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lineage.contracts.binding import bindings
from lineage.contracts.conformance import ENFORCED, STALE, personal_tags, promises_of_data, promises_of_service
from lineage.scorecards.film import DECLARED, NAMES, THERE
from lineage.scorecards.observed import Observed

if TYPE_CHECKING:
    from lineage.contracts.binding import Bound
    from lineage.contracts.conformance import Promise
    from lineage.contracts.facts import Facts
    from lineage.scorecards.film import Frame
    from lineage.view import View

_LIMITS = {"latency": 1.0, "freshness": 1.0, "frequency": 1.5}  # how many times the promise a write may be old
_NEVER = datetime.max  # noqa: DTZ901 - naive UTC


@dataclass(frozen=True, slots=True)
class Held:
    """Verdicts on one object, what they follow from, and until when they stay if that stays."""

    seen: tuple[Any, ...]
    until: datetime
    said: tuple[Promise, ...]
    broken: int
    unknown: int

    @classmethod
    def of(cls, seen: tuple[Any, ...], until: datetime, told: Iterable[Promise]) -> Held:
        """With their counts."""
        said = tuple(told)
        verdicts = [one.verdict for one in said]
        return cls(seen, until, said, verdicts.count("broken"), verdicts.count("unknown"))


class CarriedPromises:
    """Promises of all contracts in force; asked for rising instants of one film.

    Parameters
    ----------
    last
        the last of them, naive UTC.
    """

    def __init__(self, last: datetime) -> None:
        self._observed = Observed(last)
        self._data: dict[int, Held] = {}
        self._service: dict[int, Held] = {}
        self._labels: dict[int, str] = {}

    def at(self, view: View, frame: Frame) -> dict[str, list[Held]]:
        """The same verdicts as :func:`lineage.contracts.conformance.conformance` gives, by dataset.

        What is said of ages in words is as of the instant when the verdict was found.
        """
        if frame.changed & {NAMES, DECLARED, THERE}:
            self._data.clear()
            self._service.clear()
            self._labels.clear()
        facts, now = self._observed.at(view, frame), view.as_of
        bound = bindings(view.instant).bound
        personal: dict[int, set[tuple[str, str]]] = {one.node: set() for one in bound}
        for (node, field), tags in personal_tags(view).items():
            if node in personal:
                personal[node].update((field, tag) for tag in tags)
        found: dict[str, list[Held]] = {}
        for place, one in enumerate(bound):
            node = one.node
            if one.contract.status not in ENFORCED or view.hidden(node):
                continue
            seen = facts.tests.get(node), facts.rows.get(node), facts.columns.get(node), personal[node]
            held = self._data.get(place)
            if held is None or now > held.until or held.seen != seen:
                said = promises_of_data(view, one, facts, now)
                held = self._data[place] = Held.of(seen, _data_until(one, facts, now), said)
            label = self._labels.get(node) or self._labels.setdefault(node, view.label(node))
            parts = found.setdefault(label, [])
            parts.append(held)
            writes = (len(facts.written.get(node, ())),)  # they only grow
            held = self._service.get(place)
            if held is None or now > held.until or held.seen != writes:
                said = promises_of_service(view, one, facts, now)
                held = self._service[place] = Held.of(writes, _service_until(one, facts, now), said)
            parts.append(held)
        return found


def _data_until(one: Bound, facts: Facts, now: datetime) -> datetime:
    """Until a test result is too old to say anything; who reads it may change with every edge."""
    if one.contract.roles:
        return now
    ends = (test.at + STALE for test in facts.tests.get(one.node, ()))
    return min((end for end in ends if end >= now), default=_NEVER)


def _service_until(one: Bound, facts: Facts, now: datetime) -> datetime:
    """Until the last write is too old; what is counted over a window, or about a date, may change at any time."""
    written, ends = facts.written.get(one.node), []
    for sla in one.contract.slas:
        times = _LIMITS.get(sla.name.lower())
        if times is None:
            return now
        if written and sla.seconds is not None:
            ends.append(written[-1][0] + timedelta(seconds=times * sla.seconds))
    return min((end for end in ends if end >= now), default=_NEVER)
