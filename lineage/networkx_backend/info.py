"""What networkx reads about the backend when it is imported; so nothing heavy is imported here."""

from __future__ import annotations

from typing import Any

FUNCTIONS = {
    "ancestors": "set of nodes; lazy for a graph made with lazy=True",
    "descendants": "set of nodes; lazy for a graph made with lazy=True",
    "descendants_at_distance": "set of nodes",
    "bfs_edges": "without sort_neighbors",
    "bfs_layers": "",
    "bfs_predecessors": "without sort_neighbors",
    "bfs_successors": "without sort_neighbors",
    "bfs_tree": "without sort_neighbors",
    "bidirectional_shortest_path": "",
    "has_path": "",
    "shortest_path": "without weight, with a source or a target",
    "shortest_path_length": "without weight, with a source or a target",
    "single_source_shortest_path": "",
    "single_source_shortest_path_length": "",
    "single_target_shortest_path": "",
    "single_target_shortest_path_length": "",
    "all_pairs_shortest_path_length": "",
    "is_directed_acyclic_graph": "",
    "topological_generations": "",
    "topological_sort": "",
    "strongly_connected_components": "",
    "number_strongly_connected_components": "",
    "is_strongly_connected": "",
    "condensation": "",
    "pagerank": "exact: max_iter, tol and nstart do not matter; alpha below 1",
    "transitive_closure": "",
    "transitive_reduction": "",
}


def info() -> dict[str, Any]:
    """Metadata of the backend, for networkx's documentation and ``nx.utils.backends.backend_info``.

    >>> info()["short_summary"]
    'Lineage graphs in arrays; searches and whole-graph algorithms compiled.'
    """
    return {
        "backend_name": "meshline",
        "project": "meshline",
        "package": "lineage.networkx_backend",
        "short_summary": "Lineage graphs in arrays; searches and whole-graph algorithms compiled.",
        "functions": {name: {"additional_docs": text} for name, text in FUNCTIONS.items()},
    }
