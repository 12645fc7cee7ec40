"""Routes of what one person asks for and another one decides; :mod:`lineage.decisions` has the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, GetLineage, Text, as_json, shape
from lineage.decisions import Field


def add_acts(
    router: APIRouter, path: str, field: Field, row: Any, acts: Mapping[str, str], doors: tuple[GetLineage, ActorOf]
) -> None:
    """Add ``POST path/act`` for acts on the id of a request, or of what came of one.

    Parameters
    ----------
    field
        the object whose method an act is.
    row
        type of what an act leaves.
    acts
        summary by name.
    doors
        the engine, and who sends a request.
    """
    for name, summary in acts.items():
        router.post(f"{path}/{name}", summary=summary, name=name, responses=shape(row))(_act(field, name, *doors))


def _act(field: Field, name: str, get_lineage: GetLineage, actor_of: ActorOf) -> Callable[..., JSONResponse]:
    def run(request: Request, id: Text, reason: Text = "") -> JSONResponse:
        return as_json(getattr(field(get_lineage()), name)(id, reason, actor=actor_of(request)))

    return run
