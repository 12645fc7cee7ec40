"""What is said of runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineage.shown import Shown

FAILED = ("FAIL", "ABORT")


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of one job. ``seconds`` is ``None`` while it has no end; ``overdue``: silent for too long without one.

    ``delay`` is from the nominal start to the real one, in seconds; ``None`` when the producer told no nominal time.
    """

    run_id: str
    job: str
    domain: str
    owner: str | None
    state: str
    began: datetime
    ended: datetime | None
    seconds: float | None
    delay: float | None
    overdue: bool
    conflict: bool
    error: str | None
    engine: str | None
    producer: str | None


@dataclass(frozen=True, slots=True)
class RunList(Shown):
    """Runs of a span, failures first, then the newest; ``states`` counts all of the span, listed or not."""

    since: datetime
    until: datetime
    total: int
    states: dict[str, int]
    overdue: int
    runs: tuple[RunRow, ...]
    as_of: datetime
    known_at: datetime

    @property
    def partial(self) -> bool:
        """Whether more fit than are listed."""
        return len(self.runs) < self.total

    @property
    def failed(self) -> int:
        """How many failed or were aborted."""
        return sum(self.states.get(state, 0) for state in FAILED)

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("state", "job", "began", "ended", "seconds", "delay", "overdue", "conflict", "domain", "owner",
                "run_id", "engine", "producer", "error")  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per run."""
        return [
            (r.state, r.job, r.began, r.ended, r.seconds, r.delay, r.overdue, r.conflict, r.domain, r.owner, r.run_id,
             r.engine, r.producer, r.error)
            for r in self.runs
        ]  # fmt: skip

    def title(self) -> str:
        """How many, and how many failed."""
        return f"{len(self.runs):,} of {self.total:,} runs, {self.failed:,} failed, {self.overdue:,} without an end"


@dataclass(frozen=True, slots=True)
class RunSide:
    """One dataset that a run read or wrote; ``None`` is not told."""

    dataset: str
    domain: str
    version: str | None
    row_count: int | None
    byte_count: int | None
    file_count: int | None
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class RunTest:
    """One test result of a run."""

    dataset: str | None
    column: str
    name: str
    status: str
    expected: str | None
    actual: str | None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event about a run; ``notes`` says what was odd about it."""

    at: datetime
    received_at: datetime
    type: str | None
    producer: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunDetail(Shown):
    """Everything about one run. ``siblings`` are jobs that told a run of the same id: each is a run of its own."""

    run: RunRow
    nominal_start: datetime | None
    nominal_end: datetime | None
    parent_job: str | None
    parent_run: str | None
    children: int
    siblings: tuple[str, ...]
    inputs: tuple[RunSide, ...]
    outputs: tuple[RunSide, ...]
    tests: tuple[RunTest, ...]
    events: tuple[RunEvent, ...]
    facets: dict[str, dict[str, Any]]  # of the run and of its job as its events told them, secrets masked
    usual_seconds: float | None  # median of the completed runs of the job in the 90 days before
    as_of: datetime
    known_at: datetime

    @property
    def sql(self) -> str | None:
        """The SQL of the job as this run told it."""
        query = self.facets.get("job", {}).get("sql", {}).get("query")
        return query if isinstance(query, str) else None

    @property
    def code(self) -> dict[str, Any]:
        """Where the code is, as this run told it."""
        found = self.facets.get("job", {}).get("sourceCodeLocation")
        return found if isinstance(found, dict) else {}

    @property
    def stack(self) -> str | None:
        """The stack trace of its error."""
        found = self.facets.get("run", {}).get("errorMessage", {}).get("stackTrace")
        return found if isinstance(found, str) else None

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return ("direction", "dataset", "domain", "version", "rows", "bytes", "files", "dropped")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per dataset that it read or wrote."""
        return [
            (side, one.dataset, one.domain, one.version, one.row_count, one.byte_count, one.file_count, one.dropped)
            for side, found in (("in", self.inputs), ("out", self.outputs))
            for one in found
        ]

    def title(self) -> str:
        """Which run, and how it ended."""
        took = "no end" if self.run.seconds is None else f"{self.run.seconds:,.1f} s"
        return f"{self.run.job}, run {self.run.run_id}: {self.run.state}, {took}"

    def remarks(self) -> tuple[str, ...]:
        """What went wrong, and what is unknown."""
        said = [f"error: {self.run.error}"] if self.run.error else []
        if self.run.overdue:
            said.append("it has no terminal event, and was not heard of for more than a day")
        if self.run.conflict:
            said.append("its terminal events contradict each other; the latest counts")
        said += [f"the same run id was told by {job}" for job in self.siblings]
        return (*said, f"{len(self.events):,} events")
