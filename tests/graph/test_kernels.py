from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lineage.errors import UsageError
from lineage.graph import choice
from lineage.graph.barred import Closed
from lineage.graph.level import Adjacency, Csr, Edges, TimedCsr, csr
from lineage.graph.search import Start
from lineage.graph.spans import Alive
from tests.graph import kernel_cases
from tests.graph.sanitized import run_sanitized

SOURCE = Path(__file__).resolve().parents[2] / "lineage" / "graph" / "kernels" / "module.c"
compiled = pytest.mark.skipif(
    "compiled" not in choice.available(), reason="the compiled kernels were not built here (no C compiler at install)"
)


@compiled
def test_compiled_kernels_give_exactly_what_numpy_gives() -> None:
    kernel_cases.compare(100, seed=1)


@compiled
def test_an_adjacency_through_time_answers_as_that_of_its_instant() -> None:
    kernel_cases.compare_through_time(40, seed=5)


@compiled
def test_compiled_sorting_gives_exactly_what_numpy_gives() -> None:
    kernel_cases.compare_sorting(20, seed=4)


@compiled
def test_pairs_that_fill_more_than_the_caches_are_put_in_lists_as_few_are() -> None:
    from lineage.graph import _kernels

    rng = np.random.default_rng(6)
    n, m = 300_000, 4_200_000
    src, dst = (rng.integers(0, n, m).astype(np.uint32) for _ in range(2))
    indptr, indices = (np.frombuffer(found, np.uint32) for found in _kernels.adjacency(n, src, dst, 3))
    assert (indptr[1:] - indptr[:-1] == np.bincount(src, minlength=n)).all()
    assert (indices[:m] == dst[np.argsort(src, kind="stable")]).all()
    assert indices[m:].tolist() == [0, 0, 0]


@compiled
def test_rows_with_a_number_beyond_its_bound_are_refused() -> None:
    from lineage.graph import _kernels

    three, two = np.array([0, 3, 1], np.uint32), np.zeros(2, np.uint32)
    with pytest.raises(ValueError, match="numbers below 3 expected"):
        _kernels.sort_rows(three, three, 3)
    with pytest.raises(ValueError, match="two arrays of one length"):
        _kernels.sort_rows(three, two, 4)
    keys, order = (
        np.frombuffer(found, kind) for found, kind in zip(_kernels.sort_rows(three, three, 4), "QI", strict=True)
    )
    assert [(k >> 32, k & 0xFF) for k in keys.tolist()] == [(0, 0), (1, 1), (3, 3)]
    assert order.tolist() == [0, 2, 1]


@compiled
def test_a_damaged_adjacency_is_refused_before_it_is_walked() -> None:
    from lineage.graph.search_compiled import CompiledSearcher

    good = csr(Edges(np.array([0, 1], np.uint32), np.array([1, 2], np.uint32), np.zeros(2, np.uint8)))
    public = np.arange(3, dtype=np.uint32)

    def build(indptr: object = good.indptr, indices: object = good.indices, first: int = 0, n: int = 3) -> None:
        graph = Adjacency(n, Csr(first, np.asarray(indptr), np.asarray(indices)), None, public[:n])
        CompiledSearcher(graph, graph)

    build()
    with pytest.raises(ValueError, match="padding"):
        build(indices=good.indices[:-1])
    with pytest.raises(ValueError, match="ascend"):
        build(indptr=np.array([0, 9, 2], np.uint32))
    with pytest.raises(ValueError, match="outside of the graph"):
        build(n=2)
    with pytest.raises(ValueError, match="outside of the graph"):
        build(first=2)
    with pytest.raises(ValueError, match="4-byte"):
        build(indices=good.indices.astype(np.uint64))


@compiled
def test_spans_without_a_bit_are_refused() -> None:
    from lineage.graph.search_compiled import CompiledSearcher

    entries = np.zeros((17, 2), np.uint32)
    entries[0] = 1, 70
    few, enough = Alive(np.ones(60, dtype=bool)), Alive(np.ones(71, dtype=bool))
    public = np.arange(2, dtype=np.uint32)

    def pair(alive: Alive, entries: np.ndarray = entries) -> tuple[CompiledSearcher, CompiledSearcher]:
        graph = Adjacency(2, TimedCsr.of(0, np.array([0, 1], np.uint32), entries, alive), None, public)
        return CompiledSearcher.pair(graph, graph)

    beyond = entries.copy()
    beyond[0, 1] = 2**32 - 1
    with pytest.raises(ValueError, match="bit per span"):
        pair(enough, beyond)
    found = pair(enough)
    assert found[0].bfs(Start.at(public[:1]), 63, -1, -1, None).order.tolist() == [0, 1]
    with pytest.raises(ValueError, match="bit per span"):
        pair(few)
    with pytest.raises(ValueError, match="bit per span"):
        CompiledSearcher.pair_at(found, public, few)
    with pytest.raises(ValueError, match="name per vertex"):
        CompiledSearcher.pair_at(found, public[:1], enough)
    with pytest.raises(ValueError, match="padding"):
        pair(enough, entries[:16])
    with pytest.raises(ValueError, match="one instant"):
        found[0].reach(public[:1], 63, Closed(np.ones(2, dtype=bool)))


@compiled
def test_an_order_that_is_none_is_refused() -> None:
    from lineage.graph import _kernels

    good = csr(Edges(np.array([0, 0, 1], np.uint32), np.array([1, 2, 2], np.uint32), np.zeros(3, np.uint8)))
    lists = (good.first, good.indptr, good.indices)
    rank = np.arange(3, dtype=np.uint32)
    with pytest.raises(ValueError, match="each vertex once"):
        _kernels.renumber(*lists, np.array([0, 0, 1], np.uint32), rank)
    with pytest.raises(ValueError, match="not below 3"):
        _kernels.renumber(*lists, np.array([0, 1, 3], np.uint32), rank)
    with pytest.raises(ValueError, match="same vertices"):
        _kernels.renumber(*lists, rank, rank[:2])


@compiled
def test_vertices_and_masks_that_do_not_fit_are_refused() -> None:
    from lineage.graph.search_compiled import CompiledSearcher

    edges = csr(Edges(np.array([0], np.uint32), np.array([1], np.uint32), np.zeros(1, np.uint8)))
    graph, other = (Adjacency(n, edges, None, np.arange(n, dtype=np.uint32)) for n in (2, 3))
    s, t = CompiledSearcher(graph, graph), CompiledSearcher(other, other)

    def at(*seeds: int) -> Start:
        return Start.at(np.array(seeds, np.uint32))

    with pytest.raises(ValueError, match="vertex 2 in a graph of 2"):
        s.bfs(at(2), 63, -1, -1, None)
    with pytest.raises(ValueError, match="vertex 9"):
        s.look_up(at().seeds, at().grades, at(9).seeds)
    with pytest.raises(ValueError, match="one value per member"):
        s.look_up(at(1).seeds, at().grades, at(1).seeds)
    with pytest.raises(ValueError, match="one bit per vertex"):
        s._graph.bfs(*[np.zeros(0, np.uint32), np.zeros(0, np.uint8)] * 2, 63, -1, -1, np.zeros(0, np.uint64))
    with pytest.raises(ValueError, match="one grade of 0, 1 or 2 per seed"):
        s.bfs(Start(at(0).seeds, np.array([3], np.uint8), at().seeds, at().grades), 63, -1, -1, None)
    with pytest.raises(ValueError, match="vertex 2"):
        s.path(at(0), at(2).seeds, 63, None)
    with pytest.raises(ValueError, match="two directions of one graph"):
        s._graph.path(t._graph, at(0).seeds, at().seeds, at(1).seeds, 63, None)
    with pytest.raises(TypeError, match="path"):
        s._graph.path(s._graph, at(0).seeds, at().seeds, at(1).seeds, 63, None)
    assert s.bfs(at(0), 63, -1, -1, Closed(np.zeros(2, bool))).order.tolist() == [0, 1]


def test_an_implementation_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.graph.world import World

    monkeypatch.setattr(choice, "available", lambda: ("numpy",))
    with pytest.raises(UsageError, match="“compiled” is not there; this installation has numpy"):
        World().load(kernels="compiled")
    monkeypatch.setenv("MESHLINE_KERNELS", "fortran")
    with pytest.raises(UsageError, match="fortran"):
        empty = Adjacency(0, csr(Edges(*[np.zeros(0, np.uint32)] * 3)), None, np.zeros(0, np.uint32))
        choice.searchers(empty, empty)


def test_the_kernels_are_clean_under_address_and_undefined_behaviour_sanitizers(tmp_path: Path) -> None:
    assert run_sanitized(SOURCE, "tests.graph.kernel_cases", tmp_path) == "clean"
