"""Which datasets runs named, which jobs ran, in the 30 days before each of some rising instants; read once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from lineage.arrow import numbers
from lineage.scorecards.base import WINDOW
from lineage.scorecards.film import NAMES
from lineage.times import microseconds

if TYPE_CHECKING:
    from lineage.graph.arrays import I64, Bool
    from lineage.scorecards.film import Frame
    from lineage.scorecards.tally import F64
    from lineage.store import Store
    from lineage.view import View

_SEEN = """
-- one dataset that one run read or wrote between S and T, as known at K
SELECT dataset, run, job, direction = 'in' AS reads, epoch_us(seen_at) AS begin_us, epoch_us(last_at) AS end_us
FROM run_io WHERE last_at > $since AND seen_at <= $at AND known_from <= $known AND known_to > $known
ORDER BY dataset, reads, run, job
"""
_RAN = """
-- one run of one job between S and T, as known at K
SELECT job, epoch_us(first_event) AS begin_us, epoch_us(last_event) AS end_us FROM run
WHERE last_event > $since AND first_event <= $at AND known_from <= $known AND known_to > $known ORDER BY job
"""


class Used:
    """What :attr:`lineage.scorecards.base.Base.recent` and ``ran`` tell, as arrays over datasets and jobs.

    Parameters
    ----------
    first, last
        the period, naive UTC; the first instant that is asked for is not before it, the last one not after.
    known
        known time.
    """

    def __init__(self, store: Store, first: datetime, last: datetime, known: datetime) -> None:
        when = {"since": first - WINDOW, "at": last, "known": known}
        table = store.arrow(_SEEN, when)
        dataset, run, job, reads, begin, end = (
            numbers(table.column(name).combine_chunks()) for name in table.column_names
        )
        self._begin, self._end, self._reads = begin, end, reads.astype(bool)
        self._datasets, self._of = np.unique(dataset, return_inverse=True)
        again = np.r_[False, np.ones(len(dataset) - 1, dtype=bool)] if len(dataset) else np.zeros(0, dtype=bool)
        for part in (dataset, reads, run, job):
            again[1:] &= part[1:] == part[:-1]
        self._row = np.cumsum(~again)  # equal for what tells of the same run once more
        self._twice = bool(again.any())
        runs = store.arrow(_RAN, when)
        self._jobs, self._by = np.unique(numbers(runs.column("job")), return_inverse=True)
        self._started, self._ended = (numbers(runs.column(name)) for name in ("begin_us", "end_us"))
        self._places: I64 = np.zeros(0, dtype=np.int64)
        self._job_places: I64 = np.zeros(0, dtype=np.int64)
        self._asked = False

    def at(self, view: View, frame: Frame, many: int) -> tuple[Bool, F64, Bool]:
        """Whether each dataset was seen, how many runs read it, and whether each job ran.

        Parameters
        ----------
        many
            number of datasets and jobs.
        """
        if not self._asked or NAMES in frame.changed:
            self._places, self._job_places = (view.snapshot.indices(ids) for ids in (self._datasets, self._jobs))
            self._asked = True
        now, since = microseconds(view.as_of), microseconds(view.as_of - WINDOW)
        rows = np.flatnonzero((self._end > since) & (self._begin <= now))
        seen, ran, reads = np.zeros(many, bool), np.zeros(many, bool), np.zeros(many)
        seen[_inside(self._places[self._of[rows]], many)] = True
        rows = rows[self._reads[rows]]
        if self._twice:
            rows = rows[np.unique(self._row[rows], return_index=True)[1]]
        count = np.bincount(self._of[rows], minlength=len(self._datasets))
        inside = (self._places >= 0) & (self._places < many)
        np.add.at(reads, self._places[inside], count[inside])
        jobs = self._by[(self._ended > since) & (self._started <= now)]
        ran[_inside(self._job_places[jobs], many)] = True
        return seen, reads, ran


def _inside(nodes: I64, many: int) -> I64:
    return nodes[(nodes >= 0) & (nodes < many)]
