"""What runs used in a period: when they ran, what they read and wrote, which query or cluster they were."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.store.blocks import unpack
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.view import View

_RUNS = """
-- runs that were alive in a period, as known at K; one that never said how it ended lasted until its last event
SELECT run, run_id, job, state, engine, coalesce(started_at, first_event) AS started,
  coalesce(ended_at, CASE WHEN coalesce(upper(processing), 'BATCH') IN ('STREAMING', 'SERVICE') THEN $open
    ELSE last_event END) AS ended, parent_run
FROM run
WHERE known_from <= $known AND known_to > $known AND events > 0
  AND coalesce(started_at, first_event) < $end
  AND coalesce(ended_at, CASE WHEN coalesce(upper(processing), 'BATCH') IN ('STREAMING', 'SERVICE') THEN $open
    ELSE last_event END) >= $start
ORDER BY started, run
"""
_IO = """
-- what these runs read and wrote, as known at K
SELECT i.run, i.direction, i.dataset, i.byte_count, i.row_count FROM run_io i
WHERE i.known_from <= $known AND i.known_to > $known AND i.last_at >= $start AND i.seen_at < $end
ORDER BY i.run, i.direction, i.dataset
"""
_EVENTS = """
-- where the events of runs of a period are
SELECT e.block, list({'position': e.position, 'run': e.run}) FROM event e
WHERE e.run IS NOT NULL AND e.received_at <= $known AND e.block IS NOT NULL
  AND e.event_time >= $start - INTERVAL 1 DAY AND e.event_time < $end + INTERVAL 1 DAY
GROUP BY e.block ORDER BY e.block
"""
_BODY = "SELECT body FROM raw WHERE block = ?"
_TOKENS = (b'"externalQuery"', b'"bigQueryJob"', b'"gcp_dataproc', b"clusterUsageTags", b'"cluster', b"cpu", b"Cpu",
           b"lotMs", b"lotMillis", b"slot", b"coreSeconds")  # fmt: skip
_CPU = {  # keys in lower case without separators, and what one of them is in seconds
    "cpuseconds": 1.0, "slotseconds": 1.0, "vcoreseconds": 1.0, "cputimeseconds": 1.0,
    "cpums": 1e-3, "cputimems": 1e-3, "slotms": 1e-3, "slotmillis": 1e-3, "totalslotms": 1e-3,
    "executorcputime": 1e-9,
}  # fmt: skip


@dataclass(slots=True)
class RunUse:
    """One run: its interval (naive UTC), and datasets by dense index with bytes and rows (``None`` = not told)."""

    run: int
    run_id: str
    job: int
    state: str
    engine: str | None
    started: datetime
    ended: datetime
    parent: int | None = None
    reads: list[tuple[int, int | None, int | None]] = field(default_factory=list)
    writes: list[tuple[int, int | None, int | None]] = field(default_factory=list)

    @property
    def read_bytes(self) -> int | None:
        """Bytes of all inputs; ``None`` when no input told them."""
        told = [size for _, size, _ in self.reads if size is not None]
        return sum(told) if told else None

    @property
    def used_bytes(self) -> int | None:
        """Bytes of all inputs and outputs; ``None`` when none told them."""
        told = [size for _, size, _ in (*self.reads, *self.writes) if size is not None]
        return sum(told) if told else None


@dataclass(frozen=True, slots=True)
class RunClues:
    """What the events of runs say about bills."""

    queries: dict[str, int]  # id of a warehouse query in lower case -> run
    clusters: dict[str, frozenset[int]]  # name or id of a cluster in lower case -> runs
    billed_bytes: dict[int, int]  # run -> bytes the warehouse says it billed
    cpu: dict[int, float] = field(default_factory=dict)  # run -> seconds of CPU or slots


def runs_of(view: View, start: datetime, end: datetime) -> list[RunUse]:
    """Runs that were alive between two instants, in the order of their start."""
    snapshot = view.snapshot
    when = {"known": view.known_at, "start": start, "end": end}
    found: dict[int, RunUse] = {}
    for run, run_id, job, state, engine, began, ended, parent in view.store.rows(_RUNS, {**when, "open": OPEN_END}):
        index = snapshot.index(job)
        if index is not None:
            found[run] = RunUse(run, run_id, index, state, engine, began, max(began, ended), parent)
    for run, direction, dataset, size, rows in view.store.rows(_IO, when):
        index = snapshot.index(dataset)
        if run in found and index is not None:
            side = found[run].reads if direction == "in" else found[run].writes
            side.append((index, size, rows))
    return list(found.values())


def clues(view: View, start: datetime, end: datetime) -> RunClues:
    """Query ids, clusters and billed bytes in the events of a period; every block is unpacked once."""
    queries: dict[str, int] = {}
    clusters: dict[str, set[int]] = {}
    billed: dict[int, int] = {}
    cpu: dict[int, float] = {}
    when = {"known": view.known_at, "start": start, "end": end}
    with view.store.reading() as cursor:
        for block, places in cursor.execute(_EVENTS, when).fetchall():
            rows = cursor.execute(_BODY, [block]).fetchall()
            events = unpack(rows[0][0]) if rows else []
            for place in places:
                raw = events[place["position"]] if place["position"] < len(events) else b""
                if any(token in raw for token in _TOKENS):
                    _read(raw, place["run"], queries, clusters, billed, cpu)
    return RunClues(queries, {name: frozenset(runs) for name, runs in clusters.items()}, billed, cpu)


def cpu_seconds(facet: dict[str, Any]) -> float | None:
    """Seconds of CPU or slots that a facet tells, itself or in its properties; the largest of several.

    >>> cpu_seconds({"totalSlotMs": "1500"}), cpu_seconds({"properties": '{"cpu_seconds": 4}'}), cpu_seconds({"cpu": 4})
    (1.5, 4.0, None)
    """
    inner = facet.get("properties")
    if isinstance(inner, str):
        try:
            inner = json.loads(inner)
        except ValueError:
            inner = None
    found: list[float] = []
    for key, value in (*facet.items(), *(inner.items() if isinstance(inner, dict) else ())):
        unit = _CPU.get("".join(char for char in str(key).lower() if char.isalnum()))
        if unit is None or isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            continue
        if 0 <= seconds < 1e15:
            found.append(seconds)
    return max(found, default=None)


def _read(
    raw: bytes,
    run: int,
    queries: dict[str, int],
    clusters: dict[str, set[int]],
    billed: dict[int, int],
    cpu: dict[int, float],
) -> None:
    try:
        facets = json.loads(raw)["run"]["facets"]
    except (ValueError, KeyError, TypeError):
        return
    if not isinstance(facets, dict):
        return
    for key, facet in facets.items():
        if not isinstance(facet, dict):
            continue
        query = facet.get("externalQueryId") or (facet.get("jobId") if key == "bigQueryJob" else None)
        if isinstance(query, str) and query:
            queries[query.lower()] = run
        size = facet.get("billedBytes")
        if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
            billed[run] = max(size, billed.get(run, 0))
        used = cpu_seconds(facet)
        if used is not None:
            cpu[run] = max(used, cpu.get(run, 0.0))
        for name in _clusters(key, facet):
            clusters.setdefault(name.lower(), set()).add(run)


def _clusters(key: str, facet: dict[str, Any]) -> list[str]:
    """Names and ids of clusters in one facet."""
    found: list[str] = []
    if key.startswith("gcp_dataproc") or "cluster" in key.lower():
        found += [v for k, v in facet.items() if "cluster" in k.lower() and isinstance(v, str)]
    for group in (facet.get("properties"), facet.get("environment-properties")):
        if isinstance(group, dict):
            found += [
                v
                for k, v in group.items()
                if k.lower().rsplit(".", 1)[-1] in ("clusterid", "clustername") and isinstance(v, str)
            ]
    found += [v for k, v in facet.items() if k in ("clusterId", "clusterName", "cluster") and isinstance(v, str)]
    return [name for name in dict.fromkeys(found) if name]
