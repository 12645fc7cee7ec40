"""All routes that answer questions, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request

from lineage.actor import LOCAL, Actor
from lineage.api import v1, v2
from lineage.engine import Lineage

if TYPE_CHECKING:
    from lineage.api.parts import ActorOf, GetLineage


def everybody_local(_request: Request) -> Actor:
    """The one all-seeing actor of version 1."""
    return LOCAL


def build_router(
    lineage: Lineage | Callable[[], Lineage], actor_of: Callable[[Request], Actor] = everybody_local
) -> APIRouter:
    """Routes of ``/api/v1/lineage`` (Marquez's shape) and ``/api/v2``.

    Parameters
    ----------
    lineage
        the engine, or a function that gives it.
    actor_of
        who sends a request; default: the local actor.

    Errors are raised as :class:`lineage.errors.MeshlineError`; the application that includes the router registers
    :func:`lineage.api.errors.explain` (or its own handler) for them.
    """
    get: GetLineage = (lambda: lineage) if isinstance(lineage, Lineage) else lineage
    who: ActorOf = actor_of
    router = APIRouter()
    router.include_router(v1.build(get, who))
    router.include_router(v2.build(get, who))
    return router
