"""A snapshot that is one instant of a timeline.

It answers what every snapshot answers. Walks search the adjacency through time and pass over what does not hold then;
what needs all edges at once (a level as a whole, how much each of many nodes reaches) is made when it is asked for.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.graph.arrays import U32
from lineage.graph.build import level_of_columns, level_of_datasets
from lineage.graph.choice import searchers
from lineage.graph.level import Level
from lineage.graph.rows import RELATIONS, Relations
from lineage.graph.snapshot import Direction, LevelName, Snapshot
from lineage.graph.timeline.rows import PairsAt, RowsAt

if TYPE_CHECKING:
    from lineage.graph.search import Searcher
    from lineage.graph.timeline.timeline import Timeline


class SnapshotAt(Snapshot):
    """One instant of a timeline; made by :meth:`lineage.graph.timeline.Timeline.at`."""

    def __init__(self, timeline: Timeline, as_of: datetime, known_at: datetime, moment: int) -> None:
        frame = timeline.frame(moment)
        self.as_of, self.known_at = as_of, known_at
        self._timeline, self._moment, self._kernels = timeline, moment, timeline.kernels
        self._nodes = frame.nodes
        self.n, self.ids, self.kind = len(frame.nodes.ids), frame.nodes.ids, frame.nodes.kind
        rows = {name: RowsAt(timeline.rows[name], moment, frame.numbers) for name in (*RELATIONS, "inflow")}
        self._relations = Relations(**rows)
        self._reads, self._writes, self._contains = (PairsAt(rows[name]) for name in ("reads", "writes", "contains"))
        self._levels, self._search, self._counted = {}, {}, {}
        for of in timeline.levels:
            self._levels[of], both = timeline.seen(of, frame, moment)
            self._search[of, "downstream"], self._search[of, "upstream"] = both
        self._whole: dict[LevelName, Level] = {}
        self._search_whole: dict[LevelName, tuple[Searcher, Searcher]] = {}

    @cached_property
    def dangling(self) -> int:  # type: ignore[override]
        """Edge rows left out because the store does not know one of their nodes."""
        return self._timeline.left.at(self._moment)

    @property
    def edge_rows(self) -> int:
        """Number of edge rows, of all kinds."""
        return sum(int(np.count_nonzero(getattr(self._relations, name).holding)) for name in RELATIONS)

    @cached_property
    def _self_loops(self) -> U32:  # type: ignore[override]
        loops = [rows.loops for rows in (self._relations.lineage, self._relations.columns) if isinstance(rows, RowsAt)]
        return np.unique(np.concatenate(loops))

    def level(self, name: LevelName) -> Level:
        """One level as a graph of vertices, made of the edges of the instant alone."""
        if name not in self._whole:
            make = level_of_datasets if name == "dataset" else level_of_columns
            self._whole[name] = make(self._nodes, self._relations)
        return self._whole[name]

    def parts(self) -> dict[str, Any]:
        """Everything it is made of but its instant, as that of a snapshot that was built for the instant."""
        return {
            "nodes": self._nodes,
            "relations": self._relations,
            "levels": {name: self.level(name) for name in self._levels},
            "self_loops": self._self_loops,
            "dangling": self.dangling,
            "pairs": (self._reads, self._writes, self._contains),
        }

    def _for_many(self, level: LevelName, direction: Direction) -> tuple[Level, Searcher]:
        on = self.level(level)
        if level not in self._search_whole:
            self._search_whole[level] = searchers(on.down, on.up, self._kernels)
        return on, self._search_whole[level][direction == "upstream"]
