"""Routes about contracts, products and changes: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, Node, as_json, own_router, shape
from lineage.contracts.conformance import Conformance
from lineage.contracts.drift import DriftSeries
from lineage.contracts.overview import Contracts, Products
from lineage.contracts.report import ChangeReport
from lineage.errors import UsageError

Texts = Annotated[list[str] | None, Query(description="May be repeated")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("contracts")

    @router.get("/contracts", summary="Contracts, what they bind, who reads it", responses=shape(Contracts))
    def contracts(
        request: Request, status: str | None = None, as_of: AsOf = None, known_at: KnownAt = None
    ) -> JSONResponse:
        actor = actor_of(request)
        return as_json(get_lineage().contracts.list(status, as_of=as_of, known_at=known_at, actor=actor))

    @router.get("/contracts/check", summary="Is each promise kept?", responses=shape(Conformance))
    def check(
        request: Request,
        only: Annotated[str | None, Query(description="A contract or dataset; default: all active")] = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        actor = actor_of(request)
        return as_json(get_lineage().contracts.check(only, as_of=as_of, known_at=known_at, actor=actor))

    @router.get("/contracts/draft", summary="A first contract from what was observed", response_class=PlainTextResponse)
    def draft(request: Request, node: Node, as_of: AsOf = None, known_at: KnownAt = None) -> PlainTextResponse:
        text = get_lineage().contracts.draft(node, as_of=as_of, known_at=known_at, actor=actor_of(request))
        return PlainTextResponse(text, media_type="application/yaml")

    @router.get("/contracts/versions", summary="All versions of a contract, as they were written")
    def versions(
        request: Request, contract: Annotated[str, Query(description="Id or name")], known_at: KnownAt = None
    ) -> JSONResponse:
        return as_json(get_lineage().contracts.versions(contract, known_at=known_at, actor=actor_of(request)))

    @router.get("/products", summary="Products, datasets, consumers, drift", responses=shape(Products))
    def products(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().products.list(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/products/drift", summary="Where a product was other than declared", responses=shape(DriftSeries))
    def drift(
        request: Request,
        product: Annotated[str, Query(description="Id or name")],
        start: Annotated[str | None, Query(alias="from", description="Default: 90 days before the end")] = None,
        end: Annotated[str | None, Query(alias="to", description="Default: now")] = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        actor = actor_of(request)
        return as_json(get_lineage().products.drift(product, start, end, known_at=known_at, actor=actor))

    _add_change(router, get_lineage, actor_of)
    return router


def _add_change(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.post("/change", summary="What a new version of a contract would break", responses=shape(ChangeReport))
    def change_contract(
        request: Request,
        new: Annotated[str, Body(embed=True, description="ODCS document as YAML")],
        old: Annotated[str | None, Body(embed=True, description="Default: the active version")] = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        actor = actor_of(request)
        return as_json(get_lineage().contracts.change_text(new, old, as_of=as_of, known_at=known_at, actor=actor))

    @router.get("/change", summary="What a change of nodes would break", responses=shape(ChangeReport))
    def change_nodes(
        request: Request,
        drop: Texts = None,
        retire: Texts = None,
        rename: Annotated[str | None, Query(description="Node; with `to`")] = None,
        retype: Annotated[str | None, Query(description="Column; with `to`")] = None,
        to: Annotated[str | None, Query(description="New name or type")] = None,
        late: Annotated[str | None, Query(description="Node; with `hours`")] = None,
        hours: float | None = None,
        as_of: AsOf = None,
        known_at: KnownAt = None,
    ) -> JSONResponse:
        if late and hours is None:
            raise UsageError("late needs hours.")
        answer = get_lineage().contracts.change_nodes(
            drop=drop or (),
            retire=retire or (),
            rename={rename: to or ""} if rename else None,
            retype={retype: to or ""} if retype else None,
            late={late: hours or 0.0} if late else None,
            as_of=as_of,
            known_at=known_at,
            actor=actor_of(request),
        )
        return as_json(answer)
