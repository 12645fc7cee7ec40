"""Routes of saved views: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, GetLineage, Text, as_json, own_router, shape
from lineage.saved.questions import SavedList, SavedView

Maybe = Annotated[str | None, Body(embed=True, description="Default: as it is")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("saved views")

    @router.get("/views", summary="Saved views of the dashboard", responses=shape(SavedList))
    def views(request: Request) -> JSONResponse:
        return as_json(get_lineage().saved.list(actor=actor_of(request)))

    @router.post("/views/save", summary="Keep an address under a name", responses=shape(SavedView))
    def save(request: Request, title: Text, address: Text, reason: Text) -> JSONResponse:
        return as_json(get_lineage().saved.save(title, address, reason=reason, actor=actor_of(request)))

    @router.post("/views/change", summary="Another name or address", responses=shape(SavedView))
    def change(request: Request, id: Text, reason: Text, title: Maybe = None, address: Maybe = None) -> JSONResponse:
        asked = get_lineage().saved
        return as_json(asked.change(id, title=title, address=address, reason=reason, actor=actor_of(request)))

    @router.post("/views/remove", summary="Take a view away", responses=shape(SavedList))
    def remove(request: Request, id: Text, reason: Text) -> JSONResponse:
        return as_json(get_lineage().saved.remove(id, reason=reason, actor=actor_of(request)))

    return router
