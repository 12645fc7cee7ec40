"""REST API: thin routers over :class:`lineage.engine.Lineage`."""

from lineage.api.errors import explain
from lineage.api.router import build_router

__all__ = ["build_router", "explain"]
