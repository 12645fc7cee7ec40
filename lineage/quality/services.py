"""From when to when a promise of service was broken: frequency, availability, errors, retention, dates of a life.

Freshness has streaks of its own (:func:`lineage.quality.streaks.late`). A frequency is broken while nothing was written
for half as long again as promised. Shares over thirty days are looked at once for each day on which runs ended. What
a date or a state decides (:mod:`lineage.quality.states`) is broken from the moment on that follows from the promise,
until it is kept again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from lineage.contracts.periods import spoken
from lineage.contracts.sla import WINDOW, Case, about, ago, slas
from lineage.quality.states import STATES, Past, load_past, state_streaks
from lineage.quality.streak import Failure, Streak
from lineage.quality.streaks import late
from lineage.quality.terms import Term, in_force, joined, terms

if TYPE_CHECKING:
    from lineage.contracts.binding import Bound
    from lineage.contracts.facts import Facts
    from lineage.contracts.model import Sla
    from lineage.view import View

SLACK = 1.5  # of a promised frequency; see lineage.contracts.sla
_SHARES = ("availability", "errorrate")


def service_streaks(view: View, now: datetime) -> list[Streak]:
    """Broken promises of service of all contracts, each while it was in force; ``now`` decides what is late.

    Examples
    --------
    >>> import lineage
    >>> from lineage.store import Store
    >>> view = lineage.open(Store.open(":memory:")).view()
    >>> service_streaks(view, view.as_of)
    []
    """
    from lineage.contracts.facts import load_facts

    asked = [term for term in terms(view) if _asked(term.bound)]
    if not asked:
        return []
    bound = [term.bound for term in asked]
    facts = load_facts(view, sorted({one.node for one in bound}), bound)
    past = load_past(view, [one.node for one in bound if any(sla.name.lower() in STATES for sla in _asked(one))])
    return joined(streak for term in asked for streak in _of_term(view, term, facts, past, now))


def _of_term(view: View, term: Term, facts: Facts, past: Past, now: datetime) -> Iterator[Streak]:
    """Broken promises of one contract while it was in force."""
    case = Case(term.bound, facts, min(now, term.end), ())
    dataset = int(view.snapshot.ids[term.bound.node])
    for sla in _asked(term.bound):
        yield from in_force(_streaks(case, sla, dataset, past), term, now)


def _asked(one: Bound) -> list[Sla]:
    """Promises of service about a bound object that can be broken here."""
    names = ("frequency", *_SHARES, *STATES)
    return [sla for sla in one.contract.slas if sla.name.lower() in names and about(sla, one)]


def _streaks(case: Case, sla: Sla, dataset: int, past: Past) -> Iterator[Streak]:
    name = f"{case.one.contract.name or case.one.contract.id}: {sla.name}"
    blank = Streak(dataset, "sla", "", name, "error", (), None)
    kind = sla.name.lower()
    if kind == "frequency":
        if sla.seconds is not None:
            written = [one for one in case.written if one[0] <= case.now]
            for found in late(dataset, written, sla.seconds * SLACK, case.now):
                (gap,) = found.failures
                last = found.began - timedelta(seconds=sla.seconds * SLACK)
                quiet = ago(((found.ended or case.now) - last).total_seconds())
                said = replace(gap, detail=f"no write for {quiet}, promised one every {spoken(sla.seconds)}")
                yield replace(found, sort="sla", name=name, failures=(said,))
    elif kind in _SHARES:
        yield from _by_day(case, sla, blank)
    else:
        yield from state_streaks(case, sla, past, blank, lambda then: _judged(then, sla))


def _by_day(case: Case, sla: Sla, blank: Streak) -> Iterator[Streak]:
    """Streaks of a share that is counted over a window, one look for each day on which something ended."""
    open_: list[Failure] = []
    for at in _days(case):
        verdict, detail, run = _judged(_until(case, at), sla)
        if verdict == "broken":
            open_.append(Failure(at, at, run, detail))
        elif open_ and verdict == "kept":
            yield replace(blank, failures=tuple(open_), ended=at)
            open_ = []
    if open_:
        yield replace(blank, failures=tuple(open_))


def _days(case: Case) -> list[datetime]:
    """The last moment of each day on which a run that concerns the dataset ended, and now."""
    node = case.one.node
    moments = [at for at, _ in case.written] + [one[0] for one in case.facts.ended.get(node, ())]
    last: dict[object, datetime] = {}
    for at in moments:
        if at <= case.now:
            last[at.date()] = max(at, last.get(at.date(), at))
    days = sorted(last.values())
    # days without any run count too: availability falls while nothing happens
    quiet = [datetime.combine(day + timedelta(days=1), time.min) for day in _gaps(days, case.now)]
    return sorted({*days, *quiet, case.now})


def _gaps(days: Sequence[datetime], now: datetime) -> Iterator[datetime]:
    """Days between the given ones and now, as far as one window behind each."""
    for at, following in zip(days, [*days[1:], now], strict=True):
        for step in range(1, min((following - at).days, WINDOW.days) + 1):
            yield at + timedelta(days=step)


def _until(case: Case, at: datetime) -> Case:
    """The case with what had happened by a moment."""
    node, facts = case.one.node, case.facts
    known: Facts = replace(
        facts,
        written={node: [one for one in case.written if one[0] <= at]},
        ended={node: [one for one in facts.ended.get(node, ()) if one[0] <= at]},
    )
    return replace(case, facts=known, now=at)


def _judged(case: Case, sla: Sla) -> tuple[str, str, str | None]:
    """Verdict, words and run of one promise."""
    alone = replace(case.one, contract=replace(case.one.contract, slas=_needed(case, sla)))
    for promise, verdict, expected, observed, evidence, run in slas(replace(case, one=alone)):
        if promise == f"sla {sla.name}":
            return verdict, f"{observed}, promised {expected} ({evidence})", run
    return "unknown", "", None


def _needed(case: Case, sla: Sla) -> tuple[Sla, ...]:
    """The promise itself, and those of freshness, by which availability is told."""
    fresh = [one for one in case.one.contract.slas if one.name.lower() in ("latency", "freshness")]
    return (sla, *(one for one in fresh if one is not sla))
