"""What the routes of ``/api/v2`` share: parameters, errors, and answers as responses."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from lineage.actor import Actor
from lineage.answers import Answer, to_json
from lineage.api.invalid import ExplainedRoute
from lineage.api.strict import STRICT
from lineage.engine import Lineage
from lineage.formats import MEDIA_TYPES, render, unsaid

GetLineage = Callable[[], Lineage]
ActorOf = Callable[[Request], Actor]

Node = Annotated[
    str, Query(description="`dataset:NAMESPACE:NAME`, `job:…`, `column:…:COLUMN`, or a unique end of a name")
]
Column = Annotated[str | None, Query(description="Ask for this column of the node")]
Depth = Annotated[int | None, Query(ge=0, description="Greatest number of hops; default: no limit")]
Hops = Annotated[int | None, Query(ge=0, description="List only what is exactly so many hops away; not with `depth`")]
MaxNodes = Annotated[int | None, Query(ge=1, description="Greatest number of rows, the nearest; default: no limit")]
Names = Annotated[list[str] | None, Query(description="One or several, with commas or repeated; default: all")]
AsOf = Annotated[str | None, Query(description="Valid time, like 2026-03-31T18:00:00Z or 30 days ago; default: now")]
KnownAt = Annotated[str | None, Query(description="Known time; default: now")]
Text = Annotated[str, Body(embed=True)]
AnswerFormat = Literal["json", "csv", "md", "mermaid", "graphml", "openlineage"]


async def _walked(  # it waits for nothing: asynchronous, it is called without another thread
    node: Node,
    column: Column = None,
    depth: Depth = None,
    hops: Hops = None,
    max_nodes: MaxNodes = None,
    kind: Names = None,
    domain: Names = None,
    certainty: Names = None,
    links: bool = False,
    bridge: Annotated[bool, Query(description="Leave temporary datasets out: the way through them is one hop")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> dict[str, Any]:
    """What impact and provenance are asked with, as their keyword arguments."""
    filters = {"kinds": kind, "domains": domain, "certainty": certainty}
    limits = {"depth": depth, "hops": hops, "max_nodes": max_nodes}
    when = {"as_of": as_of, "known_at": known_at}
    return {"node": node, "column": column, "links": links, "bridge": bridge, **limits, **filters, **when}


Walked = Annotated[dict[str, Any], Depends(_walked)]

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "An argument makes no sense"},
    403: {"description": "The node belongs to a domain that may not be seen"},
    404: {"description": "No node (or tag), or more than one, has this name; `candidates` lists what comes near"},
}


def own_router(tag: str | None = None, *, prefix: str = "") -> APIRouter:
    """A router for paths of ``/api/v2``, to be filled: its routes refuse what they do not take, and say so.

    Parameters
    ----------
    tag
        under which the OpenAPI page lists its routes; default: each route says it itself.
    prefix
        what follows ``/api/v2`` in all its paths.
    """
    tags: list[str | Enum] | None = [tag] if tag else None
    return APIRouter(
        prefix=f"/api/v2{prefix}", tags=tags, responses=ERRORS, dependencies=[STRICT], route_class=ExplainedRoute
    )


def as_json(value: object) -> JSONResponse:
    """An answer as JSON."""
    return _Answered(to_json(value, keep=True))


class _Answered(JSONResponse):
    """Written by msgspec: it takes dataclasses, and a fifth of the time."""

    def render(self, content: Any) -> bytes:
        import msgspec

        return msgspec.json.encode(content)


def as_response(answer: Answer, format: AnswerFormat) -> Response:
    """Impact or provenance in one of its formats."""
    if format == "json":
        return as_json(answer)
    notes = unsaid(answer, format)
    headers = {"Meshline-Notes": "; ".join(notes)} if notes else None
    return Response(render(answer, format), media_type=MEDIA_TYPES[format], headers=headers)


def shape(model: Any) -> dict[int | str, dict[str, Any]]:
    """What a route says of its answer in the OpenAPI description."""
    return {200: {"model": model}}
