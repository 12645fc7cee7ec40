"""Promises of service: freshness, frequency, availability, errors, retention, and the dates of a contract's life.

Each is judged by what runs told; what runs cannot tell is *unknown*, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

from lineage.contracts.binding import Bound
from lineage.contracts.facts import Facts
from lineage.contracts.model import Sla
from lineage.contracts.periods import spoken
from lineage.quality.freshness import fresh
from lineage.times import iso, parse_event_time

Verdict = Literal["kept", "broken", "unknown"]
Said = tuple[str, Verdict, str, str, str, str | None]
"""Promise, verdict, expected, observed, evidence, run."""

WINDOW = timedelta(days=30)
"""How far back availability and errors are counted."""
_FRESH = ("latency", "freshness")
_UNTOLD = {
    "timetodetect": "incidents are judged by meshline incidents, not by runs",
    "timetonotify": "incidents are judged by meshline incidents, not by runs",
    "timetorepair": "incidents are judged by meshline incidents, not by runs",
    "throughput": "events do not tell what a server delivers",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One bound object with what was observed of it. ``readers``: jobs that read it, where an end is promised."""

    one: Bound
    facts: Facts
    now: datetime
    readers: tuple[str, ...]

    @property
    def written(self) -> Sequence[tuple[datetime, str]]:
        """End and id of the completed runs that wrote it, in order."""
        return self.facts.written.get(self.one.node, ())


def slas(case: Case) -> Iterator[Said]:
    """A verdict on each SLA property about the object; names that are not known give none."""
    judges = {
        **dict.fromkeys(_FRESH, _latency), "frequency": _frequency, "availability": _availability,
        "errorrate": _errors, "retention": _retention, "generalavailability": _available_from,
        "endofsupport": _end_of_support, "endoflife": _end_of_life,
    }  # fmt: skip
    for sla in case.one.contract.slas:
        name = sla.name.lower()
        if not about(sla, case.one):
            continue
        if name in judges:
            yield judges[name](case, sla)
        elif name in _UNTOLD:
            yield _unknown(sla, _UNTOLD[name])


def freshness_slas(one: Bound) -> list[Sla]:
    """Promises of freshness about a bound object."""
    return [sla for sla in one.contract.slas if sla.name.lower() in _FRESH and about(sla, one)]


def about(sla: Sla, one: Bound) -> bool:
    """Whether a promise is about an object: it names it, one of its columns, or nothing."""
    heads = [element.strip().split(".")[0].lower() for element in sla.element.split(",") if element.strip()]
    return not heads or any(h in (one.thing.name.lower(), one.thing.physical_name.lower()) for h in heads) or (
        not any("." in e for e in sla.element.split(",")) and one.thing.column(sla.element) is not None
    )  # fmt: skip


def share_of(sla: Sla) -> float | None:
    """A promised share between 0 and 1; ``None`` when it cannot be read, as a bare 1 that may be 1 % or all.

    >>> share_of(Sla("availability", 99.5, "percent", "", "")), share_of(Sla("errorRate", "2%", "", "", ""))
    (0.995, 0.02)
    >>> share_of(Sla("errorRate", 1, "", "", "")) is None
    True
    """
    text, unit = str(sla.value).strip(), sla.unit.strip().lower()
    percent = text.endswith("%") or unit in ("%", "percent", "pct", "percentage")
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        return None
    if not percent and not unit and (value > 1 and sla.name.lower() == "availability"):
        percent = True
    if not percent and (unit not in ("", "ratio", "fraction") or (not unit and value >= 1)):
        return None
    share = value / 100 if percent else value
    return share if 0 <= share <= 1 else None


# -- time


def _latency(case: Case, sla: Sla) -> Said:
    if sla.seconds is None or not case.written:
        return _unknown(sla, "no duration can be read" if sla.seconds is None else "no completed run wrote it")
    last, run = case.written[-1]
    age = (case.now - last).total_seconds()
    verdict: Verdict = "kept" if fresh(age, sla.seconds) else "broken"
    return _name(sla), verdict, _expected(sla), ago(age), f"last write {iso(last)}", run


def _frequency(case: Case, sla: Sla) -> Said:
    if sla.seconds is None or not case.written:
        return _unknown(sla, "no duration can be read" if sla.seconds is None else "no completed run wrote it")
    recent = [*(at for at, _ in case.written[-8:]), case.now]
    gap = max((b - a).total_seconds() for a, b in pairwise(recent))
    verdict: Verdict = "kept" if gap <= sla.seconds * 1.5 else "broken"
    evidence = f"last {len(recent) - 1} writes"
    return _name(sla), verdict, _expected(sla), f"longest gap {ago(gap)}", evidence, case.written[-1][1]


def _availability(case: Case, sla: Sla) -> Said:
    """Share of the window in which the data was no older than promised; without such a promise nobody can tell."""
    promised, limit = share_of(sla), min((s.seconds for s in freshness_slas(case.one) if s.seconds), default=None)
    if promised is None:
        return _unknown(sla, "no share can be read; give a unit, as percent")
    if limit is None:
        return _unknown(sla, "events do not tell whether a server answers, and no latency says when data is too old")
    since = case.now - WINDOW
    if not case.written or case.written[0][0] >= case.now:
        return _unknown(sla, "no completed run wrote it")
    begin = max(since, case.written[0][0])
    share = covered([at for at, _ in case.written], limit, begin, case.now)
    verdict: Verdict = "kept" if share >= promised else "broken"
    evidence = f"time within {spoken(limit)} of a write since {iso(begin)}, {len(case.written)} writes"
    return _name(sla), verdict, _percent(promised), _percent(share), evidence, case.written[-1][1]


def covered(writes: Sequence[datetime], limit: float, begin: datetime, end: datetime) -> float:
    """Share of a time in which the newest of some writes (ascending) was no older than ``limit`` seconds.

    >>> day = [datetime(2026, 1, n) for n in (1, 2, 5)]
    >>> covered(day, 86_400, day[0], day[-1])
    0.5
    """
    total = (end - begin).total_seconds()
    if total <= 0:
        return 1.0
    held = 0.0
    for at, following in pairwise([*writes, end]):
        start, stop = max(at, begin), min(at + timedelta(seconds=limit), following, end)
        held += max(0.0, (stop - start).total_seconds())
    return held / total


def _errors(case: Case, sla: Sla) -> Said:
    """Share of the ended runs of its writers that did not complete."""
    promised = share_of(sla)
    if promised is None:
        return _unknown(sla, "no share can be read; give a unit, as percent")
    ended = [one for one in case.facts.ended.get(case.one.node, ()) if case.now - WINDOW <= one[0] <= case.now]
    if not ended:
        return _unknown(sla, f"no run of a job that writes it ended in {WINDOW.days} days")
    bad = [one for one in ended if one[1] != "COMPLETE"]
    share = len(bad) / len(ended)
    verdict: Verdict = "kept" if share <= promised else "broken"
    evidence = f"{len(bad)} of {len(ended)} runs in {WINDOW.days} days"
    return _name(sla), verdict, _percent(promised), _percent(share), evidence, (bad or ended)[-1][2]


def _retention(case: Case, sla: Sla) -> Said:
    """Broken when data younger than promised is gone: by a TRUNCATE or DROP, or by the smallest date of a profile."""
    if sla.seconds is None:
        return _unknown(sla, "no duration can be read")
    since = case.now - timedelta(seconds=sla.seconds)
    first = case.written[0][0] if case.written else None
    for at, state in case.facts.emptied.get(case.one.node, ()):
        if since < at <= case.now and first is not None and first < at:
            return _name(sla), "broken", _expected(sla), f"emptied {iso(at)}", f"lifecycle event {state}", None
    oldest = _oldest(case)
    if oldest is None:
        return _unknown(sla, "no profile tells the smallest date, so nobody knows how long data is kept")
    at, column = oldest
    evidence = f"smallest {column} in the newest profile"
    if at <= since:
        return _name(sla), "kept", _expected(sla), f"back to {iso(at)}", evidence, None
    if first is not None and first < since:
        return (
            _name(sla),
            "broken",
            _expected(sla),
            f"back to {iso(at)}",
            f"{evidence}; written since {iso(first)}",
            None,
        )
    return _unknown(sla, "no completed run wrote it longer ago than that", f"back to {iso(at)}")


def _oldest(case: Case) -> tuple[datetime, str] | None:
    """Smallest date of a partition column, else of any date column, that the newest profile tells."""
    told = case.facts.smallest.get(case.one.node, {})
    columns = [c for c in case.one.thing.columns if c.path.lower() in told and (c.partitioned or _dated(c.type))]
    for column in sorted(columns, key=lambda c: (not c.partitioned, c.position)):
        at = date_of(told[column.path.lower()])
        if at is not None:
            return at, column.path
    return None


def _dated(kind: str) -> bool:
    return any(word in kind.lower() for word in ("date", "timestamp"))


def date_of(value: float) -> datetime | None:
    """A number of a profile as a date: 20260131, or seconds, milliseconds or microseconds since 1970.

    >>> date_of(20260131.0) == date_of(1769817600.0) == datetime(2026, 1, 31), date_of(7.0) is None
    (True, True)
    """
    if not value.is_integer():
        return None
    if 19_000_101 <= value <= 29_991_231:
        try:
            return datetime.strptime(str(int(value)), "%Y%m%d")  # noqa: DTZ007 - a day, naive UTC like all stored times
        except ValueError:
            return None
    for size in (1, 1_000, 1_000_000):
        if 2e8 <= value / size <= 4.2e9:  # 1976 to 2103
            return datetime.fromtimestamp(value / size, UTC).replace(tzinfo=None)
    return None


# -- life


def _available_from(case: Case, sla: Sla) -> Said:
    at = _date(sla)
    if at is None:
        return _unknown(sla, "no date can be read")
    if case.now < at:
        return _name(sla), "kept", str(sla.value), "not due yet", "the date lies ahead", None
    if not case.written:
        return _unknown(sla, "no completed run wrote it")
    first, run = case.written[0]
    return _name(sla), "kept", str(sla.value), f"first write {iso(first)}", "completed run", run


def _end_of_support(case: Case, sla: Sla) -> Said:
    """Until the date it must be there; afterwards nobody should read it any more."""
    return _ended(case, sla, readers_only=True)


def _end_of_life(case: Case, sla: Sla) -> Said:
    return _ended(case, sla, readers_only=False)


def _ended(case: Case, sla: Sla, *, readers_only: bool) -> Said:
    at = _date(sla)
    if at is None:
        return _unknown(sla, "no date can be read")
    if case.now < at:
        return _name(sla), "kept", str(sla.value), f"in {ago((at - case.now).total_seconds())}", "lies ahead", None
    late = [run for done, run in case.written if done > at]
    if case.readers:
        shown = ", ".join(case.readers[:3]) + (f" and {len(case.readers) - 3} more" if len(case.readers) > 3 else "")
        return _name(sla), "broken", str(sla.value), f"read by {len(case.readers)}", f"still read by {shown}", None
    if late and not readers_only:
        return _name(sla), "broken", str(sla.value), f"{len(late)} writes", "still written", late[-1]
    return _name(sla), "kept", str(sla.value), "nobody reads it", "lineage", None


def _date(sla: Sla) -> datetime | None:
    found = parse_event_time(str(sla.value))
    return found.at if found else None


# -- words


def _name(sla: Sla) -> str:
    return f"sla {sla.name}"


def _expected(sla: Sla) -> str:
    return spoken(sla.seconds) if sla.seconds is not None else f"{sla.value} {sla.unit}".strip()


def _unknown(sla: Sla, why: str, observed: str = "") -> Said:
    return _name(sla), "unknown", _expected(sla), observed, why, None


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"


def ago(seconds: float) -> str:
    """A time that went by, for people."""
    return f"{seconds / 86_400:.1f} days" if seconds >= 172_800 else f"{seconds / 3_600:.1f} hours"
