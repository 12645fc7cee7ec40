"""Who is behind a change: the run that showed it, its producer, and the version of its code at that time."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lineage.differences import Cause
from lineage.redact import redact
from lineage.times import OPEN_END

if TYPE_CHECKING:
    from lineage.view import View

_RUN = """
-- one run as known at K
SELECT run_id, job, producer, coalesce(started_at, first_event), job_facets FROM run
WHERE run = $run AND known_from <= $known AND known_to > $known LIMIT 1
"""
_RUN_AT = """
-- the run of a job that began at one instant: the first that no longer showed an edge, or the one that dropped it
SELECT run FROM run
WHERE job = $job AND coalesce(started_at, first_event) <= $at AND coalesce(ended_at, last_event) >= $at
  AND known_from <= $known AND known_to > $known
ORDER BY first_event DESC LIMIT 1
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
_DECLARED = """
-- the event that declared something at one instant
SELECT producer FROM declaration WHERE event_time = $at AND known_from <= $known
ORDER BY entity = $job DESC, hash LIMIT 1
"""


class Causes:
    """Looks causes up, each run once."""

    def __init__(self, before: View, after: View) -> None:
        self._view = after
        self._known = max(after.snapshot.known_at, before.snapshot.known_at)
        self._runs: dict[int, Cause | None] = {}

    def begin(self, run: int | None, producer: str | None, at: datetime, job: int | None = None) -> Cause:
        """Cause of a fact that a run (or, without one, a declaration) began to tell."""
        found = self.of_run(run)
        if found is not None:
            return found
        return Cause(reason="declared", producer=producer, at=at, job=self._label(job))

    def end(self, job: int | None, at: datetime, reason: str | None) -> Cause | None:
        """Cause of the end of a fact; ``None`` when it has none of its own: it was learned to be otherwise."""
        if at >= OPEN_END:
            return None
        rows = self._view.store.rows(_RUN_AT, {"job": job, "at": at, "known": self._known}) if job else []
        found = self.of_run(rows[0][0]) if rows and reason != "redeclared" else None
        words = reason or "no longer told"
        if found is not None:
            return Cause(words, found.producer, at, found.job, found.run_id, found.code)
        told = self._view.store.rows(_DECLARED, {"at": at, "job": job or 0, "known": self._known})
        return Cause(words, told[0][0] if told else None, at, self._label(job))

    def of_run(self, run: int | None) -> Cause | None:
        """The run, its producer and its code version; ``None`` when the run is not known or hidden."""
        if not run:
            return None
        if run not in self._runs:
            rows = self._view.store.rows(_RUN, {"run": run, "known": self._known})
            self._runs[run] = self._cause(*rows[0]) if rows else None
        return self._runs[run]

    def _cause(self, run_id: str, job: int, producer: str | None, at: datetime, facets: int | None) -> Cause | None:
        i = self._view.snapshot.index(job)
        if i is None or self._view.hidden(i):
            return Cause(reason="run", at=at, job=self._view.label(i) if i is not None else None)
        rows = self._view.store.rows(_CODE, {"set": facets or 0})
        if not rows:  # many producers tell it only now and then
            rows = self._view.store.rows(_JOB_CODE, {"job": job, "at": at, "known": self._known})
        code = code_version(rows[0][0]) if rows else None
        return Cause("run", producer, at, self._view.label(i), run_id, code)

    def _label(self, job: int | None) -> str | None:
        i = self._view.snapshot.index(job) if job else None
        return self._view.label(i) if i is not None else None


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
