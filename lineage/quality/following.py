"""Streaks at rising instants as known at one time: what was told is read once, and a series is judged once.

What a series says is worked out again when it grew or when time alone decides (a write that became late), so that a
year of days costs little more than one. A test holds it to be equal to :mod:`lineage.quality.streaks` and
:mod:`lineage.quality.odd` at every instant; only the words of a gap that is still open are those of an earlier one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lineage.quality import odd, streaks
from lineage.quality.anomaly import Judged, judge
from lineage.quality.services import service_streaks
from lineage.quality.streak import Streak
from lineage.quality.terms import Term, joined

if TYPE_CHECKING:
    from lineage.store import Store
    from lineage.view import View

Row = tuple[Any, ...]
_WRITES = """
-- one completed run that wrote one of some datasets until T as known at K
SELECT o.dataset, coalesce(r.ended_at, r.first_event) AS done, r.run_id FROM run_io o JOIN run r ON r.run = o.run
WHERE o.direction = 'out' AND r.state = 'COMPLETE' AND o.dataset IN (SELECT unnest($members::UBIGINT[]))
  AND coalesce(r.ended_at, r.first_event) <= $at
  AND o.known_from <= $known AND o.known_to > $known AND r.known_from <= $known AND r.known_to > $known
ORDER BY o.dataset, done, r.run
"""


class Following:
    """Streaks at rising instants.

    Parameters
    ----------
    last
        the last instant that is asked for, naive UTC.
    """

    def __init__(self, last: datetime) -> None:
        self._last = last
        self._series: tuple[_Series, ...] | None = None
        self._gaps = _Gaps(last)

    def at(self, view: View, *, renewed: bool) -> list[Streak]:
        """All streaks at the instant of a view, which also decides what is late.

        Parameters
        ----------
        renewed
            whether a name or anything that is declared changed since the instant before.
        """
        if self._series is None:
            self._series = tuple(_read(view.store, self._last, view.snapshot.known_at))
        now = view.as_of
        found = [one for series in self._series for one in series.until(now)]
        return [*found, *self._gaps.at(view, renewed), *service_streaks(view, now)]


class _Series:
    """Series that grow; of each the streaks in its points until an instant are kept until it grows again.

    Parameters
    ----------
    rows
        all points, those of a series together and in order of time.
    key
        what a point belongs to.
    at
        place of the time in a row.
    find
        the streaks in the first points of a series: the whole series, and how many of its points count.
    """

    def __init__(
        self, rows: Iterable[Row], key: Callable[[Row], Hashable], at: int,
        find: Callable[[Sequence[Row], int], Iterable[Streak]],
    ) -> None:  # fmt: skip
        self._rows = [list(part) for _, part in groupby(rows, key=key)]
        self._find = find
        self._held: list[tuple[Streak, ...]] = [() for _ in self._rows]
        self._seen = [0] * len(self._rows)
        order = sorted((row[at], k) for k, part in enumerate(self._rows) for row in part)
        self._times, self._which = [one[0] for one in order], [one[1] for one in order]
        self._read = 0

    def until(self, moment: datetime) -> Iterator[Streak]:
        """Streaks in what was told until an instant."""
        end = bisect_right(self._times, moment)
        grown = self._which[self._read : end]
        self._read = end
        for k in grown:
            self._seen[k] += 1
        for k in set(grown):
            self._held[k] = tuple(self._find(self._rows[k], self._seen[k]))
        for held in self._held:
            yield from held


def _read(store: Store, last: datetime, known: datetime) -> Iterator[_Series]:
    """Tests, row counts, profiles and runs of jobs over the whole period."""
    when = {"at": last, "known": known}
    yield _Series(store.rows(streaks.RESULTS, when), lambda row: row[:3], 5, lambda rows, n: streaks.tests(rows[:n]))
    yield _Series(store.rows(streaks.COUNTS, when), lambda row: row[0], 1, _Judges(2, 1, _volumes))
    for sql in (odd.METRICS_DURING, odd.RUNS_DURING):
        yield _Series(store.rows(sql, when), lambda row: row[:4], 4, _Judges(5, 4, _odd))


class _Judges:
    """Streaks of a series of numbers; it is judged once, since a verdict does not depend on what comes later."""

    def __init__(
        self, value: int, at: int, find: Callable[[Sequence[Row], Sequence[float], Callable[[], list[Judged]]], Any]
    ) -> None:
        self._value, self._at, self._find = value, at, find
        self._judged: dict[int, list[Judged]] = {}

    def __call__(self, rows: Sequence[Row], count: int) -> Iterable[Streak]:
        values = [float(row[self._value]) for row in rows]

        def verdicts() -> list[Judged]:
            known = self._judged.get(id(rows))
            if known is None:
                seasons = [row[self._at].weekday() for row in rows]
                known = self._judged[id(rows)] = judge(values, seasons)
            return known[:count]

        found: Iterable[Streak] = self._find(rows[:count], values[:count], verdicts)
        return found


def _volumes(rows: Sequence[Row], values: Sequence[float], verdicts: Callable[[], list[Judged]]) -> Iterator[Streak]:
    if not streaks.is_steady(values):
        yield from streaks.volumes(rows[0][0], rows, verdicts())


def _odd(rows: Sequence[Row], values: Sequence[float], verdicts: Callable[[], list[Judged]]) -> Iterator[Streak]:
    node, sort, field, name = rows[0][:4]
    if odd.has_moved(name, values):
        blank = Streak(node, sort, field, name, "warning", (), None)
        yield from odd.series([row[4:] for row in rows], blank, verdicts())


class _Gaps:
    """Times between writes that were longer than promised."""

    def __init__(self, last: datetime) -> None:
        self._last = last
        self._writes: dict[int, list[tuple[datetime, str]]] = {}
        self._promised: dict[int, list[tuple[Term, float]]] = {}  # by node id
        self._held: dict[int, tuple[int, datetime, list[Streak]]] = {}  # writes, good before, streaks

    def at(self, view: View, renewed: bool) -> Iterator[Streak]:
        if renewed:
            self._promise(view)
        now = view.as_of
        for node, promised in self._promised.items():
            writes = self._writes[node]
            seen = bisect_right(writes, now, key=_time)
            held = self._held.get(node)
            if held is None or held[0] != seen or now >= held[1]:
                part = writes[:seen]
                found = joined(streaks.gaps(node, part, promised, now)) if part else []
                held = self._held[node] = seen, _until(part, promised, now), found
            yield from held[2]

    def _promise(self, view: View) -> None:
        """Take over which datasets are promised to be written."""
        snapshot = view.snapshot
        told = streaks.promised(view)
        self._promised = {member: terms for i, terms in told.items() for member in snapshot.members(i)}
        self._held = {}
        members = [node for node in self._promised if node not in self._writes]
        found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
        when = {"members": members, "at": self._last, "known": snapshot.known_at}
        for node, done, run in view.store.rows(_WRITES, when) if members else ():
            found[node].append((done, run))
        self._writes.update({node: found[node] for node in members})


def _until(writes: Sequence[tuple[datetime, str]], promised: Sequence[tuple[Term, float]], now: datetime) -> datetime:
    """When what is late changes without another write: a promise ends, or the last write becomes too old."""
    found = [term.end for term, _ in promised if term.end > now]
    for _, limit in promised if writes else ():
        due = writes[-1][0] + timedelta(seconds=limit)
        if due >= now:
            found.append(due)
    return min(found, default=datetime.max)  # noqa: DTZ901 - naive UTC


def _time(write: tuple[datetime, str]) -> datetime:
    return write[0]
