"""Refuse query parameters that a route does not take.

FastAPI leaves them out, as most frameworks do, and the question is then answered without them: ``as-of=2026-01-01``
would be answered for now, and ``kinds=job`` with everything. A silent wrong answer is worse than none, so all routes of
``/api/v2`` have :data:`STRICT` as a dependency. Those of ``/api/v1`` have not: Marquez ignores what it does not know,
and its clients rely on that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from lineage.errors import UsageError

_NAMED = 3  # unknown parameters named in one error
_LONG = 60  # characters of a name that are shown
_taken: WeakKeyDictionary[Callable[..., Any], frozenset[str]] = WeakKeyDictionary()


class UnknownParameterError(UsageError):
    """A query parameter that the route does not take."""


async def known_parameters(request: Request) -> None:  # it waits for nothing: asynchronous, it needs no thread
    """Check the names of the query parameters of a request.

    Raises
    ------
    UnknownParameterError
        when the route takes no parameter of one of the names; with the known one that comes near.
    """
    given = request.query_params
    if not given:
        return
    scope = request.scope
    known = _taken.get(scope["endpoint"])
    if known is None:
        known = _taken[scope["endpoint"]] = frozenset(_parameters(scope["route"].dependant))
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UnknownParameterError(refusal(unknown, known))


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


def _one(name: str, known: Collection[str]) -> str:
    shown = name if len(name) <= _LONG else f"{name[:_LONG]}…"
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
    yield from (field.alias for field in dependant.query_params)
    for other in dependant.dependencies:
        yield from _parameters(other)
