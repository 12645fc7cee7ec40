"""The answer of ``provenance --runs``: which runs made one version of a dataset, from which versions of its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lineage.answers import UNASSIGNED
from lineage.shown import Shown
from lineage.svg import Arrow, Box
from lineage.times import iso

Tie = Literal["version", "time", "stream", "none"]


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One column edge of a run. ``dst`` is a dataset where the source decides about all of its rows."""

    src: str
    dst: str
    type: str | None
    subtype: str | None
    masking: bool = False

    @property
    def indirect(self) -> bool:
        """Whether the source only decides about rows: a filter, join, group, sort or window."""
        return (self.type or "").upper() == "INDIRECT"


@dataclass(frozen=True, slots=True)
class InputVersion:
    """One dataset that a run read, and the run that had written what it read.

    ``tie`` says how the two were brought together: by the ``version`` that the reader named, by ``time`` (the newest
    write that was complete when the reader began), a ``stream`` that was writing then, or not at all (``none``).
    ``use`` is indirect, with ``subtypes``, when the run told columns of it and only filtered, joined, grouped or sorted
    by all of them.
    """

    dataset: str
    tie: Tie
    version: str | None = None
    run_id: str | None = None
    job: str | None = None
    written_at: datetime | None = None
    domain: str = UNASSIGNED
    columns: tuple[ColumnUse, ...] = ()
    use: Literal["direct", "indirect"] = "direct"
    subtypes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunStep:
    """One version of one dataset and the run that made it. ``sql`` has its secrets masked; its hash is of the original.

    ``code`` and ``sql`` are what this very run told, or, when ``told_by`` is ``job``, what had last been told of its
    job when the run began: many producers send them only now and then. ``use`` is indirect when every way from here to
    the asked version has an input that was used indirectly.
    """

    hops: int
    dataset: str
    version: str | None
    run_id: str
    job: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    producer: str | None = None
    engine: str | None = None
    nominal_start: datetime | None = None
    nominal_end: datetime | None = None
    conflict: bool = False
    parent: str | None = None
    code: dict[str, Any] | None = None
    sql: str | None = None
    sql_hash: str | None = None
    told_by: Literal["run", "job"] | None = None
    owner: str | None = None
    domain: str = UNASSIGNED
    inputs: tuple[InputVersion, ...] = ()
    use: Literal["direct", "indirect"] = "direct"


@dataclass(frozen=True, slots=True)
class RunTrail(Shown):
    """Every step behind one version, nearest first. ``blind``: no run is known that made it."""

    node: str
    verdict: Literal["found", "blind"]
    as_of: datetime
    known_at: datetime
    steps: tuple[RunStep, ...]
    blind_spots: tuple[str, ...] = ()
    partial: bool = False
    behind: int = 0  # versions right behind that a limit left out

    def heads(self) -> tuple[str, ...]:
        """Columns of the table."""
        return (
            "hops", "dataset", "version", "run_id", "job", "state", "started_at", "ended_at", "producer", "engine",
            "code_url", "code_version", "sql_hash", "domain", "owner", "inputs", "use",
        )  # fmt: skip

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per step; inputs as ``DATASET @ RUN``."""
        return [
            (
                s.hops, s.dataset, s.version, s.run_id, s.job, s.state, s.started_at, s.ended_at, s.producer, s.engine,
                (s.code or {}).get("url"), (s.code or {}).get("version"), s.sql_hash, s.domain, s.owner,
                [f"{i.dataset} @ {i.run_id or 'unknown'}{' (indirect)' * (i.use == 'indirect')}" for i in s.inputs],
                s.use,
            )
            for s in self.steps
        ]  # fmt: skip

    def title(self) -> str:
        """What was asked."""
        return f"Runs behind {self.node} as of {iso(self.as_of)}"

    def remarks(self) -> tuple[str, ...]:
        """Blind spots, and whether a limit cut the answer."""
        return ((f"partial: {self.behind} more versions behind",) if self.behind else ()) + self.blind_spots

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """Versions from right to left by hops."""
        boxes = [
            Box(f"{s.dataset}@{s.run_id}", s.dataset.rpartition(":")[2], -s.hops, s.domain, f"{s.dataset}\n{s.run_id}")
            for s in self.steps
        ]
        arrows = [
            Arrow(f"{i.dataset}@{i.run_id}", f"{s.dataset}@{s.run_id}", "certain" if i.tie == "version" else "probable")
            for s in self.steps
            for i in s.inputs
        ]
        return boxes, arrows
