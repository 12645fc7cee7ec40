from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lineage.errors import UsageError
from lineage.graph import analysis
from lineage.graph.analysis import Flow
from tests.graph import analysis_cases
from tests.graph.sanitized import ROOT, run_sanitized

KERNELS = analysis.available()


@pytest.mark.parametrize("kernels", KERNELS)
def test_answers_about_whole_graphs_are_those_of_networkx(kernels: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        analysis_cases.check(rng, kernels)


@pytest.mark.parametrize("kernels", KERNELS)
def test_an_empty_graph_has_empty_answers(kernels: str) -> None:
    flow = Flow(np.zeros(1, np.uint32), np.zeros(0, np.uint32), kernels=kernels)
    assert (flow.components.count, analysis.cycles(flow)) == (0, [])
    assert analysis.reach(flow).count.tolist() == analysis.pagerank(flow).tolist() == []
    assert analysis.dominators(flow).parent.tolist() == analysis.articulation_points(flow).tolist() == []
    assert analysis.removal(flow, []).all.tolist() == []


@pytest.mark.parametrize("kernels", KERNELS)
def test_a_chain_longer_than_any_stack_is_no_problem(kernels: str) -> None:
    n = 200_000 if kernels == "compiled" else 3_000
    flow = Flow.of_edges(n, np.arange(n), (np.arange(n) + 1) % n, kernels=kernels)
    assert flow.components.count == 1
    assert len(analysis.cycles(flow)[0]) == n
    chain = Flow.of_edges(n, np.arange(n - 1), np.arange(1, n), kernels=kernels)
    assert analysis.articulation_points(chain).sum() == n - 2
    assert int(analysis.dominators(chain).dependents[0]) == n - 1
    assert len(analysis.removal(chain, [0]).all) == n - 1


def test_wrong_arrays_are_refused_with_what_is_wrong() -> None:
    with pytest.raises(UsageError, match="vertex 7 in a graph of 2"):
        Flow([0, 1, 1], [7])
    with pytest.raises(UsageError, match="ascend"):
        Flow([0, 2, 1], [1])
    with pytest.raises(UsageError, match="end with the number of edges"):
        Flow([0, 1], [0, 0])
    with pytest.raises(UsageError, match="vertices below 2"):
        Flow.of_edges(2, [0], [2])
    flow = Flow.of_edges(2, [0], [1])
    with pytest.raises(UsageError, match="9 is no vertex"):
        analysis.removal(flow, [9])
    with pytest.raises(UsageError, match="damping: 1"):
        analysis.pagerank(flow, 1.0)
    with pytest.raises(UsageError, match="weight: 1 numbers"):
        analysis.pagerank(flow, weight=np.array([-1.0]))
    with pytest.raises(UsageError, match="no entry is positive"):
        analysis.pagerank(flow, personalization=np.zeros(2))
    with pytest.raises(UsageError, match="“magic” is none of"):
        analysis.reach(flow, method="magic")  # type: ignore[arg-type]


@pytest.mark.skipif("compiled" not in KERNELS, reason="the compiled functions were not built here")
def test_compiled_functions_refuse_what_would_lead_them_out_of_an_array() -> None:
    from lineage.graph.analysis import _analysis

    def u32(*values: int) -> np.ndarray:
        return np.array(values, dtype=np.uint32)

    good = (u32(0, 1, 1), u32(1), u32(0, 0, 1), u32(0))
    with pytest.raises(ValueError, match="a neighbour outside of the graph"):
        _analysis.Digraph(2, u32(0, 1, 1), u32(5))
    with pytest.raises(ValueError, match="do not ascend"):
        _analysis.transpose(2, u32(0, 2, 1), u32(1))
    with pytest.raises(ValueError, match="names every vertex once"):
        _analysis.dominators(u32(0, 1), u32(0, 0), *good)
    with pytest.raises(ValueError, match="two directions"):
        _analysis.components(2, *good[:2], u32(0, 0), u32(), False)
    with pytest.raises(ValueError, match="greater numbers"):
        _analysis.reach_bitset(u32(0, 0, 1), u32(0), u32(1, 1))
    with pytest.raises(ValueError, match="vertex 2 in a graph of 2"):
        _analysis.Failures(u32(0, 1), u32(0, 1), u32(0, 1, 2), *good).removal(u32(2))
    with pytest.raises(ValueError, match="4-byte"):
        _analysis.transpose(2, good[0].astype(np.uint64), good[1])
    with pytest.raises(ValueError, match="vertex 3 in a graph of 1"):
        _analysis.set_of(["a"], u32(3))


def test_the_functions_are_clean_under_address_and_undefined_behaviour_sanitizers(tmp_path: Path) -> None:
    source = ROOT / "lineage" / "graph" / "analysis" / "_analysis.c"
    assert run_sanitized(source, "tests.graph.analysis_cases", tmp_path) == "clean"
