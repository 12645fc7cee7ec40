"""All routes that answer questions, put together."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request

from lineage.actor import LOCAL, Actor
from lineage.alerts import api as alerts
from lineage.api import graph, history, v1, v2
from lineage.api.parts import ActorOf, GetLineage
from lineage.audit import api as audit
from lineage.contracts import api as contracts
from lineage.cost import api as cost
from lineage.engine import Lineage
from lineage.feedback import api as feedback
from lineage.hand import api as hand
from lineage.owners import api as owners
from lineage.policies import api as policies
from lineage.quality import api as quality
from lineage.report import api as report
from lineage.runs import api as runs
from lineage.saved import api as saved
from lineage.schemas.api import build as build_schemas
from lineage.scorecards import api as scorecards
from lineage.stops import api as stops

PARTS: tuple[Callable[[GetLineage, ActorOf], APIRouter], ...] = (
    v1.build,
    v2.build,
    graph.build,
    history.build,
    audit.build,
    contracts.build,
    hand.build,
    cost.build,
    quality.build,
    policies.build,
    alerts.build,
    scorecards.build,
    feedback.build,
    report.build,
    owners.build,
    saved.build,
    runs.build,
    build_schemas,
    stops.build,
)
"""What every field of questions adds: a function that builds its routes."""


def everybody_local(_request: Request) -> Actor:
    """The one all-seeing actor of version 1."""
    return LOCAL


def build_router(
    lineage: Lineage | Callable[[], Lineage], actor_of: Callable[[Request], Actor] = everybody_local
) -> APIRouter:
    """Routes of ``/api/v1/lineage`` (Marquez's shape) and ``/api/v2``, which refuses parameters that it does not know.

    Parameters
    ----------
    lineage
        the engine, or a function that gives it.
    actor_of
        who sends a request; default: the local actor.

    Errors are raised as :class:`lineage.errors.MeshlineError`; the application that includes the router registers
    :func:`lineage.api.errors.explain` (or its own handler) for them, and :func:`lineage.api.invalid.explain_invalid`
    for what FastAPI itself refuses.
    """
    get: GetLineage = (lambda: lineage) if isinstance(lineage, Lineage) else lineage
    who: ActorOf = actor_of
    router = APIRouter()
    for part in PARTS:
        router.routes.extend(part(get, who).routes)  # include_router would make each of them once more
    return router
