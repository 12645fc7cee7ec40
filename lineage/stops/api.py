"""Routes of stops of tags: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from lineage.api.decisions import add_acts
from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, as_json, own_router, shape
from lineage.stops.questions import StopList, StopRow


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("stops")

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

    acts = {"approve": "Let the tag stop there", "refuse": "Refuse a request", "revoke": "End a stop"}
    add_acts(router, "/stops", lambda lx: lx.stops, StopRow, acts, (get_lineage, actor_of))
    return router
