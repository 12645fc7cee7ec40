"""networkx's own tests of the algorithms that the backend has, run on the backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULES = (
    "tests.test_dag",
    "traversal.tests.test_bfs",
    "shortest_paths.tests.test_unweighted",
    "shortest_paths.tests.test_generic",
    "components.tests.test_strongly_connected",
    "link_analysis.tests.test_pagerank",
)
# Calls in those modules that are about directed graphs; a call that fell back to networkx is not counted.
AT_LEAST = {
    "ancestors": 4,
    "bfs_edges": 1,
    "bidirectional_shortest_path": 1,
    "condensation": 5,
    "descendants": 20,
    "descendants_at_distance": 40,
    "has_path": 50,
    "is_directed_acyclic_graph": 7,
    "is_strongly_connected": 10,
    "number_strongly_connected_components": 5,
    "pagerank": 8,
    "shortest_path": 1,
    "shortest_path_length": 2,
    "single_source_shortest_path": 1,
    "single_source_shortest_path_length": 1,
    "single_target_shortest_path": 1,
    "strongly_connected_components": 12,
    "topological_generations": 3,
    "topological_sort": 25,
    "transitive_closure": 15,
    "transitive_reduction": 2,
}
# Tested there on undirected graphs only, or not at all; test_networkx_compared.py compares them with networkx.
NEVER = {"all_pairs_shortest_path_length", "bfs_layers", "bfs_predecessors", "bfs_successors", "bfs_tree"}


def networkx_tests(tmp_path: Path, kernels: str) -> dict[str, int]:
    """Run them; how often each function really ran on the backend."""
    env = {
        **os.environ,
        "NETWORKX_TEST_BACKEND": "meshline",
        "NETWORKX_FALLBACK_TO_NX": "1",
        "MESHLINE_KERNELS": kernels,
        "PYTEST_ADDOPTS": "",
    }
    modules = [f"networkx.algorithms.{module}" for module in MODULES]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:dash", "--pyargs", *modules]
    run = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    line = next(line for line in run.stdout.splitlines() if line.startswith("meshline: calls "))
    print(f"{kernels}: {line}")
    calls: dict[str, int] = json.loads(line.removeprefix("meshline: calls "))
    return calls


@pytest.mark.parametrize("kernels", ["compiled", "numpy"])
def test_networkxs_own_tests_pass_on_the_backend_and_really_run_on_it(tmp_path: Path, kernels: str) -> None:
    from lineage.graph import analysis

    if kernels not in analysis.available():
        pytest.skip("the compiled functions were not built here")
    calls = networkx_tests(tmp_path, kernels)
    assert {name: calls[name] for name in AT_LEAST if calls[name] < AT_LEAST[name]} == {}
    assert {name for name, often in calls.items() if not often} - {"single_target_shortest_path_length"} == NEVER
