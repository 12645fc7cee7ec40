"""Promises of freshness that cannot be kept, given how a dataset and its upstream really run.

A promise is judged by the time since the last write of the dataset, so the earliest one that could be kept is the gap
between its writes that 95 of 100 do not exceed. Beside it stands the upstream critical path: at each step the input
with the longest wait until the next output, each wait measured on history, from a write of the input to the first write
of the output after it. Medians along the path add up to the p50 of arrival, 95th percentiles to its p95 (at most:
steps are seldom all slow at once). What arrives is that much older than the promise can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.contracts.periods import spoken
from lineage.quality.evidence import load_writes
from lineage.quality.freshness import F64
from lineage.shown import Shown

if TYPE_CHECKING:
    from lineage.view import View

LEAST = 5  # waits before a step is judged
_LONGEST = 50  # steps of a path


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of a critical path; waits in seconds."""

    source: str
    target: str
    p50: float
    p95: float
    waits: int


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One promise against history; seconds, ``None`` = unknown.

    ``arrival_p50`` and ``arrival_p95`` are the time from the write of the path's source until this dataset's;
    ``earliest`` is the smallest promise that would have been kept 95 times of 100; ``source_age`` is how old data of
    the source is by then (``earliest`` and ``arrival_p95``).
    """

    contract: str
    dataset: str
    promise: str
    promised: float
    arrival_p50: float | None
    arrival_p95: float | None
    earliest: float | None
    source_age: float | None
    verdict: str  # can be kept, impossible, unknown
    path: tuple[Step, ...]
    slowest: str


@dataclass(frozen=True, slots=True)
class Promises(Shown):
    """Answer of ``quality promises``."""

    promises: tuple[PromiseRow, ...]
    as_of: datetime
    known_at: datetime

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return (
            "verdict",
            "contract",
            "dataset",
            "promise",
            "earliest",
            "arrival_p50",
            "arrival_p95",
            "slowest",
            "path",
        )

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per promise; durations in words."""
        return [
            (p.verdict, p.contract, p.dataset, p.promise, _words(p.earliest), _words(p.arrival_p50),
             _words(p.arrival_p95), p.slowest, [s.source for s in p.path])
            for p in self.promises
        ]  # fmt: skip

    def title(self) -> str:
        """How many cannot be kept."""
        bad = sum(p.verdict == "impossible" for p in self.promises)
        return f"{len(self.promises)} promises of freshness, {bad} impossible"


def waits(source: F64, target: F64) -> F64:
    """From each write of a source (sorted, seconds) to the first write of the target at or after it.

    >>> waits(np.array([0.0, 10.0, 20.0]), np.array([3.0, 15.0])).tolist()
    [3.0, 5.0]
    """
    at = np.searchsorted(target, source)
    inside = at < len(target)
    found: F64 = target[at[inside]] - source[inside]
    return found


def promises(view: View) -> Promises:
    """All promises of freshness of enforced contracts against the history of runs at the instant of a view."""
    from lineage.contracts.binding import bindings
    from lineage.contracts.conformance import ENFORCED, freshness_slas

    history = _history(view)
    rows = []
    for one in bindings(view.instant).bound:
        if one.contract.status not in ENFORCED or view.hidden(one.node):
            continue
        for sla in freshness_slas(one):
            if sla.seconds is not None:
                promise = f"{sla.name} {spoken(sla.seconds)}"
                rows.append(_row(view, history, one.node, one.contract.title, promise, sla.seconds))
    order = {"impossible": 0, "unknown": 1, "can be kept": 2}
    rows.sort(key=lambda r: (order[r.verdict], r.dataset, r.contract))
    return Promises(tuple(rows), view.as_of, view.known_at)


# -- inside


def _history(view: View) -> dict[int, F64]:
    """Ends of completed writes by dataset, sorted."""
    writes = load_writes(view)
    order = np.lexsort((writes.done, writes.node))
    node, done = writes.node[order], writes.done[order]
    first = np.flatnonzero(np.r_[True, node[1:] != node[:-1]]) if len(node) else np.zeros(0, dtype=np.int64)
    return {int(node[a]): part for a, part in zip(first, np.split(done, first[1:]), strict=True)} if len(node) else {}


def _row(view: View, history: dict[int, F64], node: int, contract: str, promise: str, promised: float) -> PromiseRow:
    path = _path(view, history, node)
    own = history.get(node, np.zeros(0))
    gaps = np.diff(own)
    earliest = float(np.quantile(gaps, 0.95)) if len(gaps) >= LEAST else None
    p50 = sum(step.p50 for step in path) if path else None
    p95 = sum(step.p95 for step in path) if path else None
    age = earliest + p95 if earliest is not None and p95 is not None else None
    verdict = "unknown" if earliest is None else "impossible" if earliest > promised else "can be kept"
    slowest = max(path, key=lambda step: step.p95, default=None)
    words = f"{slowest.source} → {slowest.target}: p95 {_words(slowest.p95)}" if slowest else ""
    return PromiseRow(
        contract, view.label(node), promise, promised, p50, p95, earliest, age, verdict, tuple(path), words
    )


def _path(view: View, history: dict[int, F64], node: int) -> list[Step]:
    """Steps from the most upstream dataset with a history to the node, along the longest median wait."""
    found: list[Step] = []
    seen = {node}
    here = node
    while len(found) < _LONGEST and here in history:
        steps: list[tuple[float, int, Step]] = []
        for edge in view.snapshot.neighbours(here, "upstream"):
            other = edge.src
            if other in seen or other not in history or view.kind(other) != "dataset" or view.hidden(other):
                continue
            gap = waits(history[other], history[here])
            if len(gap) >= LEAST:
                p50, p95 = (float(np.quantile(gap, q)) for q in (0.5, 0.95))
                steps.append((p50, -other, Step(view.label(other), view.label(here), p50, p95, len(gap))))
        if not steps:
            break
        _, minus, step = max(steps, key=lambda one: one[:2])
        found.append(step)
        here = -minus
        seen.add(here)
    return found[::-1]


def _words(value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value / 86_400:.1f} days" if value >= 172_800 else f"{value / 3_600:.1f} hours"
