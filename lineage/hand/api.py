"""Routes of aliases and edges by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, as_json, own_router, shape
from lineage.hand.aliases import AliasList, Preview, Suggestions
from lineage.hand.edges import EdgeMarks

Dataset = Annotated[str, Query(description="A dataset under one of its names")]
Name = Annotated[str, Body(description="A dataset under one of its names")]
Reason = Annotated[str, Body(description="Why; kept in the audit log")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("by hand")

    @router.get("/aliases", summary="Datasets with several names", responses=shape(AliasList))
    def aliases(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().aliases.list(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/aliases/suggestions", summary="Names that may mean one dataset", responses=shape(Suggestions))
    def suggestions(request: Request, limit: Annotated[int, Query(ge=1, le=10_000)] = 100) -> JSONResponse:
        return as_json(get_lineage().aliases.suggest(limit=limit, actor=actor_of(request)))

    @router.get("/aliases/preview", summary="What joining two names would connect", responses=shape(Preview))
    def preview(request: Request, left: Dataset, right: Dataset) -> JSONResponse:
        return as_json(get_lineage().aliases.preview(left, right, actor=actor_of(request)))

    @router.post("/aliases/add", summary="Say that two names are one dataset", responses=shape(AliasList))
    def add_alias(request: Request, left: Name, right: Name, reason: Reason) -> JSONResponse:
        return as_json(get_lineage().aliases.add(left, right, reason=reason, actor=actor_of(request)))

    @router.post("/aliases/remove", summary="Say that two names are not one dataset", responses=shape(AliasList))
    def remove_alias(request: Request, left: Name, right: Name, reason: Reason) -> JSONResponse:
        return as_json(get_lineage().aliases.remove(left, right, reason=reason, actor=actor_of(request)))

    @router.post("/aliases/reject", summary="Say that a suggestion is none", responses=shape(AliasList))
    def reject_alias(request: Request, left: Name, right: Name, reason: Reason) -> JSONResponse:
        return as_json(get_lineage().aliases.reject(left, right, reason=reason, actor=actor_of(request)))

    @router.post("/aliases/lift", summary="Take back that two names are kept apart", responses=shape(AliasList))
    def lift_alias(request: Request, left: Name, right: Name, reason: Reason) -> JSONResponse:
        return as_json(get_lineage().aliases.lift(left, right, reason=reason, actor=actor_of(request)))

    @router.get("/edges", summary="What people said of edges", responses=shape(EdgeMarks))
    def edges(request: Request, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().edges.list(known_at=known_at, actor=actor_of(request)))

    @router.post("/edges/add", summary="Say that data flows from one dataset to another", responses=shape(EdgeMarks))
    def add_edge(
        request: Request, source: Name, target: Name, reason: Reason, since: Annotated[str | None, Body()] = None
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(lx.edges.add(source, target, reason=reason, since=since, actor=actor))

    @router.post("/edges/remove", summary="Take an edge back, or call it wrong", responses=shape(EdgeMarks))
    def remove_edge(request: Request, source: Name, target: Name, reason: Reason) -> JSONResponse:
        return as_json(get_lineage().edges.remove(source, target, reason=reason, actor=actor_of(request)))

    return router
