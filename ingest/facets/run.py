"""Readers of run facets."""

from __future__ import annotations

from typing import Any

from ingest.envelope import Refusal, event_micros
from ingest.model import Assertion, Dependency, Parent
from ingest.values import boolean, mapping, objects, text
from lineage.redact import redact


def nominal_time(body: dict[str, Any]) -> tuple[int | None, int | None] | None:
    """Nominal start and end in microseconds since 1970."""
    start, end = (_micros(body.get(key)) for key in ("nominalStartTime", "nominalEndTime"))
    return None if start is None and end is None else (start, end)


def parent(body: dict[str, Any]) -> Parent | None:
    """Parent and root. A parent without job name says nothing; one without runId still names the job."""
    job, run = mapping(body.get("job")), mapping(body.get("run"))
    name = text(job.get("name"))
    if name is None:
        return None
    root = mapping(body.get("root"))
    root_job, root_run = mapping(root.get("job")), mapping(root.get("run"))
    return Parent(
        run_id=text(run.get("runId")) or "",
        namespace=text(job.get("namespace")) or "",
        name=name,
        root_run_id=text(root_run.get("runId")) or "",
        root_namespace=text(root_job.get("namespace")) or "",
        root_name=text(root_job.get("name")) or "",
    )


def error_message(body: dict[str, Any]) -> str | None:
    """The message with its secrets masked; stack traces stay in the archived event."""
    found = text(body.get("message"))
    return redact(found) if found is not None else None


def processing_engine(body: dict[str, Any]) -> str | None:
    """Name and version of the engine, for instance ``spark 3.5.1``."""
    parts = [text(body.get("name")), text(body.get("version"))]
    return " ".join(part for part in parts if part) or None


def tests(body: dict[str, Any]) -> tuple[Assertion, ...]:
    """Results of the ``test`` facet; a skipped test has not passed."""
    return tuple(result for item in objects(body.get("tests")) if (result := test_result(item)) is not None)


def test_result(item: dict[str, Any]) -> Assertion | None:
    """One test of the ``test`` facet or one assertion of ``dataQualityAssertions``."""
    name = text(item.get("name")) or text(item.get("assertion")) or text(item.get("expectationType"))
    status = _status(item)
    if name is None or status is None:
        return None
    return Assertion(
        field=text(item.get("column")) or "",
        name=name,
        status=status,
        severity=text(item.get("severity")),
        expected=_masked(item.get("expected")),
        actual=_masked(item.get("actual")),
        description=_masked(item.get("description")),
    )


def _masked(value: object) -> str | None:
    """A text that people are shown: a failed test quotes the values that it found."""
    found = text(value)
    return redact(found) if found is not None else None


def job_dependencies(body: dict[str, Any]) -> tuple[Dependency, ...]:
    """Jobs before and after this one."""
    found = []
    for side in ("upstream", "downstream"):
        for item in objects(body.get(side)):
            job = mapping(item.get("job"))
            name = text(job.get("name"))
            if name is not None:
                found.append(Dependency(text(job.get("namespace")) or "", name, side == "upstream"))
    return tuple(found)


def _status(item: dict[str, Any]) -> str | None:
    status = text(item.get("status"))
    if status is not None:
        lowered = status.lower()
        known = {"pass": "pass", "passed": "pass", "fail": "fail", "failed": "fail", "skip": "skip", "skipped": "skip"}
        return known.get(lowered)
    success = boolean(item.get("success"))
    return None if success is None else "pass" if success else "fail"


def _micros(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    found = event_micros(value, [])
    return None if isinstance(found, Refusal) else found
