"""A failure played on a copy of what runs told: which checks notice it, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.quality.evidence import Evidence
from lineage.quality.parts import TEST
from lineage.quality.score import DIMENSIONS
from lineage.quality.services import SLACK, service_streaks
from lineage.quality.streak import Streak
from lineage.quality.streaks import Told, load_told, streaks_of
from lineage.times import EPOCH

if TYPE_CHECKING:
    from lineage.view import View

LEARNED = "freshness, learned"
_COMPLETENESS = (DIMENSIONS.index("completeness"), DIMENSIONS.index("coverage"))
_USUAL = 30  # gaps between writes of which the middle one is usual
_WORDS = {"freshness": "freshness by contract", "volume": "row count"}


@dataclass(frozen=True, slots=True)
class Noticed:
    """One check that notices: at which dataset (dense index), when (``None`` = the past does not tell), by what.

    ``incident`` is what it opens, or, with ``open``, the one that is open already; ``None`` for what opens none.
    """

    node: int
    at: datetime | None
    by: str
    severity: str = ""
    detail: str = ""
    incident: str | None = None
    open: bool = False


def play(view: View, found: Evidence, nodes: Sequence[int], failure: str) -> list[Noticed]:
    """Play a failure of some datasets (dense indices; those downstream included) from ``found.now`` on."""
    ids = {int(member): node for node in nodes for member in view.snapshot.members(node)}
    real = load_told(view)
    copy = Told([r for r in real.results if r[0] in ids], [r for r in real.writes if r[0] in ids])
    before = {one.id for one in _open(view, copy, found.now, ids)}
    if failure == "late":
        return [*_late(view, found, copy, ids, before), *_learned(found, nodes)]
    unknown = _fail_tests(found, copy, view, nodes, _COMPLETENESS if failure == "missing" else None)
    if failure == "missing":
        _empty_writes(copy, found.now)
    end = max([found.now, *(row[5] for row in copy.results), *(row[1] for row in copy.writes)])
    played = {row[:3] for row in copy.results if row[8] == _RUN} | {(row[0], "", "volume") for row in copy.writes}
    return [
        _noticed(one, ids, before, unknown)
        for one in streaks_of(view, copy, end)
        if one.ended is None
        and one.sort in ("test", "volume")
        and (one.dataset, one.field, one.name) in played
        and one.failures[-1].run == _RUN
    ]


_RUN = "drill"  # id of the runs that are played


def _open(view: View, copy: Told, now: datetime, ids: dict[int, int]) -> list[Streak]:
    """What is open at a moment in a copy: streaks of the datasets, and their promises that only a write can keep."""
    names = (": frequency", ": availability")
    services = (one for one in service_streaks(view, now) if one.dataset in ids and one.name.lower().endswith(names))
    return [one for one in (*streaks_of(view, copy, now), *services) if one.ended is None]


def _late(view: View, found: Evidence, copy: Told, ids: dict[int, int], before: set[str]) -> Iterator[Noticed]:
    """The clock goes on, and nothing is written any more."""
    ends = [*_ends(view, found, ids), found.now]
    for one in _open(view, copy, max(ends) + timedelta(seconds=1), ids):
        if one.sort in ("freshness", "sla"):
            yield _noticed(one, ids, before, set())


def _ends(view: View, found: Evidence, ids: dict[int, int]) -> Iterator[datetime]:
    """When the promised times of some datasets end if nothing is written any more."""
    from lineage.contracts.binding import bindings
    from lineage.contracts.conformance import ENFORCED

    for node in set(ids.values()):
        last = float(found.last[node])
        if np.isnan(last):
            continue
        if found.promised[node]:
            yield EPOCH + timedelta(seconds=last + float(found.limit[node]))
        for one in bindings(view.instant).by_node.get(node, ()):
            for sla in one.contract.slas if one.contract.status in ENFORCED else ():
                if sla.name.lower() == "frequency" and sla.seconds is not None:
                    yield EPOCH + timedelta(seconds=last + sla.seconds * SLACK)


def _learned(found: Evidence, nodes: Sequence[int]) -> Iterator[Noticed]:
    for node in nodes:
        last, limit = float(found.last[node]), float(found.limit[node])
        if not found.promised[node] and not np.isnan(last + limit):
            yield Noticed(node, max(EPOCH + timedelta(seconds=last + limit), found.now), LEARNED)


def _fail_tests(
    found: Evidence, copy: Told, view: View, nodes: Sequence[int], kinds: tuple[int, ...] | None
) -> set[tuple[Any, ...]]:
    """The next result of each test is a failure; returns the tests of which nobody knows when they run next."""
    unknown = set()
    wanted = set(nodes)
    at = np.flatnonzero((found.checks.sort == TEST) & (found.checks.weight > 0))
    for k in at.tolist():
        node, ref = int(found.checks.node[k]), int(found.checks.ref[k])
        if node not in wanted or (kinds is not None and int(found.checks.kind[k]) not in kinds):
            continue
        row = {name: found.tests.column(name)[ref].as_py() for name in ("dataset", "field", "name", "severity")}
        tested, gap = (float(found.tests.column(name)[ref].as_py()) for name in ("tested", "gap"))
        when = max(EPOCH + timedelta(seconds=tested + gap), found.now)
        key = (row["dataset"], row["field"] or "", row["name"])
        if gap <= 0:
            unknown.add(key)
        copy.results.append((*key, "fail", row["severity"], when, when, None, _RUN, None))
    copy.results.sort(key=lambda row: (row[:3], row[5]))
    return unknown


def _empty_writes(copy: Told, now: datetime) -> None:
    """The next write of each dataset whose runs tell row counts has no rows."""
    times: dict[int, list[datetime]] = {}
    for row in copy.writes:
        if row[2] is not None:
            times.setdefault(row[0], []).append(row[1])
    for dataset, told in times.items():
        gaps = [(b - a).total_seconds() for a, b in pairwise(told[-_USUAL - 1 :])]
        when = max(told[-1] + timedelta(seconds=median(gaps)), now) if len(told) > 1 else now
        copy.writes.append((dataset, when, 0, _RUN, when))
    copy.writes.sort(key=lambda row: (row[0], row[1]))


def _noticed(one: Streak, ids: dict[int, int], before: set[str], unknown: set[tuple[Any, ...]]) -> Noticed:
    known = one.id in before
    name = f"{one.name} of {one.field}" if one.field else one.name
    by = f"test {name}" if one.sort == "test" else _WORDS.get(one.sort, name)
    at = None if (one.dataset, one.field, one.name) in unknown else one.failures[-1].at
    last = one.failures[-1]
    return Noticed(ids[one.dataset], at, by, one.severity, last.detail, one.id, known)
