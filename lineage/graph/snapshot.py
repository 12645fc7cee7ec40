"""The lineage graph at one instant, immutable, in memory.

Nodes have *dense indices* ``0 … n - 1``: datasets first, then jobs, then columns, the columns of a dataset next to
each other. One index stands for one alias group. The two levels that a walk can run on (datasets with job ports;
columns with rowsets) are kept as compressed adjacency in both directions, see :mod:`lineage.graph.level`; what the
store says about each edge stands in sorted arrays beside them, see :mod:`lineage.graph.rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lineage.errors import UsageError
from lineage.graph.arrays import CERTAINTY_NAMES, COLUMN, DATASET, I64, JOB, NONE, U8, U32, Bool, class_mask
from lineage.graph.barred import Barred, Closed, check_mask
from lineage.graph.choice import searchers
from lineage.graph.folded import Folds, check_folds
from lineage.graph.job_use import only_indirectly
from lineage.graph.labelled import Labelled
from lineage.graph.level import Level
from lineage.graph.nodes import Nodes
from lineage.graph.question import Question
from lineage.graph.rows import RELATIONS, EdgeRows, EdgeView, Pairs, Relations
from lineage.graph.search import Searcher
from lineage.graph.seeds import sow
from lineage.graph.walk import Walk

Direction = Literal["downstream", "upstream"]
LevelName = Literal["dataset", "column"]
CertaintyName = Literal["certain", "probable", "stale"]


class Snapshot(Labelled):
    """The graph at one instant. Made by :func:`lineage.graph.build.load`; any thread may ask it.

    Attributes
    ----------
    as_of, known_at : datetime
        the instant on both clocks, naive UTC.
    n : int
        number of nodes, one per alias group.
    ids : uint64 array
        node id of the preferred member of each node.
    kind : uint8 array
        0 dataset, 1 job, 2 column.
    dangling : int
        edge rows left out because the store does not know one of their nodes.
    """

    def __init__(
        self,
        as_of: datetime,
        known_at: datetime,
        nodes: Nodes,
        relations: Relations,
        levels: dict[LevelName, Level],
        self_loops: U32,
        dangling: int,
        kernels: str | None = None,
        pairs: tuple[Pairs, Pairs, Pairs] | None = None,
        like: Snapshot | None = None,
    ) -> None:
        self.as_of, self.known_at = as_of, known_at
        self.n = len(nodes.ids)
        self.ids, self.kind = nodes.ids, nodes.kind
        self.dangling = dangling
        self._nodes, self._relations, self._levels = nodes, relations, levels
        self._self_loops = self_loops
        pairs = pairs or (Pairs.of(relations.reads), Pairs.of(relations.writes), Pairs.of(relations.contains))
        self._reads, self._writes, self._contains = pairs
        self._counted: dict[LevelName, Closed] = {}  # vertices that are nodes, asked for by `closures`
        self._search: dict[tuple[LevelName, Direction], Searcher] = {}
        for name, level in levels.items():
            if like is not None and like._levels[name] is level:
                self._search |= {key: found for key, found in like._search.items() if key[0] == name}
                continue
            down, up = searchers(level.down, level.up, kernels)
            self._search[name, "downstream"], self._search[name, "upstream"] = down, up

    @property
    def edge_rows(self) -> int:
        """Number of edge rows, of all kinds."""
        return sum(len(getattr(self._relations, name).key) for name in RELATIONS)

    def parts(self) -> dict[str, Any]:
        """Everything it is made of but its instant, for :meth:`of_parts`."""
        return {
            "nodes": self._nodes,
            "relations": self._relations,
            "levels": self._levels,
            "self_loops": self._self_loops,
            "dangling": self.dangling,
            "pairs": (self._reads, self._writes, self._contains),
        }

    def moved(self, as_of: datetime, known_at: datetime) -> Snapshot:
        """The same graph at another instant at which it holds as well; costs nothing."""
        other = copy(self)
        other.as_of, other.known_at = as_of, known_at
        return other

    @classmethod
    def of_parts(
        cls,
        as_of: datetime,
        known_at: datetime,
        parts: dict[str, Any],
        kernels: str | None = None,
        like: Snapshot | None = None,
    ) -> Snapshot:
        """A snapshot of the same parts at an instant at which they hold as well.

        The searchers of levels that it shares with the snapshot ``like`` are those of that one.
        """
        return cls(as_of, known_at, **parts, kernels=kernels, like=like)

    # -- edges

    def neighbours(self, i: int, direction: Direction, within: U32 | None = None) -> list[EdgeView]:
        """Edges that end (upstream) or begin (downstream) at a node, in order of the other end.

        ``within``: only those whose other end is one of these nodes; of a dataset or job, which may have very many.

        Of a dataset: lineage edges, to jobs that may hand it on among them. Of a column: column edges; upstream also
        those to its dataset as a whole. Of a job: its reads (upstream) or writes (downstream), and explicit flow from
        or to other jobs.
        """
        _check_direction(direction)
        if self.kind[i] == COLUMN:
            return self._column_edges(i, direction)
        found: list[EdgeView] = []
        for rows, others in self._beside(i, direction):
            known = {(e.src, e.dst) for e in found}
            asked = others if within is None else others[np.isin(others, within)]
            found += [e for e in self._views(rows, i, asked, direction) if (e.src, e.dst) not in known]
        return sorted((e for e in found if e.src != e.dst), key=lambda e: (e.src, e.dst))

    def ends(self, i: int, direction: Direction) -> U32:
        """The other ends of the :meth:`neighbours` of a node, each once, in ascending order.

        Those of a dataset or job, which may have very many, are found without looking at each edge.
        """
        _check_direction(direction)
        if self.kind[i] == COLUMN:
            edges = self._column_edges(i, direction)
            return np.unique(np.array([e.src if direction == "upstream" else e.dst for e in edges], dtype=np.uint32))
        parts = []
        for rows, others in self._beside(i, direction):
            here = np.full(len(others), i, dtype=np.uint32)
            pair = (here, others) if direction == "downstream" else (others, here)
            parts.append(others[rows.has(*pair)])
        found = np.unique(np.concatenate(parts)).astype(np.uint32)
        left: U32 = found[found != np.uint32(i)]
        return left

    def column_edges(self, datasets: Sequence[int]) -> list[EdgeView]:
        """Column edges whose both ends lie in the given datasets; ``dst`` is a dataset where all rows are affected."""
        inside = np.asarray(sorted(set(datasets)), dtype=np.uint32)
        rows = self._relations.columns
        parts = [self.columns_of(int(d)) for d in inside]
        columns = np.concatenate([*parts, np.zeros(0, np.uint32)]).astype(np.uint32)
        pairs = [(int(c), rows.targets(int(c))) for c in columns]
        src = np.concatenate([np.full(len(t), c, np.uint32) for c, t in pairs] + [np.zeros(0, np.uint32)])
        dst = np.concatenate([*(t for _, t in pairs), np.zeros(0, np.uint32)]).astype(np.uint32)
        keep = np.isin(self._nodes.datasets_of(dst), inside) & (src != dst)
        return rows.views(src[keep].astype(np.uint32), dst[keep])

    def self_loop(self, i: int) -> bool:
        """Whether an edge leads from the node to itself."""
        at = int(np.searchsorted(self._self_loops, i))
        return at < len(self._self_loops) and int(self._self_loops[at]) == i

    def self_loops(self, nodes: U32) -> Bool:
        """Which of some nodes an edge leads from to themselves."""
        found: Bool = np.isin(nodes, self._self_loops)
        return found

    def readers(self, i: int) -> U32:
        """Jobs that read a dataset."""
        return self._reads.rights(i)

    def writers(self, i: int) -> U32:
        """Jobs that write a dataset."""
        return self._writes.lefts(i)

    def arrows(self, datasets: npt.ArrayLike, kind: Literal["read", "write"]) -> tuple[I64, U32, U8]:
        """Jobs that read (write) many datasets: position in ``datasets``, the job, and the certainty of the arrow."""
        wanted = np.asarray(datasets, dtype=np.uint32)
        return self._reads.rights_of(wanted) if kind == "read" else self._writes.lefts_of(wanted)

    def readers_of(self, datasets: U32) -> tuple[I64, U32, U8]:
        """Readers of many datasets: position in ``datasets``, the job, and the certainty of the read, in parallel."""
        return self._reads.rights_of(datasets)

    def writers_of(self, datasets: U32) -> tuple[I64, U32, U8]:
        """Writers of many datasets: position in ``datasets``, the job, and the certainty of the write, in parallel."""
        return self._writes.lefts_of(datasets)

    def inputs(self, job: int) -> U32:
        """Datasets that a job reads."""
        return self._reads.lefts(job)

    def outputs(self, job: int) -> U32:
        """Datasets that a job writes."""
        return self._writes.rights(job)

    def parents(self, job: int) -> U32:
        """Jobs that contain a job."""
        return self._contains.lefts(job)

    def children(self, job: int) -> U32:
        """Jobs that a job contains."""
        return self._contains.rights(job)

    def level(self, name: LevelName) -> Level:
        """One level as a graph of vertices (:mod:`lineage.graph.level`), for algorithms that need all of it."""
        return self._levels[name]

    # -- walks

    def bar(self, blocked: Bool) -> Barred:
        """A mask (true = neither reached nor passed) for many walks on this snapshot.

        Raises
        ------
        UsageError
            unless it is one bool per node.
        """
        return Barred(check_mask(blocked, self.n), self._levels)

    def fold(self, folds: U32) -> Folds:
        """Folds for many walks: one number per node, 0 for none; a step between two nodes of one number is no hop.

        Raises
        ------
        UsageError
            unless it is one ``uint32`` for each node.
        """
        return Folds(check_folds(folds, self.n), self._levels)

    def walk(
        self,
        sources: Sequence[int],
        direction: Direction,
        *,
        depth: int | None = None,
        min_certainty: CertaintyName = "stale",
        level: LevelName = "dataset",
        indirect: bool = True,
        blocked: Bool | Barred | None = None,
        max_nodes: int | None = None,
        folds: Folds | None = None,
    ) -> Walk:
        """Everything reached from the sources.

        Parameters
        ----------
        sources
            dense indices. A job stands for its outputs (downstream, hops 0) or inputs (upstream, hops 1); on the
            column level a dataset stands for its columns, on the dataset level a column for its dataset.
        direction
            ``"downstream"`` (impact) or ``"upstream"`` (provenance).
        depth
            greatest number of hops; default: no limit.
        min_certainty
            edges less certain are not followed.
        indirect
            whether edges that only filter, join, group or sort are followed.
        blocked
            one bool per node: true = neither reached nor passed. A mask that many walks share is prepared once with
            :meth:`bar`.
        max_nodes
            greatest number of nodes, nearest first; default: no limit.
        folds
            nodes that count as one step where they follow each other, made by :meth:`fold`.

        Raises
        ------
        UsageError
            for an unknown direction, level or certainty, a negative limit, or a source that is no node.
        """
        _check_direction(direction)
        _choice("level", level, ("dataset", "column"))
        question = Question(
            direction=direction,
            certainty=_choice("min_certainty", min_certainty, CERTAINTY_NAMES),
            indirect=indirect,
            depth=_limit("depth", depth),
            max_nodes=_limit("max_nodes", max_nodes),
            closed=self._closed(blocked, level),
            sources=self._check_sources(sources),
        )
        seeds = sow(self._nodes, self._levels[level], self._reads, self._writes, question)
        indirectly = partial(only_indirectly, self, certainty=question.certainty)
        search = self._search[level, direction] if folds is None else folds.searcher(level, direction)
        return Walk(self._levels[level], search, question, seeds, indirectly)

    def closer(
        self,
        direction: Direction,
        *,
        min_certainty: CertaintyName = "stale",
        level: LevelName = "dataset",
        indirect: bool = True,
        blocked: Bool | Barred | None = None,
    ) -> Callable[[int], U32]:
        """One question made ready to be asked of many nodes: all that a node reaches, and nothing else about it.

        The answer to a dense index is what :attr:`Walk.nodes` would be, the nearest first. Where little is found it
        takes a tenth of the time of a walk, which tells more (1–3 µs against 29–37 µs, ``benchmarks/README.md``).

        Parameters
        ----------
        direction, min_certainty, level, indirect, blocked
            as for :meth:`walk`.

        Raises
        ------
        UsageError
            as :meth:`walk`; the answers raise it for what is no node.
        """
        options: dict[str, Any] = {
            "min_certainty": min_certainty,
            "level": level,
            "indirect": indirect,
            "blocked": blocked,
        }
        _check_direction(direction)
        _choice("level", level, ("dataset", "column"))
        on, search = self._levels[level], self._search[level, direction]
        mask = class_mask(_choice("min_certainty", min_certainty, CERTAINTY_NAMES), indirect=indirect)
        closed = self._closed(blocked, level)

        def walk(i: int) -> U32:
            return self.walk([i], direction, **options).nodes

        if len(on.helper_key) or on.offset:
            return walk
        closure, vertices = search.closure, on.vertices

        def ask(i: int) -> U32:
            try:
                return closure(vertices, i, mask, closed)
            except IndexError:  # a job or a column, which stands for others, or no node at all
                return walk(i)

        return ask

    def closures(
        self,
        sources: npt.ArrayLike,
        direction: Direction,
        *,
        min_certainty: CertaintyName = "stale",
        level: LevelName = "dataset",
        indirect: bool = True,
    ) -> U32:
        """How many datasets (columns) are reached from each of many, itself not counted; see :meth:`walk`.

        Sources are dense indices of datasets or, on the column level, of columns. Many at once cost far less than one
        walk for each.

        Raises
        ------
        UsageError
            for an unknown direction, level or certainty, or a source that is no node of the level.
        """
        _check_direction(direction)
        _choice("level", level, ("dataset", "column"))
        mask = class_mask(_choice("min_certainty", min_certainty, CERTAINTY_NAMES), indirect=indirect)
        on, search = self._for_many(level, direction)
        place = np.asarray(sources, dtype=np.int64).reshape(-1) - on.offset
        if ((place < 0) | (place >= len(on.vertices))).any():
            raise UsageError(f"closures: wants indices of {level}s, {on.offset} to {on.offset + len(on.vertices) - 1}.")
        if level not in self._counted:
            self._counted[level] = Closed(~on.is_helper(on.public))
        vertices = on.vertices[place]
        order = np.argsort(vertices)  # those of one batch lie together then and reach much the same
        found = np.empty(len(vertices), dtype=np.uint32)
        found[order] = search.reach(vertices[order], mask, self._counted[level])
        return found - np.uint32(1)

    # -- inside

    @cached_property
    def _indirect_readers(self) -> dict[tuple[int, int], frozenset[int]]:
        """What :func:`lineage.graph.job_use.indirect_readers` found so far."""
        return {}

    def _for_many(self, level: LevelName, direction: Direction) -> tuple[Level, Searcher]:
        """What answers about many nodes at once."""
        return self._levels[level], self._search[level, direction]

    def _beside(self, i: int, direction: Direction) -> list[tuple[EdgeRows | Relations, U32]]:
        """Where the edges of a dataset or job stand, with the nodes that may be their other ends."""
        relations = self._relations
        others = self._levels["dataset"].beside(i, direction)
        flow = self.kind[i] == DATASET and (self.kind[others] == JOB).any()
        found: list[tuple[EdgeRows | Relations, U32]] = [(relations if flow else relations.lineage, others)]
        if self.kind[i] == JOB:
            upstream = direction == "upstream"
            found.append((relations.reads, self.inputs(i)) if upstream else (relations.writes, self.outputs(i)))
        return found

    def _views(self, rows: EdgeRows | Relations, i: int, others: U32, direction: str) -> list[EdgeView]:
        here = np.full(len(others), i, dtype=np.uint32)
        return rows.views(here, others) if direction == "downstream" else rows.views(others, here)

    def _column_edges(self, i: int, direction: str) -> list[EdgeView]:
        rows, level = self._relations.columns, self._levels["column"]
        if direction == "downstream":
            return [e for e in self._views(rows, i, rows.targets(i), direction) if e.src != e.dst]
        found = self._views(rows, i, level.beside(i, direction), direction)
        dataset = self.dataset_of(i)
        found += self._views(rows, dataset, level.beside(dataset, direction), direction)
        return sorted((e for e in found if e.src != e.dst), key=lambda e: (e.src, e.dst))

    def _check_sources(self, sources: Sequence[int]) -> U32:
        if len(sources) == 1 and 0 <= int(sources[0]) < self.n:  # the commonest question
            return np.array([sources[0]], dtype=np.uint32)
        given = np.asarray(sources, dtype=np.int64).reshape(-1)
        wrong = given[(given < 0) | (given >= self.n)]
        if len(wrong):
            raise UsageError(f"{int(wrong[0])} is no index of a node; this snapshot has {self.n} nodes.")
        return np.unique(given).astype(np.uint32) if len(given) > 1 else given.astype(np.uint32)

    def _closed(self, blocked: Bool | Barred | None, level: LevelName) -> Closed | None:
        if blocked is None:
            return None
        if isinstance(blocked, Barred):
            check_mask(blocked.nodes, self.n)
            return blocked.on(level)
        return Closed.of(check_mask(blocked, self.n), self._levels[level].public)


def _check_direction(direction: str) -> None:
    _choice("direction", direction, ("downstream", "upstream"))


def _choice(name: str, value: str, allowed: Sequence[str]) -> int:
    if value not in allowed:
        raise UsageError(f"{name}: “{value}” is none of {', '.join(allowed)}.")
    return allowed.index(value)


def _limit(name: str, value: int | None) -> int:
    if value is None:
        return -1
    if value < 0:
        raise UsageError(f"{name}: {value} is negative; leave it out for no limit.")
    return min(value, NONE)
