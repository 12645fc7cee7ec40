"""Say what a benchmark is missing, and how to get it, instead of a traceback."""

from __future__ import annotations

from importlib.util import find_spec

INSTALL = "pip install -e '.[bench]'"


def needs(*modules: str) -> None:
    """End the program with one line when one of these modules is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise SystemExit(f"This benchmark needs {' and '.join(missing)}: {INSTALL}")


def has(peer: str) -> bool:
    """Whether a peer is installed; says so when it is left out."""
    there = find_spec(peer) is not None
    if not there:
        print(f"{peer}: left out, it is not installed ({INSTALL})")
    return there
