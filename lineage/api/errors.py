"""Errors as JSON: ``{"error", "detail"}``, and ``candidates`` when a name fits no node (or tag), or several.

Of a node that was not known yet at the asked time also ``node``, ``known_at`` and ``since`` (first known).
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from lineage.errors import MeshlineError, NotYetKnownError, UnknownNodeError, UnknownTagError


async def explain(_request: Request, error: Exception) -> JSONResponse:
    """Answer of an exception handler for :class:`lineage.errors.MeshlineError`.

    Register it with ``app.add_exception_handler(MeshlineError, explain)``.
    """
    assert isinstance(error, MeshlineError)
    return JSONResponse(as_json(error), status_code=error.status)


def as_json(error: MeshlineError) -> dict[str, Any]:
    """An error as the API shows it.

    >>> as_json(UnknownNodeError("x", ["dataset:pg:x1"]))["candidates"]
    ['dataset:pg:x1']
    """
    content: dict[str, Any] = {"error": type(error).__name__, "detail": str(error)}
    if isinstance(error, UnknownNodeError | UnknownTagError):
        content["candidates"] = error.candidates
    if isinstance(error, NotYetKnownError):
        content |= {"node": error.node, "known_at": error.known_at, "since": error.since}
    return content
