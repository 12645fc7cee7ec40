"""``/api/v1``: the part of Marquez's API that reads lineage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lineage.actor import Actor
from lineage.engine import Lineage
from lineage.marquez import DEPTH


def build(get_lineage: Callable[[], Lineage], actor_of: Callable[[Request], Actor]) -> APIRouter:
    """Routes over one engine."""
    router = APIRouter(prefix="/api/v1", tags=["marquez"])

    @router.get("/lineage", summary="Lineage graph around a dataset or job, in Marquez's shape")
    def lineage(
        request: Request,
        node_id: Annotated[str, Query(alias="nodeId", description="`dataset:NAMESPACE:NAME` or `job:NAMESPACE:NAME`")],
        depth: Annotated[int, Query(description="Hops from job to job over shared datasets")] = DEPTH,
    ) -> JSONResponse:
        return JSONResponse(get_lineage().marquez(node_id, depth=depth, actor=actor_of(request)))

    return router
