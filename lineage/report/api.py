"""The route of the report."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from lineage.api.parts import ActorOf, GetLineage, own_router
from lineage.report.questions import TYPES, text_of


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("report")

    @router.get("/report", summary="The report for people who decide", response_class=Response)
    def report(
        request: Request,
        domain: str | None = None,
        start: Annotated[str | None, Query(alias="from", description="Begin; default: 30 days before its end")] = None,
        end: Annotated[str | None, Query(alias="to", description="End; default: now")] = None,
        format: Literal["html", "md", "json", "mail"] = "html",
    ) -> Response:
        text = text_of(get_lineage(), format, domain, start=start, end=end, actor=actor_of(request))
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(text, media_type=f"{TYPES[format]}; charset=utf-8", headers=policy)

    return router
