"""What networkx calls: functions by name, conversions, and whether to use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx

from lineage.networkx_backend import search, whole
from lineage.networkx_backend.convert import from_networkx
from lineage.networkx_backend.graph import MeshlineGraph
from lineage.networkx_backend.info import FUNCTIONS

# Of a single search the conversion of a networkx graph costs more than the search.
_SEARCHES = frozenset(vars(search))
_SMALL = 10_000  # edges below which a conversion gains nothing
_DICT_SINCE = (3, 5)  # single_target_shortest_path_length gave an iterator of pairs before


class Backend:
    """The backend as networkx wants it: an object with a function for each algorithm it has.

    For a graph of ours it has every algorithm: those of :mod:`search` and :mod:`whole` on the arrays, the rest on a
    copy as a ``networkx.DiGraph``. For other graphs it has the former only.
    """

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function: Any = _own(name)
        if function is None:
            algorithm = nx.utils.backends._registered_algorithms.get(name)
            if algorithm is None or name.endswith("__new__"):
                raise AttributeError(f"The backend “meshline” has no {name}.")
            function = _on_a_copy(algorithm)
        setattr(self, name, function)
        return function  # type: ignore[no-any-return]

    @staticmethod
    def convert_from_nx(graph: Any, **_: Any) -> MeshlineGraph:
        """A graph of ours with the content of a networkx graph."""
        return graph if isinstance(graph, MeshlineGraph) else from_networkx(graph)

    @staticmethod
    def convert_to_nx(result: Any, **_: Any) -> Any:
        """A networkx graph when the result is a graph of ours, else the result."""
        return result.to_networkx() if isinstance(result, MeshlineGraph) else result

    @staticmethod
    def can_run(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | str:
        """Whether the function takes these arguments, else why not."""
        graph = args[0] if args else kwargs.get("G")
        if isinstance(graph, MeshlineGraph):
            return True  # what the arrays cannot answer is answered on a copy
        if not _on_arrays(name):
            return any(isinstance(one, MeshlineGraph) for one in _given(args, kwargs))
        if not isinstance(graph, nx.Graph) or not graph.is_directed() or graph.is_multigraph():
            return "directed graphs without parallel edges only"
        return _refusal(name, args, kwargs) or True

    @staticmethod
    def should_run(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | str:
        """Whether it pays to convert a networkx graph for one call."""
        graph: Any = args[0] if args else kwargs.get("G")
        if any(isinstance(one, MeshlineGraph) for one in _given(args, kwargs)):
            return True
        if not isinstance(graph, nx.Graph):
            return "no graph"
        if (getattr(graph, "__networkx_cache__", None) or {}).get("backends", {}).get("meshline"):
            return True
        if name in _SEARCHES:
            return "converting the graph costs more than the search"
        return graph.number_of_edges() >= _SMALL or "the graph is small"

    @staticmethod
    def on_start_tests(items: list[Any]) -> None:
        """Count the calls of networkx's own tests that really run here, and print them at the end."""
        from lineage.networkx_backend.counting import count_calls

        count_calls(backend, items)


def _given(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """All arguments, and what stands in lists of graphs."""
    return [one for value in (*args, *kwargs.values()) for one in (value if isinstance(value, list) else [value])]


def _own(name: str) -> Callable[..., Any] | None:
    """Function on the arrays, falling back to a copy for arguments it does not take; ``None`` when there is none."""
    if not _on_arrays(name):
        return None
    direct: Callable[..., Any] = getattr(search, name, None) or getattr(whole, name)
    if name not in _PICKY:
        return direct

    def checked(*args: Any, **kwargs: Any) -> Any:
        if _refusal(name, args, kwargs):
            return _on_a_copy(nx.utils.backends._registered_algorithms[name])(*args, **kwargs)
        return direct(*args, **kwargs)

    return checked


def _on_arrays(name: str) -> bool:
    return name in FUNCTIONS and (name != "single_target_shortest_path_length" or _version() >= _DICT_SINCE)


def _version() -> tuple[int, int]:
    major, minor = nx.__version__.split(".")[:2]
    return int(major), int(minor)


_PICKY = frozenset(
    {
        "bfs_edges",
        "bfs_predecessors",
        "bfs_successors",
        "bfs_tree",
        "pagerank",
        "shortest_path",
        "shortest_path_length",
    }
)
_POSITIONS = {"bfs_edges": 4, "bfs_tree": 4, "bfs_predecessors": 3, "bfs_successors": 3}


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str, default: Any = None) -> Any:
    return args[place] if len(args) > place else kwargs.get(name, default)


def _refusal(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Why the arrays cannot answer these arguments; empty when they can."""
    if name in _POSITIONS and _argument(args, kwargs, _POSITIONS[name], "sort_neighbors") is not None:
        return "sort_neighbors is a function of Python"
    if name in ("shortest_path", "shortest_path_length"):
        if _argument(args, kwargs, 3, "weight") is not None:
            return "without weight only"
        if _argument(args, kwargs, 1, "source") is None and _argument(args, kwargs, 2, "target") is None:
            return "not for all pairs"
        if _argument(args, kwargs, 1, "source") is None and _version() < _DICT_SINCE:
            return "its answer differs between versions"
    if name == "pagerank" and not 0 <= _argument(args, kwargs, 1, "alpha", 0.85) < 1:
        return "alpha from 0 to below 1 only"
    return ""


def _on_a_copy(algorithm: Any) -> Callable[..., Any]:
    """The algorithm of networkx on a copy of each graph of ours."""

    def run(*args: Any, **kwargs: Any) -> Any:
        if nx.utils.backends._dispatchable._will_call_mutate_input(algorithm, args, kwargs):
            raise nx.NetworkXError(
                f"{algorithm.name} changes the graph, and this one is read-only. "
                "G.copy() gives a networkx.DiGraph that can be changed."
            )
        return algorithm.orig_func(*map(_plain, args), **{key: _plain(value) for key, value in kwargs.items()})

    return run


def _plain(value: Any) -> Any:
    if isinstance(value, MeshlineGraph):
        return value.to_networkx()
    if isinstance(value, list | tuple) and any(isinstance(one, MeshlineGraph) for one in value):
        return [_plain(one) for one in value]
    return value


backend = Backend()
