"""``/api/v2``: questions about the graph as a whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, Names, Node, as_json, own_router, shape
from lineage.attention import Attention
from lineage.cause_answer import Causes
from lineage.counting import ImpactCounts
from lineage.mesh import Mesh
from lineage.overlays import Overlay
from lineage.ranking import Ranking
from lineage.tags import Tags
from lineage.unread import Cycles, DeadBranches

AnyNode = Annotated[str | None, Query(description="A dataset or column to limit it to; default: everything")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router()

    @router.get("/tags", tags=["graph"], summary="Which columns carry which tags", responses=shape(Tags))
    def tags(
        request: Request,
        node: AnyNode = None,
        tag: Annotated[str | None, Query(description="A key (`pii`) or a whole tag (`pii:email`)")] = None,
        indirect: Annotated[bool, Query(description="Also through filters, joins and groups")] = False,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(lx.tags(node, tag=tag, indirect=indirect, as_of=as_of, known_at=known_at, actor=actor))

    @router.get(
        "/impact/counts", tags=["graph"], summary="How much is up- and downstream", responses=shape(ImpactCounts)
    )
    def impact_counts(request: Request, node: Node, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        actor = actor_of(request)
        return as_json(get_lineage().impact_counts(node, as_of=as_of, known_at=known_at, actor=actor))

    @router.get("/cause", tags=["graph"], summary="What explains all that fails", responses=shape(Causes))
    def cause(
        request: Request,
        node: Annotated[list[str] | None, Query(description="What fails; default: failed jobs, failing tests")] = None,
        passing: Annotated[list[str] | None, Query(description="Nodes known to be well")] = None,
        certainty: Annotated[str, Query(description="Follow only edges that are at least so certain")] = "stale",
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor, when = get_lineage(), actor_of(request), {"as_of": as_of, "known_at": known_at}
        return as_json(lx.cause(node, passing=passing or (), certainty=certainty, actor=actor, **when))

    @router.get(
        "/overlay", tags=["graph"], summary="One figure of every dataset, with its step", responses=shape(Overlay)
    )
    def overlay(
        request: Request,
        by: Annotated[str, Query(description="quality, freshness, cost, policy or change")],
        node: Annotated[list[str] | None, Query(description="Only these; default: all")] = None,
        since: Annotated[
            str | None, Query(description="For `change`: the earlier time; default: 7 days before")
        ] = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(lx.overlay(by, nodes=node, since=since, as_of=as_of, known_at=known_at, actor=actor))

    @router.get("/attention", tags=["graph"], summary="What is not well, gravest first", responses=shape(Attention))
    def attention(
        request: Request,
        domain: Annotated[str | None, Query(description="Only what is in this domain")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(lx.attention(domain=domain, limit=limit, as_of=as_of, known_at=known_at, actor=actor))

    _add_whole(router, get_lineage, actor_of)
    return router


def _add_whole(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/rank", tags=["graph"], summary="The nodes that matter most", responses=shape(Ranking))
    def rank(
        request: Request,
        by: Annotated[str, Query(description="criticality, downstream, upstream, dependents, …")] = "criticality",
        level: Annotated[str, Query(description="dataset or column")] = "dataset",
        domain: Names = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 50,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor, when = get_lineage(), actor_of(request), {"as_of": as_of, "known_at": known_at}
        return as_json(lx.rank(by, level=level, domains=domain, limit=limit, actor=actor, **when))

    @router.get("/mesh", tags=["graph"], summary="The graph between domains, products, jobs", responses=shape(Mesh))
    def mesh(
        request: Request,
        level: Annotated[str, Query(description="domain, product, application, dag or job")] = "domain",
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        return as_json(get_lineage().mesh(level, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/cycles", tags=["graph"], summary="Where data goes in circles", responses=shape(Cycles))
    def cycles(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().cycles(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/dead", tags=["graph"], summary="What nobody reads, and how it can go", responses=shape(DeadBranches))
    def dead(
        request: Request,
        node: Annotated[list[str] | None, Query(description="Datasets that are not needed; default: list")] = None,
        keep: Annotated[list[str] | None, Query(description="Datasets that are needed all the same")] = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(lx.dead(node, keep=keep or (), as_of=as_of, known_at=known_at, actor=actor))
