"""Routes of runs: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, as_json, own_router, shape
from lineage.runs.answers import RunDetail, RunList
from lineage.runs.questions import LIMIT

Begin = Annotated[str | None, Query(alias="from", description="Begin of the span; default: 7 days before its end")]
End = Annotated[str | None, Query(alias="to", description="End of the span; default: the asked instant")]
States = Annotated[list[str] | None, Query(description="FAIL, ABORT, COMPLETE, RUNNING, START, OTHER, OVERDUE")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("runs")

    @router.get("/runs", summary="Runs of a span, failed ones first", responses=shape(RunList))
    def runs(
        request: Request,
        since: Begin = None,
        until: End = None,
        state: States = None,
        domain: str | None = None,
        job: str | None = None,
        limit: Annotated[int, Query(ge=1, le=100_000)] = LIMIT,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        found = get_lineage().runs.list(
            since=since, until=until, states=state, domain=domain, job=job, limit=limit, as_of=as_of,
            known_at=known_at, actor=actor_of(request),
        )  # fmt: skip
        return as_json(found)

    @router.get("/runs/show", summary="One run", responses=shape(RunDetail))
    def show(
        request: Request, id: str, job: str | None = None, as_of: AsOf = None, known_at: KnownAt = None
    ) -> JSONResponse:
        return as_json(get_lineage().runs.show(id, job=job, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    return router
