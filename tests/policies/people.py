"""A client of the routes whose requests say who sends them."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from lineage.actor import Actor
from lineage.api import build_router
from lineage.api.errors import explain
from lineage.engine import Lineage
from lineage.errors import MeshlineError


def people(lx: Lineage) -> TestClient:
    """The actor of a request is the text of its header ``x-who``."""

    def who(request: Request) -> Actor:
        return Actor(request.headers.get("x-who", "local"))

    app = FastAPI()
    app.include_router(build_router(lx, who))
    app.add_exception_handler(MeshlineError, explain)
    return TestClient(app)
