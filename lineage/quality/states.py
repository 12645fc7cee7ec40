"""When a promise about a state was broken and kept again: retention, the end of support, the end of life.

Such a promise is not judged run by run. Its state can change at few moments only: the date it names, the first write
after it, a TRUNCATE, a new profile, and when a reader begins or ends. It is judged just behind each of them with what
was there then, so that a promise that is kept again ends its streak, and the streak stays in the history.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lineage.quality.streak import Failure, Streak
from lineage.times import parse_event_time

if TYPE_CHECKING:
    from lineage.contracts.facts import Facts
    from lineage.contracts.model import Sla
    from lineage.contracts.sla import Case
    from lineage.view import View

STATES = ("retention", "endofsupport", "endoflife")
_BEHIND = timedelta(microseconds=1)
_READERS = """
-- one job that read one of some datasets over one valid interval, until T as known at K
SELECT src, dst, valid_from, valid_to FROM edge
WHERE kind = 'read' AND src IN (SELECT unnest($members::UBIGINT[])) AND valid_from <= $at
  AND known_from <= $known AND known_to > $known
"""
_PROFILES = """
-- one smallest value of one column of some datasets in one profile, until T as known at K
SELECT n.dataset, lower(n.field), m.measured_at, m.value FROM metric m JOIN node n ON n.id = m.node
WHERE n.kind = 'column' AND n.dataset IN (SELECT unnest($members::UBIGINT[])) AND m.name = 'min'
  AND m.measured_at <= $at AND m.known_from <= $known AND m.known_to > $known
ORDER BY m.measured_at
"""
_Judge = Callable[["Case"], tuple[str, str, str | None]]


@dataclass(frozen=True)
class Past:
    """What was there when, by dense index of the dataset: readers by label with their time; profiles in order, each
    with the smallest value of every column that was told until then.
    """

    readers: Mapping[int, Sequence[tuple[str, datetime, datetime]]] = field(default_factory=dict)
    profiles: Mapping[int, Sequence[tuple[datetime, Mapping[str, float]]]] = field(default_factory=dict)


def load_past(view: View, nodes: Sequence[int]) -> Past:
    """The past of some datasets, in two queries.

    >>> import lineage
    >>> from lineage.store import Store
    >>> load_past(lineage.open(Store.open(":memory:")).view(), [])
    Past(readers={}, profiles={})
    """
    owner = {member: node for node in nodes for member in view.snapshot.members(node)}
    if not owner:
        return Past()
    when = {"members": list(owner), "at": view.snapshot.as_of, "known": view.snapshot.known_at}
    readers: dict[int, list[tuple[str, datetime, datetime]]] = {}
    for dataset, job, start, end in view.store.rows(_READERS, when):
        index = view.snapshot.index(job)
        if index is not None:
            readers.setdefault(owner[dataset], []).append((view.label(index), start, end))
    profiles: dict[int, list[tuple[datetime, Mapping[str, float]]]] = {}
    for dataset, column, at, value in view.store.rows(_PROFILES, when):
        told = profiles.setdefault(owner[dataset], [])
        before = told[-1] if told else (at, {})
        now = (at, {**before[1], column: value})
        told[len(told) - (1 if told and before[0] == at else 0) :] = [now]
    return Past(readers, profiles)


def state_streaks(case: Case, sla: Sla, past: Past, blank: Streak, judge: _Judge) -> Iterator[Streak]:
    """Streaks of one promise about a state.

    Parameters
    ----------
    case
        the dataset with its contract, judged at ``case.now``.
    blank
        a streak that says what is judged.
    judge
        verdict, words and run of the promise in a case.
    """
    open_: Failure | None = None
    for at in _moments(case, sla, past):
        verdict, detail, run = judge(_then(case, past, min(at + _BEHIND, case.now)))
        if verdict == "broken":
            open_ = replace(open_, detail=detail) if open_ else Failure(at, at, run, detail)
        elif open_:  # kept, or nothing says any more that it is broken: a TRUNCATE longer ago than promised
            yield replace(blank, failures=(open_,), ended=at)
            open_ = None
    if open_:
        yield replace(blank, failures=(open_,))


# -- inside


def _moments(case: Case, sla: Sla, past: Past) -> list[datetime]:
    """When the state of a promise may change, from the first moment on at which it can be broken."""
    node = case.one.node
    if sla.name.lower() == "retention":
        span = timedelta(seconds=sla.seconds) if sla.seconds is not None else None
        if span is None or not case.written:
            return []
        emptied = [at for at, _ in case.facts.emptied.get(node, ())]
        profiles = [at for at, _ in past.profiles.get(node, ())]
        found = {case.written[0][0] + span, *emptied, *(at + span for at in emptied), *profiles}
        return sorted(at for at in found if at <= case.now)
    date = parse_event_time(str(sla.value))
    if date is None:
        return []
    ends = (at for _, start, end in past.readers.get(node, ()) for at in (start, end))
    first = next((at for at, _ in case.written if at > date.at), date.at)
    found = {date.at, first, *ends}
    return sorted(at for at in found if date.at <= at <= case.now)


def _then(case: Case, past: Past, at: datetime) -> Case:
    """The case with what had happened by a moment."""
    node, facts = case.one.node, case.facts
    profiles = past.profiles.get(node, ())
    told = bisect_right(profiles, at, key=lambda one: one[0])
    readers = {label for label, start, end in past.readers.get(node, ()) if start <= at < end}
    known: Facts = replace(
        facts,
        written={node: list(case.written[: bisect_right(case.written, at, key=lambda one: one[0])])},
        emptied={node: [one for one in facts.emptied.get(node, ()) if one[0] <= at]},
        smallest={node: dict(profiles[told - 1][1]) if told else {}},
    )
    return replace(case, facts=known, now=at, readers=tuple(sorted(readers)))
