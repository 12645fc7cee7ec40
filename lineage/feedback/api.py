"""Routes about feedback: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, Text, as_json, own_router, shape
from lineage.feedback.questions import Feedback, FeedbackRow


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("feedback")

    @router.get("/feedback", summary="What consumers say of products", responses=shape(Feedback))
    def feedback(
        request: Request,
        product: str | None = None,
        domain: str | None = None,
        owner: str | None = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        found = get_lineage().feedback.list(
            product, domain=domain, owner=owner, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return as_json(found)

    @router.post("/feedback/give", summary="Rate a product", responses=shape(FeedbackRow))
    def give(
        request: Request, product: Text, rating: Annotated[int, Body(embed=True)], text: Text = ""
    ) -> JSONResponse:
        return as_json(get_lineage().feedback.give(product, rating, text, actor=actor_of(request)))

    @router.post("/feedback/report", summary="Report a problem", responses=shape(FeedbackRow))
    def report(request: Request, product: Text, text: Text) -> JSONResponse:
        return as_json(get_lineage().feedback.report(product, text, actor=actor_of(request)))

    @router.post("/feedback/answer", summary="Answer, and perhaps close", responses=shape(FeedbackRow))
    def answer(
        request: Request, id: Text, text: Text, close: Annotated[bool, Body(embed=True)] = False
    ) -> JSONResponse:
        return as_json(get_lineage().feedback.answer(id, text, close=close, actor=actor_of(request)))

    return router
