"""Routes about policies: the same answers as the commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import JSONResponse

from lineage.api.decisions import add_acts
from lineage.api.parts import ActorOf, AsOf, GetLineage, KnownAt, Text, as_json, own_router, shape
from lineage.policies.access import AccessList, AccessRow
from lineage.policies.answers import Check, Policies
from lineage.policies.backtest import Backtest
from lineage.policies.groups import ViolationGroups
from lineage.policies.load import parse_policy
from lineage.policies.model import Policy
from lineage.policies.violations import Violation, Violations
from lineage.policies.waiving import WaiverList, WaiverRow

Which = Annotated[str, Query(description="Id of a policy")]
Name = Annotated[str, Query(description="Id of a violation")]


def build(get_lineage: GetLineage, actor_of: ActorOf) -> APIRouter:
    """Routes over one engine."""
    router = own_router("policies")

    @router.get("/policies", summary="The policies that hold", responses=shape(Policies))
    def policies(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().policies.list(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/policies/library", summary="The policies that Meshline ships", responses=shape(Policies))
    def library() -> JSONResponse:
        return as_json(get_lineage().policies.library())

    @router.get("/policies/show", summary="One policy with its SQL and tests", responses=shape(Policy))
    def show(request: Request, policy: Which, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().policies.show(policy, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/policies/check", summary="What the policies say of every asset", responses=shape(Check))
    def check(
        request: Request, policy: Which | None = None, as_of: AsOf = None, known_at: KnownAt = None
    ) -> JSONResponse:
        return as_json(get_lineage().policies.check(policy, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.post("/policies/backtest", summary="A proposed policy over past states", responses=shape(Backtest))
    def backtest(
        request: Request,
        policy: Annotated[str, Body(description="Text of the policy file")],
        start: Annotated[str, Body(alias="from", description="First instant")],
        end: Annotated[str | None, Body(alias="to", description="Last instant; default: now")] = None,
        step: Annotated[str, Body(description="Time between two instants")] = "1d",
    ) -> JSONResponse:
        proposed = parse_policy(policy, "policy")
        return as_json(
            get_lineage().policies.backtest(proposed, start=start, end=end, step=step, actor=actor_of(request))
        )

    _add_violations(router, get_lineage, actor_of)
    _add_waivers(router, get_lineage, actor_of)
    _add_access(router, get_lineage, actor_of)
    return router


def _add_violations(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/violations", summary="Recorded violations", responses=shape(Violations))
    def violations(
        request: Request, everything: bool = False, as_of: AsOf = None, known_at: KnownAt = None
    ) -> JSONResponse:
        found = get_lineage().policies.violations(
            everything=everything, as_of=as_of, known_at=known_at, actor=actor_of(request)
        )
        return as_json(found)

    @router.get("/violations/groups", summary="Violations under their causes", responses=shape(ViolationGroups))
    def groups(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().policies.groups(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.get("/violations/show", summary="One violation", responses=shape(Violation))
    def violation(request: Request, id: Name, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().policies.violation(id, as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.post("/violations/ack", summary="Say that somebody looks after it", responses=shape(Violation))
    def acknowledge(request: Request, id: Text, reason: Text = "") -> JSONResponse:
        return as_json(get_lineage().policies.acknowledge(id, reason, actor=actor_of(request)))

    @router.post("/violations/assign", summary="Say who mends it", responses=shape(Violation))
    def assign(request: Request, id: Text, assignee: Text, reason: Text = "") -> JSONResponse:
        return as_json(get_lineage().policies.assign(id, assignee, reason, actor=actor_of(request)))


def _add_waivers(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/waivers", summary="Waivers and requests for them", responses=shape(WaiverList))
    def waivers(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().waivers.list(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.post("/waivers/request", summary="Ask that a violation may stay", responses=shape(WaiverRow))
    def ask(request: Request, violation: Text, reason: Text, expires: Text) -> JSONResponse:
        return as_json(get_lineage().waivers.request(violation, reason, expires, actor=actor_of(request)))

    acts = {"approve": "Let it stay", "refuse": "Refuse a request", "revoke": "End a waiver"}
    add_acts(router, "/waivers", lambda lx: lx.waivers, WaiverRow, acts, (get_lineage, actor_of))


def _add_access(router: APIRouter, get_lineage: GetLineage, actor_of: ActorOf) -> None:
    @router.get("/access", summary="Grants, requests and shadow edges", responses=shape(AccessList))
    def access(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> JSONResponse:
        return as_json(get_lineage().access.list(as_of=as_of, known_at=known_at, actor=actor_of(request)))

    @router.post("/access/request", summary="Ask for access", responses=shape(AccessRow))
    def ask(
        request: Request,
        product: Text,
        consumer: Text,
        purpose: Text,
        expires: Text,
        kind: Text = "domain",
        reason: Text = "",
    ) -> JSONResponse:
        lx, actor = get_lineage(), actor_of(request)
        return as_json(lx.access.request(product, consumer, purpose, expires, kind=kind, reason=reason, actor=actor))

    acts = {"approve": "Grant what was asked for", "deny": "Refuse a request", "revoke": "End a grant"}
    add_acts(router, "/access", lambda lx: lx.access, AccessRow, acts, (get_lineage, actor_of))
