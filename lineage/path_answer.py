"""The answer of ``path``: the way data takes from one node to another, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

from lineage.answers import UNASSIGNED, Certainty, Link
from lineage.shown import Shown
from lineage.svg import Arrow, Box


@dataclass(frozen=True, slots=True)
class PathStep:
    """One node on a path."""

    id: str
    kind: str
    domain: str = UNASSIGNED
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class PathAnswer(Shown):
    """Answer of ``path``. ``none``: there is no path; ``blind``: there may be one, for the ``reasons`` given."""

    src: str
    dst: str
    verdict: Literal["found", "none", "blind"]
    as_of: datetime
    known_at: datetime
    path: tuple[PathStep, ...] = ()
    hops: int = 0
    certainty: Certainty = "certain"
    reasons: tuple[str, ...] = ()
    reverse: bool = False  # when none was found: whether there is one the other way round
    links: tuple[Link, ...] = ()  # every edge on any path, when they were asked for
    notes: tuple[str, ...] = ()  # of a node to itself: the jobs that make it from itself, a way of no hop

    def heads(self) -> tuple[str, ...]:
        """Columns of the steps."""
        return ("step", "id", "kind", "domain", "owner")

    def rows(self) -> list[tuple[Any, ...]]:
        """One row per step."""
        return [(n, step.id, step.kind, step.domain, step.owner) for n, step in enumerate(self.path)]

    def title(self) -> str:
        """What was asked."""
        return f"Path from {self.src} to {self.dst}"

    def remarks(self) -> tuple[str, ...]:
        """Verdict and reasons."""
        return (f"verdict: {self.verdict}", *self.reasons, *self.notes)

    def drawing(self) -> tuple[list[Box], list[Arrow]]:
        """The shortest path from left to right."""
        boxes = [Box(step.id, step.id.rpartition(":")[2], n, step.domain) for n, step in enumerate(self.path)]
        return boxes, [Arrow(a.id, b.id, self.certainty) for a, b in pairwise(self.path)]
