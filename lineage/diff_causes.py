"""Who is behind a change: the run that showed it, its producer, and the version of its code at that time.

What ended a fact is often not its own job: a dataset is dropped or renamed by whoever tells so, and the edges of all
jobs at it end there. So a drop or a rename is looked up by its dataset and its time, the end of a declared edge by the
declaration that no longer names it, and only what was not seen any more by the runs of its own job. Where a person or a
file is behind a change, they are named; where nobody can say who is, the reason is ``unknown``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lineage.differences import UNKNOWN, Cause
from lineage.redact import redact
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.view import View

_RUN = """
-- one run as known at K
SELECT run_id, job, producer, coalesce(started_at, first_event), job_facets, processing FROM run
WHERE run = $run AND known_from <= $known AND known_to > $known LIMIT 1
"""
_RUN_AT = """
-- the run of a job that went on at one instant: that which began just then, else the last that began before
SELECT run FROM run
WHERE job = $job AND first_event <= $at AND coalesce(ended_at, last_event) >= $at
  AND known_from <= $known AND known_to > $known
ORDER BY first_event DESC, ended_at IS NULL, run LIMIT 1
"""
_CODE = """
-- where the code of a run is
SELECT b.json FROM facet_set s JOIN facet_body b USING (body)
WHERE s.set_id = $set AND s.key = 'sourceCodeLocation' AND s.body <> 0
"""
_JOB_CODE = """
-- where the code of a job was known to be at one instant
SELECT b.json FROM facet f JOIN facet_body b USING (body)
WHERE f.entity = $job AND f.key = 'sourceCodeLocation' AND f.valid_from <= $at AND f.valid_to > $at
  AND f.known_from <= $known AND f.known_to > $known LIMIT 1
"""
_LOCATED = """
-- one node of which it was ever told where its code is
SELECT DISTINCT entity FROM facet WHERE key = 'sourceCodeLocation'
"""
_DECLARED = """
-- the event that declared something of one of some nodes at one instant
SELECT producer, entity FROM declaration
WHERE event_time = $at AND entity IN (SELECT unnest($nodes::UBIGINT[])) AND known_from <= $known
ORDER BY hash LIMIT 1
"""
_TURNS = """
-- one drop (without a successor) or rename as somebody told it, of those that the two points may differ by
SELECT t.dataset, t.successor, t.turned_at, t.run, d.producer, d.entity
FROM turn t LEFT JOIN declaration d ON d.hash = t.hash AND d.event_time = t.turned_at
WHERE t.turned_at <= $t2 AND (t.turned_at > $t1 OR t.known_from > $k1)
  AND t.known_from <= $known AND t.known_to > $known
ORDER BY t.turned_at, t.run, t.hash
"""
_TAKEN_BACK = """
-- who did one sort of act at one moment
SELECT actor FROM audit WHERE acted_at = $at AND starts_with(action, $action) ORDER BY seq LIMIT 1
"""
_RECEIVED = """
-- an event about a job or one of some nodes that was received at one moment; a run of the job first
SELECT run, producer, event_time FROM event
WHERE received_at = $at AND (job = $job OR dataset IN (SELECT unnest($nodes::UBIGINT[])))
ORDER BY run IS NULL, event_time, hash LIMIT 1
"""
_DELETED = """
-- the run that told at one instant that a facet of an entity is deleted
SELECT run FROM (
  SELECT run, facet_set AS set_id, seen_at AS first_at, last_at, known_from, known_to FROM run_io WHERE dataset = $node
  UNION ALL
  SELECT run, facet_set, first_at, last_at, known_from, known_to FROM run_told WHERE entity = $node
  UNION ALL
  SELECT run, job_facets, first_event, last_event, known_from, known_to FROM run WHERE job = $node
) SEMI JOIN (SELECT set_id FROM facet_set WHERE key = $key AND body = 0) USING (set_id)
WHERE (first_at = $at OR last_at = $at) AND known_from <= $known AND known_to > $known ORDER BY run LIMIT 1
"""


Ends = Callable[[], Collection[int]]
"""Gives the node ids of what a fact is about; asked only where a cause hangs on them."""


class Causes:
    """Looks causes up, each run once."""

    def __init__(self, before: View, after: View) -> None:
        self.view = after
        self.start, self.stop = before.snapshot.as_of, after.snapshot.as_of
        self.known = max(after.snapshot.known_at, before.snapshot.known_at)
        self._when = {"t1": self.start, "k1": before.snapshot.known_at, "t2": self.stop}
        self._runs: dict[int, tuple[Cause, bool] | None] = {}
        self._at: dict[tuple[int, datetime], int | None] = {}
        self._codes: dict[tuple[int, datetime], dict[str, Any] | None] = {}

    def begin(
        self, run: int | None, producer: str | None, at: datetime, job: int | None = None, ends: Ends = tuple
    ) -> Cause:
        """Cause of a fact that a run (or, without one, a declaration) began to tell.

        Parameters
        ----------
        run, producer, at
            of the row that tells it: its first run, its producer, and since when it is valid.
        job
            node id of its job.
        ends
            gives the node ids of what it is about: a fact that an earlier run had shown under another name began here
            with the rename.
        """
        found = self.of_run(run)
        if found is None:
            return Cause("declared", producer, at, self._label(job), code=self._code_of(job, at) if job else None)
        if found.at is not None and found.at <= self.start and (turned := self.turned(ends(), at, renamed_to=True)):
            return turned
        return replace(found, at=at) if self._goes_on(run) and at > (found.at or at) else found

    def end(self, job: int | None, at: datetime, reason: str | None, ends: Ends = tuple) -> Cause:
        """Cause of the end of a fact; ``unknown`` when it has none of its own.

        Parameters
        ----------
        job
            node id of the job whose runs told it.
        at, reason
            when it ended, and why as its row says: ``not seen``, ``dropped``, ``renamed``, ``redeclared``, …
        ends
            gives the node ids of what it is about: a drop or rename of one of them, told by whomever, ended it.
        """
        if at >= OPEN_END:
            return UNKNOWN
        words = reason or "no longer told"
        if reason in ("dropped", "renamed"):
            return self.turned(ends(), at) or Cause(words, at=at)
        run = self._run_at(job, at) if job and reason != "redeclared" else None
        if run is None:
            found = self._declared(at, [*([job] if job else []), *ends()])
            return replace(found, reason=words) if found else Cause(words, at=at)
        return replace(run, reason=words, at=at)

    def told_end(self, node: int, key: str, at: datetime, ends: Ends = tuple) -> Cause:
        """Cause of the end of a facet that nothing replaced: it was deleted, or its dataset has another name since."""
        if at >= OPEN_END:
            return UNKNOWN
        found = self.turned([node, *ends()], at)
        if found is not None:
            return found
        rows = self.view.store.rows(_DELETED, {"node": node, "key": key, "at": at, "known": self.known})
        run = self.of_run(rows[0][0]) if rows else self._declared(at, [node])
        return replace(run, reason="deleted", at=at) if run else Cause("deleted", at=at)

    def turned(self, ends: Iterable[int], at: datetime, *, renamed_to: bool = False) -> Cause | None:
        """Cause of a drop or a rename, at one instant, of one of some nodes (or to one of them)."""
        for end in ends:
            told = self._turns.get((end, at, renamed_to))
            if told is None:
                continue
            successor, run, producer, entity = told
            words = "dropped" if successor is None else "renamed"
            found = self.of_run(run)
            if found is not None:
                return replace(found, reason=words, at=at)
            job = self._label(entity) if entity is not None and entity != end else None
            return Cause(words, producer, at, job)
        return None

    def unlearned(self, job: int | None, at: datetime, ends: Ends = tuple) -> Cause:
        """Cause of a fact that is no longer known since a moment of known time: what was received then."""
        if at >= OPEN_END:
            return UNKNOWN
        when = {"at": at, "job": job or 0, "nodes": list(ends())}
        rows = self.view.store.rows(_RECEIVED, when)
        words = "learned otherwise"
        if not rows:
            return Cause(words, at=at)
        run, producer, _ = rows[0]
        found = self.of_run(run)
        return replace(found, reason=words, at=at) if found else Cause(words, producer, at)

    def taken_back(self, at: datetime, action: str) -> Cause:
        """Cause of the end of what a person had said, at the moment when somebody took it back."""
        rows = self.view.store.rows(_TAKEN_BACK, {"at": at, "action": action})
        return Cause("taken back", at=at if at < OPEN_END else None, by=rows[0][0] if rows else None)

    def of_run(self, run: int | None) -> Cause | None:
        """The run, its producer and its code version; ``None`` when the run is not known, of a hidden one its job."""
        if not run:
            return None
        if run not in self._runs:
            rows = self.view.store.rows(_RUN, {"run": run, "known": self.known})
            self._runs[run] = (self._cause(*rows[0][:5]), rows[0][5] != "BATCH") if rows else None
        found = self._runs[run]
        return found[0] if found else None

    # -- inside

    def _goes_on(self, run: int | None) -> bool:
        """Whether a run is a stream: what it showed late began late."""
        found = self._runs.get(run or 0)
        return found is not None and found[1]

    @cached_property
    def _turns(self) -> dict[tuple[int, datetime, bool], tuple[int | None, int | None, str | None, int | None]]:
        """Who told each turn, by dataset (or successor), time, and whether it is the successor."""
        found: dict[tuple[int, datetime, bool], tuple[int | None, int | None, str | None, int | None]] = {}
        for dataset, successor, at, *told in self.view.store.rows(_TURNS, {**self._when, "known": self.known}):
            found.setdefault((dataset, at, False), (successor, *told))
            if successor is not None:
                found.setdefault((successor, at, True), (successor, *told))
        return found

    @cached_property
    def _located(self) -> frozenset[int]:
        """Jobs of which anybody ever told where their code is."""
        return frozenset(entity for (entity,) in self.view.store.rows(_LOCATED))

    def _run_at(self, job: int, at: datetime) -> Cause | None:
        if (job, at) not in self._at:
            rows = self.view.store.rows(_RUN_AT, {"job": job, "at": at, "known": self.known})
            self._at[job, at] = rows[0][0] if rows else None
        return self.of_run(self._at[job, at])

    def _declared(self, at: datetime, nodes: list[int]) -> Cause | None:
        rows = self.view.store.rows(_DECLARED, {"at": at, "nodes": nodes, "known": self.known})
        if not rows:
            return None
        producer, entity = rows[0]
        i = self.view.snapshot.index(entity)
        job = self.view.label(i) if i is not None and self.view.kind(i) == "job" else None
        return Cause("declared", producer, at, job, code=self._code_of(entity, at) if job else None)

    def _cause(self, run_id: str, job: int, producer: str | None, at: datetime, facets: int | None) -> Cause:
        i = self.view.snapshot.index(job)
        if i is None or self.view.hidden(i):
            return Cause(reason="run", at=at, job=self.view.label(i) if i is not None else None)
        rows = self.view.store.rows(_CODE, {"set": facets or 0})
        code = code_version(rows[0][0]) if rows else self._code_of(job, at)  # many tell it only now and then
        return Cause("run", producer, at, self.view.label(i), run_id, code)

    def _code_of(self, job: int, at: datetime) -> dict[str, Any] | None:
        i = self.view.snapshot.index(job) if job in self._located else None
        if i is None or self.view.hidden(i):
            return None
        if (job, at) not in self._codes:
            rows = self.view.store.rows(_JOB_CODE, {"job": job, "at": at, "known": self.known})
            self._codes[job, at] = code_version(rows[0][0]) if rows else None
        return self._codes[job, at]

    def _label(self, job: int | None) -> str | None:
        i = self.view.snapshot.index(job) if job else None
        return self.view.label(i) if i is not None else None


def code_version(text: str) -> dict[str, Any] | None:
    """What the text of a ``sourceCodeLocation`` facet says of place and version.

    >>> code_version('{"type": "git", "url": "https://git/x", "version": "3f2c", "_producer": "p"}')
    {'type': 'git', 'url': 'https://git/x', 'version': '3f2c'}
    """
    try:
        return code_place(json.loads(text))
    except ValueError:
        return None


def code_place(facet: Any) -> dict[str, Any] | None:
    """Place and version out of a ``sourceCodeLocation`` facet; ``None`` when it is none."""
    names = ("type", "url", "repoUrl", "path", "version", "branch", "tag", "pullRequestNumber")
    if not isinstance(facet, dict):
        return None
    return {name: redact(facet[name]) for name in names if isinstance(facet.get(name), str)}
