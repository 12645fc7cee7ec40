"""Random small graphs against networkx: every figure of a walk, on both levels, in both directions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.graph import choice
from tests.graph.world import Seen, World

STATES = {"explicit": "certain", "column": "certain", "product": "probable", "sql": "probable"}
RANK = {"certain": 0, "probable": 1, "stale": 2}
NAMES = ("certain", "probable", "stale")

datasets = st.sampled_from([f"d{i}" for i in range(7)])
jobs = st.sampled_from([f"j{i}()" for i in range(3)])
columns = st.builds(lambda d, c: f"d{d}.{c}", st.integers(0, 3), st.sampled_from("xy"))
provenances = st.sampled_from(sorted(STATES))
states = st.sampled_from(["current", "current", "stale"])


@dataclass(frozen=True)
class Edge:
    src: str
    dst: str
    provenance: str
    state: str
    type: str = "DIRECT"

    @property
    def rank(self) -> int:
        return 2 if self.state == "stale" else RANK[STATES[self.provenance]]

    @property
    def indirect(self) -> bool:
        return self.type == "INDIRECT" or ("." in self.src and "." not in self.dst)


dataset_edges = st.builds(Edge, datasets, datasets, provenances, states)
job_edges = st.one_of(
    st.builds(Edge, datasets, jobs, provenances, states),
    st.builds(Edge, jobs, jobs, provenances, states),
    st.builds(Edge, jobs, datasets, provenances, states),
)
writes = st.builds(Edge, jobs, datasets, st.just("explicit"), states)
column_edges = st.builds(
    Edge,
    columns,
    st.one_of(columns, columns, st.builds(lambda d: f"d{d}", st.integers(0, 3))),
    provenances,
    states,
    st.sampled_from(["DIRECT", "DIRECT", "INDIRECT"]),
)


class Oracle:
    """A weighted networkx graph; ``node`` turns a vertex into the name that a walk reports."""

    def __init__(self) -> None:
        self.edges: list[tuple[Any, Any, int, int, bool]] = []
        self.via: list[str] = []

    def add(self, src: Any, dst: Any, weight: int, edge: Edge, via: str = "") -> None:
        self.edges.append((src, dst, weight, edge.rank, edge.indirect))
        self.via.append(via)

    def distances(
        self, sources: list[Any], upstream: bool, rank: int, indirect: bool, blocked: set[str]
    ) -> dict[str, int]:
        graph = nx.DiGraph()
        graph.add_nodes_from(sources)
        for (src, dst, weight, of_edge, use), via in zip(self.edges, self.via, strict=True):
            a, b = (dst, src) if upstream else (src, dst)
            if of_edge > rank or (use and not indirect) or {self.node(a), self.node(b), via} & blocked:
                continue
            if a == b or (graph.has_edge(a, b) and graph[a][b]["weight"] <= weight):
                continue
            graph.add_edge(a, b, weight=weight)
        found: dict[str, int] = {}
        for vertex, d in nx.multi_source_dijkstra_path_length(graph, sources).items():
            name = self.node(vertex)
            found[name] = min(d, found.get(name, d))
        return found

    @staticmethod
    def node(vertex: Any) -> str:
        return vertex if isinstance(vertex, str) else vertex[1]


def dataset_oracle(edges: list[Edge], writes: list[Edge]) -> Oracle:
    oracle = Oracle()
    flowing = {end for e in edges for end in (e.src, e.dst) if end.endswith("()")}
    for e in edges:
        src_job, dst_job = e.src in flowing, e.dst in flowing
        if not src_job and not dst_job:
            oracle.add(e.src, e.dst, 1, e)
        elif not src_job:
            oracle.add(e.src, ("in", e.dst), 1, e)
        elif dst_job and e.src != e.dst:
            oracle.add(("in", e.src), ("flow", e.dst), 1, e)
            oracle.add(("flow", e.src), ("flow", e.dst), 1, e)
        elif not dst_job:
            oracle.add(("flow", e.src), e.dst, 0, e)
    for e in writes:
        if e.src in flowing:
            oracle.add(("flow", e.src), e.dst, 0, e)
    return oracle


def column_oracle(edges: list[Edge], names: set[str], upstream: bool) -> Oracle:
    oracle = Oracle()
    for e in edges:
        if "." in e.dst:
            oracle.add(e.src, e.dst, 1, e)
            continue
        if not upstream:
            oracle.add(e.src, e.dst, 1, e)
        for name in names:
            if name.startswith(e.dst + "."):
                oracle.add(e.src, name, 1, e, via=e.dst)
    return oracle


def check(seen: Seen, oracle: Oracle, source: str, upstream: bool, level: str, data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, 2), label="rank")
    indirect = data.draw(st.booleans(), label="indirect")
    others = [seen.name(i) for i in range(seen.snapshot.n) if seen.name(i) != source]
    blocked = set(data.draw(st.lists(st.sampled_from(others), max_size=2), label="blocked")) if others else set()
    direction = "upstream" if upstream else "downstream"

    def expected(rank: int, indirect: bool) -> dict[str, int]:
        found = oracle.distances([source], upstream, rank, indirect, blocked)
        del found[source]
        return found

    options: dict[str, Any] = {"min_certainty": NAMES[rank], "indirect": indirect, "level": level}
    walk = seen.walk(source, direction, blocked=sorted(blocked), **options)
    full = expected(rank, indirect)
    assert walk.hops == full
    assert list(walk.hops.values()) == sorted(walk.hops.values())
    best = {n: min(r for r in range(rank + 1) if n in expected(r, indirect)) for n in full}
    assert walk.certainty == {n: NAMES[r] for n, r in best.items()}
    if level == "column":
        assert walk.indirect == set(full) - set(expected(rank, False))
    for name in full:
        check_path(walk.path(name), oracle, source, name, best[name], expected(best[name], indirect)[name], upstream)
    depth = data.draw(st.integers(0, 3), label="depth")
    near = seen.walk(source, direction, blocked=sorted(blocked), depth=depth, **options)
    assert near.hops == {n: h for n, h in full.items() if h <= depth}
    assert near.certainty == {n: c for n, c in walk.certainty.items() if full[n] <= depth}
    beyond = {n: h for n, h in full.items() if h > depth}
    assert near.cut == {n for n, h in beyond.items() if h == min(beyond.values())}
    assert bool(near.cut) == (max(full.values(), default=0) > depth)
    size = data.draw(st.integers(0, 5), label="size")
    small = seen.walk(source, direction, blocked=sorted(blocked), max_nodes=size, **options)
    assert list(small.hops.items()) == list(walk.hops.items())[:size]
    rest = dict(list(walk.hops.items())[size:])
    assert small.cut == {n for n, h in rest.items() if h == min(rest.values())}


def check_path(
    path: list[str], oracle: Oracle, source: str, target: str, rank: int, length: int, upstream: bool
) -> None:
    assert path[0] == source
    assert path[-1] == target
    steps: dict[tuple[str, str], int] = {}
    for a, b, weight, of_edge, _ in oracle.edges:
        if of_edge <= rank:
            pair = (oracle.node(b), oracle.node(a)) if upstream else (oracle.node(a), oracle.node(b))
            steps[pair] = min(weight, steps.get(pair, weight))
    pairs = list(itertools.pairwise(path))
    assert all(pair in steps for pair in pairs), path
    assert sum(steps[pair] for pair in pairs) == length


@settings(max_examples=settings.default.max_examples // 2)
@given(
    st.lists(dataset_edges, max_size=18),
    st.lists(job_edges, max_size=5),
    st.lists(writes, max_size=4),
    st.booleans(),
    st.data(),
)
def test_dataset_walks_agree_with_networkx(
    flat: list[Edge], flow: list[Edge], written: list[Edge], upstream: bool, data: st.DataObject
) -> None:
    world = World.reused()
    for e in flat + flow:
        world.edge(e.src, e.dst, provenance=e.provenance, state=e.state)
    for e in written:
        world.edge(e.src, e.dst, kind="write", provenance=e.provenance, state=e.state)
    world.nodes("d0")
    for kernels in choice.available():
        seen = world.load(kernels=kernels)
        check(seen, dataset_oracle(flat + flow, written), "d0", upstream, "dataset", data)


@settings(max_examples=settings.default.max_examples // 2)
@given(st.lists(column_edges, max_size=18), st.booleans(), st.data())
def test_column_walks_agree_with_networkx(edges: list[Edge], upstream: bool, data: st.DataObject) -> None:
    world = World.reused().nodes("d0.x")
    for e in edges:
        world.column_edge(e.src, e.dst, provenance=e.provenance, state=e.state, type=e.type)
    names = {"d0.x"} | {end for e in edges for end in (e.src, e.dst) if "." in end}
    for kernels in choice.available():
        seen = world.load(kernels=kernels)
        check(seen, column_oracle(edges, names, upstream), "d0.x", upstream, "column", data)


@settings(max_examples=settings.default.max_examples // 2)
@given(st.lists(dataset_edges, max_size=25), st.sets(datasets, min_size=1, max_size=3))
def test_edges_are_counted_once_between_the_nodes_of_the_answer(edges: list[Edge], sources: set[str]) -> None:
    world = World.reused().nodes(*sources)
    for e in edges:
        world.edge(e.src, e.dst, provenance=e.provenance, state=e.state)
    graph = nx.DiGraph()
    graph.add_nodes_from(sources)
    graph.add_edges_from((e.src, e.dst) for e in edges if e.src != e.dst)
    certain = {(e.src, e.dst) for e in edges if e.rank == 0 and e.src != e.dst}
    for kernels in choice.available():
        seen = world.load(kernels=kernels)
        for depth in (None, 1, 2):
            walk = seen.walk(sorted(sources), depth=depth)
            inside = graph.subgraph({*walk.hops, *sources}).edges
            assert walk.raw.edges == len(inside)
            assert walk.raw.certain_edges == len(certain & set(inside))
            assert isinstance(walk.raw.nodes, np.ndarray)
