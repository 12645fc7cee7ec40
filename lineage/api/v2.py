"""``/api/v2``: Meshline's own answers, the same objects as the command line's JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lineage.actor import Actor
from lineage.answers import Answer, NodeDetail, Picture, SearchHit, to_json
from lineage.domains import DomainInfo
from lineage.engine import Lineage
from lineage.overview import Summary

GetLineage = Callable[[], Lineage]
ActorOf = Callable[[Request], Actor]

Node = Annotated[
    str, Query(description="`dataset:NAMESPACE:NAME`, `job:…`, `column:…:COLUMN`, or a unique end of a name")
]
Depth = Annotated[int | None, Query(ge=0, description="Greatest number of hops; default: no limit")]
AsOf = Annotated[str | None, Query(description="Valid time, like 2026-03-31T18:00:00Z; default: now")]
KnownAt = Annotated[str | None, Query(description="Known time; default: now")]

_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "An argument makes no sense"},
    403: {"description": "The node belongs to a domain that may not be seen"},
    404: {"description": "No node, or more than one, has this name; `candidates` lists what comes near"},
}


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = APIRouter(prefix="/api/v2", responses=_ERRORS)
    _add_answers(router, get_lineage, actor_of)
    _add_pictures(router, get_lineage, actor_of)
    _add_overview(router, get_lineage, actor_of)
    return router


def _add_answers(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/impact", tags=["answers"], summary="Everything downstream of a node", responses=_shape(Answer))
    def impact(
        request: Request, node: Node, depth: Depth = None, as_of: AsOf = None, known_at: KnownAt = None
    ) -> JSONResponse:
        return _answer(get_lineage().impact(node, depth=depth, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/provenance", tags=["answers"], summary="Everything upstream of a node", responses=_shape(Answer))
    def provenance(
        request: Request, node: Node, depth: Depth = None, as_of: AsOf = None, known_at: KnownAt = None
    ) -> JSONResponse:
        return _answer(
            get_lineage().provenance(node, depth=depth, as_of=as_of, known_at=known_at, actor=actor_of(request))
        )

    @router.get("/nodes", tags=["answers"], summary="Everything about one node", responses=_shape(NodeDetail))
    def nodes(request: Request, node: Node, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return _answer(get_lineage().show(node, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/search", tags=["answers"], summary="Nodes by name", responses=_shape(list[SearchHit]))
    def search(
        request: Request,
        q: Annotated[str, Query(description="Any part of a name; typing errors are forgiven")],
        kind: Annotated[list[Literal["dataset", "job", "column"]] | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 20,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return _answer(lx.search(q, kinds=kind, limit=limit, as_of=as_of, known_at=known_at, actor=actor))


def _add_pictures(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/picture", tags=["pictures"], summary="Neighbourhood of a node", responses=_shape(Picture))
    def picture(
        request: Request,
        node: Node,
        upstream: Annotated[int, Query(ge=0)] = 1,
        downstream: Annotated[int, Query(ge=0)] = 1,
        jobs: bool = False,
        columns: bool = False,
        columns_of: Annotated[list[str] | None, Query(description="Datasets whose columns are wanted")] = None,
        max_nodes: Annotated[int, Query(ge=1, le=5000)] = 300,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        return _answer(
            get_lineage().picture(
                node,
                upstream=upstream,
                downstream=downstream,
                jobs=jobs,
                columns=columns or (columns_of or False),
                as_of=as_of,
                known_at=known_at,
                max_nodes=max_nodes,
                actor=actor_of(request),
            )
        )

    @router.get("/column-trace", tags=["pictures"], summary="The whole way of one column", responses=_shape(Picture))
    def column_trace(request: Request, column: Node, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        actor = actor_of(request)
        return _answer(get_lineage().column_trace(column, as_of=as_of, known_at=known_at, actor=actor))


def _add_overview(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/domains", tags=["overview"], summary="All domains", responses=_shape(list[DomainInfo]))
    def domains(request: Request) -> JSONResponse:
        return _answer(get_lineage().domains(actor_of(request)))

    @router.get("/summary", tags=["overview"], summary="Counts for the first page", responses=_shape(Summary))
    def summary(request: Request) -> JSONResponse:
        return _answer(get_lineage().summary(actor_of(request)))


def _answer(value: object) -> JSONResponse:
    return JSONResponse(to_json(value))


def _shape(model: Any) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": model}}
