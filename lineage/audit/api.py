"""Routes of the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, AsOf, Column, GetLineage, KnownAt, Node, as_json, own_router, shape
from lineage.audit.questions import InclusionProof, LogPage
from lineage.audit.signing import signing_key
from lineage.audit.verify import Verification

Time = Annotated[str | None, Query(description="Like 2026-03-31T18:00:00Z")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("audit", prefix="/audit")

    @router.get("/log", summary="Who did what, newest first", responses=shape(LogPage))
    def log(
        request: Request,
        by: Annotated[str | None, Query(description="Only acts of this actor")] = None,
        action: Annotated[str | None, Query(description="`contract.apply`, or `contract` for all of its kind")] = None,
        resource: Annotated[str | None, Query(description="Text in the name of what was acted on")] = None,
        since: Annotated[str | None, Query(alias="from", description="Only from this time on")] = None,
        until: Annotated[str | None, Query(alias="to", description="Only before this time")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(
            lx.audit.log(who=by, action=action, resource=resource, since=since, until=until, limit=limit, actor=actor)
        )

    @router.get("/verify", summary="Whether the log is intact", responses=shape(Verification))
    def verify(
        request: Request,
        key: Annotated[str | None, Query(description="Fingerprint of the key that has to have signed")] = None,
        events: Annotated[bool, Query(description="Also hash the archived events")] = True,
    ) -> JSONResponse:
        return as_json(get_lineage().audit.verify(trusted=key, events=events, actor=actor_of(request)))

    @router.get("/proof", summary="Proof that an act is in the log", responses=shape(InclusionProof))
    def proof(
        request: Request,
        act: Annotated[int, Query(ge=0, description="Number of the act")],
        size: Annotated[int | None, Query(ge=1, description="Among the first acts; default: all")] = None,
    ) -> JSONResponse:
        return as_json(get_lineage().audit.prove(act, size=size, actor=actor_of(request)))

    @router.post(
        "/evidence",
        summary="The evidence pack of a node: a zip file that proves itself offline",
        responses={200: {"content": {"application/zip": {}}}},
    )
    def evidence(
        request: Request,
        node: Node,
        column: Column = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
        events: Annotated[bool, Query(description="Put the archived events into it; they may hold secrets")] = True,
    ) -> Response:
        made = get_lineage().audit.evidence(
            node,
            signing_key(),
            column=column,
            as_of=as_of,
            known_at=known_at,
            raw_events=events,
            actor=actor_of(request),
        )
        headers = {
            "Content-Disposition": 'attachment; filename="evidence.zip"',
            "Meshline-Signing-Key": made.key,
            "Meshline-Verifier-SHA256": made.verifier,
        }
        return Response(made.data, media_type="application/zip", headers=headers)

    return router
