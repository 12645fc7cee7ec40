"""The choice between the compiled analysis functions and the numpy ones; both have the same names and arguments."""

from __future__ import annotations

import os
from typing import Any

from lineage.errors import UsageError


def available() -> tuple[str, ...]:
    """Names of the implementations that work here, the best first."""
    try:
        import lineage.graph.analysis._analysis  # noqa: F401
    except ImportError:
        return ("numpy",)
    return ("compiled", "numpy")


def engine(name: str | None = None) -> Any:
    """Module with the functions of an implementation.

    Parameters
    ----------
    name
        ``"compiled"``, ``"numpy"``, or ``None`` for what ``MESHLINE_KERNELS`` says, else the best one there is.

    Raises
    ------
    UsageError
        when that implementation is not there.
    """
    there = available()
    wanted = name or os.environ.get("MESHLINE_KERNELS") or there[0]
    if wanted not in there:
        raise UsageError(f"MESHLINE_KERNELS: “{wanted}” is not there; this installation has {', '.join(there)}.")
    if wanted == "numpy":
        from lineage.graph.analysis import plain

        return plain
    from lineage.graph.analysis import _analysis

    return _analysis
