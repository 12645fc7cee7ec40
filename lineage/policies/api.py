"""Routes about policies: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ERRORS, ActorOf, AsOf, GetLineage, KnownAt, as_json, shape
from lineage.policies.answers import Check, Policies
from lineage.policies.model import Policy

Which = Annotated[str, Query(description="Id of a policy")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = APIRouter(prefix="/api/v2", tags=["policies"], responses=ERRORS)

    @router.get("/policies", summary="The policies that hold", responses=shape(Policies))
    def policies(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().policies.list(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/policies/library", summary="The policies that Meshline ships", responses=shape(Policies))
    def library() -> JSONResponse:
        return as_json(get_lineage().policies.library())

    @router.get("/policies/show", summary="One policy with its SQL and tests", responses=shape(Policy))
    def show(request: Request, policy: Which, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().policies.show(policy, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/policies/check", summary="What the policies say of every asset", responses=shape(Check))
    def check(
        request: Request, policy: Which | None = None, as_of: AsOf = None, known_at: KnownAt = None
    ) -> JSONResponse:
        return as_json(get_lineage().policies.check(policy, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    return router
