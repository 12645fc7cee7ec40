"""From answers to plain JSON values."""

from __future__ import annotations

import dataclasses
import math
from datetime import datetime
from functools import cache
from typing import Any

from lineage.times import iso


def to_json(answer: object) -> Any:
    """Plain JSON value of an answer: times as ISO text in UTC, tuples as lists, bytes hexadecimal.

    >>> to_json({"at": datetime(2026, 1, 1), "names": ("a", "b")})
    {'at': '2026-01-01T00:00:00Z', 'names': ['a', 'b']}
    """
    if answer is None or isinstance(answer, str | int):
        return answer
    if isinstance(answer, float):
        return answer if math.isfinite(answer) else None  # JSON has no NaN
    if isinstance(answer, tuple | list):
        return [to_json(value) for value in answer]
    if isinstance(answer, datetime):
        return iso(answer)
    if isinstance(answer, bytes):
        return answer.hex()
    if isinstance(answer, dict):
        return {str(key): to_json(value) for key, value in answer.items()}
    kind: Any = type(answer)
    names = _field_names(kind)
    return {name: to_json(getattr(answer, name)) for name in names} if names else answer


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    """Names of the fields of a dataclass; looked up once per class, for answers may have 100,000 nodes."""
    return tuple(f.name for f in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()
