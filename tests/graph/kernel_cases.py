"""Random adjacencies on which the compiled kernels must give exactly what the numpy ones give.

Run as a program (``python -m tests.graph.kernel_cases FILE``) it does so with a kernel module from another place: the
one that was built with sanitizers.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from lineage.graph.arrays import U32
from lineage.graph.barred import Closed
from lineage.graph.level import Adjacency, Csr, Edges, TimedCsr, csr, turned_csr
from lineage.graph.search import Start
from lineage.graph.spans import Alive


@dataclass(frozen=True)
class Case:
    graph: Adjacency
    reverse: Adjacency
    start: Start
    targets: U32
    mask: int
    depth: int
    limit: int
    closed: Closed | None


def edges(rng: np.random.Generator, n: int, m: int, hub: int) -> Edges:
    """Half of the time they lead to greater vertices, but for a few: then vertices are numbered along the flow."""
    src, dst = (rng.integers(0, n, m).astype(np.uint32) for _ in range(2))
    if hub >= 0:
        src[: m // 2] = hub
    if rng.random() < 0.5:
        turned = (src > dst) ^ (rng.random(m) < 2 / (m + 1))
        src, dst = np.where(turned, dst, src), np.where(turned, src, dst)
    return Edges(src, dst, rng.integers(0, 6, m).astype(np.uint8)).distinct(n)


def zero_edges(rng: np.random.Generator, n: int) -> Edges:
    """From the first third of the vertices to the last third, so that none follows on another."""
    third = max(n // 3, 1)
    src, dst = rng.integers(0, third, n // 2), rng.integers(n - third, n, n // 2)
    cls = rng.integers(0, 3, n // 2).astype(np.uint8)
    return Edges(src.astype(np.uint32), dst.astype(np.uint32), cls).distinct(n)


def case(rng: np.random.Generator) -> Case:
    n = int(rng.choice([1, 2, 7, 60, 700, 3000]))
    m = int(n * rng.uniform(0, 4))
    hub = int(rng.integers(0, n)) if rng.random() < 0.5 else -1
    unit = edges(rng, n, m, hub)
    zero = zero_edges(rng, n) if rng.random() < 0.4 and n > 3 else None
    some = [rng.integers(0, n, int(rng.integers(0, 4))).astype(np.uint32) for _ in range(2)]
    late = some[1] if rng.random() < 0.3 else some[1][:0]
    if hub >= 0 and rng.random() < 0.5:
        some[0][:1] = hub
    grades = [rng.integers(0, 3, len(v)).astype(np.uint8) for v in (some[0], late)]
    public = np.sort(rng.choice(2 * n, n, replace=False)).astype(np.uint32)  # each list ascends by it
    return Case(
        graph=Adjacency(n, csr(unit), zero and csr(zero), public),
        reverse=Adjacency(n, csr(unit.turned(n)), zero and csr(zero.turned(n)), public, True),
        start=Start(some[0], grades[0], late, grades[1]),
        targets=rng.integers(0, n, int(rng.integers(1, 3))).astype(np.uint32),
        mask=int(rng.choice([0b111111, 0b111, 0b001001, 0b011, 0])),
        depth=int(rng.choice([-1, -1, 0, 1, 3])),
        limit=int(rng.choice([-1, -1, 0, 5, 50])),
        closed=Closed(rng.random(n) < 0.2) if rng.random() < 0.4 else None,
    )


def compare(count: int, seed: int) -> None:
    """Assert that both implementations agree on ``count`` random cases, plain, wide and widest in turn."""
    from lineage.graph import _kernels
    from lineage.graph.search_compiled import CompiledSearcher
    from lineage.graph.search_numpy import NumpySearcher

    rng = np.random.default_rng(seed)
    for number in range(count):
        _kernels.widely(number % 3)
        c = case(rng)
        one, other = CompiledSearcher.pair(c.graph, c.reverse)[0], NumpySearcher(c.graph)
        assert one.classes == other.classes
        for _ in range(2):  # the second time on used scratch
            for depth, limit in ((c.depth, c.limit), (-1, -1)):
                a, b = (s.bfs(c.start, c.mask, depth, limit, c.closed) for s in (one, other))
                for name in ("order", "public", "parent", "levels"):
                    assert getattr(a, name).tolist() == getattr(b, name).tolist(), name
                assert a.stopped == b.stopped
                grades = [tree.grades and tree.grades().tolist() for tree in (a, b)]
                assert grades[0] == grades[1]
            x, y = (s.path(c.start, c.targets, c.mask, c.closed) for s in (one, other))
            assert (None if x is None else x.tolist()) == (None if y is None else y.tolist())
        assert one.hops(a).tolist() == other.hops(b).tolist()
        k = int(rng.integers(0, c.graph.n))
        assert one.find(a.order, k) == other.find(b.order, k) == (a.order.tolist().index(k) if k in a.order else -1)
        every = np.arange(c.graph.n, dtype=np.uint32)
        near = [s.closure(every, k, c.mask, c.closed) for s in (one, other)]
        assert near[0].tolist() == near[1].tolist()
        half = a.order[: len(a.order) // 2]
        inside, outside = (s.among(half, c.mask, c.closed) for s in (one, other))
        assert (*inside[:2], inside[2].tolist()) == (*outside[:2], outside[2].tolist())
        many = rng.integers(0, c.graph.n, int(rng.choice([0, 3, 600], p=[0.3, 0.6, 0.1]))).astype(np.uint32)
        counted = Closed(rng.random(c.graph.n) < 0.8)
        sums = [s.reach(many[:30] if s is other else many, c.mask, counted).tolist() for s in (one, other)]
        assert sums[0][:30] == sums[1]
        up = [CompiledSearcher.pair(c.graph, c.reverse)[1], NumpySearcher(c.reverse)]
        sums = [s.reach(many[-30:] if s is up[1] else many, c.mask, counted).tolist() for s in up]
        assert sums[0][-30:] == sums[1]
        asked = rng.integers(0, c.graph.n, 20).astype(np.uint32)
        values = rng.integers(0, 3, len(half)).astype(np.uint8)
        assert one.look_up(half, values, asked).tolist() == other.look_up(half, values, asked).tolist()


def through_time(rng: np.random.Generator, graph: Adjacency, spans: int) -> tuple[Adjacency, Alive]:
    """An adjacency through time that is ``graph`` at one instant, and which of its spans hold then.

    Edges that do not hold then stand between those that do, some of them to the same neighbours.
    """
    alive = np.zeros(spans, dtype=bool)
    alive[: spans // 2] = True
    moment = Alive(rng.permutation(alive))
    now, then = np.flatnonzero(moment.flags), np.flatnonzero(~moment.flags)

    def part(g: Csr) -> TimedCsr:
        lists = [g.indices[g.indptr[r] : g.indptr[r + 1]] for r in range(len(g.indptr) - 1)]
        found = []
        for held in lists:
            gone = (
                rng.integers(0, graph.n, int(rng.integers(0, 4))).astype(np.uint32) | np.uint32(rng.integers(6)) << 29
            )
            gone = np.concatenate([gone, held[: int(rng.integers(0, 2))]]) if len(then) else gone[:0]
            both = np.concatenate([held, gone])
            span = np.concatenate([rng.choice(now, len(held)), rng.choice(then, len(gone)) if len(gone) else gone])
            order = np.argsort(graph.public[both & np.uint32(0x1FFFFFFF)], kind="stable")
            found.append(np.stack([both, span.astype(np.uint32)], axis=1)[order])
        indptr = np.concatenate([[0], np.cumsum([len(f) for f in found])]).astype(np.uint32)
        entries = np.concatenate([*found, np.zeros((16, 2), np.uint32)]).astype(np.uint32)
        return TimedCsr.of(g.first, indptr, np.ascontiguousarray(entries), moment)

    zero = part(graph.zero) if graph.zero else None
    return Adjacency(graph.n, part(graph.unit), zero, graph.public, graph.backwards), moment


def compare_through_time(count: int, seed: int) -> None:
    """Assert that an adjacency through time answers as the plain one of its instant does, by both implementations."""
    from lineage.graph import _kernels
    from lineage.graph.search_compiled import CompiledSearcher
    from lineage.graph.search_numpy import NumpySearcher

    rng = np.random.default_rng(seed)
    for number in range(count):
        _kernels.widely(number % 3)
        c = case(rng)
        spans = int(rng.choice([2, 30, 64, 1000]))
        state = rng.bit_generator.state
        down, moment = through_time(rng, c.graph, spans)
        rng.bit_generator.state = state
        up, _ = through_time(rng, c.reverse, spans)
        plain = NumpySearcher(c.graph)
        other = CompiledSearcher.pair(down, up)
        never = Alive(np.zeros(spans, dtype=bool))
        moved = CompiledSearcher.pair_at(CompiledSearcher.pair_at(other, down.public, never), down.public, moment)
        for one in (other[0], moved[0], NumpySearcher(down)):
            for depth, limit in ((c.depth, c.limit), (-1, -1)):
                a, b = (s.bfs(c.start, c.mask, depth, limit, c.closed) for s in (one, plain))
                for name in ("order", "public", "parent", "levels"):
                    assert getattr(a, name).tolist() == getattr(b, name).tolist(), name
                assert a.stopped == b.stopped
                grades = [tree.grades and tree.grades().tolist() for tree in (a, b)]
                assert grades[0] == grades[1]
            x, y = (s.path(c.start, c.targets, c.mask, c.closed) for s in (one, plain))
            assert (None if x is None else x.tolist()) == (None if y is None else y.tolist())
            k = int(rng.integers(0, c.graph.n))
            every = np.arange(c.graph.n, dtype=np.uint32)
            near = [s.closure(every, k, c.mask, c.closed) for s in (one, plain)]
            assert near[0].tolist() == near[1].tolist()
            half = a.order[: len(a.order) // 2]
            inside, outside = (s.among(half, c.mask, c.closed) for s in (one, plain))
            assert (*inside[:2], inside[2].tolist()) == (*outside[:2], outside[2].tolist())


def compare_sorting(count: int, seed: int) -> None:
    """Assert that compiled and numpy sorting agree."""
    from lineage.graph import sorting

    rng = np.random.default_rng(seed)
    compiled = sorting._kernels
    assert compiled is not None
    for _ in range(count):
        c = case(rng)
        n, m = c.graph.n, int(rng.integers(0, 3000))
        ids = rng.integers(0, int(rng.choice([5, 2**20, 2**64 - 1], p=[0.2, 0.2, 0.6])), m, dtype=np.uint64)
        wanted = np.concatenate([ids[: m // 2], rng.integers(0, 2**64 - 1, m, dtype=np.uint64)])
        keys, low = (rng.integers(0, n, m).astype(np.uint32) for _ in range(2))
        parts = np.sort(np.append(rng.integers(0, m + 1, 5), [0, m])).astype(np.uint32)
        both = []
        for module in (compiled, None):
            sorting._kernels = module
            found = sorting.IdMap(ids)
            answer = [found.sorted, found.order, found.positions(wanted), found.positions(wanted[:3])]
            answer += [sorting.sort_pairs(keys, low, n), sorting.sort_inside(keys, parts)]
            answer += [*sorting.sorted_pairs(keys, low, n), *sorting.sorted_pairs(low, keys | np.uint32(1 << 31), n)]
            answer += found.giving(keys if len(ids) else keys[:0]).found(wanted, wanted[:3], wanted[:0])
            answer += [
                sorting.gathered(values, found.order) for values in (ids, keys, low < keys, keys.astype(np.uint8))
            ]
            answer += [*sorting.adjacency(n, keys, low), *sorting.adjacency(n, np.sort(keys), low, 5)]
            flow = edges(np.random.default_rng(m), n, m, -1)
            for up in (turned_csr(flow, n), csr(flow.turned(n))):
                answer += [np.array([up.first]), up.indptr, up.indices]
            assert [a.tolist() for a in answer[-6:-3]] == [a.tolist() for a in answer[-3:]]
            both.append(answer)
        for a, b in zip(*both, strict=True):
            assert a.tolist() == b.tolist()
        sorting._kernels = compiled
        check_order(c.graph)
        check_renumbering(rng, c.graph)


def check_order(graph: Adjacency) -> None:
    """Assert what an order of vertices promises, by both implementations, against networkx."""
    import networkx as nx

    from lineage.graph import sorting

    n, unit = graph.n, graph.unit
    src = np.repeat(np.arange(len(unit.indptr) - 1) + unit.first, np.diff(unit.indptr))
    dst = (unit.indices[: unit.edges] & np.uint32(0x1FFFFFFF)).astype(np.int64)
    plain = Edges(src.astype(np.uint32), dst.astype(np.uint32), np.zeros(len(src), np.uint8)).distinct(n)
    down, up = csr(plain), csr(plain.turned(n))
    reference = nx.DiGraph()
    reference.add_nodes_from(range(n))
    reference.add_edges_from(zip(plain.src.tolist(), plain.dst.tolist(), strict=True))
    components = {frozenset(c) for c in nx.strongly_connected_components(reference)}
    compiled = sorting._kernels
    for module in (compiled, None):
        sorting._kernels = module
        order, component, count = sorting.order_vertices(n, down, up)
        assert sorted(order.tolist()) == list(range(n))
        assert count == len(components)
        groups: dict[int, set[int]] = {}
        for v, k in enumerate(component.tolist()):
            groups.setdefault(k, set()).add(v)
        assert {frozenset(g) for g in groups.values()} == components
        assert (np.diff(component[order].astype(np.int64)) >= 0).all()
        assert (component[plain.src] <= component[plain.dst]).all()
        has_out, has_in = np.bincount(plain.src, minlength=n) > 0, np.bincount(plain.dst, minlength=n) > 0
        assert (np.diff((~has_out[order]).astype(int)) >= 0).all(), "true sinks last"
        assert (np.diff((has_in | ~has_out)[order].astype(int)) >= 0).all(), "true sources first"
    sorting._kernels = compiled


def check_renumbering(rng: np.random.Generator, graph: Adjacency) -> None:
    """Assert that both implementations give the same lists under other numbers, and that they are the old ones."""
    from lineage.graph import sorting

    compiled, unit = sorting._kernels, graph.unit
    order = rng.permutation(graph.n).astype(np.uint32)
    rank = np.argsort(order).astype(np.uint32)
    both = []
    for module in (compiled, None):
        sorting._kernels = module
        both.append(sorting.renumber(unit.first, unit.indptr, unit.indices, order, rank))
    sorting._kernels = compiled
    one, other = both
    assert (one[0], one[1].tolist(), one[2].tolist()) == (other[0], other[1].tolist(), other[2].tolist())
    found = Csr(*one)
    for k, v in enumerate(order.tolist()):
        assert found.neighbours(k).tolist() == rank[unit.neighbours(v)].tolist()


def use_module(path: str) -> None:
    """Make an extension file the module ``lineage.graph._kernels`` of this process."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("lineage.graph._kernels", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    import lineage.graph
    from lineage.graph import sorting

    sys.modules["lineage.graph._kernels"] = module
    lineage.graph._kernels = module
    sorting._kernels = module


if __name__ == "__main__":
    use_module(sys.argv[1])
    compare(40, seed=2)
    compare_through_time(12, seed=5)
    compare_sorting(10, seed=3)
    print("clean")
