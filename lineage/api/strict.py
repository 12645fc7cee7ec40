"""Refuse query parameters, and fields of a JSON body, that a route does not take.

FastAPI leaves them out, as most frameworks do, and the question is then answered without them: ``as-of=2026-01-01``
would be answered for now, and ``kinds=job`` with everything. A silent wrong answer is worse than none, and an
``untill`` that is left out is a promise without an end; so all routes of ``/api/v2`` have :data:`STRICT` as a
dependency. Those of ``/api/v1`` have not: Marquez ignores what it does not know, and its clients rely on that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, get_args, get_origin
from weakref import WeakKeyDictionary

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from lineage.errors import UsageError

_NAMED = 3  # unknown parameters named in one error
_LONG = 60  # characters of a name that are shown
_taken: WeakKeyDictionary[Callable[..., Any], frozenset[str]] = WeakKeyDictionary()
_told: WeakKeyDictionary[Callable[..., Any], frozenset[str]] = WeakKeyDictionary()


class UnknownParameterError(UsageError):
    """A query parameter, or a field of the body, that the route does not take."""


async def known_parameters(request: Request) -> None:  # it waits for nothing: asynchronous, it needs no thread
    """Check the names of the query parameters of a request, and of the fields of its body.

    Raises
    ------
    UnknownParameterError
        when the route takes no parameter or field of one of the names; with the known one that comes near.
    UsageError
        when a parameter that takes one value is given several, or when a text of the body holds half a surrogate
        pair, which no UTF-8 can say.
    """
    given, scope = request.query_params, request.scope
    if given:
        known = _taken.get(scope["endpoint"])
        if known is None:
            known = _taken[scope["endpoint"]] = frozenset(_parameters(scope["route"].dependant))
        _require(given, known)
        if len(given.multi_items()) > len(given):
            _once(given.multi_items(), scope["route"].dependant)
    if scope["method"] != "GET":
        await _known_fields(request)


STRICT = Depends(known_parameters)


def refusal(unknown: Collection[str], known: Collection[str]) -> str:
    """What to say of parameters that a route does not take.

    >>> refusal(["as-of"], ["node", "as_of"])
    'There is no parameter “as-of” here; did you mean as_of?'
    >>> refusal(["runs"], ["node", "as_of"])
    'There is no parameter “runs” here; known are as_of, node.'
    >>> refusal(["x"], [])
    'There is no parameter “x” here; none is known.'
    """
    said = [_one(name, known) for name in list(unknown)[:_NAMED]]
    more = len(unknown) - len(said)
    return " ".join(said) + (f" And {more} more." if more else "")


async def _known_fields(request: Request) -> None:
    """Check what a JSON body says; one that is none, or no object, is for the route itself to refuse."""
    scope = request.scope
    fields = scope["route"].dependant.body_params
    if not fields or not await request.body():
        return
    try:
        body = await request.json()
    except ValueError:  # another content type: no such body gets as far as an answer
        return
    known = _told.get(scope["endpoint"])
    if known is None:
        known = _told[scope["endpoint"]] = frozenset(field.alias for field in fields)
    if not isinstance(body, dict) or (len(fields) == 1 and not getattr(fields[0].field_info, "embed", False)):
        return  # the body as a whole is the one thing that is asked for
    _require(body, known)
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UsageError("The body holds half a surrogate pair (\\ud800 to \\udfff), which is no text.") from None


def _once(given: Iterable[tuple[str, str]], dependant: Dependant) -> None:
    """Refuse a second value where one is taken: the last would win, and the answer be about half of the question."""
    many = {field.alias for field in _fields(dependant) if _several(field.field_info.annotation)}
    twice = [name for name, times in Counter(name for name, _ in given).items() if times > 1 and name not in many]
    if twice:
        raise UsageError(f"{twice[0]}: is given more than once, and one value is taken.")


def _several(annotation: Any) -> bool:
    """Whether an annotation takes a list of values."""
    return get_origin(annotation) in (list, tuple, set) or any(map(_several, get_args(annotation)))


def _require(given: Iterable[str], known: Collection[str]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UnknownParameterError(refusal(unknown, known))


def _one(name: str, known: Collection[str]) -> str:
    shown = name if len(name) <= _LONG else f"{name[:_LONG]}…"
    shown = shown.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be sent
    near = _near(name, known)
    if near is not None:
        return f"There is no parameter “{shown}” here; did you mean {near}?"
    told = f"known are {', '.join(sorted(known))}" if known else "none is known"
    return f"There is no parameter “{shown}” here; {told}."


def _near(name: str, known: Collection[str]) -> str | None:
    """The known name that is meant most likely."""
    plain = name.strip().lower().replace("-", "_")
    for spelled in (plain, plain.removesuffix("s"), f"{plain}s", plain.replace("_", "")):
        if spelled in known:
            return spelled
    found = get_close_matches(plain, sorted(known), n=1, cutoff=0.7)
    return found[0] if found else None


def _parameters(dependant: Dependant) -> Iterator[str]:
    """Names of the query parameters of a route and of all that it depends on."""
    return (field.alias for field in _fields(dependant))


def _fields(dependant: Dependant) -> Iterator[Any]:
    yield from dependant.query_params
    for other in dependant.dependencies:
        yield from _fields(other)
