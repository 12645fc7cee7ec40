"""Routes about quality: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query, Request, Response

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, Node, as_json, own_router, shape
from lineage.formats.flat import to_csv
from lineage.quality.answers import GateAnswer, Incident, IncidentDetail, Incidents, NodeQuality, QualityReport
from lineage.quality.drill import Drill
from lineage.quality.performance import Performance
from lineage.quality.promises import Promises
from lineage.shown import Shown

Shape = Literal["json", "csv"]
Id = Annotated[str, Query(description="Id of an incident, or the beginning of it")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("quality")

    @router.get("/quality", summary="Scores of all datasets, domains or products", responses=shape(QualityReport))
    def quality(
        request: Request,
        by: Annotated[str, Query(description="dataset, column, job, domain or product")] = "dataset",
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

    _add_incidents(router, get_lineage, actor_of)
    _add_rehearsals(router, get_lineage, actor_of)
    return router


def _add_rehearsals(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/quality/performance", summary="How jobs run", responses=shape(Performance))
    def performance(
        request: Request,
        job: Annotated[str | None, Query(description="One job; default: all")] = None,
        days: Annotated[int, Query(ge=1, le=36_500)] = 90,
        as_of: AsOf = None,
        known_at: KnownAt = None,
        format: Shape = "json",
    ) -> Response:
        answer = get_lineage().quality.performance(
            job, days=days, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return _said(answer, format)

    @router.get("/quality/promises", summary="Promises of freshness against history", responses=shape(Promises))
    def promises(request: Request, as_of: AsOf = None, known_at: KnownAt = None, format: Shape = "json") -> Response:
        answer = get_lineage().quality.promises(as_of=as_of, known_at=known_at, actor=actor_of(request))
        return _said(answer, format)

    @router.get("/quality/drill", summary="Play a failure: who would be told", responses=shape(Drill))
    def drill(
        request: Request,
        node: Node,
        failure: Annotated[str, Query(description="late, wrong or missing")] = "late",
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> Response:
        answer = get_lineage().quality.drill(node, failure, as_of=as_of, known_at=known_at, actor=actor_of(request))
        return as_json(answer)


def _add_incidents(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/incidents", summary="What is wrong, those of one cause together", responses=shape(Incidents))
    def incidents(
        request: Request,
        everything: Annotated[bool, Query(alias="all", description="Also what is resolved")] = False,
        as_of: AsOf = None,
        known_at: KnownAt = None,
        format: Shape = "json",
    ) -> Response:
        answer = get_lineage().quality.incidents(
            everything=everything, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return _said(answer, format)

    @router.get("/incidents/show", summary="One incident: cause, blast radius, acts", responses=shape(IncidentDetail))
    def incident(request: Request, id: Id, as_of: AsOf = None, known_at: KnownAt = None) -> Response:
        return as_json(get_lineage().quality.incident(id, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.post("/incidents/act", summary="Acknowledge, assign, mute or resolve one", responses=shape(Incident))
    def act(
        request: Request,
        id: Annotated[str, Body(description="Id of the incident")],
        act: Annotated[Literal["acknowledge", "assign", "mute", "resolve"], Body()],
        note: Annotated[str, Body()] = "",
        to: Annotated[str, Body(description="Who takes care of it; with assign")] = "",
        until: Annotated[str | None, Body(description="End of the silence; with mute")] = None,
    ) -> Response:
        quality = get_lineage().quality
        if act == "assign":
            return as_json(quality.assign(id, to, note=note, actor=actor_of(request)))
        if act == "mute":
            return as_json(quality.mute(id, until, note=note, actor=actor_of(request)))
        say = quality.acknowledge if act == "acknowledge" else quality.resolve
        return as_json(say(id, note=note, actor=actor_of(request)))


def _said(answer: Shown, format: Shape) -> Response:
    if format == "csv":
        return Response(to_csv(answer), media_type="text/csv; charset=utf-8")
    return as_json(answer)
