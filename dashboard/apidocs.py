"""The OpenAPI page at ``/api/docs``, served from this machine: no content delivery network, no validator service.

Swagger UI's files come from the package fastapi-offline; FastAPI itself would have the browser fetch them elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse

from dashboard.headers import policy
from ingest.sources.http import BATCH, SINGLE

DOCS = "/api/docs"
OPENAPI = "/api/openapi.json"
_FILES = "/api/docs-files"


def add_docs(api: FastAPI) -> None:
    """Add the page, its files, and a schema that also tells of the two routes FastAPI does not serve itself."""
    folder = resources.files("fastapi_offline") / "static"
    api.mount(_FILES, StaticFiles(directory=Path(str(folder))), name="docs-files")

    @api.get(DOCS, include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = str(request.scope.get("root_path", ""))
        page = get_swagger_ui_html(
            openapi_url=root + OPENAPI,
            title=f"{api.title}: HTTP interface",
            swagger_js_url=f"{root}{_FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{_FILES}/swagger-ui.css",
            swagger_favicon_url=f"{root}{_FILES}/favicon.png",
            oauth2_redirect_url=None,
            swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
        )
        page.headers["content-security-policy"] = policy([_script_hash(bytes(page.body))])
        return page

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            schema = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
            paths = schema.setdefault("paths", {})
            for path, post in ((SINGLE, _single()), (BATCH, _batch())):
                paths.setdefault(path, {})["post"] = post
            api.openapi_schema = schema
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the schema


def _script_hash(page: bytes) -> str:
    """The one inline script of the page as a source of Content-Security-Policy."""
    found = re.search(rb"<script>(.*?)</script>", page, re.DOTALL)
    script = found[1] if found else b""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"


_EVENT = {
    "type": "object",
    "description": "RunEvent, JobEvent or DatasetEvent of the OpenLineage specification",
    "additionalProperties": True,
}
_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "detail": {"type": "string"}},
    "required": ["error", "detail"],
}
_EXAMPLE = {
    "eventType": "COMPLETE",
    "eventTime": "2026-03-31T18:00:00Z",
    "run": {"runId": "0190a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b"},
    "job": {"namespace": "nightly", "name": "load_orders"},
    "inputs": [{"namespace": "postgres://db:5432", "name": "shop.public.orders"}],
    "outputs": [{"namespace": "s3://lake", "name": "orders"}],
    "producer": "https://example.com/scheduler",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
}


def _refusals() -> dict[str, Any]:
    texts = {
        "400": "no JSON, no UTF-8, or damaged compression",
        "413": "larger than the limit after inflating",
        "415": "another Content-Type or Content-Encoding",
        "503": "too much waits already, or the disk refused; nothing was kept, Retry-After says when to come back",
    }
    content = {"application/json": {"schema": _ERROR}}
    return {status: {"description": text, "content": content} for status, text in texts.items()}


def _single() -> dict[str, Any]:
    return {
        "tags": ["OpenLineage"],
        "summary": "Receive one event",
        "description": "Answers once the event is on disk. Bodies may be gzip, deflate or zstd.",
        "operationId": "postRunEvent",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _EVENT, "example": _EXAMPLE}},
        },
        "responses": {
            "201": {"description": "the event is on disk"},
            "422": {
                "description": "JSON, but unusable as an event; kept in the quarantine",
                "content": {"application/json": {"schema": _ERROR}},
            },
            **_refusals(),
        },
    }


def _batch() -> dict[str, Any]:
    number = {"type": "integer"}
    status = {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["success", "partial_success"]},
            "summary": {
                "type": "object",
                "properties": dict.fromkeys(("received", "successful", "failed", "retriable", "non_retriable"), number),
            },
            "failed_events": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "index": number,
                        "reason": {"type": "string"},
                        "retriable": {"type": "boolean"},
                    },
                },
            },
        },
    }
    return {
        "tags": ["OpenLineage"],
        "summary": "Receive an array of events",
        "description": "Answers once all usable events are on disk, and names the others.",
        "operationId": "postEventBatch",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "array", "items": _EVENT}, "example": [_EXAMPLE]}},
        },
        "responses": {
            "200": {
                "description": "status of the batch",
                "content": {"application/json": {"schema": status}},
            },
            **_refusals(),
        },
    }
