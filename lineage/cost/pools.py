"""What many runs share (a warehouse, a cluster), divided by overlap and usage; what nobody used is idle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from lineage.cost.money import split
from lineage.cost.rules import Pool

if TYPE_CHECKING:
    from lineage.cost.runs import RunClues, RunUse
    from lineage.view import View

_K = TypeVar("_K")
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True)
class Members:
    """The runs that use a pool, by start; times in microseconds since 1970."""

    name: str
    runs: list[RunUse]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    longest: int
    cpu: Mapping[int, float] = field(default_factory=dict)  # run -> seconds of CPU or slots


def members(view: View, pool: Pool | None, name: str, runs: list[RunUse], told: RunClues | None) -> Members:
    """Runs of a declared pool (by the patterns of its jobs) or of a cluster (those that named it)."""
    if pool is None:
        wanted = told.clusters.get(name.removeprefix("cluster:"), frozenset()) if told else frozenset()
        mine = [run for run in runs if run.run in wanted]
    else:
        fits: dict[int, bool] = {}
        for run in runs:
            if run.job not in fits:
                text = f"{view.snapshot.namespace(run.job)}:{view.snapshot.name(run.job)}"
                names = (text, text.partition(":")[2] or text, view.snapshot.name(run.job))
                fits[run.job] = any(regex.match(one) for regex in pool.jobs for one in names)
        mine = [run for run in runs if fits[run.job]]
    parents = {run.parent for run in mine}  # they do their work in their children, which are counted
    mine = [run for run in mine if run.run not in parents or run.writes]
    return _members(name, mine, told.cpu if told else {})


def _members(name: str, runs: list[RunUse], cpu: Mapping[int, float]) -> Members:
    runs = sorted(runs, key=lambda run: (run.started, run.run))
    starts = np.array([_micros(run.started) for run in runs], dtype=np.int64)
    ends = np.array([_micros(run.ended) for run in runs], dtype=np.int64)
    return Members(name, runs, starts, ends, int((ends - starts).max(initial=0)), cpu)


def divide(
    members: Members, pool: Pool | None, windows: dict[tuple[datetime, datetime], int]
) -> tuple[dict[int, int], dict[str, int]]:
    """Divide the cost of each charge period.

    Returns
    -------
    tuple
        cost by position in ``members.runs``, and by line: ``idle:POOL``, or ``domain:X`` where shares are fixed. All
        of them sum to the windows exactly.
    """
    by_run: dict[int, int] = {}
    lines: dict[str, int] = {}
    for (start, end), amount in sorted(windows.items()):
        if pool is not None and pool.usage == "fixed":
            names = [f"domain:{domain}" for domain, _ in pool.shares] or [f"idle:{members.name}"]
            weights = [share for _, share in pool.shares] or [1]
            parts = dict(zip(names, split(amount, weights), strict=True))
            _add(lines, parts)
            continue
        alive, overlap = _alive(members, _micros(start), _micros(end))
        idle = _idle(pool, _micros(end) - _micros(start), sum(overlap), bool(alive))
        busy, unused = split(amount, [*idle])
        if unused:
            _add(lines, {f"idle:{members.name}": unused})
        if busy:
            weights = _weights(pool, [members.runs[i] for i in alive], overlap, members.cpu)
            _add(by_run, dict(zip(alive, split(busy, weights), strict=True)))
    return by_run, lines


def _alive(members: Members, start: int, end: int) -> tuple[list[int], list[int]]:
    """Positions of the runs that were alive in a window, and for how many microseconds."""
    low = int(np.searchsorted(members.starts, start - members.longest, side="left"))
    high = int(np.searchsorted(members.starts, max(end, start + 1), side="left"))
    overlap = np.minimum(members.ends[low:high], end) - np.maximum(members.starts[low:high], start)
    inside = np.flatnonzero(overlap > 0)
    return (inside + low).tolist(), overlap[inside].tolist()


def _idle(pool: Pool | None, window: int, busy: int, any_run: bool) -> tuple[int, int]:
    """Weights of what was used and what was idle."""
    if not any_run:
        return 0, 1
    if pool is None or pool.capacity is None or pool.spread_idle:
        return 1, 0
    room = int(pool.capacity * Decimal(window))
    return (busy, max(0, room - busy)) if room > 0 else (1, 0)


def _weights(pool: Pool | None, runs: list[RunUse], overlap: list[int], cpu: Mapping[int, float]) -> list[int]:
    """Weights of runs in a window, in proportion to the overlap: by CPU where that is asked for and all runs told it,
    else by bytes where all told bytes, else by the overlap alone.
    """
    usage = pool.usage if pool else "auto"
    if usage == "even":
        return [1] * len(runs)
    if usage == "cpu" and all(run.run in cpu for run in runs):
        parts = [cpu[run.run] * 1e6 * length / max(1, (run.ended - run.started) // _MICRO)
                 for run, length in zip(runs, overlap, strict=True)]  # fmt: skip
        if sum(parts) > 0:
            return [round(part) for part in parts]  # microseconds
    sizes = [run.used_bytes for run in runs]
    if usage == "duration" or any(size is None for size in sizes) or not sum(size or 0 for size in sizes):
        return overlap
    found = []
    for run, size, length in zip(runs, sizes, overlap, strict=True):
        whole = max(1, (run.ended - run.started) // _MICRO)
        found.append((size or 0) * length // whole)
    return found if sum(found) else overlap


def _add(into: dict[_K, int], parts: dict[_K, int]) -> None:
    for key, part in parts.items():
        into[key] = into.get(key, 0) + part


def _micros(at: datetime) -> int:
    return int((at - datetime(1970, 1, 1)) // _MICRO)  # noqa: DTZ001 - naive UTC like all stored times
