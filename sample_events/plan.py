"""Ninety days of runs: when each job ran, how it ended, what went wrong.

Pure and seeded: the same plan on every machine. Both the events (emit.py) and the expected answers (expected.py) are
made from it, so that neither is made from the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Literal

from sample_events.datasets import DATASETS
from sample_events.jobs import (
    CONTACTS_DROPPED,
    DELIVERY_STARTS,
    FAILED_DAY,
    FIRST_DAY,
    JOBS,
    LAST_DAY,
    LATE_DAY,
    SESSIONS_SKIPPED,
    UNFINISHED_DAY,
)
from sample_events.model import Job

SEED = "harbour & pine 2026"

# Days on which code changed, by path; before the first of them it was at its first commit.
COMMITS: dict[str, tuple[date, ...]] = {
    "models/staging/stg_orders.sql": (date(2026, 5, 18),),
    "models/sales/fct_orders.sql": (date(2026, 4, 22), date(2026, 5, 19)),
    "models/finance/fct_payments.sql": (date(2026, 4, 15),),
    "models/marketing/attribution.sql": (CONTACTS_DROPPED,),
    "models/customer/customer_360.sql": (SESSIONS_SKIPPED,),
    "models/logistics/inventory_daily.sql": (date(2026, 5, 5),),
    "lake/sessionize.py": (date(2026, 4, 28), date(2026, 6, 9)),
}
State = Literal["COMPLETE", "FAIL", "START", "RUNNING"]

DUPLICATES = 214  # orders that a re-snapshot of the connector delivered twice
FAILED_MESSAGE = (
    "100090 (42P18): Duplicate row detected during DML action\n"
    "Row Values: [10418807, 5520931, '2026-06-16', 'shipped', 3, 84.90]"
)
RETRY_AT = datetime(2026, 6, 17, 9, 20)  # noqa: DTZ001 - naive UTC like all times here
CONNECTOR_RESTART = datetime(2026, 5, 12, 5, 40)  # noqa: DTZ001 - to pick up the new column
CORRECTED_AT = datetime(2026, 6, 18, 9, 0)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one job. ``end`` is ``None`` for a run that never said how it ended."""

    job: Job
    run_id: str
    day: date
    start: datetime
    end: datetime | None
    state: State
    full: bool  # its events repeat what seldom changes: schema, owner, code
    late_until: datetime | None = None  # its last event is received then
    retry: bool = False

    def received(self, at: datetime) -> datetime:
        """When the event of ``at`` was received."""
        if self.late_until is not None and (at == self.end or self.job.key == "export_delivery"):
            return self.late_until
        return batch_after(at)


def noise(*parts: object) -> float:
    """A number in [0, 1) that depends on the seed and ``parts`` only."""
    return int.from_bytes(_digest(*parts)[:6], "big") / 2**48


def hexes(n: int, *parts: object) -> str:
    """``n`` hexadecimal digits that depend on the seed and ``parts`` only."""
    return _digest(*parts).hex()[:n]


def run_id(at: datetime, *parts: object) -> str:
    """A UUID of version 7: its time is ``at``, its other bits depend on the seed and ``parts`` only."""
    millis = int((at - datetime(1970, 1, 1)).total_seconds() * 1000)  # noqa: DTZ001
    tail = int.from_bytes(_digest("run", *parts)[:10], "big")
    bits = (millis << 80) | (7 << 76) | ((tail >> 68) & 0xFFF) << 64 | (2 << 62) | (tail & (2**62 - 1))
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def batch_after(at: datetime) -> datetime:
    """The forwarder ships what it has at 07:00 and at 19:00; ``at`` itself counts.

    >>> batch_after(datetime(2026, 4, 1, 7, 0, 1)).hour
    19
    """
    for hour in (7, 19):
        shipped = datetime.combine(at.date(), time(hour))
        if at <= shipped:
            return shipped
    return datetime.combine(at.date() + timedelta(days=1), time(7))


def days() -> Iterator[date]:
    """Every day of the story."""
    for n in range((LAST_DAY - FIRST_DAY).days + 1):
        yield FIRST_DAY + timedelta(days=n)


def due(job: Job, day: date) -> bool:
    """Whether ``job`` runs on ``day``. On the first day everything runs that exists by then."""
    if job.cadence == "stream" or not job.since <= day < job.until:
        return False
    if day == FIRST_DAY:
        return True
    weekday = day.weekday()
    return {
        "daily": True,
        "weekdays": weekday < 5,
        "mwf": weekday in (0, 2, 4),
        "weekly": weekday == 0,
    }.get(job.cadence, False)


@cache
def runs() -> tuple[Run, ...]:
    """Every run that has a beginning, in the order of its start; streams are one run each."""
    found = [run for job in JOBS.values() if job.cadence == "stream" for run in _stream(job)]
    for day in days():
        found += [_run(job, day) for job in JOBS.values() if due(job, day)]
        if day == FAILED_DAY:
            found.append(_retry())
    return tuple(sorted(found, key=lambda run: (run.start, run.job.key)))


def heartbeats(run: Run) -> Iterator[datetime]:
    """When a streaming run reports: every other evening at seven, the last time at the end of the story, and when the
    columns of an output change. Real ones report every few minutes: larger files, no better story.
    """
    for day in days():
        at = datetime.combine(day, time(19))
        alive = run.start < at < (run.end or datetime.combine(LAST_DAY, time.max))
        if alive and ((LAST_DAY - day).days % 2 == 0 or day in telling_days(run.job)):
            yield at


def shape_day(run: Run, at: datetime) -> date:
    """Day whose columns an event tells: a stream learns of new ones at its next start, a batch at each."""
    if run.job.cadence != "stream":
        return run.day
    return at.date() if run.end is None or at.date() < run.end.date() else run.end.date() - timedelta(days=1)


def telling_days(job: Job) -> set[date]:
    """Days on which the events of a stream tell schemas again."""
    return {FIRST_DAY, *(c.since for key in job.outputs for c in DATASETS[key].columns)}


def rows(run: Run, key: str, *, corrected: bool = False) -> int:
    """Rows that a run wrote to a dataset: a trend of 6 % in 90 days, a weekly rhythm, a little noise.

    On the day of the duplicates the first report of fct_orders counts them; ``corrected`` is what it said later.
    """
    base, day = DATASETS[key].rows, run.day
    trend = 1 + 0.06 * (day - FIRST_DAY).days / 90
    large = base > 80_000
    rhythm = 1.0 if large or base < 1000 else (1.0, 0.96, 0.97, 1.01, 1.12, 1.25, 1.18)[day.weekday()]
    spread = 0.002 if large else 0.02
    count = max(1, int(base * trend * rhythm * (1 + spread * (2 * noise("rows", run.job.key, key, day) - 1))))
    doubled = (run.job.key, day) == ("fct_orders", FAILED_DAY) and not corrected
    return count + (DUPLICATES if doubled else 0)


def _run(job: Job, day: date) -> Run:
    start = datetime.combine(day, time(*job.at)) + timedelta(
        seconds=int(120 * noise("start", job.key, day) * 1000) / 1000
    )
    length = job.minutes * 60 * (0.85 + 0.4 * noise("length", job.key, day))
    end: datetime | None = start + timedelta(milliseconds=int(length * 1000))
    state: State = "COMPLETE"
    if (job.key, day) in {("revenue_daily", FAILED_DAY), ("test_fct_orders", FAILED_DAY)}:
        state = "FAIL"
    if (job.key, day) == ("score_churn", UNFINISHED_DAY):
        end, state = None, "START"
    return Run(job, run_id(start, job.key, day), day, start, end, state, _full(job, day), _late(job, day))


def _full(job: Job, day: date) -> bool:
    first = max(FIRST_DAY, job.since)
    changed = {c.since for key in (*job.inputs_on(day), *job.outputs) for c in DATASETS[key].columns}
    return day == first or (day.weekday() == 0 and day.day <= 7) or day in changed or day in COMMITS.get(job.path, ())


def commit(path: str, day: date) -> str:
    """Git commit of the code at ``path`` on ``day``."""
    return hexes(40, "commit", path, sum(1 for changed in COMMITS.get(path, ()) if changed <= day))


def _late(job: Job, day: date) -> datetime | None:
    if job.key == "load_payments" and day == LATE_DAY:
        return datetime(2026, 5, 22, 7)  # noqa: DTZ001
    if job.key == "export_delivery" and day < DELIVERY_STARTS + timedelta(days=7):
        return datetime(2026, 6, 22, 7)  # noqa: DTZ001
    return None


def _retry() -> Run:
    job = JOBS["revenue_daily"]
    end = RETRY_AT + timedelta(minutes=3, seconds=41)
    return Run(job, run_id(RETRY_AT, job.key, "retry"), FAILED_DAY, RETRY_AT, end, "COMPLETE", False, retry=True)


def _stream(job: Job) -> Iterator[Run]:
    start = datetime.combine(FIRST_DAY, time(*job.at))
    restart = CONNECTOR_RESTART if job.style == "cdc" else None
    yield _streaming(job, start, restart - timedelta(minutes=2) if restart else None)
    if restart:
        yield _streaming(job, restart, None)


def _streaming(job: Job, start: datetime, end: datetime | None) -> Run:
    name = run_id(start, job.key, "stream")
    return Run(job, name, start.date(), start, end, "COMPLETE" if end else "RUNNING", True)


def _digest(*parts: object) -> bytes:
    return hashlib.sha256("|".join((SEED, *map(str, parts))).encode()).digest()
