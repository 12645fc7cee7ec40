"""Which promises held when: all versions of all contracts with their time, so that a broken promise stays in the past.

A version that was replaced, or a contract that ended, is judged for the time it was in force; what it did not keep then
stays an incident of that time. As everywhere, the first version of a contract holds for the time before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.quality.streak import Failure, Streak

if TYPE_CHECKING:
    from lineage.contracts.binding import Bound
    from lineage.view import View

_VERSIONS = """
-- one version of one contract that began until T, as known at K, in order
SELECT name, document, valid_from, valid_to FROM contract
WHERE known_from <= $known AND known_to > $known ORDER BY name, valid_from
"""


@dataclass(frozen=True, slots=True)
class Term:
    """One object of one version of a contract and when it was in force, half-open."""

    bound: Bound
    start: datetime
    end: datetime


def terms(view: View) -> tuple[Term, ...]:
    """All enforced promises of now and of the past, found once for an instant.

    Examples
    --------
    >>> import lineage
    >>> from lineage.store import Store
    >>> terms(lineage.open(Store.open(":memory:")).view())
    ()
    """
    return view.instant.remember("terms of contracts", lambda: tuple(_terms(view)))


def in_force(found: Iterable[Streak], term: Term, now: datetime) -> Iterator[Streak]:
    """The streaks of a promise as far as they lie in its time.

    Parameters
    ----------
    found
        streaks of the promise, judged until ``now`` or, if that is earlier, until the end of the term.
    """
    over = term.end <= now
    for one in found:
        ended = min(one.ended or term.end, term.end) if over else one.ended
        if ended is not None and ended <= term.start:
            continue
        before = [f for f in one.failures if f.at < term.start]
        inside = [f for f in one.failures if f.at >= term.start and (ended is None or f.at < ended)]
        if before:  # it was so already when the promise began
            inside.insert(0, replace(before[-1], at=term.start, known=max(before[-1].known, term.start)))
        if inside:
            yield replace(one, failures=tuple(inside), ended=ended)


def joined(found: Iterable[Streak]) -> list[Streak]:
    """Streaks of one promise that overlap or follow each other at once are one, as when a version is replaced."""
    done: list[Streak] = []
    for one in sorted(found, key=lambda streak: (streak.key, streak.began)):
        last = done[-1] if done else None
        if last is None or last.key != one.key or (last.ended is not None and one.began > last.ended):
            done.append(one)
            continue
        ended = None if last.ended is None or one.ended is None else max(last.ended, one.ended)
        done[-1] = replace(last, failures=_failures(last.failures, one.failures), ended=ended)
    return done


# -- inside


def _failures(first: tuple[Failure, ...], second: tuple[Failure, ...]) -> tuple[Failure, ...]:
    """Failures of both; a second telling of the same gap is none of its own."""
    last = first[-1]
    more = tuple(one for one in second if one.at > last.at and (one.run is None or one.run != last.run))
    told = (*first[:-1], replace(last, detail=second[0].detail)) if len(second) == 1 and not more else first
    return (*told, *more)


def _terms(view: View) -> Iterator[Term]:
    from lineage.contracts.binding import bind_all, contract_of
    from lineage.contracts.conformance import ENFORCED

    seen: set[str] = set()
    for name, document, start, end in view.store.rows(_VERSIONS, {"known": view.snapshot.known_at}):
        first, began = name not in seen, start <= view.as_of
        seen.add(name)
        if not (first or began):
            continue
        contract = contract_of(document)
        if contract.status in ENFORCED:
            for one in bind_all(view.instant, (contract,)).bound:
                yield Term(one, datetime.min if first else start, end)  # noqa: DTZ901 - naive UTC
