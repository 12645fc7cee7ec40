"""Routes about cost: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, Node, as_json, own_router, shape
from lineage.cost.answers import BudgetAnswer, CostReport, Explanation, ShowbackAnswer, WasteAnswer
from lineage.formats.flat import to_csv
from lineage.shown import Shown

Period = Annotated[
    str | None, Query(description="2026-06, 2026-Q2, 2026 or 2026-04..2026-06; default: month of the newest bill")
]
Metric = Annotated[str, Query(description="billed, effective, contracted or listed")]
Shape = Literal["json", "csv"]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("cost", prefix="/cost")

    @router.get("/report", summary="What a period cost", responses=shape(CostReport))
    def report(
        request: Request,
        by: Annotated[str, Query(description="domain, product, dataset, job, consumer or service")] = "domain",
        period: Period = None,
        full: Annotated[bool, Query(description="The dearest in full cost first")] = False,
        metric: Metric = "billed",
        as_of: AsOf = None,
        known_at: KnownAt = None,
        format: Shape = "json",
    ) -> Response:
        from lineage.cost.report import by_full

        answer = get_lineage().cost.report(
            by, period=period, metric=metric, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return _said(by_full(answer) if full else answer, format)

    @router.get("/explain", summary="Which bills and runs make up the cost of a node", responses=shape(Explanation))
    def explain(
        request: Request,
        node: Node,
        period: Period = None,
        metric: Metric = "billed",
        as_of: AsOf = None,
        known_at: KnownAt = None,
        format: Shape = "json",
    ) -> Response:
        answer = get_lineage().cost.explain(
            node, period=period, metric=metric, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return _said(answer, format)

    @router.get("/showback", summary="Which domain pays for which", responses=shape(ShowbackAnswer))
    def showback(
        request: Request,
        period: Period = None,
        metric: Metric = "billed",
        as_of: AsOf = None,
        known_at: KnownAt = None,
        format: Shape = "json",
    ) -> Response:
        answer = get_lineage().cost.showback(
            period=period, metric=metric, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return _said(answer, format)

    _add_watching(router, get_lineage, actor_of)
    return router


def _add_watching(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/budgets", summary="Budgets, forecasts, alerts, anomalies", responses=shape(BudgetAnswer))
    def budgets(
        request: Request,
        period: Period = None,
        metric: Metric = "effective",
        as_of: AsOf = None,
        known_at: KnownAt = None,
        format: Shape = "json",
    ) -> Response:
        answer = get_lineage().cost.budgets(
            period=period, metric=metric, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return _said(answer, format)

    @router.get("/waste", summary="What costs and is of no use", responses=shape(WasteAnswer))
    def waste(
        request: Request,
        days: Annotated[int, Query(ge=1, le=3650, description="Nobody read it for so many days")] = 60,
        period: Period = None,
        metric: Metric = "effective",
        as_of: AsOf = None,
        known_at: KnownAt = None,
        format: Shape = "json",
    ) -> Response:
        answer = get_lineage().cost.waste(
            days=days, period=period, metric=metric, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return _said(answer, format)


def _said(answer: Shown, format: Shape) -> Response:
    if format == "csv":
        return Response(to_csv(answer), media_type="text/csv; charset=utf-8")
    return as_json(answer)
