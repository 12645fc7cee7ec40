"""``/api/v2``: Meshline's own answers, the same objects as the command line's JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from lineage.answers import Answer
from lineage.api.parts import (
    ActorOf,
    AnswerFormat,
    AsOf,
    Column,
    Depth,
    GetLineage,
    KnownAt,
    Node,
    Walked,
    as_json,
    as_response,
    own_router,
    shape,
)
from lineage.details import NodeDetail, SearchHit
from lineage.differences import DiffAnswer
from lineage.domains import DomainInfo
from lineage.formats import NEEDS_LINKS
from lineage.overview import Summary
from lineage.path_answer import PathAnswer
from lineage.pictured import Picture
from lineage.run_trail import RunTrail


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router()
    _add_walks(router, get_lineage, actor_of)
    _add_answers(router, get_lineage, actor_of)
    _add_pictures(router, get_lineage, actor_of)
    _add_overview(router, get_lineage, actor_of)
    return router


def _walk(name: Literal["impact", "provenance"], get_lineage: GetLineage, actor_of: ActorOf) -> Callable[..., Response]:
    """Handler of a walk: both directions take the same question."""

    def ask(request: Request, asked: Walked, format: AnswerFormat = "json") -> Response:
        lx = get_lineage()
        question = lx.impact if name == "impact" else lx.provenance
        asked["links"] = asked["links"] or format in NEEDS_LINKS
        return as_response(question(**asked, actor=actor_of(request)), format)

    ask.__name__ = name
    return ask


def _add_walks(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    sides: tuple[tuple[Literal["impact", "provenance"], str], ...] = (
        ("impact", "downstream"),
        ("provenance", "upstream"),
    )
    for name, side in sides:
        router.add_api_route(
            f"/{name}",
            _walk(name, get_lineage, actor_of),
            tags=["answers"],
            summary=f"Everything {side} of a node",
            responses=shape(Answer),
            response_model=None,
        )


def _add_answers(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/run-provenance", tags=["answers"], summary="Runs behind a version", responses=shape(RunTrail))
    def run_provenance(
        request: Request,
        node: Node,
        column: Column = None,
        depth: Depth = None,
        limit: Annotated[int, Query(ge=1, le=10_000, description="Greatest number of versions")] = 1_000,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(
            lx.run_provenance(
                node, column=column, depth=depth, limit=limit, as_of=as_of, known_at=known_at, actor=actor
            )
        )

    @router.get("/path", tags=["answers"], summary="How data gets from A to B", responses=shape(PathAnswer))
    def path(
        request: Request,
        start: Annotated[str, Query(alias="from", description="Where the data is")],
        end: Annotated[str, Query(alias="to", description="Where it may go")],
        every: Annotated[bool, Query(alias="all", description="Also every edge on any path")] = False,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(lx.path(start, end, every=every, as_of=as_of, known_at=known_at, actor=actor))

    @router.get("/diff", tags=["answers"], summary="What changed between two instants", responses=shape(DiffAnswer))
    def diff(
        request: Request,
        from_time: Annotated[str, Query(alias="from", description="The earlier instant")],
        to_time: Annotated[str | None, Query(alias="to", description="The later instant; default: now")] = None,
        node: Annotated[str | None, Query(description="Only this node and one side of it")] = None,
        side: Literal["upstream", "downstream", "both", "self"] = "upstream",
        known_from: KnownAt = None,
        known_to: KnownAt = None,
    ) -> JSONResponse:
        known = {"known_from": known_from, "known_to": known_to}
        return as_json(get_lineage().diff(from_time, to_time, node=node, side=side, actor=actor_of(request), **known))

    @router.get("/nodes", tags=["answers"], summary="Everything about one node", responses=shape(NodeDetail))
    def nodes(request: Request, node: Node, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().show(node, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/search", tags=["answers"], summary="Nodes by name", responses=shape(list[SearchHit]))
    def search(
        request: Request,
        q: Annotated[str, Query(description="Any part of a name; typing errors are forgiven")],
        kind: Annotated[list[Literal["dataset", "job", "column"]] | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 20,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        answer = as_json(lx.search(q, kinds=kind, limit=limit, as_of=as_of, known_at=known_at, actor=actor))
        notes = lx.view(as_of, known_at, actor).instant.horizon_notes
        if notes:  # a plain list has no place for them
            answer.headers["Meshline-Notes"] = "; ".join(notes)
        return answer


def _add_pictures(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/picture", tags=["pictures"], summary="Neighbourhood of a node", responses=shape(Picture))
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
        return as_json(
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

    @router.get("/column-trace", tags=["pictures"], summary="The whole way of one column", responses=shape(Picture))
    def column_trace(request: Request, column: Node, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        actor = actor_of(request)
        return as_json(get_lineage().column_trace(column, as_of=as_of, known_at=known_at, actor=actor))


def _add_overview(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/domains", tags=["overview"], summary="All domains", responses=shape(list[DomainInfo]))
    def domains(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().domains(actor_of(request), as_of=as_of, known_at=known_at))

    @router.get("/summary", tags=["overview"], summary="Counts for the first page", responses=shape(Summary))
    def summary(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().summary(actor_of(request), as_of=as_of, known_at=known_at))
