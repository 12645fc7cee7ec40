"""REST API: thin routers over :class:`lineage.engine.Lineage`.

The routes of each field stand with it (``lineage.owners.api``, …), build upon what all share
(:mod:`lineage.api.parts`), and are put together in :mod:`lineage.api.router`. So the package itself imports nothing:
what is shared is at the bottom, what puts together at the top, and whichever is imported first, the arrows point one
way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["build_router", "explain"]

if TYPE_CHECKING:
    from lineage.api.errors import explain
    from lineage.api.router import build_router


def __getattr__(name: str) -> object:
    if name == "build_router":
        from lineage.api.router import build_router

        return build_router
    if name == "explain":
        from lineage.api.errors import explain

        return explain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
