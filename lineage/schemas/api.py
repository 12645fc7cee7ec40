"""The route of schema versions: the same answer as the command."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, Node, as_json, own_router, shape
from lineage.schemas.questions import SchemaVersions


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("schemas")

    @router.get("/schema", summary="Versions of the schema of a dataset", responses=shape(SchemaVersions))
    def schema(request: Request, node: Node, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        found = get_lineage().schemas.versions(node, as_of=as_of, known_at=known_at, actor=actor_of(request))
        return as_json(found)

    return router
