"""Live pages: a page asks every few seconds whether the store has grown, and which server it talks to.

The browser does the rest (``assets/live.js``): it shows new data quietly, or offers it when somebody is in the middle
of something, and says when the server is away or was started anew.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from lineage import __version__

if TYPE_CHECKING:
    from lineage.engine import Lineage

PATH = "_live"
"""Path below the base at which a page asks."""


def version_of(lx: Lineage) -> int:
    """Number of the state of the store that answers are about; it grows with every change that they show."""
    return int(getattr(lx, "state", 0))


def current(search: str | None, fresh: Any) -> str | None:
    """The query of the address as it stands, for a callback with the inputs ``url.search`` and ``fresh.data``.

    What a page notes in its address without a callback (``history.replaceState``) is not in ``url.search``; where new
    data is the reason, the browser sends the address along.
    """
    return str(fresh.get("search", "")) if is_news(fresh) else search


def is_news(fresh: Any) -> bool:
    """Whether a callback runs since there is new data, not since the address has changed."""
    from dash import ctx

    by = ctx.triggered[0]["prop_id"] if ctx.triggered else ""
    return by.endswith(".fresh") and isinstance(fresh, dict)


def serve(server: FastAPI, lx: Lineage, base: str) -> None:
    """Add the route. ``boot`` names this start of the server; ``working`` says what is worked out since then."""
    boot = uuid.uuid4().hex[:12]

    def live() -> Response:
        said: dict[str, Any] = {"state": version_of(lx), "boot": boot, "version": __version__}
        warming = getattr(server.state, "warming", None)
        if warming is not None and warming.text:
            said["working"] = warming.text
        return JSONResponse(said, headers={"Cache-Control": "no-store"})

    server.add_api_route(f"{base}{PATH}", live, include_in_schema=False)
