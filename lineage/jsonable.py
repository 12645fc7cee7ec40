"""From answers to plain JSON values."""

from __future__ import annotations

import dataclasses
import enum
import math
import types
import typing
from datetime import datetime
from functools import cache
from typing import Any

from lineage.times import iso


def to_json(answer: object, *, keep: bool = False) -> Any:
    """Plain JSON value of an answer: times as ISO text in UTC, tuples as lists, bytes hexadecimal.

    With ``keep`` dataclasses that hold nothing but texts, numbers and the like stay what they are, for an encoder that
    writes them itself: an answer of 10,000 consumers takes a tenth of the time.

    >>> to_json({"at": datetime(2026, 1, 1), "names": ("a", "b")})
    {'at': '2026-01-01T00:00:00Z', 'names': ['a', 'b']}
    """
    kind: Any = type(answer)
    if kind in _ALIKE:
        return answer
    if isinstance(answer, tuple | list):
        return [value if type(value) in _ALIKE else to_json(value, keep=keep) for value in answer]
    if isinstance(answer, dict):
        return {
            str(key): value if type(value) in _ALIKE else to_json(value, keep=keep) for key, value in answer.items()
        }
    if isinstance(answer, float):
        return answer if math.isfinite(answer) else None  # JSON has no NaN
    if isinstance(answer, datetime):
        return iso(answer)
    if isinstance(answer, bytes):
        return answer.hex()
    names = _field_names(kind)
    if not names or (keep and _is_plain(kind)):
        return answer
    fields = ((name, getattr(answer, name)) for name in names)
    return {name: value if type(value) in _ALIKE else to_json(value, keep=keep) for name, value in fields}


_ALIKE = frozenset((str, int, bool, type(None)))  # looked at before anything is called: most values are of these types


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    """Names of the fields of a dataclass; looked up once per class, for answers may have 100,000 nodes."""
    return tuple(f.name for f in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


@cache
def _is_plain(kind: Any) -> bool:
    """Whether every value of a type is written alike by any encoder: no time, no bytes, nothing that is not told."""
    if kind in (str, int, float, bool, type(None), Ellipsis):
        return True
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return all(isinstance(value, str | int) for value in inner)
    if origin in (tuple, list, typing.Union, types.UnionType):
        return bool(inner) and all(map(_is_plain, inner))
    if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
        return True
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return False
    try:
        hints = typing.get_type_hints(kind)
    except NameError:  # a name that only type checkers import
        return False
    return all(_is_plain(hints[name]) for name in _field_names(kind))
