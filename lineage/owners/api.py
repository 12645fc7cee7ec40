"""Routes of owners by hand: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, Text, as_json, own_router, shape
from lineage.owners.questions import OwnerMarks

Since = Annotated[str | None, Body(embed=True, description="From when on; default: now")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("by hand")

    @router.get("/owners", summary="Owners that people named", responses=shape(OwnerMarks))
    def owners(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().owners.list(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.post("/owners/set", summary="Say who owns a dataset or job", responses=shape(OwnerMarks))
    def set_owner(request: Request, node: Text, owner: Text, reason: Text, since: Since = None) -> JSONResponse:
        return as_json(get_lineage().owners.set(node, owner, reason=reason, since=since, actor=actor_of(request)))

    @router.post("/owners/clear", summary="Take back who was named", responses=shape(OwnerMarks))
    def clear_owner(request: Request, node: Text, reason: Text) -> JSONResponse:
        return as_json(get_lineage().owners.clear(node, reason=reason, actor=actor_of(request)))

    return router
