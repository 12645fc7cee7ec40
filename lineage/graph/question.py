"""A walk as asked, and the vertices it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lineage.graph.arrays import STALE, U8, U32, Bool, class_mask
from lineage.graph.barred import Closed
from lineage.graph.search import Start


@dataclass(frozen=True, eq=False)
class Seeds:
    """Vertices a walk starts from.

    ``vertices`` are at hop 0 and ``late`` ones at hop 1 (the inputs of a job that is asked upstream). ``owner`` is the
    dense index of the source each belongs to, ``certainty`` that of the step from a job to it, ``report`` is true for
    outputs of a job, which are part of its answer.
    """

    vertices: U32
    owner: U32
    certainty: U8
    report: Bool
    late: U32
    late_owner: U32
    late_certainty: U8

    @cached_property
    def reports(self) -> bool:
        """Whether some seed is part of the answer."""
        return bool(self.report.any())

    @cached_property
    def worst(self) -> int:
        """Certainty of the least certain step to a seed."""
        if len(self.certainty) == 1 and not len(self.late):
            return int(self.certainty[0])
        return int(max(self.certainty.max(initial=0), self.late_certainty.max(initial=0)))

    def without_late(self, left: Bool) -> Seeds:
        """The same without some of the late ones."""
        keep = ~left
        late = self.late[keep], self.late_owner[keep], self.late_certainty[keep]
        return Seeds(self.vertices, self.owner, self.certainty, self.report, *late)

    def at(self, certainty: int) -> Start:
        """The vertices, and the late ones, that are at least so certain."""
        if certainty == STALE or self.worst <= certainty:
            return Start(self.vertices, self.certainty, self.late, self.late_certainty)
        early, late = self.certainty <= certainty, self.late_certainty <= certainty
        return Start(self.vertices[early], self.certainty[early], self.late[late], self.late_certainty[late])

    def owner_of(self, vertex: int, certainty: int) -> int:
        """Source that a seed belongs to."""
        for vertices, owner, certain in (
            (self.vertices, self.owner, self.certainty),
            (self.late, self.late_owner, self.late_certainty),
        ):
            at = np.flatnonzero((vertices == vertex) & (certain <= certainty))
            if len(at):
                return int(owner[at[0]])
        raise KeyError(vertex)


class Question(NamedTuple):
    """A walk as asked. ``depth`` and ``max_nodes`` are -1 for no limit."""

    direction: str
    certainty: int
    indirect: bool
    depth: int
    max_nodes: int
    closed: Closed | None
    sources: U32

    @property
    def mask(self) -> int:
        """Bit set of the admitted edge classes."""
        return class_mask(self.certainty, indirect=self.indirect)
