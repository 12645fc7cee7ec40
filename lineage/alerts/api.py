"""Routes about alerts: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import JSONResponse

from lineage.alerts.model import AlertList, Delivery
from lineage.api.parts import ActorOf, GetLineage, as_json, own_router, shape


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("alerts")

    @router.get("/alerts", summary="Alerts and their deliveries", responses=shape(AlertList))
    def alerts(
        request: Request,
        state: Literal["waiting", "sent", "dead"] | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> JSONResponse:
        return as_json(get_lineage().alerts.list(state=state, limit=limit, actor=actor_of(request)))

    @router.get("/alerts/routes", summary="Who is told what; no addresses")
    def routes(request: Request) -> JSONResponse:
        return as_json(get_lineage().alerts.routes(actor=actor_of(request)))

    @router.post("/alerts/resend", summary="Let a dead delivery be tried again", responses=shape(Delivery))
    def resend(request: Request, id: Annotated[str, Body(embed=True)]) -> JSONResponse:
        return as_json(get_lineage().alerts.resend(id, actor=actor_of(request)))

    return router
