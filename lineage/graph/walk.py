"""The answer of a traversal: which nodes, how far, how certain, by which use, and along which path.

How the figures are found (semantics 12 and 13):

* *Hops*: one breadth-first search over all admitted edges.
* *Certainty*: a path is as certain as its weakest edge, a node as its best path: certain when certain edges alone
  lead to it, else probable when certain and probable ones do, else stale. The same search finds it.
* *Path*: a shortest path among those of the best certainty, so it may be longer than the hops: a way up the tree of the
  search when the node is no more certain than the question asks for, else a search from both ends over edges that are
  as certain as the node. A limit on depth or size cuts the list of nodes, not these paths: the limited answer is the
  full one restricted to its first nodes.
* *Use*: a node is used indirectly when a search without the indirect edges does not reach it.

What costs more than the first search is found when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TypeVar

import numpy as np

from lineage.graph.arrays import I64, NONE, U8, U32, Bool, class_mask
from lineage.graph.level import Level
from lineage.graph.question import Question, Seeds
from lineage.graph.search import Searcher, Tree
from lineage.graph.trails import Trails

Array = TypeVar("Array", U8, U32)


class Walk:
    """Answer of :meth:`lineage.graph.snapshot.Snapshot.walk`.

    Attributes
    ----------
    nodes : uint32 array
        dense indices in order of hops, within a hop as the search found them. Sources are not among them, except as
        outputs of a source job.
    hops, certainty, indirect : arrays
        one entry per node: shortest distance, 0 certain / 1 probable / 2 stale, and whether every way to it has an
        indirect step.
    """

    def __init__(
        self,
        level: Level,
        search: Searcher,
        question: Question,
        seeds: Seeds,
        indirectly: Callable[[U32, U32], Bool] | None = None,
    ) -> None:
        self._level, self._search, self._question, self._seeds = level, search, question, seeds
        self._indirectly = indirectly  # of jobs and what they read: whether it is indirect use
        self._trees: dict[int, Tree] = {}
        self._found: dict[int, tuple[U32, U32]] = {}
        self._asked = 0
        most = question.max_nodes
        limit = most + len(seeds.vertices) + 1 if most >= 0 else -1
        while True:
            self._main = self._run(question.certainty, question.mask, question.depth, limit)
            listed = self._listed(self._main)
            if limit < 0 or not self._main.stopped or len(listed) > most:
                break
            if question.depth >= 0 and len(self._main.levels) - 2 >= question.depth:
                break
            limit *= 2  # helpers and sources filled the list
        self._listing = listed if most < 0 else listed[:most]
        self.nodes: U32 = self._at(self._main.public)
        self._left_out = self._nearest(listed[most:]) if 0 <= most < len(listed) else self.nodes[:0]

    def _at(self, values: Array) -> Array:
        """What belongs to the nodes of the answer, of an array by position in the search."""
        listing = self._listing  # mostly they are all but the sources, or a part without gaps: no need to pick
        return values[listing.start : listing.stop] if isinstance(listing, range) else values[listing]

    @cached_property
    def _position(self) -> I64:
        """Position in the search of each node of the answer."""
        listing = self._listing
        return np.arange(listing.start, listing.stop) if isinstance(listing, range) else listing

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def vertices(self) -> U32:
        """Vertices of the level that were reached, sources and helpers included (without the limit on nodes)."""
        return self._main.order

    @property
    def level(self) -> Level:
        """What it ran on."""
        return self._level

    @property
    def mask(self) -> int:
        """Bit set of the admitted edge classes."""
        return self._question.mask

    # -- figures

    @cached_property
    def hops(self) -> U32:
        """Shortest distance of each node."""
        return self._at(self._search.hops(self._main))

    @cached_property
    def certainty(self) -> U8:
        """Certainty of each node's best path: 0 certain, 1 probable, 2 stale."""
        if not self._worst:
            return np.zeros(len(self.nodes), dtype=np.uint8)
        question = self._question  # the limited search is the beginning of the full one
        full = self._run(question.certainty, question.mask, -1, -1) if self._main.stopped else self._main
        assert full.grades is not None
        grades = full.grades()
        found: U8 = self._at(grades[: len(self._main.order)])
        if not self._has_twins:
            return found
        twins = self._level.twin[self._at(self._main.order)]  # a job is as certain as the better of its ports
        return np.minimum(found, self._search.look_up(full.order, grades, twins))

    @cached_property
    def indirect(self) -> Bool:
        """Whether each node is reached only by ways with an indirect step."""
        vertices, seeds, question = self._at(self._main.order), self._seeds, self._question
        inputs = self._indirect_inputs
        if not question.mask & self._search.classes >> 3 << 3 and not inputs.any():
            return np.zeros(len(vertices), dtype=bool)
        start = (seeds.without_late(inputs) if inputs.any() else seeds).at(question.certainty)
        mask = class_mask(question.certainty, indirect=False)
        return ~self._reached(self._search.bfs(start, mask, -1, -1, question.closed), vertices)

    @property
    def _indirect_inputs(self) -> Bool:
        """Which of the late seeds, the inputs of an asked job, it only filters, joins, groups or sorts by."""
        seeds = self._seeds
        if not len(seeds.late) or self._indirectly is None:
            return np.zeros(len(seeds.late), dtype=bool)
        return self._indirectly(seeds.late_owner, self._level.public[seeds.late])

    @property
    def edges(self) -> int:
        """Number of edges between the nodes of the answer, sources included."""
        return self._counts[0]

    @property
    def certain_edges(self) -> int:
        """Number of those that are certain."""
        return self._counts[1]

    @cached_property
    def cut(self) -> U32:
        """Dense indices of the nodes right behind the answer: the nearest ones left out; empty when nothing was cut."""
        if len(self._left_out) or not self._main.stopped:
            return self._left_out
        question, depth = self._question, self._question.depth
        while True:
            depth += 1
            tree = self._run(question.certainty, question.mask, depth, -1)
            listed = self._listed(tree)
            if not tree.stopped or len(listed) > len(self.nodes):
                rest = np.asarray(listed[len(self.nodes) :], dtype=np.int64)
                return np.sort(self._level.public[tree.order[rest[self._search.hops(tree)[rest] == depth]]])

    @property
    def partial(self) -> bool:
        """Whether a limit cut nodes off."""
        return len(self.cut) > 0

    def path(self, i: int) -> list[int]:
        """Dense indices of a shortest path among those of the best certainty, from a source to node ``i``.

        Raises
        ------
        KeyError
            when ``i`` is not in the answer.
        """
        at = self._place(i)
        position = int(self._listing[at])
        certainty = int(self.certainty[at])
        if certainty >= self._worst:
            vertices = self._way_up(position)
        else:
            vertex = int(self._main.order[position])
            targets = np.array([vertex, self._level.twin[vertex]], dtype=np.uint32)
            mask = class_mask(certainty, indirect=self._question.indirect)
            found = self._search.path(self._seeds.at(certainty), targets, mask, self._question.closed)
            assert found is not None
            vertices = found.tolist()
        steps = self._level.public[vertices].tolist()
        return self._readable([self._seeds.owner_of(vertices[0], certainty), *steps], i)

    def paths(self) -> list[tuple[int, ...]]:
        """The :meth:`path` of every node, in the order of :attr:`nodes`; paths share the work on their beginnings."""
        found: list[tuple[int, ...]] = [()] * len(self.nodes)
        nodes = self.nodes.tolist()
        for certainty in range(self._worst + 1):
            at = np.flatnonzero(self.certainty == certainty)
            if not len(at):
                continue
            tree = self._main if certainty == self._worst else self._tree(certainty)
            trails = Trails(self._level, tree, partial(self._seeds.owner_of, certainty=certainty))
            for k, position in zip(at.tolist(), self._places(certainty, tree, at).tolist(), strict=True):
                found[k] = trails.to(position, nodes[k])
        return found

    # -- inside

    def _places(self, certainty: int, tree: Tree, at: I64) -> I64:
        """Position in a tree of each of some nodes of the answer, of the first of two ports."""
        vertices, positions = self._places_of(certainty, tree)
        mine = self._main.order[self._position[at]]
        best = np.full(len(at), len(vertices), dtype=np.int64)
        for asked in (mine, self._level.twin[mine]):
            place = np.minimum(np.searchsorted(vertices, asked), len(vertices) - 1)
            here = vertices[place] == asked
            best[here] = np.minimum(best[here], positions[place[here]])
        return best

    @property
    def _has_twins(self) -> bool:
        """Whether there may be vertices that are two ports of one job."""
        return not self._level.offset and len(self._level.helper_key) > 0

    @cached_property
    def _worst(self) -> int:
        """No node is less certain than this."""
        classes = self._search.classes | self._search.classes >> 3
        of_edges = 2 if classes & 4 else 1 if classes & 2 else 0
        return min(self._question.certainty, max(of_edges, self._seeds.worst))

    @cached_property
    def _counts(self) -> tuple[int, int]:
        edges, certain, _ = self._search.among(self._answer(), self._question.mask, self._question.closed)
        return edges, certain

    def _answer(self) -> U32:
        """Vertices of the answer, sources and the helpers that belong to it included."""
        main = self._main
        if not len(self._left_out):
            return main.order
        last = int(np.searchsorted(main.levels, self._position[-1], side="right")) - 1 if len(self.nodes) else 0
        begin, end = int(main.levels[last]), int(main.levels[last + 1])
        here, parent = main.order[begin:end], main.parent[begin:end]
        kept = np.isin(np.arange(begin, end), self._position)
        if not last:  # sources belong to it, outputs of a source job only when they are listed
            kept |= (parent == NONE) & ~np.isin(here, self._seeds.vertices[self._seeds.report])
        inner = (parent >= begin) & (parent != NONE)
        kept[inner] |= kept[parent[inner] - begin]
        return np.concatenate([main.order[:begin], here[kept]])

    def _listed(self, main: Tree) -> I64 | range:
        """Position in the tree of each node to report, in order; a range where there are no gaps."""
        level, seeds = self._level, self._seeds
        zero = int(main.levels[1])  # sources stand at hop 0: only there, and among helpers, is something to leave out
        if not len(level.helper_key) and not seeds.reports:
            return range(np.count_nonzero(main.parent[:zero] == NONE) if zero > 1 else zero, len(main.order))
        listed = main.parent[:zero] != NONE
        listed |= np.isin(main.order[:zero], seeds.vertices[seeds.report])
        keep = np.ones(len(main.order), dtype=bool)
        keep[:zero] = listed
        if not len(level.helper_key):
            return np.flatnonzero(keep)
        public = level.public[main.order]
        helper = level.is_helper(public)
        if level.offset and self._question.direction == "upstream":
            keep &= ~helper
        else:
            keep &= ~(helper & np.isin(public, self._question.sources))
        if not level.offset:  # a job may be reached at both of its ports
            first = np.zeros(len(public), dtype=bool)
            first[np.unique(public, return_index=True)[1]] = True
            keep &= first
        return np.flatnonzero(keep)

    def _nearest(self, left: I64 | range) -> U32:
        """Nodes at the positions left out that are at the smallest distance, in ascending order."""
        rest = np.asarray(left)
        hops = self._search.hops(self._main)[rest]
        return np.sort(self._level.public[self._main.order[rest[hops == hops[0]]]])

    def _way_up(self, position: int) -> list[int]:
        """Vertices from a seed to a position of the tree."""
        vertices = []
        while position != NONE:
            vertices.append(int(self._main.order[position]))
            position = int(self._main.parent[position])
        return vertices[::-1]

    def _run(self, certainty: int, mask: int, depth: int, limit: int) -> Tree:
        return self._search.bfs(self._seeds.at(certainty), mask, depth, limit, self._question.closed)

    def _reached(self, tree: Tree, vertices: U32) -> Bool:
        """Which vertices, or other ports of the same jobs, a tree holds."""
        zeros = np.zeros(len(tree.order), np.uint8)
        found: Bool = self._search.look_up(tree.order, zeros, vertices) == 0
        if not self._has_twins:
            return found
        twins: Bool = self._search.look_up(tree.order, zeros, self._level.twin[vertices]) == 0
        return found | twins

    def _tree(self, certainty: int) -> Tree:
        """Full search over edges that are at least so certain."""
        if certainty not in self._trees:
            mask = class_mask(certainty, indirect=self._question.indirect)
            self._trees[certainty] = self._run(certainty, mask, -1, -1)
        return self._trees[certainty]

    def _places_of(self, certainty: int, tree: Tree) -> tuple[U32, U32]:
        """Vertices of a tree in ascending order, and the position of each."""
        if certainty not in self._found:
            order = np.argsort(tree.order).astype(np.uint32)
            self._found[certainty] = (tree.order[order], order)
        return self._found[certainty]

    def _place(self, i: int) -> int:
        """Place of a node in the answer."""
        self._asked += 1
        if self._asked < 16:  # a few questions do not pay for an index
            at = self._search.find(self.nodes, i) if 0 <= i < NONE else -1
            if at < 0:
                raise KeyError(i)
            return at
        order, nodes = self._by_index
        place = int(np.searchsorted(nodes, i))
        if place == len(nodes) or nodes[place] != i:
            raise KeyError(i)
        return int(order[place])

    @cached_property
    def _by_index(self) -> tuple[U32, U32]:
        order = np.argsort(self.nodes).astype(np.uint32)
        return order, self.nodes[order]

    def _readable(self, steps: list[int], target: int) -> list[int]:
        """Without repetitions, and without rowsets between columns; one that a job reads is a step of its own."""
        path: list[int] = []
        for k, step in enumerate(steps):
            rowset = self._level.offset and step < self._level.offset and k > 1 and step != target
            if not rowset and (not path or path[-1] != step):
                path.append(step)
        return path
