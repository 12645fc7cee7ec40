"""The choice between the compiled traversal kernels and numpy."""

from __future__ import annotations

import os

from lineage.errors import UsageError
from lineage.graph.level import Adjacency
from lineage.graph.search import Searcher
from lineage.graph.spans import Alive


def available() -> tuple[str, ...]:
    """Names of the implementations that work here, the best first."""
    try:
        import lineage.graph._kernels  # noqa: F401
    except ImportError:
        return ("numpy",)
    return ("compiled", "numpy")


def searchers_at(
    like: tuple[Searcher, Searcher], graph: Adjacency, reverse: Adjacency, alive: Alive
) -> tuple[Searcher, Searcher]:
    """Searchers over adjacencies through time at an instant, given those over the same arrays at any other."""
    from lineage.graph.search_numpy import NumpySearcher

    one, other = like
    if isinstance(one, NumpySearcher) or isinstance(other, NumpySearcher):
        return NumpySearcher(graph), NumpySearcher(reverse)
    from lineage.graph.search_compiled import CompiledSearcher

    assert isinstance(one, CompiledSearcher)
    assert isinstance(other, CompiledSearcher)
    return CompiledSearcher.pair_at((one, other), graph.public, alive)


def searchers(graph: Adjacency, reverse: Adjacency, kernels: str | None = None) -> tuple[Searcher, Searcher]:
    """Searchers over an adjacency and over that of the other direction.

    Parameters
    ----------
    kernels
        ``"compiled"``, ``"numpy"``, or ``None`` for what ``MESHLINE_KERNELS`` says, else the best one there is.

    Raises
    ------
    UsageError
        when that implementation is not there.
    """
    there = available()
    wanted = kernels or os.environ.get("MESHLINE_KERNELS") or there[0]
    if wanted not in there:
        raise UsageError(f"MESHLINE_KERNELS: “{wanted}” is not there; this installation has {', '.join(there)}.")
    if wanted == "numpy":
        from lineage.graph.search_numpy import NumpySearcher

        return NumpySearcher(graph), NumpySearcher(reverse)
    from lineage.graph.search_compiled import CompiledSearcher

    return CompiledSearcher.pair(graph, reverse)
