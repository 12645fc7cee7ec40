"""Routes about scorecards: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, as_json, own_router, shape
from lineage.scorecards.answers import Behind, Drilled, History, Scorecards, Taken
from lineage.scorecards.risk import Risk

By = Annotated[Literal["mesh", "domain", "product", "tier"], Query(description="How figures are grouped")]
Metrics = Annotated[list[str] | None, Query(description="Only these metrics; default: all")]
Domain = Annotated[str | None, Query(description="Count only what belongs to this domain")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("scorecards")

    @router.get("/scorecards", summary="Figures of governance", responses=shape(Scorecards))
    def scorecards(
        request: Request, by: By = "mesh", domain: Domain = None, metric: Metrics = None, as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:  # fmt: skip
        found = get_lineage().scorecards.report(
            by, domain=domain, metrics=metric or (), as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return as_json(found)

    @router.get("/scorecards/rows", summary="The rows behind one figure", responses=shape(Behind))
    def rows(
        request: Request, metric: str, by: By = "mesh", scope: str = "", domain: Domain = None, as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:  # fmt: skip
        found = get_lineage().scorecards.rows(
            metric, by=by, scope=scope, domain=domain, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return as_json(found)

    @router.get("/scorecards/history", summary="Figures day by day", responses=shape(History))
    def history(
        request: Request,
        start: Annotated[str, Query(alias="from", description="First day")],
        end: Annotated[str | None, Query(alias="to", description="End, not included; default: now")] = None,
        by: By = "mesh",
        domain: Domain = None,
        metric: Metrics = None,
    ) -> JSONResponse:
        found = get_lineage().scorecards.history(
            by, start=start, end=end, domain=domain, metrics=metric or (), actor=actor_of(request)
        )
        return as_json(found)

    @router.post("/scorecards/snapshot", summary="Keep the figures of today", responses=shape(Taken))
    def snapshot(request: Request) -> JSONResponse:
        return as_json(get_lineage().scorecards.snapshot(actor=actor_of(request)))

    @router.post("/scorecards/drill", summary="Write down that a product held a drill", responses=shape(Drilled))
    def drill(
        request: Request,
        product: Annotated[str, Body(embed=True)],
        reason: Annotated[str, Body(embed=True, description="What was played, and what came of it")],
    ) -> JSONResponse:
        return as_json(get_lineage().scorecards.drill(product, reason, actor=actor_of(request)))

    @router.get("/risk", summary="Risk of one product, explained", responses=shape(Risk))
    def risk(request: Request, product: str, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        found = get_lineage().scorecards.risk(product, as_of=as_of, known_at=known_at, actor=actor_of(request))
        return as_json(found)

    return router
