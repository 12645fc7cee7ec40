"""Routes whose path parameters may hold encoded slashes: names like ``postgres://db:5432`` stand between slashes."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from fastapi.routing import APIRoute
from starlette.routing import Match


class EncodedRoute(APIRoute):
    """Splits the path before it is decoded, and decodes each parameter for itself."""

    def matches(self, scope: Any) -> tuple[Match, Any]:
        """As Starlette's, with the path as the client sent it."""
        raw = scope.get("raw_path")
        if scope["type"] != "http" or not raw:
            return super().matches(scope)
        match, child = super().matches({**scope, "path": raw.decode("latin-1").partition("?")[0]})
        if match is not Match.NONE and "path_params" in child:
            child["path_params"] = {
                key: unquote(value) if isinstance(value, str) else value for key, value in child["path_params"].items()
            }
        return match, child
