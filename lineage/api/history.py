"""``/api/v2/history``: when the mesh changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, as_json, own_router, shape
from lineage.history import MOST, History


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router()

    @router.get("/history", tags=["graph"], summary="How many edges began and ended, when", responses=shape(History))
    def history(
        request: Request,
        node: Annotated[str | None, Query(description="Only what is up- or downstream of it; default: all")] = None,
        buckets: Annotated[int, Query(ge=1, le=MOST, description="Into how many parts the time is cut")] = 60,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(lx.history(node, buckets=buckets, as_of=as_of, known_at=known_at, actor=actor))

    return router
