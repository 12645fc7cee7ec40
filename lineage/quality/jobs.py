"""What is checked of jobs: did the last run complete, and did it take as long as its past lets expect?

Tests that a run told without a dataset count for its job too. Jobs that never end (STREAMING, SERVICE) have no last run
to judge and are unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from lineage.arrow import numbers
from lineage.quality.freshness import F64, I64
from lineage.quality.volume import last_volumes

if TYPE_CHECKING:
    import pyarrow as pa

    from lineage.quality.anomaly import Judged
    from lineage.view import View

DAYS = 90
_RUNS = """
-- one ended run of a finite job since some days until T as known at K; a duration only of those that told both ends
SELECT job, state = 'COMPLETE' AS done, epoch(ended_at) AS ended,
  CASE WHEN state = 'COMPLETE' AND started_at IS NOT NULL THEN greatest(epoch(ended_at) - epoch(started_at), 0)
    ELSE 'nan'::DOUBLE END AS duration
FROM run
WHERE known_from <= $known AND known_to > $known AND ended_at > $since AND ended_at <= $at
  AND coalesce(upper(processing), 'BATCH') NOT IN ('STREAMING', 'SERVICE')
"""
_ONLY = "  AND job IN (SELECT unnest($ids::UBIGINT[]))"


@dataclass(frozen=True)
class JobRuns:
    """Over all nodes, not-a-number where nothing is known: end of the last run, whether it completed (1 or 0), the last
    duration in seconds, whether it is expected (1 or 0); and the durations that are not.
    """

    ended: F64
    done: F64
    duration: F64
    usual: F64
    odd: dict[int, Judged] = field(default_factory=dict)


def job_runs(view: View, now: datetime, ids: Sequence[int] | None = None) -> JobRuns:
    """The last runs of all jobs, or of some (node ids), at the instant of a view, in the 90 days before ``now``.

    >>> import lineage
    >>> from lineage.store import Store
    >>> job_runs(lineage.open(Store.open(":memory:")).view(), datetime(2026, 1, 1)).ended.tolist()
    []
    """
    n, at = view.snapshot.n, view.snapshot.as_of
    since = now - timedelta(days=DAYS) if now.year > 1970 else now
    when = {"at": at, "known": view.snapshot.known_at, "since": since}
    some = ids is not None
    table = view.store.arrow(_RUNS + _ONLY if some else _RUNS, {**when, "ids": ids} if some else when)
    node: I64 = view.snapshot.indices(numbers(table.column("job"))).astype(np.int64)
    done, ended, duration = (_floats(table, name) for name in ("done", "ended", "duration"))
    order = np.lexsort((done, ended))  # of runs that ended together the one that completed counts
    order = order[node[order] >= 0]
    node, done, ended, duration = node[order], done[order], ended[order], duration[order]
    last_end, last_done = np.full(n, np.nan), np.full(n, np.nan)
    last_end[node], last_done[node] = ended, done  # the last of each job stays
    judged = last_volumes(node, ended, duration, n)
    return JobRuns(last_end, last_done, judged.last, judged.result, judged.odd)


def _floats(table: pa.Table, name: str) -> F64:
    found: F64 = numbers(table.column(name)).astype(np.float64)
    return found


def checked_jobs(view: View) -> I64:
    """Dense indices of all jobs that were there, hidden ones too."""
    from lineage.graph.arrays import JOB
    from lineage.presence import of_kind

    return of_kind(view.instant, JOB)
