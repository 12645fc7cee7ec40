"""What FastAPI refuses of a request, in the house's words: which parameter, the value given, and what is allowed.

FastAPI answers with a list of its own shape; here it is ``{"error", "detail"}`` like every other error of ``/api/v2``,
with ``parameters``: one entry for each that is wrong. Paths of ``/api/v1`` keep FastAPI's shape, as their clients do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from fastapi import Request, Response
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from lineage.errors import repeated

_PLACES = {"query": "query", "path": "path", "body": "body", "header": "header", "cookie": "cookie"}
_REFERENCE = "#/components/schemas/InvalidParameters"
_KINDS = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "string": "a text", "list": "a list",
    "dict": "a JSON object", "model_attributes": "a JSON object", "datetime": "a time", "date": "a date",
}  # fmt: skip
_BOUNDS = (("ge", "{} or more"), ("gt", "more than {}"), ("le", "{} or less"), ("lt", "less than {}"))


class InvalidParameter(BaseModel):
    """One parameter that cannot be used."""

    name: str = Field(description="Name of the parameter, or path of the field in the body; `body` for all of it")
    place: str = Field(description="query, path, body, header or cookie")
    given: str | None = Field(description="The value that was sent; null when there is none")
    allowed: str = Field(description="What is allowed")
    candidates: list[str] = Field(description="Allowed values that come near")


class InvalidParameters(BaseModel):
    """A request of which parameters are missing, of another type, or out of bounds."""

    error: str = Field(description="InvalidParameterError")
    detail: str = Field(description="For people: each parameter with the value given and what is allowed")
    parameters: list[InvalidParameter]


async def explain_invalid(request: Request, error: Exception) -> Response:
    """Answer of an exception handler for FastAPI's ``RequestValidationError``: status 422.

    Register it with ``app.add_exception_handler(RequestValidationError, explain_invalid)``.
    """
    assert isinstance(error, RequestValidationError)
    if request.url.path.startswith("/api/v1"):
        return await request_validation_exception_handler(request, error)
    found = [invalid(one) for one in error.errors()]
    if not isinstance(error.body, Mapping):  # no object has no fields: that is what is wrong, not each that is missing
        fields = [one.name for one in found if one.place == "body" and one.name != "body"]
        found = [one for one in found if one.name not in fields or one.place != "body"]
        if fields:
            given = None if error.body in (None, b"", "") else _given(error.body)
            allowed = f"a JSON object with {', '.join(fields)}"
            found.append(InvalidParameter(name="body", place="body", given=given, allowed=allowed, candidates=[]))
    detail = " ".join(_sentence(one) for one in found)
    content = InvalidParameters(error="InvalidParameterError", detail=detail, parameters=found)
    return JSONResponse(content.model_dump(), status_code=422)


def invalid(problem: Mapping[str, Any]) -> InvalidParameter:
    """One of pydantic's problems in the house's words.

    >>> found = invalid({"type": "greater_than_equal", "loc": ("query", "depth"), "input": "-1", "ctx": {"ge": 0}})
    >>> found.name, found.given, found.allowed
    ('depth', '-1', '0 or more')
    """
    place, *path = [str(part) for part in problem["loc"]]
    kind, context = str(problem["type"]), problem.get("ctx") or {}
    if kind == "json_invalid":
        where = f" from position {path[0]} on ({context.get('error', 'it cannot be read')})" if path else ""
        return InvalidParameter(name="body", place="body", given=f"no JSON{where}", allowed="JSON", candidates=[])
    given = None if kind == "missing" else _given(problem.get("input"))
    allowed, values = _allowed(kind, context, str(problem.get("msg", "")))
    near = get_close_matches(given, values, n=3, cutoff=0.5) if given is not None else []
    name = ".".join(path) or "body"
    return InvalidParameter(name=name, place=_PLACES.get(place, place), given=given, allowed=allowed, candidates=near)


class ExplainedRoute(APIRoute):
    """A route whose description has the house's shape of a 422, where it takes parameters."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if 422 in self.responses or not _takes(self.dependant):
            return
        told: dict[str, Any] = {"description": "A parameter cannot be used"}
        kind = getattr(self.response_class, "value", self.response_class)  # FastAPI keeps its default in a box
        if getattr(kind, "media_type", None) in (None, "application/json"):
            told["model"] = InvalidParameters
            self.response_fields[422] = _shape()
        else:  # FastAPI would describe it as of the media type of the route's answer
            told["content"] = {"application/json": {"schema": {"$ref": _REFERENCE}}}
        self.responses[422] = told


@cache
def _shape() -> Any:
    """The field that FastAPI makes of the model of a response."""
    return APIRoute("/", lambda: None, responses={422: {"model": InvalidParameters}}).response_fields[422]


def _takes(dependant: Any) -> bool:
    own = (dependant.path_params, dependant.query_params, dependant.header_params, dependant.body_params)
    return any(own) or any(map(_takes, dependant.dependencies))


def _given(value: Any) -> str | None:
    """A value as a message repeats it; of a list or an object what it is."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "a JSON object"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return repeated(str(value))


def _allowed(kind: str, context: Mapping[str, Any], message: str) -> tuple[str, list[str]]:
    """What a parameter may be, and its values where they are few."""
    if kind == "missing":
        return "it is required", []
    if kind in ("literal_error", "enum"):
        values = [one.strip().strip("'") for one in str(context.get("expected", "")).replace(" or ", ", ").split(",")]
        return f"one of {', '.join(values)}", values
    bounds = [text.format(context[key]) for key, text in _BOUNDS if key in context]
    if bounds:
        return " and ".join(bounds), []
    what = _KINDS.get(kind.removesuffix("_parsing").removesuffix("_type").removesuffix("_from_float"))
    return what or message[:1].lower() + message[1:], []


def _sentence(one: InvalidParameter) -> str:
    if one.allowed == "JSON":
        return f"{one.name} is {one.given}."
    if one.given is None:
        needed = "" if one.allowed == "it is required" else f"; allowed is {one.allowed}"
        return f"{one.name} is missing{needed}."
    near = f"; did you mean {one.candidates[0]}?" if one.candidates else "."
    return f"{one.name}: “{one.given}” is not allowed; allowed is {one.allowed}{near}"
