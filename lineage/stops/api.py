"""Routes of stops of tags: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ERRORS, ActorOf, AsOf, GetLineage, KnownAt, as_json, shape
from lineage.stops.questions import StopList, StopRow

Text = Annotated[str, Body(embed=True)]
Id = Annotated[str, Body(embed=True, description="Id of a request or stop")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = APIRouter(prefix="/api/v2", tags=["stops"], responses=ERRORS)

    @router.get("/stops", summary="Stops of tags and requests for them", responses=shape(StopList))
    def stops(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().stops.list(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.post("/stops/request", summary="Ask that a tag stops at a node", responses=shape(StopRow))
    def ask(
        request: Request,
        node: Annotated[str, Body(description="A dataset, with all its columns, or a column")],
        reason: Annotated[str, Body(description="Why the tag may stop there")],
        tag: Annotated[str | None, Body(description="A whole tag or a key; default: every tag")] = None,
        start: Annotated[str | None, Body(alias="from", description="From when on; default: when approved")] = None,
        until: Annotated[str | None, Body(description="Its end; default: none")] = None,
    ) -> JSONResponse:
        found = get_lineage().stops.request(node, reason, tag=tag, start=start, until=until, actor=actor_of(request))
        return as_json(found)

    @router.post("/stops/approve", summary="Let the tag stop there", responses=shape(StopRow))
    def approve(request: Request, id: Id, reason: Text = "") -> JSONResponse:
        return as_json(get_lineage().stops.approve(id, reason, actor=actor_of(request)))

    @router.post("/stops/refuse", summary="Refuse a request", responses=shape(StopRow))
    def refuse(request: Request, id: Id, reason: Text = "") -> JSONResponse:
        return as_json(get_lineage().stops.refuse(id, reason, actor=actor_of(request)))

    @router.post("/stops/revoke", summary="End a stop", responses=shape(StopRow))
    def revoke(request: Request, id: Id, reason: Text = "") -> JSONResponse:
        return as_json(get_lineage().stops.revoke(id, reason, actor=actor_of(request)))

    return router
