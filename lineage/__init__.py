"""Meshline: lineage and observability graph engine for data meshes."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Lineage", "__version__", "open"]

if TYPE_CHECKING:
    from lineage.engine import Lineage, open


def __getattr__(name: str) -> object:
    if name in ("Lineage", "open"):  # heavy imports only when they are wanted
        from lineage import engine

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
