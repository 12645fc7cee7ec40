"""Failures of one check without a pass between them: what an incident is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of one check, those of one orchestrator's run merged."""

    at: datetime
    known: datetime
    run: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Streak:
    """Failures of one check without a pass between them; ``ended`` is the pass that ended it."""

    dataset: int  # node id
    sort: str
    field: str
    name: str
    severity: str
    failures: tuple[Failure, ...]
    ended: datetime | None

    @property
    def began(self) -> datetime:
        """Time of the first failure."""
        return self.failures[0].at

    @property
    def key(self) -> tuple[int, str, str, str]:
        """What failed."""
        return self.dataset, self.sort, self.field, self.name

    @property
    def id(self) -> str:
        """Eight digits that name it."""
        text = "\x1f".join([*map(str, self.key), self.began.isoformat()])
        return "i" + hashlib.sha256(text.encode()).hexdigest()[:8]


def split(streak: Streak, moments: Iterable[datetime]) -> list[tuple[Streak, datetime | None]]:
    """A streak cut where somebody called it resolved: each part with that moment; a later failure begins a new one."""
    rest = streak
    parts: list[tuple[Streak, datetime | None]] = []
    for moment in sorted(moments):
        before = tuple(f for f in rest.failures if f.at <= moment)
        after = tuple(f for f in rest.failures if f.at > moment)
        if not before or (rest.ended is not None and moment >= rest.ended):
            continue
        parts.append((replace(rest, failures=before, ended=None), moment))
        if not after:
            return parts
        rest = replace(rest, failures=after)
    return [*parts, (rest, None)]
