"""Routes about quality: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from lineage.api.parts import ERRORS, ActorOf, AsOf, GetLineage, KnownAt, Node, as_json, shape
from lineage.formats.flat import to_csv
from lineage.quality.answers import GateAnswer, NodeQuality, QualityReport
from lineage.shown import Shown

Shape = Literal["json", "csv"]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = APIRouter(prefix="/api/v2", tags=["quality"], responses=ERRORS)

    @router.get("/quality", summary="Scores of all datasets, domains or products", responses=shape(QualityReport))
    def quality(
        request: Request,
        by: Annotated[str, Query(description="dataset, domain or product")] = "dataset",
        as_of: AsOf = None,
        known_at: KnownAt = None,
        format: Shape = "json",
    ) -> Response:
        answer = get_lineage().quality.report(by, as_of=as_of, known_at=known_at, actor=actor_of(request))
        return _said(answer, format)

    @router.get("/quality/explain", summary="The score of a node, point by point", responses=shape(NodeQuality))
    def explain(
        request: Request, node: Node, as_of: AsOf = None, known_at: KnownAt = None, format: Shape = "json"
    ) -> Response:
        answer = get_lineage().quality.explain(node, as_of=as_of, known_at=known_at, actor=actor_of(request))
        return _said(answer, format)

    @router.get("/gate", summary="May a pipeline go on with a node?", responses=shape(GateAnswer))
    def gate(
        request: Request,
        node: Node,
        trust_sources: Annotated[bool, Query(description="Datasets that no known job writes count as fine")] = False,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> Response:
        answer = get_lineage().quality.gate(
            node, trust_sources=trust_sources, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return as_json(answer)

    return router


def _said(answer: Shown, format: Shape) -> Response:
    if format == "csv":
        return Response(to_csv(answer), media_type="text/csv; charset=utf-8")
    return as_json(answer)
